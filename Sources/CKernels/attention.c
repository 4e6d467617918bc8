#include "softmax.h"

// Every product is one of a 16 x 16 tile, kept in registers, with all rows of a sentence. q, k and v are read where
// they are; only heads whose width is no multiple of 16 are copied, padded with zeros.

enum {
    SIDE = 16,  // of a tile
    BLOCK = 4,  // keys whose sums are kept in registers together
    SHARED = 8, // heads whose random bits are drawn together, so that vectors are full
};

long attention_scratch(long n, long m, long head) {
    long weights = n * attention_row(m), copied = head % SIDE ? (3 * n + 4 * m) * attention_row(head) : 0;
    return 2 * weights + SHARED * weights / 2 + copied; // scores, dropped weights; random bits; operands and results
}

typedef uint16_t u16x __attribute__((vector_size(32), aligned(2)));

INLINE long least(long a, long b) { return a < b ? a : b; }

INLINE void load_tile(f16x *restrict tile, const float *restrict x, long stride, long rows) {
    for (long r = 0; r < SIDE; r++) tile[r] = r < rows ? LOAD16(x + r * stride) : (f16x){0};
}

/// y[i] (+)= sum_c x[i][c] tile[c] for all rows i.
INLINE void tile_product(const float *restrict x, long x_stride, const f16x *restrict tile, float *restrict y,
    long y_stride, long rows, int adds) {
    for (long i = 0; i < rows; i++, x += x_stride, y += y_stride) {
        f16x even = {0}, odd = {0}; // two chains of additions
        if (adds) even = LOAD16(y);
        for (long c = 0; c < SIDE; c += 2) {
            even += x[c] * tile[c];
            odd += x[c + 1] * tile[c + 1];
        }
        STORE16(y, even + odd);
    }
}

/// s[i][j] = sum_c a[i][c] b[j][c]; a causal query sees no tile of later keys.
INLINE void scores(const float *a, long a_stride, const float *b, long b_stride, float *s, long n, long m, long row,
    long width, int causal) {
    f16x tile[SIDE];
    for (long j = 0; j < row; j += SIDE)
        for (long c = 0, i = causal ? least(j, n) : 0; c < width; c += SIDE) {
            load_tile(tile, b + j * b_stride + c, b_stride, m - j);
            transpose(tile);
            tile_product(a + i * a_stride + c, a_stride, tile, s + i * row + j, row, n - i, c > 0);
        }
}

/// y[i] = sum_j s[i][j] x[j]
INLINE void mix(const float *s, const float *x, long x_stride, float *y, long y_stride, long n, long m, long row,
    long width, int causal) {
    f16x tile[SIDE];
    for (long c = 0; c < width; c += SIDE)
        for (long j = 0; j < row; j += SIDE) {
            long i = causal ? least(j, n) : 0;
            load_tile(tile, x + j * x_stride + c, x_stride, m - j);
            tile_product(s + i * row + j, row, tile, y + i * y_stride + c, y_stride, n - i, j > 0);
        }
}

/// y[j] = sum_i s[i][j] x[i], the sums of a BLOCK of j in registers.
INLINE void mix_transposed(const float *restrict s, const float *restrict x, long x_stride, float *restrict y,
    long y_stride, long n, long m, long row, long width) {
    for (long c = 0; c < width; c += SIDE)
        for (long j = 0; j < m; j += BLOCK) {
            f16x sum[BLOCK] = {0};
            for (long i = 0; i < n; i++)
                for (long r = 0; r < BLOCK; r++) sum[r] += s[i * row + j + r] * LOAD16(x + i * x_stride + c);
            for (long r = 0; r < BLOCK; r++)
                if (j + r < m) STORE16(y + (j + r) * y_stride + c, sum[r]);
        }
}

