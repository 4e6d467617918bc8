#include "internal.h"
#include <stddef.h>

#if defined(__has_feature) && __has_feature(address_sanitizer)
void __asan_poison_memory_region(void const volatile *start, size_t bytes);
void __asan_unpoison_memory_region(void const volatile *start, size_t bytes);

int memory_is_watched(void) { return 1; }
void memory_forbid(const void *start, long bytes) { __asan_poison_memory_region(start, (size_t)bytes); }
void memory_allow(const void *start, long bytes) { __asan_unpoison_memory_region(start, (size_t)bytes); }
#else
int memory_is_watched(void) { return 0; }
void memory_forbid(const void *start, long bytes) { (void)start, (void)bytes; }
void memory_allow(const void *start, long bytes) { (void)start, (void)bytes; }
#endif
