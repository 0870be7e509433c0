// The same queue with std::atomic and threads of the system.
#include "michael_scott_queue.hpp"

#include <cstdio>
#include <thread>

int main() {
    constexpr int each = 10'000;
    michael_scott_queue<int> queue;
    const auto send = [&queue] {
        for (int i = 0; i != each; ++i) {
            queue.enqueue(1);
        }
    };
    std::thread sender_1(send), sender_2(send);
    int received = 0;
    for (int value = 0; received != 2 * each;) {
        received += queue.dequeue(value) ? value : 0;
    }
    sender_1.join();
    sender_2.join();
    std::printf("%d received\n", received);
}
