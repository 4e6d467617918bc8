#include "panels.h"

// y = x W^T with W laid out once for many rows or many steps. Every output is one chain of multiply-adds over the
// inputs in order, or an exact sum of integers, whatever the number of rows.

enum { BYTES_AT_A_TIME = 512 };

static long panels_of(long outputs) { return (outputs + PANEL - 1) / PANEL; }

long panel_floats(long inputs, long outputs, panel_type_t type) {
    return panels_of(outputs) * panel_stride(inputs, type);
}

long panel_scratch(long rows, long inputs, panel_type_t type) {
    return type == panel_float32 ? 0 : rows * quads_of(inputs) + 1 + rows * (long)(sizeof(byte_row_t) / sizeof(float));
}

KERNEL panel_rows_t panel_rows(
    const float *x, long stride, const int32_t *places, long rows, long inputs, panel_type_t type, float *scratch) {
    panel_rows_t result = {.type = type, .rows = rows, .inputs = inputs, .x = x, .stride = stride, .places = places};
    if (type == panel_float32) return result;
    byte_row_t *row = byte_rows(scratch, rows, inputs);
    result.bytes = row;
    for (long r = 0; r < rows; r++) {
        const float *own = x + place(places, r) * stride;
        fill_byte_row(row + r, own, magnitude(own, inputs), 1, inputs);
    }
    return result;
}

/// to[i][c] = from[c][i], 16 x 16
INLINE void copy_transposed(const float *restrict from, long from_stride, float *restrict to, long to_stride) {
    f16x tile[16];
    for (int r = 0; r < 16; r++) tile[r] = LOAD16(from + r * from_stride);
    transpose(tile);
    for (int r = 0; r < 16; r++) STORE16(to + r * to_stride, tile[r]);
}

/// PANEL scales, [quads][PANEL][4] bytes with 128 added; what does not exist is zero.
INLINE void pack_bytes(const float *restrict weights, long stride, float *restrict scales, long inputs, long count) {
    uint32_t *quad = (uint32_t *)(scales + PANEL);
    for (long c = 0; c < PANEL; c++, weights += stride, quad++) {
        float top = c < count ? magnitude(weights, inputs) : 0, factor = byte_factor(top);
        scales[c] = top / 127;
        for (long i = 0; i < inputs; i += BYTES_AT_A_TIME) {
            int8_t bytes[BYTES_AT_A_TIME] = {0};
            long own = inputs - i < BYTES_AT_A_TIME ? inputs - i : BYTES_AT_A_TIME;
            if (c < count) quantise(weights + i, factor, bytes, own);
            for (long k = 0; k < own; k += 4) {
                uint32_t four;
                memcpy(&four, bytes + k, 4);
                quad[(i + k) / 4 * PANEL] = four ^ 0x80808080u; // adds 128 to each
            }
        }
    }
}

KERNEL void panel_pack(const float *weights, long stride, float *panels, long inputs, long outputs, panel_type_t type) {
    if (type != panel_float32) {
        for (long o = 0; o < outputs; o += PANEL)
            pack_bytes(weights + o * stride, stride, panels + o / PANEL * panel_stride(inputs, type), inputs,
                outputs - o < PANEL ? outputs - o : PANEL);
        return;
    }
    long width = best_strip().columns;
    for (long o = 0; o < panels_of(outputs) * PANEL; o += 16)
        for (long i = 0; i < inputs; i += 16) {
            float *to = panels + o / width * width * inputs + i * width + o % width;
            if (o + 16 <= outputs && i + 16 <= inputs) {
                copy_transposed(weights + o * stride + i, stride, to, width);
                continue;
            }
            for (long r = 0; r < 16 && i + r < inputs; r++)
                for (long c = 0; c < 16; c++)
                    to[r * width + c] = o + c < outputs ? weights[(o + c) * stride + i + r] : 0;
        }
}

KERNEL void panel_pack_transposed(
    const float *weights, long stride, float *panels, long inputs, long outputs, long first, long count) {
    long width = best_strip().columns;
    for (long o = 0; o < panels_of(outputs) * PANEL; o += 16) {
        float *to = panels + o / width * width * inputs + first * width + o % width;
        const float *from = weights + first * stride + o;
        for (long i = 0; i < count; i++, to += width, from += stride) {
            if (o + 16 <= outputs) STORE16(to, LOAD16(from));
            else
                for (long c = 0; c < 16; c++) to[c] = o + c < outputs ? from[c] : 0;
        }
    }
}

