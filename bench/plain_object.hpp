// An object of the size that is measured, without anything that belongs to a library.
#pragma once

#include "bench/freed.hpp"
#include "bench/procedures.hpp"

namespace quiesce::bench {

struct plain_object {
    ~plain_object() { count_freed(); }
    unsigned char payload[object_size];
};
static_assert(sizeof(plain_object) == object_size);

}  // namespace quiesce::bench
