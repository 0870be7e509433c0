// Explores a queue that was written against std::atomic, as it should be and with two mistakes.
#define EXPLORED
#include "michael_scott_queue.hpp"

#include <cstdio>

namespace ex = quiesce::explorer;

namespace {

struct message {
    ex::plain<int> number{0};
};

template <variant V>
void send_and_receive() {
    message first, second;
    michael_scott_queue<message*, V> queue;
    const auto send = [&queue](message& m, int number) {
        m.number.set(number);
        queue.enqueue(&m);
    };
    const auto receive = [&queue] {
        message* m = nullptr;
        return queue.dequeue(m) ? m->number.get() : 0;
    };
    int a = 0, b = 0;
    ex::thread sender_1([&] { send(first, 1); });
    ex::thread sender_2([&] { send(second, 2); });
    ex::thread receiver_1([&] { a = receive(); });
    ex::thread receiver_2([&] { b = receive(); });
    sender_1.join();
    sender_2.join();
    receiver_1.join();
    receiver_2.join();
    const int left = receive() + receive();
    ex::check(a + b + left == 3, "each message arrives once");
    ex::outcome(a, b);
}

template <variant V>
void explore(const char* name) {
    const ex::report r = ex::explore(send_and_receive<V>);
    if (r.verdict == ex::verdict::exhausted) {
        std::printf("%s: exhausted, %llu executions\n", name, static_cast<unsigned long long>(r.executions));
        for (const auto& [received, times] : r.outcomes) {
            std::printf("  %lld and %lld received in %llu\n", static_cast<long long>(received[0]),
                        static_cast<long long>(received[1]), static_cast<unsigned long long>(times));
        }
        return;
    }
    std::printf("\n%s: %s, %s\n%s", name, r.violation.kind.c_str(), r.violation.message.c_str(),
                r.violation.trace.c_str());
    const ex::report again = ex::explore(send_and_receive<V>, {.replay = r.violation.graph});
    std::printf("replayed: %s, %s trace\n", again.violation.kind.c_str(),
                again.violation.trace == r.violation.trace ? "the same" : "another");
}

}  // namespace

int main() {
    explore<variant{}>("as published");
    explore<variant{.link = std::memory_order_relaxed}>("linked relaxed");
    explore<variant{.deletes_at_once = true}>("deleted at once");
}
