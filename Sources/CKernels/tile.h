#pragma once
#include "internal.h"
#include "product.h"

// What every product is made of: a tile of sums that stay in registers while they run over the inner dimension.

enum {
    TILE = 6,    // rows: 6 x 64 sums are 24 registers of AVX-512, 6 x 16 are 12 of AVX
    PANEL = 64,  // columns
    INNER = 256, // of the inner dimension at a time, where sums can go on: what tiles share stays near the core
};

/// What becomes of sums: they are y, are added to y, or go on from y.
typedef enum { tile_set, tile_add, tile_go_on } tile_mode_t;

/// y[r][c] = sum_k a[r][k step] b[k][c] for TILE rows and the columns of a strip. Each sum is one chain of
/// multiply-adds in the order of k, from 0 or from y.
typedef void tile_t(const float *const a[TILE], long step, const float *b, long b_stride, long inner, float *y,
    long y_stride, tile_mode_t mode);

/// A tile and its columns: a strip of the right side stays near the core while tiles of all rows are multiplied with
/// it.
typedef struct {
    tile_t *tile;
    /// PANEL or a part of it.
    long columns;
    /// Of x86-64, by name.
    const char *level;
} strip_t;

/// That of the widest registers there are, which is more than a clone can know.
strip_t best_strip(void);

/// y = s + bias, max(0, s + bias) or y + s + bias for up to PANEL columns; NULL is no bias. A loop for each mode, or it
/// would be asked for at every column.
INLINE void finish(
    const float *restrict s, const float *restrict bias, float *restrict y, long count, panel_mode_t mode) {
    static const float none[PANEL];
    if (!bias) bias = none;
    if (mode == panel_add)
        for (long c = 0; c < count; c++) y[c] += s[c] + bias[c];
    else if (mode == panel_relu)
        for (long c = 0; c < count; c++) y[c] = s[c] + bias[c] <= 0 ? 0 : s[c] + bias[c]; // not a number stays one
    else
        for (long c = 0; c < count; c++) y[c] = s[c] + bias[c];
}

/// A row whose x[k] is scale bytes[k].
typedef struct {
    int8_t *bytes;
    float scale;
    /// -128 times the sum of the bytes: what the weights' offset of 128 adds, to begin with.
    uint32_t start;
} byte_row_t;

/// The same with bytes, over inner = 4 `quads`: b is [quads][PANEL][4], weights of scale b_scales[c] with 128 added to
/// each. Sums of integers are exact (up to 65,536 inputs), become floats in the end and are finished.
typedef void byte_tile_t(const byte_row_t *const a[TILE], const float *b_scales, const uint8_t *b, long quads,
    float *const y[TILE], const float *bias, panel_mode_t mode);

/// That of a type of integers.
byte_tile_t *byte_tile(panel_type_t type);
