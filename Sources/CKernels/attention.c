#include "internal.h"

enum { BLOCK = 4 }; // rows whose sums are kept in registers together

long attention_scratch(long n, long m, long head) {
    long width = attention_row(head), keys = attention_row(m), queries = n + BLOCK;
    // queries and their gradient, keys, values and their transposes, gradients of the scores, random bits
    return 2 * queries * width + 2 * (keys + BLOCK) * width + width * keys + queries * keys + BLOCK * (width + queries + 2 * keys) + 64;
}

/// Rows of one head, copied next to each other, `padded` rows of `width`, zero beyond what is there.
INLINE void pack(const float *restrict x, long stride, float *restrict y, long rows, long padded, long head, long width) {
    for (long r = 0; r < padded; r++)
        for (long c = 0; c < width; c++) y[r * width + c] = r < rows && c < head ? x[r * stride + c] : 0;
}

/// The same, transposed: [width][columns].
INLINE void pack_transposed(const float *restrict x, long stride, float *restrict y, long rows, long columns, long head, long width) {
    memset(y, 0, sizeof(float) * (size_t)(width * columns));
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < head; c++) y[c * columns + r] = x[r * stride + c];
}

/// y[i][j] = sum_c a[i][c] b[c][j] for BLOCK rows i and all columns j; b is [inner][columns], columns a multiple of 16.
INLINE void block_product(const float *restrict a, long a_row, long a_column, const float *restrict b, long inner, long columns, float *restrict y, long y_stride) {
    for (long j = 0; j < columns; j += 16) {
        f16x s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
        const float *p = a;
        for (long c = 0; c < inner; c++, p += a_column) {
            f16x v = LOAD16(b + c * columns + j);
            s0 += p[0] * v;
            s1 += p[a_row] * v;
            s2 += p[2 * a_row] * v;
            s3 += p[3 * a_row] * v;
        }
        STORE16(y + j, s0);
        STORE16(y + y_stride + j, s1);
        STORE16(y + 2 * y_stride + j, s2);
        STORE16(y + 3 * y_stride + j, s3);
    }
}

/// Writes the rows of a BLOCK that exist back to their strided place.
INLINE void unpack(const float *restrict block, long width, float *restrict y, long stride, long rows, long head) {
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < head; c++) y[r * stride + c] = block[r * width + c];
}

INLINE long least(long a, long b) { return a < b ? a : b; }

/// Softmax of scale x scores over the first `visible` of `row` columns, zero beyond.
INLINE void softmax_row(float *restrict s, long visible, long row, float scale) {
    FAST
    float top = -INFINITY, sum = 0;
    BY_16 for (long j = 0; j < row; j++) {
        s[j] = j < visible ? s[j] * scale : -INFINITY;
        top = larger(top, s[j]);
    }
    BY_16 for (long j = 0; j < row; j++) {
        s[j] = j < visible ? exp_approx(s[j] - top) : 0;
        sum += s[j];
    }
    float inverse = 1 / sum;
    BY_16 for (long j = 0; j < row; j++) s[j] *= inverse;
}

/// Drops some of the weights s; w keeps them all, those dropped with their sign bit set.
INLINE void drop_row(float *restrict s, float *restrict w, const uint16_t *restrict bits, long row, dropout_t dropout) {
    BY_16 for (long j = 0; j < row; j++) {
        int keep = bits[j] < dropout.keep_below;
        w[j] = keep ? s[j] : -s[j];
        s[j] = keep ? s[j] * dropout.scale : 0;
    }
}

