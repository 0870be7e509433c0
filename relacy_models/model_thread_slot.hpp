// The thread slots of a model platform, whose threads are not threads of the process.
#pragma once

#include <array>
#include <utility>

namespace quiesce::models {

/// What one slot does about a thread.
struct slot_hooks {
    void* slot = nullptr;
    void (*exits)(void* slot, unsigned thread) = nullptr;
    bool (*busy)(void* slot, unsigned thread) = nullptr;
};

/// The slots of one execution. Free of allocation: a checker may have replaced the global operator new.
class slot_list {
public:
    /// Returns false when there are too many.
    [[nodiscard]] bool add(const slot_hooks& slot) {
        for (slot_hooks& h : hooks_) {
            if (h.slot == nullptr) {
                h = slot;
                return true;
            }
        }
        return false;
    }
    void remove(const void* slot) {
        for (slot_hooks& h : hooks_) {
            if (h.slot == slot) {
                h = {};
            }
        }
    }

    void exit_thread(unsigned thread) const {
        for (const slot_hooks& h : hooks_) {
            if (h.slot != nullptr) {
                h.exits(h.slot, thread);
            }
        }
    }
    bool is_busy(unsigned thread) const {
        for (const slot_hooks& h : hooks_) {
            if (h.slot != nullptr && h.busy(h.slot, thread)) {
                return true;
            }
        }
        return false;
    }

private:
    std::array<slot_hooks, 32> hooks_{};
};

/// A platform's thread_slot. `Model` has `max_threads`, `this_thread()`, a number below it, `slots()`, the list of the
/// present execution, and `check`.
template <class T, class Model>
class model_thread_slot {
public:
    using hook = void (*)(void* context, T* value);
    using question = bool (*)(T* value);

    model_thread_slot(void* context, hook on_exit, question busy = nullptr)
        : context_(context), on_exit_(on_exit), busy_(busy) {
        Model::check(Model::slots().add({this, &exits, &is_busy}), "the platform has no more thread slots");
    }
    model_thread_slot(const model_thread_slot&) = delete;
    model_thread_slot& operator=(const model_thread_slot&) = delete;
    ~model_thread_slot() { Model::slots().remove(this); }

    T* get() const { return value_[Model::this_thread()]; }
    [[nodiscard]] bool set(T* value) {
        value_[Model::this_thread()] = value;
        return true;
    }

private:
    static void exits(void* self, unsigned thread) {
        auto* const slot = static_cast<model_thread_slot*>(self);
        T* const value = std::exchange(slot->value_[thread], nullptr);
        if (value != nullptr) {
            slot->on_exit_(slot->context_, value);
        }
    }
    static bool is_busy(void* self, unsigned thread) {
        auto* const slot = static_cast<model_thread_slot*>(self);
        return slot->busy_ != nullptr && slot->value_[thread] != nullptr && slot->busy_(slot->value_[thread]);
    }

    void* const context_;
    const hook on_exit_;
    const question busy_;
    T* value_[Model::max_threads] = {};
};

}  // namespace quiesce::models
