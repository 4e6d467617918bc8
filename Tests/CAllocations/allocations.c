#include "allocations.h"
#include "exhaustion.h"
#include <execinfo.h>
#include <stdlib.h> // defines __GLIBC__, where it is that
#include <unistd.h>

// The model under which access to a thread's own never allocates.
static _Thread_local allocations_t *counted __attribute__((tls_model("initial-exec")));

static void show(void) {
    void *callers[24];
    allocations_t *counts = counted;
    counted = NULL; // the first backtrace allocates
    int depth = backtrace(callers, 24);
    backtrace_symbols_fd(callers, depth, STDERR_FILENO);
    (void)!write(STDERR_FILENO, "\n", 1);
    counted = counts;
}

static void note(size_t bytes) {
    if (!counted) return;
    __atomic_fetch_add(bytes < 4096 ? &counted->small : &counted->large, 1, __ATOMIC_RELAXED);
    if (getenv("SHOW_ALLOCATIONS")) show();
}

void allocations_count(allocations_t *counts) {
    memory_observe(note);
    counted = counts;
}

bool allocations_can_be_counted(void) {
#if !defined(__GLIBC__) || __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return false;
#else
    return true;
#endif
}