/// s holds weights without their division. w: the weights, those dropped with their sign bit set; s: what is left of
/// them.
INLINE void drop_row(
    float *restrict s, float *restrict w, float inverse, const uint16_t *restrict bits, long row, dropout_t dropout) {
    for (long j = 0; j < row; j += SIDE) {
        i16x drop = __builtin_convertvector(*(const u16x *)(bits + j), i16x) >= (int32_t)dropout.keep_below;
        f16x weight = LOAD16(s + j) * inverse;
        STORE16(w + j, (f16x)((i16x)weight ^ (drop & INT32_MIN)));
        STORE16(s + j, (f16x)((i16x)(weight * dropout.scale) & ~drop));
    }
}

/// The same without dropout.
INLINE void keep_row(float *restrict s, float *restrict w, float inverse, long row) {
    for (long j = 0; j < row; j += SIDE) {
        f16x weight = LOAD16(s + j) * inverse;
        STORE16(w + j, weight);
        STORE16(s + j, weight);
    }
}

/// Rows that will be written: a store to memory that is not near holds up those after it.
INLINE void fetch_rows(const float *y, long stride, long rows, long width) {
    for (long r = 0; r < rows; r++, y += stride)
        for (long c = 0; c < width; c += 16) __builtin_prefetch(y + c, 1);
}

/// kept: the weights after dropout; g: from their gradient to that of the scores before scaling.
INLINE void row_backward(
    const float *restrict w, float *restrict kept, float *restrict g, long row, float factor, float scale) {
    f16x products = {0};
    for (long j = 0; j < row; j += SIDE) {
        f16x weight = LOAD16(w + j), left = (f16x)((i16x)(weight * factor) & (weight > 0)),
             product = LOAD16(g + j) * left;
        products += product;
        STORE16(kept + j, left);
        STORE16(g + j, product);
    }
    float dot = lane_sum(&products);
    for (long j = 0; j < row; j += SIDE)
        STORE16(g + j, (LOAD16(g + j) - (f16x)((i16x)LOAD16(w + j) & INT32_MAX) * dot) * scale);
}

/// Rows of one head, next to each other, followed by zeros up to `width`.
static const float *padded(const float *x, long stride, float *y, long rows, long head, long width) {
    clear_rows(y, width, rows, width);
    for (long r = 0; r < rows; r++) memcpy(y + r * width, x + r * stride, sizeof(float) * (size_t)head);
    return y;
}

static void unpadded(const float *x, long width, float *y, long stride, long rows, long head) {
    for (long r = 0; r < rows; r++) memcpy(y + r * stride, x + r * width, sizeof(float) * (size_t)head);
}

/// Row and width, both multiples of 16, are constants where this is inlined for the common lengths.
INLINE void forward(const float *q, long q_stride, const float *k, const float *v, long kv_stride, float *out,
    long out_stride, float *weights, long n, long m, long row, long heads, long head, long width, int causal,
    float *scratch, dropout_t dropout, uint64_t first) {
    float *s = scratch, *copies = s + (1 + SHARED / 2) * n * row, scale = 1 / sqrtf((float)head);
    uint16_t *bits = (uint16_t *)(s + n * row);
    if (m == 0) clear_rows(out, out_stride, n, heads * head);
    for (long h = 0; h < heads; h++, weights += n * row, q += head, k += head, v += head, out += head) {
        const float *qh = q, *kh = k, *vh = v;
        float *y = out;
        long qs = q_stride, kvs = kv_stride, ys = out_stride;
        if (head != width) {
            qh = padded(q, q_stride, copies, n, head, width);
            kh = padded(k, kv_stride, copies + n * width, m, head, width);
            vh = padded(v, kv_stride, copies + (n + m) * width, m, head, width);
            y = copies + (n + 2 * m) * width;
            qs = kvs = ys = width;
        }
        scores(qh, qs, kh, kvs, s, n, m, row, width, causal);
        if (drops(dropout) && h % SHARED == 0)
            random_bits(bits, first + (uint64_t)(h * n * row), least(SHARED, heads - h) * n * row, dropout);
        for (long i = 0; i < n; i++) {
            float *si = s + i * row, inverse = exponentials(si, causal ? least(i + 1, m) : m, row, scale);
            if (drops(dropout))
                drop_row(si, weights + i * row, inverse, bits + (h % SHARED * n + i) * row, row, dropout);
            else keep_row(si, weights + i * row, inverse, row);
        }
        mix(s, vh, kvs, y, ys, n, m, row, width, causal);
        if (head != width && m > 0) unpadded(y, width, out, out_stride, n, head);
    }
}

