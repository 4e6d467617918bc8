#pragma once
#include "product.h"
#include "tile.h"

// Rows times a panel of weights, which `panel_product` and `panel_top_k` have in common.

static inline long quads_of(long inputs) { return (inputs + 3) / 4; }

/// Floats from one panel to the next: strips of [inputs][columns] floats, or PANEL scales and [quads][PANEL][4] bytes.
static inline long panel_stride(long inputs, panel_type_t type) {
    return PANEL * (type == panel_float32 ? inputs : 1 + quads_of(inputs));
}

/// max |x|, NaN above all: without their sign floats are ordered as integers are.
INLINE float magnitude(const float *restrict x, long count) {
    union {
        float f;
        uint32_t u;
    } top = {0};
    for (long i = 0; i < count; i++) {
        union {
            float f;
            uint32_t u;
        } value = {.f = x[i]};
        value.u &= 0x7fffffff;
        top.u = value.u > top.u ? value.u : top.u;
    }
    return top.f;
}

/// What numbers up to `top` are multiplied with to become int8; 0 where the factor would be NaN.
INLINE float byte_factor(float top) { return top > 1e-36f ? 127 / top : 0; }

/// bytes = round(x factor), to even where two are as near; returns their sum. Unspecified where x has NaN.
INLINE uint32_t quantise(const float *restrict x, float factor, int8_t *restrict bytes, long count) {
    // Fused, a product near the middle of two bytes would be rounded once, and on machines without FMA twice.
    _Pragma("clang fp contract(off)") uint32_t sum = 0;
    for (long i = 0; i < count; i++) {
        union {
            float f;
            uint32_t u;
        } shifted = {.f = x[i] * factor + 12582912.0f}; // see exp_approx
        uint32_t value = shifted.u - 0x4b400000u;
        bytes[i] = (int8_t)value;
        sum += value;
    }
    return sum;
}

/// The rows of bytes of one `panel_rows_t` in its scratch: the bytes, filled up to whole quads with zeros, then these.
INLINE byte_row_t *byte_rows(float *scratch, long rows, long inputs) {
    long length = 4 * quads_of(inputs);
    int8_t *bytes = (int8_t *)scratch;
    uintptr_t end = (uintptr_t)(bytes + rows * length);
    byte_row_t *row = (byte_row_t *)(end + (-end & 7));
    for (long r = 0; r < rows; r++, bytes += length) {
        row[r].bytes = bytes;
        memset(bytes + length - 4, 0, 4);
    }
    return row;
}

/// Quantises to int8 with a scale, where |x| is `top` at most.
INLINE void fill_byte_row(byte_row_t *row, const float *x, float top, float scale, long count) {
    row->scale = top / 127 * scale;
    row->start = 0u - 128u * quantise(x, byte_factor(top), row->bytes, count);
}

/// A product's rows and what multiplies a tile of them.
typedef struct {
    panel_rows_t rows;
    strip_t strip;
    byte_tile_t *byte_tile;
} operand_t;

static inline operand_t operand(panel_rows_t rows) {
    return (operand_t){rows, best_strip(), rows.type == panel_float32 ? NULL : byte_tile(rows.type)};
}

/// Asks for the share of tile r0 of the weights after these. Weights come from the last-level cache, which takes as
/// long to answer as a tile to multiply; fetched while their predecessors are worked on they wait for nobody (ALR-M: 3%
/// in float32).
INLINE void fetch(const float *next, long count, long r0, long rows) {
    const long line = 64 / sizeof(float), lines = count / line, tiles = (rows + TILE - 1) / TILE, t = r0 / TILE;
    for (long l = lines * t / tiles; l < lines * (t + 1) / tiles; l++) __builtin_prefetch(next + l * line, 0, 2);
}

/// Where rows r0 ..< r0 + TILE of floats begin; rows that do not exist are the last.
INLINE void float_rows(const panel_rows_t *x, long r0, const float *row[TILE]) {
    for (long r = 0; r < TILE; r++)
        row[r] = x->x + place(x->places, r0 + r < x->rows ? r0 + r : x->rows - 1) * x->stride;
}

/// Rows r0 ..< r0 + TILE of bytes times one panel, finished at to[0], to[1] and so on; rows that do not exist repeat
/// the last.
INLINE void byte_panel_sums(
    const operand_t *in, const float *panel, long r0, float *const to[TILE], const float *bias, panel_mode_t mode) {
    const byte_row_t *all = in->rows.bytes, *row[TILE];
    for (int r = 0; r < TILE; r++) row[r] = all + (r0 + r < in->rows.rows ? r0 + r : in->rows.rows - 1);
    in->byte_tile(row, panel, (const uint8_t *)(panel + PANEL), quads_of(in->rows.inputs), to, bias, mode);
}

/// The sums of rows r0 ..< r0 + TILE with one panel, of either type.
INLINE void panel_sums(const operand_t *in, const float *panel, long r0, float *sums, long stride) {
    const panel_rows_t *x = &in->rows;
    if (x->type != panel_float32) {
        float *to[TILE];
        for (int r = 0; r < TILE; r++) to[r] = sums + r * stride;
        byte_panel_sums(in, panel, r0, to, NULL, panel_bias);
    } else {
        const float *row[TILE];
        float_rows(x, r0, row);
        long width = in->strip.columns;
        for (long c = 0; c < PANEL; c += width)
            in->strip.tile(row, 1, panel + c * x->inputs, width, x->inputs, sums + c, stride, tile_set);
    }
}
