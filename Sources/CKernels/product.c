#include "product.h"
#include "tile.h"

// Products of a training step: thin ones, whose operands are too small to be worth rearranging. Both are read in place,
// but for what a tile could not read: columns beyond the last whole panel, and a transposed operand, whose columns lie
// far apart.

enum {
    INNER = 256,     // of the inner dimension at a time, so that what the tiles share stays near the core
    GROUP = 8 * TILE // rows of a transposed operand that are copied together
};

/// packed[k][r] = a[k][r] for `rows` of GROUP rows; rows that do not exist are zero.
INLINE void pack_group(const float *restrict a, long stride, long rows, long inner, float *restrict packed) {
    for (long k = 0; k < inner; k++, a += stride, packed += GROUP) {
        if (rows == GROUP) memcpy(packed, a, sizeof(float) * GROUP);
        else
            for (long r = 0; r < GROUP; r++) packed[r] = r < rows ? a[r] : 0;
    }
}

/// One tile of c; what lies beyond its edges is worked out beside it and not kept.
INLINE void put_tile(tile_t *tile, const float *const a[TILE], long step, const float *b, long b_stride, long inner, float *restrict c, long c_stride,
                     long rows, long columns, int accumulate) {
    if (rows == TILE && columns == PANEL) return tile(a, step, b, b_stride, inner, c, c_stride, accumulate);
    float sums[TILE * PANEL] __attribute__((aligned(64)));
    tile(a, step, b, b_stride, inner, sums, PANEL, 0);
    for (long r = 0; r < rows; r++)
        for (long j = 0; j < columns; j++) c[r * c_stride + j] = sums[r * PANEL + j] + (accumulate ? c[r * c_stride + j] : 0);
}

/// c (+)= a b over one block of the inner dimension, a[r][k] at a[r a_row + k a_column].
INLINE void product_block(tile_t *tile, const float *a, long a_row, long a_column, const float *b, long b_stride, float *c, long c_stride,
                          long rows, long columns, long inner, int accumulate) {
    float edge[INNER * PANEL] __attribute__((aligned(64)));
    for (long j = 0; j < columns; j += PANEL) {
        long width = columns - j < PANEL ? columns - j : PANEL;
        const float *panel = b + j;
        long stride = b_stride;
        if (width < PANEL) {
            for (long k = 0; k < inner; k++)
                for (long i = 0; i < PANEL; i++) edge[k * PANEL + i] = i < width ? panel[k * b_stride + i] : 0;
            panel = edge, stride = PANEL;
        }
        for (long r0 = 0; r0 < rows; r0 += TILE) {
            const float *row[TILE];
            for (long r = 0; r < TILE; r++) row[r] = a + (r0 + r < rows ? r0 + r : rows - 1) * a_row;
            put_tile(tile, row, a_column, panel, stride, inner, c + r0 * c_stride + j, c_stride, rows - r0 < TILE ? rows - r0 : TILE, width, accumulate);
        }
    }
}

KERNEL void product(const float *a, long a_stride, const float *b, long b_stride, float *c, long c_stride, long rows, long columns, long inner, int accumulate) {
    tile_t *tile = best_tile();
    for (long k = 0; k < inner; k += INNER)
        product_block(tile, a + k, a_stride, 1, b + k * b_stride, b_stride, c, c_stride, rows, columns, inner - k < INNER ? inner - k : INNER, accumulate || k > 0);
}

KERNEL void product_transposed(const float *a, long a_stride, const float *b, long b_stride, float *c, long c_stride, long rows, long columns, long inner,
                               int accumulate) {
    tile_t *tile = best_tile();
    float packed[INNER * GROUP] __attribute__((aligned(64)));
    for (long k = 0; k < inner; k += INNER) {
        long depth = inner - k < INNER ? inner - k : INNER;
        for (long r = 0; r < rows; r += GROUP) {
            long count = rows - r < GROUP ? rows - r : GROUP;
            pack_group(a + k * a_stride + r, a_stride, count, depth, packed);
            product_block(tile, packed, 1, GROUP, b + k * b_stride, b_stride, c + r * c_stride, c_stride, count, columns, depth, accumulate || k > 0);
        }
    }
}
