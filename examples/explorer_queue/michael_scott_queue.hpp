// The queue of Michael and Scott, "Simple, Fast, and Practical Non-Blocking and Blocking Concurrent Queue Algorithms",
// 1996, with the memory orders of C++. Nodes live as long as the queue, so there are no counters beside the pointers.
#pragma once

#ifdef EXPLORED
#include <quiesce/explorer.hpp>
namespace lib = quiesce::explorer;
#else
#include <atomic>
namespace lib = std;
#endif

/// The queue is right with the defaults. The rest is for showing that an exploration sees what is wrong.
struct variant {
    std::memory_order link = std::memory_order_release;
    bool deletes_at_once = false;
};

template <class T, variant V = variant{}>
class michael_scott_queue {
    struct node {
        explicit node(T v) : value(v), next(nullptr) {}

        T value;
        lib::atomic<node*> next;
    };

public:
    // A line for each, since an exploration calls them by their lines.
    michael_scott_queue()
        : oldest_(new node(T())),  //
          head_(oldest_),          //
          tail_(oldest_) {}
    michael_scott_queue(const michael_scott_queue&) = delete;
    michael_scott_queue& operator=(const michael_scott_queue&) = delete;
    ~michael_scott_queue() {
        for (node* n = V.deletes_at_once ? head_.load() : oldest_; n != nullptr;) {
            node* const next = n->next.load(std::memory_order_relaxed);
            delete n;
            n = next;
        }
    }

    void enqueue(T value) {
        node* const added = new node(value);
        for (;;) {
            node* last = tail_.load(std::memory_order_acquire);
            node* next = last->next.load(std::memory_order_acquire);
            if (last != tail_.load(std::memory_order_relaxed)) {
                continue;
            }
            if (next != nullptr) {
                tail_.compare_exchange_strong(last, next, std::memory_order_release, std::memory_order_relaxed);
            } else if (last->next.compare_exchange_strong(next, added, V.link, std::memory_order_relaxed)) {
                tail_.compare_exchange_strong(last, added, std::memory_order_release, std::memory_order_relaxed);
                return;
            }
        }
    }

    bool dequeue(T& value) {
        for (;;) {
            node* first = head_.load(std::memory_order_acquire);
            node* last = tail_.load(std::memory_order_acquire);
            node* const next = first->next.load(std::memory_order_acquire);
            if (first != head_.load(std::memory_order_relaxed)) {
                continue;
            }
            if (first != last) {
                value = next->value;
                if (head_.compare_exchange_strong(first, next, std::memory_order_release, std::memory_order_relaxed)) {
                    if (V.deletes_at_once) {
                        delete first;
                    }
                    return true;
                }
            } else if (next != nullptr) {
                tail_.compare_exchange_strong(last, next, std::memory_order_release, std::memory_order_relaxed);
            } else {
                return false;
            }
        }
    }

private:
    node* const oldest_;
    lib::atomic<node*> head_;
    lib::atomic<node*> tail_;
};
