#pragma once
#include "internal.h"

// What every product is made of: a tile of sums that stay in registers while they run over the inner dimension.

enum {
    TILE = 6,   // rows: 6 x 64 sums are 24 registers of AVX-512, 6 x 16 are 12 of AVX
    PANEL = 64, // columns
};

/// y[r][c] = sum_k a[r][k step] b[k][c] for TILE rows, PANEL columns; added to y where `accumulate`. Each sum is one chain of
/// multiply-adds in the order of k.
typedef void tile_t(const float *const a[TILE], long step, const float *b, long b_stride, long inner, float *y, long y_stride, int accumulate);

/// The tile of the widest registers there are, which is more than a clone can know.
tile_t *best_tile(void);
