#pragma once
#include <stddef.h>

/// Memory was asked for and there is none: one line on standard error, one with what mends it, exit code 71 (EX_OSERR).
/// No library's attempt to go on follows, since many have none that works; checkpoints are whole whenever a process
/// ends.
///
/// With the GNU C library every call of malloc and its kin that finds no memory ends here, whoever calls; and a thread
/// that cannot be had ends the process in the same way, since what waits for it may wait for ever.
_Noreturn void memory_exhausted(size_t bytes);

/// The same where the limit of the address space, of `found` bytes, leaves too little to begin with.
_Noreturn void address_space_exhausted(size_t least, size_t found);

/// From now on `observer` is told of every call of malloc and its kin, on whatever thread; NULL for nobody. For tests.
///
/// Has no effect without the GNU C library, or with a sanitizer that replaces malloc itself.
void memory_observe(void (*observer)(size_t bytes));

/// From now on a mapped file whose bytes cannot be had, since its disk fails or someone has cut it short, ends the
/// process with one line on standard error, one with what to do, and exit code 74 (EX_IOERR).
void mapping_failures_say_so(void);
