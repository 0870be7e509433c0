// A shared library that is loaded, closed, and then really gone.
//
// That dlclose returns 0 says nothing: a library stays mapped as long as something pins it, and then a program that
// calls its code after closing it runs as if nothing were wrong. So does one that loads it again at the same address.
// Here the library's file must not be mapped any more, and no library is ever mapped where it was: a call of its code
// after the end is a fault, each time.
#pragma once

#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>

// Who does not call `close` leaves it loaded: where something went wrong, its code may still be needed.
class loaded_library {
public:
    /// Throws std::runtime_error when it cannot be loaded.
    explicit loaded_library(const std::string& path)
        : path_(path), handle_(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
        link_map* loaded = nullptr;
        if (handle_ == nullptr || ::dlinfo(handle_, RTLD_DI_LINKMAP, &loaded) != 0) {
            throw std::runtime_error(::dlerror());
        }
        file_ = loaded->l_name;
        range_.base = loaded->l_addr;
        ::dl_iterate_phdr(&add_segments, &range_);
    }
    loaded_library(const loaded_library&) = delete;
    loaded_library& operator=(const loaded_library&) = delete;

    /// Throws std::runtime_error when there is no such function.
    template <class Function>
    Function* function(const char* name) const {
        void* const found = ::dlsym(handle_, name);
        if (found == nullptr) {
            throw std::runtime_error(path_ + " has no function " + name);
        }
        return reinterpret_cast<Function*>(found);
    }

    /// Closes it. Throws std::runtime_error when it is still there afterwards.
    void close() {
        ::dlclose(std::exchange(handle_, nullptr));
        occupy();
        if (void* const still = ::dlopen(path_.c_str(), RTLD_LAZY | RTLD_NOLOAD); still != nullptr) {
            ::dlclose(still);
            throw std::runtime_error(path_ + " is still loaded after dlclose");
        }
        if (file_is_mapped()) {
            throw std::runtime_error(path_ + " is still mapped after dlclose");
        }
    }

    /// Whether that is one of its addresses, also after the end.
    bool contains(const void* address) const {
        const auto a = reinterpret_cast<std::uintptr_t>(address);
        return range_.begin <= a && a < range_.end;
    }

private:
    struct range {
        std::uintptr_t base = 0;
        std::uintptr_t begin = UINTPTR_MAX;
        std::uintptr_t end = 0;
    };

    static constexpr std::uintptr_t page = 4096;

    static int add_segments(dl_phdr_info* library, std::size_t, void* found) {
        auto& r = *static_cast<range*>(found);
        if (library->dlpi_addr != r.base) {
            return 0;
        }
        for (unsigned i = 0; i != library->dlpi_phnum; ++i) {
            const auto& segment = library->dlpi_phdr[i];
            if (segment.p_type == PT_LOAD) {
                const std::uintptr_t begin = r.base + segment.p_vaddr;
                r.begin = std::min(r.begin, begin & ~(page - 1));
                r.end = std::max(r.end, (begin + segment.p_memsz + page - 1) & ~(page - 1));
            }
        }
        return 1;
    }

    // Page by page, since another thread may have mapped some of them for something else by now: no code.
    void occupy() const {
        for (std::uintptr_t p = range_.begin; p != range_.end; p += page) {
            (void)::mmap(reinterpret_cast<void*>(p), page, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
        }
    }

    bool file_is_mapped() const {
        std::ifstream maps("/proc/self/maps");
        for (std::string line; std::getline(maps, line);) {
            if (line.ends_with(file_)) {
                return true;
            }
        }
        return false;
    }

    const std::string path_;
    void* handle_;
    std::string file_;
    range range_;
};
