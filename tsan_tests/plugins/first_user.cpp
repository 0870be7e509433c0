// A library that is the first of its process to use a domain, through calls that lie in headers: the driver and the
// worker, which it starts thereby, must not run code of the library.
#include "quiesce/free_rcu.hpp"

namespace {

struct node : quiesce::rcu_head {};

}  // namespace

extern "C" [[gnu::visibility("default")]] void use_domain(quiesce::rcu_head* task,
                                                          quiesce::rcu_head::callback function) {
    quiesce::free_rcu(new node);
    quiesce::rcu_default_domain().run_on_worker(task, function);
    quiesce::free_rcu_barrier();
}