KERNEL void attention_forward(const float *q, long q_stride, const float *k, const float *v, long kv_stride, float *out, long out_stride,
                              float *weights, long n, long m, long heads, long head, int causal, float *scratch, dropout_t dropout, uint64_t first) {
    long width = attention_row(head), row = attention_row(m);
    float *queries = scratch, *keys = queries + (n + BLOCK) * width, *values = keys + width * row, *block = values + row * width;
    float *dropped = block + BLOCK * width; // [BLOCK, row] weights after dropout
    uint16_t *bits = (uint16_t *)(dropped + BLOCK * row);
    float scale = 1 / sqrtf((float)head);
    for (long h = 0; h < heads; h++, weights += n * row) {
        pack(q + h * head, q_stride, queries, n, n + BLOCK, head, width);
        pack_transposed(k + h * head, kv_stride, keys, m, row, head, width);
        pack(v + h * head, kv_stride, values, m, row, head, width);
        if (drops(dropout)) random_bits(bits, first + (uint64_t)(h * n * row), n * row, dropout);
        for (long i = 0; i < n; i += BLOCK) {
            long rows = least(BLOCK, n - i);
            block_product(queries + i * width, width, 1, keys, head, row, dropped, row);
            for (long r = 0; r < rows; r++) {
                float *w = weights + (i + r) * row, *s = dropped + r * row;
                softmax_row(s, causal ? least(i + r + 1, m) : m, row, scale);
                if (drops(dropout)) drop_row(s, w, bits + (i + r) * row, row, dropout);
                else memcpy(w, s, sizeof(float) * (size_t)row);
            }
            block_product(dropped, row, 1, values, m, width, block, width);
            unpack(block, width, out + i * out_stride + h * head, out_stride, rows, head);
        }
    }
}

KERNEL void attention_backward(const float *q, long q_stride, const float *k, const float *v, long kv_stride, const float *dout, long out_stride,
                               const float *weights, long n, long m, long heads, long head, float *dq, float *dk, float *dv, float *scratch, dropout_t dropout) {
    FAST
    long width = attention_row(head), row = attention_row(m);
    float *queries = scratch, *gradients = queries + (n + BLOCK) * width, *keys = gradients + (n + BLOCK) * width;
    float *transposed = keys + (row + BLOCK) * width, *dscores = transposed + width * row;
    float *block = dscores + (n + BLOCK) * row, *dropped = block + BLOCK * width;
    float scale = 1 / sqrtf((float)head), kept = drops(dropout) ? dropout.scale : 1;
    for (long h = 0; h < heads; h++, weights += n * row) {
        pack(q + h * head, q_stride, queries, n, n + BLOCK, head, width);
        pack(dout + h * head, out_stride, gradients, n, n + BLOCK, head, width);
        pack(k + h * head, kv_stride, keys, m, row, head, width);
        pack_transposed(v + h * head, kv_stride, transposed, m, row, head, width);
        for (long i = 0; i < n; i += BLOCK) {
            long rows = least(BLOCK, n - i);
            block_product(gradients + i * width, width, 1, transposed, head, row, dscores + i * row, row);
            for (long r = 0; r < rows; r++) {
                const float *w = weights + (i + r) * row;
                float *g = dscores + (i + r) * row, dot = 0;
                BY_16 for (long j = 0; j < row; j++) {
                    g[j] = w[j] > 0 ? g[j] * kept : 0;
                    dot += g[j] * w[j];
                }
                BY_16 for (long j = 0; j < row; j++) g[j] = fabsf(w[j]) * (g[j] - dot) * scale;
            }
            block_product(dscores + i * row, row, 1, keys, m, width, block, width);
            unpack(block, width, dq + i * q_stride + h * head, q_stride, rows, head);
        }
        for (long j = 0; j < m; j += BLOCK) {
            long rows = least(BLOCK, m - j);
            block_product(dscores + j, 1, row, queries, n, width, block, width);
            unpack(block, width, dk + j * kv_stride + h * head, kv_stride, rows, head);
            for (long i = 0; i < n; i++)
                for (long r = 0; r < BLOCK; r++) {
                    float w = weights[i * row + j + r];
                    dropped[i * BLOCK + r] = w > 0 ? w * kept : 0;
                }
            block_product(dropped, 1, BLOCK, gradients, n, width, block, width);
            unpack(block, width, dv + j * kv_stride + h * head, kv_stride, rows, head);
        }
    }
}
