// Linear attention (Katharopoulos et al. 2020): sums of products of rows, token by token,
//     T[r] += x_j[r] u_j,      o_i = sum_r y_i[r] T[r]
// Where it is causal both happen in one sweep: token i reads what came up to i, without a matrix of pairs. For whole
// sentences all tokens are added before any reads. Backward, the same sums run from the last token to the first.
#pragma once
#include "internal.h"

typedef struct {
    const float *at;
    long stride;
} rows_t;

/// o_i (+)= sum over the tokens j that i sees of (y_i . x_j) u_j
typedef struct {
    long height, width; // of the sums
    rows_t x, u;        // [m, height], [m, width]
    rows_t y;           // [n, height]
    float *o;           // [n, width]
    long o_stride;
    int onto; // adds to o
} linear_t;

/// What only adds has no y and o, what only reads no x and u.
INLINE const float *ahead(const float *row, long count) { return row ? row + count : NULL; }

/// From row r and column c of the sums on. What earlier rows gave is already in o.
INLINE linear_t part(linear_t l, long r, long c) {
    l.x.at = ahead(l.x.at, r);
    l.u.at = ahead(l.u.at, c);
    l.y.at = ahead(l.y.at, r);
    l.o = (float *)ahead(l.o, c);
    l.onto |= r > 0;
    return l;
}

INLINE float *at(linear_t l, float *sums, long r, long c) { return sums ? sums + r * l.width + c : NULL; }

/// One head of one token, with sums of its own: x [height], u [width], y [height], o [width].
typedef struct {
    const float *x, *u, *y;
    float *o, *sums;
} head_t;
enum { TOGETHER = 4 };

// Sixteen floats of four rows, those of a row that is added and of one that is read fill the registers of AVX2.
enum { HEIGHT = 4 };
#define LANES 16
#include "sweep.h"
#define LANES 8
#include "sweep.h"
#define LANES 4
#include "sweep.h"
#define LANES 1
#include "sweep.h"

INLINE void sweep_all(const int adds, const int reads, linear_t l, float *sums, long count) {
    long c = sweep_columns_16(0, adds, reads, l, sums, count);
    c = sweep_columns_8(c, adds, reads, l, sums, count);
    c = sweep_columns_4(c, adds, reads, l, sums, count);
    sweep_columns_1(c, adds, reads, l, sums, count);
}

// Clones of static functions have to be declared before.
static void sweep(linear_t l, long count);
static void sum_rows(linear_t l, float *sums, long count);
static void read_sums(linear_t l, const float *sums, long count);

/// Adds and reads token by token, from zero.
static KERNEL void sweep(linear_t l, long count) { sweep_all(1, 1, l, NULL, count); }
/// sums = those of all tokens.
static KERNEL void sum_rows(linear_t l, float *sums, long count) { sweep_all(1, 0, l, sums, count); }
static KERNEL void read_sums(linear_t l, const float *sums, long count) { sweep_all(0, 1, l, (float *)sums, count); }

INLINE void step_all(const long together, const int adds, const head_t *heads, long height, long width) {
    long c = step_columns_16(0, together, adds, heads, height, width);
    c = step_columns_8(c, together, adds, heads, height, width);
    c = step_columns_4(c, together, adds, heads, height, width);
    step_columns_1(c, together, adds, heads, height, width);
}

/// What `sweep` (adds) or `read_sums` does with a token, for `count` heads, some at a time: what one head reads is a
/// chain of multiply-adds that wait for each other.
INLINE void step_sums(const int adds, const head_t *heads, long count, long height, long width) {
    const long together = adds ? TOGETHER / 2 : TOGETHER; // more would not fit into the registers
    for (; count >= together; count -= together, heads += together) step_all(together, adds, heads, height, width);
    for (; count > 0; count--, heads++) step_all(1, adds, heads, height, width);
}

/// sums: scratch.
INLINE void attend(int causal, linear_t l, long n, long m, float *sums) {
    if (causal) return sweep(l, n);
    sum_rows(l, sums, m);
    read_sums(l, sums, n);
}

/// From the last to the first.
INLINE rows_t turned(rows_t x, long count) { return (rows_t){x.at + (count - 1) * x.stride, -x.stride}; }

/// The sums are over the tokens that ask, n of them.
INLINE void attend_backward(int causal, linear_t l, long n, long m, float *sums) {
    if (!causal) return attend(0, l, m, n, sums);
    l.x = turned(l.x, n);
    l.u = turned(l.u, n);
    l.y = turned(l.y, n);
    l.o += (n - 1) * l.o_stride;
    l.o_stride = -l.o_stride;
    sweep(l, n);
}
