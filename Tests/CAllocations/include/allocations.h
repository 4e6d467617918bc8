#pragma once
#include <stdbool.h>

/// How often memory was asked for, by size in bytes: below 4,096 and from there on.
typedef struct {
    long small;
    long large;
} allocations_t;

/// From here on this thread's calls of malloc and its kin are counted there as well as what other threads count there;
/// not any more if NULL. A thread that says nothing is not counted, so tests beside one another do not see each
/// other's. With `SHOW_ALLOCATIONS` in the environment each call that is counted is shown on stderr with its callers.
void allocations_count(allocations_t *counts);

/// Whether calls can be counted: with the GNU C library, and without a sanitizer that replaces malloc itself.
bool allocations_can_be_counted(void);
