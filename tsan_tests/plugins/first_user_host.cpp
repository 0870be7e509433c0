// Loads the library whose path it is given, and closes it while a thread lives that has used it; then again, so that
// the domain, its driver, its worker and that thread must go on without the library.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>

#include "examples/unload/loaded_library.hpp"
#include "quiesce/native_platform.hpp"
#include "quiesce/rcu_head.hpp"

namespace {

using head = quiesce::basic_rcu_head<quiesce::native_platform>;
using use_domain = void(head* task, head::callback function);

head task;
std::atomic<unsigned> tasks_run{0};

void run_task(head*) {
    tasks_run.fetch_add(1);
    tasks_run.notify_all();
}

// In a thread that ends after the library.
void use_and_close(const char* path) {
    loaded_library library(path);
    const unsigned before = tasks_run;
    library.function<use_domain>("use_domain")(&task, &run_task);
    tasks_run.wait(before);
    library.close();
}

}  // namespace

int main(int, char** arguments) {
    try {
        for (unsigned i = 0; i != 3; ++i) {
            std::exception_ptr failure;
            std::thread user([&] {
                try {
                    use_and_close(arguments[1]);
                } catch (...) {
                    failure = std::current_exception();
                }
            });
            user.join();
            if (failure) {
                std::rethrow_exception(failure);
            }
        }
    } catch (const std::exception& e) {
        std::fprintf(stderr, "%s\n", e.what());
        return EXIT_FAILURE;
    }
    std::puts("the domain outlived the library three times");
    return EXIT_SUCCESS;
}
