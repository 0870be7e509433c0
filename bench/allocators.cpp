#include "bench/allocators.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace quiesce::bench {

namespace {

struct library {
    explicit library(const char* file) : handle(dlopen(file, RTLD_NOW | RTLD_LOCAL)) {
        if (handle == nullptr) {
            throw std::runtime_error(dlerror());
        }
    }

    template <class Function>
    void find(Function*& function, const char* name) const {
        function = reinterpret_cast<Function*>(dlsym(handle, name));
        if (function == nullptr) {
            throw std::runtime_error(dlerror());
        }
    }

    void* handle;
};

}  // namespace

// BENCH_MIMALLOC and BENCH_JEMALLOC are the libraries' files, where there are any; without them nobody calls these.
#ifdef BENCH_MIMALLOC
template <>
void mimalloc::load() {
    const library l(BENCH_MIMALLOC);
    l.find(allocate_, "mi_malloc");
    l.find(free_, "mi_free");
}
#endif

#ifdef BENCH_JEMALLOC
template <>
void jemalloc::load() {
    const library l(BENCH_JEMALLOC);
    l.find(allocate_, "malloc");
    l.find(free_, "free");
}
#endif

void make_room_for_loaded_allocators() {
    // jemalloc's thread-local data needs a place in the static block, of which the loader leaves too little.
    constexpr const char* variable = "GLIBC_TUNABLES";
    const char* const present = std::getenv(variable);
    const std::string before = present != nullptr ? std::string(present) + ":" : "";
    setenv(variable, (before + "glibc.rtld.optional_static_tls=8192").c_str(), 1);
}

}  // namespace quiesce::bench