INLINE void backward(const float *q, long q_stride, const float *k, const float *v, long kv_stride, const float *dout,
    long out_stride, const float *weights, long n, long m, long row, long heads, long head, long width, float *dq,
    float *dk, float *dv, float *scratch, dropout_t dropout) {
    float *ds = scratch, *kept = ds + n * row, *copies = kept + n * row;
    float scale = 1 / sqrtf((float)head), factor = drops(dropout) ? dropout.scale : 1;
    if (m == 0) clear_rows(dq, q_stride, n, heads * head);
    for (long h = 0; h < heads;
         h++, weights += n * row, q += head, k += head, v += head, dout += head, dq += head, dk += head, dv += head) {
        const float *qh = q, *kh = k, *vh = v, *dy = dout;
        float *dqh = dq, *dkh = dk, *dvh = dv;
        long qs = q_stride, kvs = kv_stride, ys = out_stride;
        if (head != width) {
            qh = padded(q, q_stride, copies, n, head, width);
            dy = padded(dout, out_stride, copies + n * width, n, head, width);
            kh = padded(k, kv_stride, copies + 2 * n * width, m, head, width);
            vh = padded(v, kv_stride, copies + (2 * n + m) * width, m, head, width);
            dqh = copies + 2 * (n + m) * width;
            dkh = dqh + n * width;
            dvh = dkh + m * width;
            qs = kvs = ys = width;
        }
        fetch_rows(dq, q_stride, n, head);
        fetch_rows(dk, kv_stride, m, head);
        fetch_rows(dv, kv_stride, m, head);
        scores(dy, ys, vh, kvs, ds, n, m, row, width, 0);
        for (long i = 0; i < n; i++) row_backward(weights + i * row, kept + i * row, ds + i * row, row, factor, scale);
        mix(ds, kh, kvs, dqh, qs, n, m, row, width, 0);
        mix_transposed(ds, qh, qs, dkh, kvs, n, m, row, width);
        mix_transposed(kept, dy, ys, dvh, kvs, n, m, row, width);
        if (head != width && m > 0) {
            unpadded(dqh, width, dq, q_stride, n, head);
            unpadded(dkh, width, dk, kv_stride, m, head);
            unpadded(dvh, width, dv, kv_stride, m, head);
        }
    }
}

#define FORWARD(row, head, width)                                                                                      \
    forward(q, q_stride, k, v, kv_stride, out, out_stride, weights, n, m, row, heads, head, width, causal, scratch,    \
        dropout, first)
#define BACKWARD(row, head, width)                                                                                     \
    backward(q, q_stride, k, v, kv_stride, dout, out_stride, weights, n, m, row, heads, head, width, dq, dk, dv,       \
        scratch, dropout)

KERNEL void attention_forward(const float *q, long q_stride, const float *k, const float *v, long kv_stride, float *out,
    long out_stride, float *weights, long n, long m, long heads, long head, int causal, float *scratch,
    dropout_t dropout, uint64_t first) {
    long row = attention_row(m);
    if (head == SIDE && row == SIDE) FORWARD(SIDE, SIDE, SIDE);
    else FORWARD(row, head, attention_row(head));
}

KERNEL void attention_backward(const float *q, long q_stride, const float *k, const float *v, long kv_stride,
    const float *dout, long out_stride, const float *weights, long n, long m, long heads, long head, float *dq,
    float *dk, float *dv, float *scratch, dropout_t dropout) {
    long row = attention_row(m);
    if (head == SIDE && row == SIDE) BACKWARD(SIDE, SIDE, SIDE);
    else BACKWARD(row, head, attention_row(head));
}
