// Per-thread pointers with an exit hook.
//
// A pthread key, not a thread_local destructor, runs the hooks: it runs after every thread_local destructor of the
// thread, and those may still use the core.
#include <pthread.h>

#include <bitset>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include "quiesce/native_platform.hpp"

namespace quiesce::native {

constinit slot_table empty_slot_table{};
constinit thread_local slot_table* slots = &empty_slot_table;

namespace {

struct slot_registry {
    std::mutex lock;
    std::bitset<max_slots> taken;
    slot_hooks hooks[max_slots];
    slot_table* tables = nullptr;
    pthread_key_t key{};

    slot_registry() {
        if (::pthread_key_create(&key, &thread_exits) != 0) {
            std::abort();
        }
    }

    static void thread_exits(void* table);
};

// Never destroyed: threads may exit after the statics are gone.
slot_registry& registry() {
    static auto* const instance = new slot_registry();
    return *instance;
}

constinit thread_local bool holding = false;

// Holds the lock, unless the thread does already: an exit hook may be the first to use another domain in its thread.
// Not a recursive mutex, which a forked child cannot unlock.
class registry_hold {
public:
    explicit registry_hold(slot_registry& r) : registry_(r), outermost_(!std::exchange(holding, true)) {
        if (outermost_) {
            registry_.lock.lock();
        }
    }
    registry_hold(const registry_hold&) = delete;
    registry_hold& operator=(const registry_hold&) = delete;
    ~registry_hold() {
        if (outermost_) {
            holding = false;
            registry_.lock.unlock();
        }
    }

private:
    slot_registry& registry_;
    const bool outermost_;
};

void slot_registry::thread_exits(void* table) {
    slot_registry& r = registry();
    const registry_hold hold(r);
    const std::unique_ptr<slot_table> own(static_cast<slot_table*>(table));
    // A hook may set a slot that was looked at before.
    for (bool found = true; found;) {
        found = false;
        for (std::size_t i = 0; i != max_slots; ++i) {
            void* const value = own->entry[i].exchange(nullptr, std::memory_order_relaxed);
            if (value != nullptr) {
                r.hooks[i].exits(r.hooks[i].context, value);
                found = true;
            }
        }
    }
    *own->link = own->next;
    if (own->next != nullptr) {
        own->next->link = own->link;
    }
    // What a later destructor of this thread sets starts a new table, and the key's destructor runs again.
    native::slots = &empty_slot_table;
}

}  // namespace

std::size_t acquire_slot(const slot_hooks& hooks) noexcept {
    slot_registry& r = registry();
    const registry_hold hold(r);
    std::size_t i = 0;
    while (i != max_slots && r.taken[i]) {
        ++i;
    }
    if (i != max_slots) {
        r.taken[i] = true;
        r.hooks[i] = hooks;
    }
    return i;
}

void release_slot(std::size_t index) noexcept {
    slot_registry& r = registry();
    const registry_hold hold(r);
    for (slot_table* table = r.tables; table != nullptr; table = table->next) {
        table->entry[index].store(nullptr, std::memory_order_relaxed);
    }
    r.taken[index] = false;
}

bool set_slot(std::size_t index, void* value) noexcept {
    if (slots == &empty_slot_table) {
        if (value == nullptr) {
            return true;
        }
        std::unique_ptr<slot_table> table(new (std::nothrow) slot_table());
        if (table == nullptr) {
            return false;
        }
        slot_registry& r = registry();
        const registry_hold hold(r);
        if (::pthread_setspecific(r.key, table.get()) != 0) {
            return false;
        }
        table->next = r.tables;
        table->link = &r.tables;
        if (r.tables != nullptr) {
            r.tables->link = &table->next;
        }
        r.tables = table.get();
        slots = table.release();
    }
    slots->entry[index].store(value, std::memory_order_relaxed);
    return true;
}

bool thread_is_busy() noexcept {
    if (slots == &empty_slot_table) {
        return false;
    }
    slot_registry& r = registry();
    const registry_hold hold(r);
    for (std::size_t i = 0; i != max_slots; ++i) {
        void* const value = slots->entry[i].load(std::memory_order_relaxed);
        if (value != nullptr && r.hooks[i].busy != nullptr && r.hooks[i].busy(r.hooks[i].context, value)) {
            return true;
        }
    }
    return false;
}

void slots_before_fork() noexcept {
    registry().lock.lock();
}

void slots_after_fork(bool in_child) noexcept {
    slot_registry& r = registry();
    if (in_child) {
        slot_table* table = r.tables;
        r.tables = nullptr;
        while (table != nullptr) {
            slot_table* const next = table->next;
            if (table == slots) {
                table->next = nullptr;
                table->link = &r.tables;
                r.tables = table;
            } else {
                delete table;
            }
            table = next;
        }
    }
    r.lock.unlock();
}

}  // namespace quiesce::native
