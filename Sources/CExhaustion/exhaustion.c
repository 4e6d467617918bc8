#define _GNU_SOURCE
#include "exhaustion.h"
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h> // defines __GLIBC__, where it is that
#include <sysexits.h>
#include <unistd.h>

#ifdef __GLIBC__
#define PROGRAM program_invocation_short_name
#else
#define PROGRAM "program"
#endif

/// Says what is missing in place of `format`, and ends. Nothing here may ask for memory itself. Of several threads that
/// want for something at once the first one says it, and the others wait for the end.
static _Noreturn __attribute__((format(printf, 2, 3))) void end(int code, const char *format, ...) {
    static int said;
    if (__atomic_exchange_n(&said, 1, __ATOMIC_ACQ_REL))
        for (;;) pause();
    char text[512];
    va_list values;
    va_start(values, format);
    int length = snprintf(text, 64, "%.40s: ", PROGRAM);
    length += vsnprintf(text + length, sizeof text - 64, format, values);
    va_end(values);
    (void)!write(STDERR_FILENO, text, (size_t)length);
    _exit(code); // what runs at an ordinary exit may ask for more
}

void memory_exhausted(size_t bytes) {
    end(EX_OSERR,
        "memory: expected %zu KiB more, found none\n"
        "hint: raise the limit (ulimit -v), or make the batch or the model smaller\n",
        bytes / 1024 + (bytes % 1024 != 0));
}

void address_space_exhausted(size_t least, size_t found) {
    end(EX_OSERR,
        "address space: expected a limit of at least %zu KiB, found %zu\nhint: raise it: ulimit -v unlimited\n",
        least / 1024, found / 1024);
}

static void bus_error(int number) {
    (void)number;
    end(EX_IOERR,
        "a mapped file: expected its bytes, found an input/output error, or a file that was cut short meanwhile\n"
        "hint: see what the system's log says of its disk; the same command goes on\n");
}

void mapping_failures_say_so(void) { signal(SIGBUS, bus_error); }

#if !defined(__GLIBC__) || __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)

void memory_observe(void (*observer)(size_t bytes)) { (void)observer; }

#else

// The functions below take the place of the library's for the whole program, the Swift runtime and C++
// included: the dynamic linker finds the executable's first. They do what the library's do, but that they never fail
// for want of anything.
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static void (*observe)(size_t bytes);

void memory_observe(void (*observer)(size_t bytes)) { __atomic_store_n(&observe, observer, __ATOMIC_RELEASE); }

static void note(size_t bytes) {
    void (*observer)(size_t) = __atomic_load_n(&observe, __ATOMIC_ACQUIRE);
    if (observer) observer(bytes);
}

static void *checked(void *memory, size_t bytes) {
    if (!memory && bytes) memory_exhausted(bytes);
    return memory;
}

void *malloc(size_t size) {
    note(size);
    return checked(__libc_malloc(size), size);
}

void *calloc(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) bytes = SIZE_MAX;
    note(bytes);
    return checked(__libc_calloc(count, size), bytes);
}

void *realloc(void *old, size_t size) {
    note(size);
    return checked(__libc_realloc(old, size), size);
}

void *reallocarray(void *old, size_t count, size_t size) {
    size_t bytes;
    return realloc(old, __builtin_mul_overflow(count, size, &bytes) ? SIZE_MAX : bytes);
}

void *memalign(size_t alignment, size_t size) {
    note(size);
    return checked(__libc_memalign(alignment, size), size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size) {
    if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
    *result = memalign(alignment, size);
    return 0;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument) {
    typedef int create_t(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    static void *known; // whoever comes first finds what all find
    void *create = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (!create) __atomic_store_n(&known, create = dlsym(RTLD_NEXT, "pthread_create"), __ATOMIC_RELAXED);
    int code = ((create_t *)create)(thread, attributes, body, argument);
    if (code == EAGAIN) {
        end(EX_OSERR,
            "threads: expected one more, found none (error %d)\n"
            "hint: raise the limits of address space and processes (ulimit -v, ulimit -u), or give fewer --threads\n",
            code);
    }
    return code;
}

#endif
