#pragma once
#include "product.h"
#include "tile.h"

// Rows times a panel of weights, which `panel_product` and `panel_top_k` have in common.

/// Rows as the panels want them.
typedef struct {
    panel_type_t type;
    long rows, inputs;
    // of `panel_float32`
    const float *x;
    long stride;
    const int32_t *places;
    tile_t *tile;
    // of the others
    byte_row_t *row;
    byte_tile_t *byte_tile;
} operand_t;

static inline long quads_of(long inputs) { return (inputs + 3) / 4; }

/// Floats from one panel to the next: [inputs][PANEL] floats, or PANEL scales and [quads][PANEL][4] bytes.
static inline long panel_stride(long inputs, panel_type_t type) { return PANEL * (type == panel_float32 ? inputs : 1 + quads_of(inputs)); }

/// max |x|, NaN above all: without their sign floats are ordered as integers are.
INLINE float magnitude(const float *restrict x, long count) {
    union { float f; uint32_t u; } top = {0};
    for (long i = 0; i < count; i++) {
        union { float f; uint32_t u; } value = {.f = x[i]};
        value.u &= 0x7fffffff;
        top.u = value.u > top.u ? value.u : top.u;
    }
    return top.f;
}

/// What numbers up to `top` are multiplied with to become bytes; 0 where the factor would be no number.
INLINE float byte_factor(float top) { return top > 1e-36f ? 127 / top : 0; }

/// bytes = round(x factor), to even where two are as near; returns their sum. Of what is no number anything may come.
INLINE uint32_t quantise(const float *restrict x, float factor, int8_t *restrict bytes, long count) {
    uint32_t sum = 0;
    for (long i = 0; i < count; i++) {
        union { float f; uint32_t u; } shifted = {.f = x[i] * factor + 12582912.0f}; // see exp_approx
        uint32_t value = shifted.u - 0x4b400000u;
        bytes[i] = (int8_t)value;
        sum += value;
    }
    return sum;
}

/// Rows for any number of panels; bytes are made once, in `scratch`.
INLINE operand_t operand(const float *x, long stride, const int32_t *places, long rows, long inputs, panel_type_t type, float *scratch) {
    operand_t result = {
        .type = type, .rows = rows, .inputs = inputs, .x = x, .stride = stride, .places = places, .tile = best_tile(),
        .byte_tile = type == panel_int8_portable ? portable_byte_tile() : best_byte_tile()};
    if (type == panel_float32) return result;
    long quads = quads_of(inputs);
    int8_t *bytes = (int8_t *)scratch;
    uintptr_t end = (uintptr_t)(bytes + rows * quads * 4);
    result.row = (byte_row_t *)(end + (-end & 7));
    for (long r = 0; r < rows; r++, bytes += quads * 4) {
        const float *row = x + place(places, r) * stride;
        float top = magnitude(row, inputs);
        memset(bytes + (quads - 1) * 4, 0, 4);
        uint32_t sum = quantise(row, byte_factor(top), bytes, inputs);
        result.row[r] = (byte_row_t){.bytes = bytes, .scale = top / 127, .start = 0u - 128u * sum};
    }
    return result;
}

/// Rows r0 ..< r0 + TILE of bytes times one panel, finished at to[0], to[1] and so on; rows that do not exist repeat the last.
INLINE void byte_panel_sums(const operand_t *in, const float *panel, long r0, float *const to[TILE], const float *bias, panel_mode_t mode) {
    const byte_row_t *row[TILE];
    for (int r = 0; r < TILE; r++) row[r] = in->row + (r0 + r < in->rows ? r0 + r : in->rows - 1);
    in->byte_tile(row, panel, (const uint8_t *)(panel + PANEL), quads_of(in->inputs), to, bias, mode);
}

/// The sums of rows r0 ..< r0 + TILE with one panel, of either type.
INLINE void panel_sums(const operand_t *in, const float *panel, long r0, float *sums, long stride) {
    if (in->type != panel_float32) {
        float *to[TILE];
        for (int r = 0; r < TILE; r++) to[r] = sums + r * stride;
        byte_panel_sums(in, panel, r0, to, NULL, panel_bias);
    } else {
        const float *row[TILE];
        for (int r = 0; r < TILE; r++) row[r] = in->x + place(in->places, r0 + r < in->rows ? r0 + r : in->rows - 1) * in->stride;
        in->tile(row, 1, panel, PANEL, in->inputs, sums, stride, 0);
    }
}