/// y = x W^T or y += x W^T of floats, without a bias. Inputs are taken a block at a time; sums go on from block to
/// block, so that each is one chain all the same.
INLINE void plain_product(
    const operand_t *in, const float *panels, float *y, long y_stride, long rows, long outputs, int goes_on) {
    float sums[TILE * PANEL] __attribute__((aligned(64)));
    long inputs = in->rows.inputs, width = in->strip.columns;
    for (long k = 0; k < inputs; k += INNER) {
        long depth = inputs - k < INNER ? inputs - k : INNER;
        tile_mode_t mode = goes_on || k > 0 ? tile_go_on : tile_set;
        for (long o = 0; o < outputs; o += width) {
            const float *strip = panels + o * inputs + k * width;
            long count = outputs - o < width ? outputs - o : width;
            for (long r0 = 0; r0 < rows; r0 += TILE) {
                if (o + width < outputs) fetch(strip + width * inputs, width * depth, r0, rows);
                const float *row[TILE];
                float_rows(&in->rows, r0, row);
                for (long r = 0; r < TILE; r++) row[r] += k;
                float *to = y + r0 * y_stride + o;
                long height = rows - r0 < TILE ? rows - r0 : TILE;
                if (height == TILE && count == width) {
                    in->strip.tile(row, 1, strip, width, depth, to, y_stride, mode);
                    continue;
                }
                if (mode == tile_go_on)
                    for (long r = 0; r < TILE; r++)
                        for (long c = 0; c < width; c++)
                            sums[r * width + c] = r < height && c < count ? to[r * y_stride + c] : 0;
                in->strip.tile(row, 1, strip, width, depth, sums, width, mode);
                for (long r = 0; r < height; r++)
                    memcpy(to + r * y_stride, sums + r * width, sizeof(float) * (size_t)count);
            }
        }
    }
}

/// The same of floats with a bias, a mode or places.
INLINE void finished_product(const operand_t *in, const float *panels, const float *bias, float *y, long y_stride,
    const int32_t *places, long rows, long outputs, panel_mode_t mode) {
    float sums[TILE * PANEL] __attribute__((aligned(64)));
    long inputs = in->rows.inputs, width = in->strip.columns;
    for (long o = 0; o < outputs; o += width, panels += width * inputs) {
        long count = outputs - o < width ? outputs - o : width;
        for (long r0 = 0; r0 < rows; r0 += TILE) {
            if (o + width < outputs) fetch(panels + width * inputs, width * inputs, r0, rows);
            const float *row[TILE], *own = bias ? bias + o : NULL;
            float_rows(&in->rows, r0, row);
            in->strip.tile(row, 1, panels, width, inputs, sums, width, tile_set);
            for (long r = 0; r < TILE && r0 + r < rows; r++) {
                float *to = y + place(places, r0 + r) * y_stride + o;
                if (count == PANEL) finish(sums + r * width, own, to, PANEL, mode);
                else if (count == 16) finish(sums + r * width, own, to, 16, mode);
                else finish(sums + r * width, own, to, count, mode);
            }
        }
    }
}

KERNEL void panel_product(panel_rows_t x, const float *panels, const float *bias, float *y, long y_stride,
    const int32_t *places, long rows, long outputs, panel_mode_t mode) {
    operand_t in = operand(x);
    in.rows.rows = rows;
    if (x.type == panel_float32) {
        if (mode == panel_go_on || (mode == panel_bias && !bias && !places))
            plain_product(&in, panels, y, y_stride, rows, outputs, mode == panel_go_on);
        else finished_product(&in, panels, bias, y, y_stride, places, rows, outputs, mode);
        return;
    }
    float sums[TILE * PANEL] __attribute__((aligned(64)));
    long stride = panel_stride(x.inputs, x.type);
    for (long o = 0; o < outputs; o += PANEL, panels += stride) {
        long count = outputs - o < PANEL ? outputs - o : PANEL;
        for (long r0 = 0; r0 < rows; r0 += TILE) {
            const float *own = bias ? bias + o : NULL;
            float *to[TILE];
            if (o + PANEL < outputs) fetch(panels + stride, stride, r0, rows);
            long height = rows - r0 < TILE ? rows - r0 : TILE;
            for (long r = 0; r < TILE; r++) to[r] = y + place(places, r0 + (r < height ? r : 0)) * y_stride + o;
            if (count == PANEL && height == TILE) {
                byte_panel_sums(&in, panels, r0, to, own, mode);
                continue;
            }
            panel_sums(&in, panels, r0, sums, PANEL);
            for (long r = 0; r < height; r++) finish(sums + r * PANEL, own, to[r], count, mode);
        }
    }
}
