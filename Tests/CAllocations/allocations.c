#include "allocations.h"
#include <stdlib.h> // defines __GLIBC__, where it is that

#if !defined(__GLIBC__) || __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)

void allocations_count(allocations_t *counts) { (void)counts; }
bool allocations_can_be_counted(void) { return false; }

#else

#include <errno.h>
#include <execinfo.h>
#include <unistd.h>

// The functions below take the place of the library's for the whole program, the Swift runtime and OpenBLAS included:
// the dynamic linker finds the executable's first. These are what the library's would have done.
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

// The model under which access to a thread's own never allocates.
static _Thread_local allocations_t *counted __attribute__((tls_model("initial-exec")));

void allocations_count(allocations_t *counts) { counted = counts; }
bool allocations_can_be_counted(void) { return true; }

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

void *malloc(size_t size) {
    note(size);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    note(count * size);
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    note(size);
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    note(size);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size) {
    if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
    void *memory = memalign(alignment, size);
    if (!memory) return ENOMEM;
    *result = memory;
    return 0;
}

#endif
