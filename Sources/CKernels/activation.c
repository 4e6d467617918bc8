#include "internal.h"

KERNEL void add_bias(float *restrict x, const float *restrict bias, long rows, long d) {
    for (long r = 0; r < rows; r++, x += d)
        for (long c = 0; c < d; c++) x[c] += bias[c];
}

KERNEL void add_column_sums(const float *restrict x, long stride, float *restrict sums, long rows, long d) {
    for (long r = 0; r < rows; r++, x += stride)
        for (long c = 0; c < d; c++) sums[c] += x[c];
}

KERNEL void bias_relu_dropout_forward(
    float *restrict h, const float *restrict bias, long rows, long d, dropout_t dropout) {
    uint16_t bits[CHUNK];
    for (long r = 0; r < rows; r++, h += d) {
        for (long c = 0; c < d; c++) {
            float v = h[c] + bias[c];
            h[c] = v <= 0 ? 0 : v; // not a number stays one
        }
        if (!drops(dropout)) continue;
        for (long c0 = 0; c0 < d; c0 += CHUNK) {
            long count = row_bits(bits, r, c0, d, dropout);
            for (long c = 0; c < count; c++) h[c0 + c] = bits[c] < dropout.keep_below ? h[c0 + c] * dropout.scale : 0;
        }
    }
}

KERNEL void bias_relu_dropout_backward(
    const float *restrict h, float *restrict dh, long rows, long d, dropout_t dropout) {
    float scale = drops(dropout) ? dropout.scale : 1;
    for (long r = 0; r < rows; r++, h += d, dh += d)
        for (long c = 0; c < d; c++) dh[c] = h[c] > 0 ? dh[c] * scale : 0;
}

KERNEL void residual_forward(const float *restrict x, const float *restrict s, const float *restrict bias,
    float *restrict y, long rows, long d, dropout_t dropout) {
    uint16_t bits[CHUNK];
    for (long r = 0; r < rows; r++, x += d, s += d, y += d) {
        if (!drops(dropout)) {
            for (long c = 0; c < d; c++) y[c] = x[c] + (s[c] + bias[c]);
            continue;
        }
        for (long c0 = 0; c0 < d; c0 += CHUNK) {
            long count = row_bits(bits, r, c0, d, dropout);
            for (long c = c0; c < c0 + count; c++)
                y[c] = x[c] + (bits[c - c0] < dropout.keep_below ? (s[c] + bias[c]) * dropout.scale : 0);
        }
    }
}

KERNEL void residual_backward(const float *restrict dy, float *restrict ds, long rows, long d, dropout_t dropout) {
    uint16_t bits[CHUNK];
    for (long r = 0; r < rows; r++, dy += d, ds += d) {
        for (long c0 = 0; c0 < d; c0 += CHUNK) {
            long count = d - c0 < CHUNK ? d - c0 : CHUNK;
            if (drops(dropout)) {
                row_bits(bits, r, c0, d, dropout);
                for (long c = c0; c < c0 + count; c++)
                    ds[c] = bits[c - c0] < dropout.keep_below ? dy[c] * dropout.scale : 0;
            } else {
                memcpy(ds + c0, dy + c0, sizeof(float) * (size_t)count);
            }
        }
    }
}

KERNEL void embedding_forward(const float *restrict table, const int32_t *restrict id, const float *restrict positions,
    const int32_t *restrict position, float scale, float *restrict y, long rows, long d, dropout_t dropout) {
    uint16_t bits[CHUNK];
    for (long r = 0; r < rows; r++, y += d) {
        const float *e = table + (long)id[r] * d, *p = positions + (long)position[r] * d;
        for (long c = 0; c < d; c++) y[c] = e[c] * scale + p[c];
        if (!drops(dropout)) continue;
        for (long c0 = 0; c0 < d; c0 += CHUNK) {
            long count = row_bits(bits, r, c0, d, dropout);
            for (long c = c0; c < c0 + count; c++) y[c] = bits[c - c0] < dropout.keep_below ? y[c] * dropout.scale : 0;
        }
    }
}

KERNEL void embedding_backward(float *restrict dtable, const int32_t *restrict id, const float *restrict dy,
    float scale, long first, long end, long rows, long d, dropout_t dropout) {
    uint16_t bits[CHUNK];
    for (long r = 0; r < rows; r++, dy += d) {
        if (id[r] < first || id[r] >= end) continue;
        float *e = dtable + (long)id[r] * d;
        if (!drops(dropout)) {
            for (long c = 0; c < d; c++) e[c] += scale * dy[c];
            continue;
        }
        for (long c0 = 0; c0 < d; c0 += CHUNK) {
            long count = row_bits(bits, r, c0, d, dropout);
            for (long c = c0; c < c0 + count; c++)
                e[c] += bits[c - c0] < dropout.keep_below ? scale * dropout.scale * dy[c] : 0;
        }
    }
}
