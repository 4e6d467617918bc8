// The weights of a mixer and their gradients, see mixer.c.
#pragma once
#include "internal.h"
#include "linear.h"
#include "mixer.h"

// ---- sizes ---------------------------------------------------------------------------------------------------------
INLINE long all_slots(mixer_t x) { return x.heads * x.slots; }
/// Columns of pooling weights, and where those of a head are.
INLINE long pools(mixer_t x) { return x.shared ? x.slots : all_slots(x); }
INLINE long pool(mixer_t x, long head) { return x.shared ? 0 : head * x.slots; }
INLINE long pooled_head(mixer_t x) { return x.slots * (x.value + x.key); }

/// inverse: 1 / c [n, pools], one row of ones for whole sentences. Without keys p [n, heads, slots] is not on the tape,
/// but where the reading logits were; with keys there are p and scores s [heads, n, slots].
typedef struct {
    rows_t inverse;
    float *p, *s;
    long stride, head; // of p and s: floats from token to token, from head to head
} tape_t;

INLINE tape_t parts(mixer_t x, mixer_rows_t in, float *tape, long n) {
    float *s = tape + (x.causal ? n : 1) * pools(x);
    rows_t inverse = {tape, x.causal ? pools(x) : 0};
    return x.key ? (tape_t){inverse, s + n * all_slots(x), s, x.slots, n * x.slots}
                 : (tape_t){inverse, in.reading, NULL, in.reading_stride, x.slots};
}

// ---- pooling weights -----------------------------------------------------------------------------------------------
// Eight columns at a time: heads have 8, 16, 24 slots, and the shortest rows would never enter loops over more.
#define BY_8 _Pragma("clang loop vectorize_width(8) interleave_count(1)")

static const float LIMIT = 30;
/// e^-LIMIT and a little more, e^LIMIT and a little less: what weights are beyond where the logit is cut off, or LIMIT.
static const float LEAST = 9.35763e-14f, LARGEST = 1.068646e13f;

/// a = softmax of a over tokens. scratch: two rows.
INLINE void pooling_weights(float *restrict a, long stride, long m, long width, float *restrict scratch) {
    float *restrict top = scratch, *restrict sum = scratch + width;
    for (long k = 0; k < width; k++) {
        top[k] = -INFINITY;
        sum[k] = 0;
    }
    for (long j = 0; j < m; j++) BY_8 for (long k = 0; k < width; k++) top[k] = larger(top[k], a[j * stride + k]);
    for (long j = 0; j < m; j++) BY_8 for (long k = 0; k < width; k++) {
            float weight = exp_approx(a[j * stride + k] - top[k]);
            a[j * stride + k] = weight;
            sum[k] += weight;
        }
    BY_8 for (long k = 0; k < width; k++) sum[k] = 1 / sum[k];
    for (long j = 0; j < m; j++) BY_8 for (long k = 0; k < width; k++) a[j * stride + k] *= sum[k];
}

/// One more token: a = exp of its limited logits; sum += a; inverse = 1 / sum.
INLINE void next_weights(float *restrict a, float *restrict sum, float *restrict inverse, long width) {
    BY_8 for (long k = 0; k < width; k++) {
        float limited = a[k] < -LIMIT ? -LIMIT : (a[k] > LIMIT ? LIMIT : a[k]);
        float weight = exp_approx(limited), total = sum[k] + weight;
        a[k] = weight;
        sum[k] = total;
        inverse[k] = 1 / total;
    }
}

/// e (g - B), zero where the logit was cut off.
INLINE float pooling_gradient(float e, float g, float b, int cuts) {
    return cuts && (e <= LEAST || e >= LARGEST) ? 0 : e * (g - b);
}

/// e becomes da.
INLINE void pooling_row_backward(
    float *restrict e, const float *restrict g, const float *restrict b, const int cuts, long slots) {
    BY_8 for (long k = 0; k < slots; k++) e[k] = pooling_gradient(e[k], g[k], b[k], cuts);
}

/// da (+)= the same; of weights that other heads have too.
INLINE void shared_pooling_row_backward(const float *restrict e, const float *restrict g, const float *restrict b,
    float *restrict da, const int cuts, int onto, long slots) {
    BY_8 for (long k = 0; k < slots; k++) da[k] = (onto ? da[k] : 0) + pooling_gradient(e[k], g[k], b[k], cuts);
}

INLINE void copy_rows(const float *x, long stride, float *y, long y_stride, long rows, long width) {
    for (long r = 0; r < rows; r++) memcpy(y + r * y_stride, x + r * stride, sizeof(float) * (size_t)width);
}

// ---- rows of slots -------------------------------------------------------------------------------------------------
// A row is folded into eight lanes, and the lanes of eight rows at once: alone, a row would be a chain of operations
// that wait for each other.
typedef float f8x __attribute__((vector_size(32), aligned(4)));
#define LOAD8(p) (*(const f8x *)(p))
#define STORE8(p, v) (*(f8x *)(p) = (v))
#define LARGER(a, b) __builtin_elementwise_maximum(a, b)

enum { ROWS = 8 };
typedef enum { fold_maximum, fold_sum, fold_products } fold_t;

/// max_k a_k, sum_k a_k or sum_k a_k b_k, of every eighth column.
INLINE void fold_row(const fold_t fold, const float *a, const float *b, long count, f8x *lanes) {
    f8x all = (f8x){0} - (fold == fold_maximum ? INFINITY : 0);
    long k = 0;
    for (; k + 8 <= count; k += 8) {
        if (fold == fold_maximum) all = LARGER(all, LOAD8(a + k));
        else if (fold == fold_sum) all += LOAD8(a + k);
        else all += LOAD8(a + k) * LOAD8(b + k);
    }
    for (; k < count; k++) {
        float *lane = (float *)&all + k % 8;
        if (fold == fold_maximum) *lane = larger(*lane, a[k]);
        else *lane += fold == fold_sum ? a[k] : a[k] * b[k];
    }
    *lanes = all;
}

/// result[r] = the fold of lanes[r]. Each step folds neighbours and puts two rows side by side.
INLINE void fold_lanes(const fold_t fold, const f8x lanes[ROWS], float result[ROWS]) {
#define BOTH(a, b) (fold == fold_maximum ? LARGER(a, b) : (a) + (b))
#define NEIGHBOURS(a, b)                                                                                               \
    BOTH(__builtin_shufflevector(a, b, 0, 2, 8, 10, 4, 6, 12, 14),                                                     \
        __builtin_shufflevector(a, b, 1, 3, 9, 11, 5, 7, 13, 15))
    f8x two[4], four[2];
    for (int r = 0; r < 4; r++) two[r] = NEIGHBOURS(lanes[2 * r], lanes[2 * r + 1]);
    for (int r = 0; r < 2; r++) four[r] = NEIGHBOURS(two[2 * r], two[2 * r + 1]);
    STORE8(result, BOTH(__builtin_shufflevector(four[0], four[1], 0, 1, 2, 3, 8, 9, 10, 11),
                       __builtin_shufflevector(four[0], four[1], 4, 5, 6, 7, 12, 13, 14, 15)));
#undef BOTH
#undef NEIGHBOURS
}

INLINE void add_row(float *restrict x, const float *restrict y, long width) {
    BY_8 for (long k = 0; k < width; k++) x[k] += y[k];
}

// ---- reading weights -----------------------------------------------------------------------------------------------
INLINE float key_scale(mixer_t x) { return 1 / sqrtf((float)x.key); }

/// s, products of a query with sums of weighted keys, becomes its scores; z = s + bias.
INLINE void score_row(float *restrict s, const float *restrict inverse, const float *restrict bias, float *restrict z,
    float scale, long slots) {
    BY_8 for (long k = 0; k < slots; k++) {
        float score = s[k] * inverse[k] * scale;
        s[k] = score;
        z[k] = score + bias[k];
    }
}

INLINE void subtract_maxima(float *z, long rows, long slots) {
    f8x lanes[ROWS] = {0};
    float top[ROWS];
    for (long r = 0; r < rows; r++) fold_row(fold_maximum, z + r * slots, NULL, slots, lanes + r);
    fold_lanes(fold_maximum, lanes, top);
    for (long r = 0; r < rows; r++) BY_8 for (long k = 0; k < slots; k++) z[r * slots + k] -= top[r];
}

INLINE void divide_by_sums(float *p, long rows, long slots) {
    f8x lanes[ROWS] = {0};
    float sum[ROWS];
    for (long r = 0; r < rows; r++) fold_row(fold_sum, p + r * slots, NULL, slots, lanes + r);
    fold_lanes(fold_sum, lanes, sum);
    STORE8(sum, 1 / LOAD8(sum));
    for (long r = 0; r < rows; r++) BY_8 for (long k = 0; k < slots; k++) p[r * slots + k] *= sum[r];
}

/// Calls f for groups of rows; nearly all are whole, for which ROWS is a constant.
#define FOR_GROUPS(f, z, rows, slots)                                                                                  \
    for (long r_ = 0; r_ < rows; r_ += ROWS) {                                                                         \
        if (r_ + ROWS <= rows) f(z + r_ * slots, ROWS, slots);                                                         \
        else f(z + r_ * slots, rows - r_, slots);                                                                      \
    }

/// Each of `count` x `each` rows of slots becomes its softmax: `each` rows lie side by side, the next begin `stride`
/// floats further. An operation is done for many rows before the next, which waits for it.
INLINE void softmax_rows(float *z, long stride, long count, long each, long slots) {
    for (long first = 0; first < count; first += ROWS, z += ROWS * stride) {
        long some = count - first < ROWS ? count - first : ROWS;
        for (long i = 0; i < some; i++) FOR_GROUPS(subtract_maxima, z + i * stride, each, slots)
        for (long i = 0; i < some; i++)
            BY_16 for (long k = 0; k < each * slots; k++) z[i * stride + k] = exp_approx(z[i * stride + k]);
        for (long i = 0; i < some; i++) FOR_GROUPS(divide_by_sums, z + i * stride, each, slots)
    }
}

/// p of n tokens, of their logits or, with keys, of s, products of queries with sums of weighted keys, which become
/// scores.
INLINE void reading_weights(mixer_t x, tape_t kept, const float *bias, long n) {
    if (!x.key) return softmax_rows(kept.p, kept.stride, n, x.heads, x.slots);
    for (long h = 0; h < x.heads; h++)
        for (long i = 0; i < n; i++) {
            long row = h * kept.head + i * kept.stride;
            const float *inverse = kept.inverse.at + i * kept.inverse.stride + pool(x, h);
            score_row(kept.s + row, inverse, bias + h * x.slots, kept.p + row, key_scale(x), x.slots);
        }
    // of one token the heads are side by side
    if (n == 1) softmax_rows(kept.p, 0, 1, x.heads, x.slots);
    else softmax_rows(kept.p, kept.head, x.heads, n, x.slots);
}

/// w = p / c [heads, n, slots]
INLINE void divide_by_weights(mixer_t x, tape_t kept, float *restrict w, long n) {
    for (long h = 0; h < x.heads; h++)
        for (long i = 0; i < n; i++, w += x.slots) {
            const float *p = kept.p + h * kept.head + i * kept.stride;
            const float *inverse = kept.inverse.at + i * kept.inverse.stride + pool(x, h);
            BY_8 for (long k = 0; k < x.slots; k++) w[k] = p[k] * inverse[k];
        }
}

/// u /= c; w = p / c.
INLINE void divide_row(
    const float *restrict inverse, const float *restrict p, float *restrict u, float *restrict w, long slots) {
    BY_8 for (long k = 0; k < slots; k++) {
        u[k] *= inverse[k];
        w[k] = p[k] * inverse[k];
    }
}

/// p becomes dz, u what B sums; mean = sum_k p dp.
INLINE void logits_row_backward(float *restrict p, float *restrict u, const float *restrict w, float mean, long slots) {
    BY_8 for (long k = 0; k < slots; k++) {
        p[k] *= u[k] - mean;
        u[k] *= w[k];
    }
}

/// The same with keys: dbias += dz, and t.
INLINE void scores_row_backward(const float *restrict p, float *restrict u, const float *restrict w,
    const float *restrict inverse, const float *restrict s, float *restrict t, float *restrict dbias, float scale,
    float mean, long slots) {
    BY_8 for (long k = 0; k < slots; k++) {
        float gradient = p[k] * (u[k] - mean);
        dbias[k] += gradient;
        t[k] = gradient * inverse[k] * scale;
        u[k] = u[k] * w[k] + gradient * inverse[k] * s[k];
    }
}

/// Of one head: u [n, slots], products of dy with sums of weighted values, becomes what B sums; w and t [n, slots] as
/// above; p becomes dz, or dbias is added to.
INLINE void reading_backward(mixer_t x, tape_t kept, long h, float *u, float *w, float *t, float *dbias, long n) {
    long slots = x.slots;
    for (long first = 0; first < n; first += ROWS) {
        long end = n - first < ROWS ? n : first + ROWS;
        f8x lanes[ROWS] = {0};
        float means[ROWS];
        for (long i = first; i < end; i++) {
            const float *p = kept.p + h * kept.head + i * kept.stride;
            divide_row(kept.inverse.at + i * kept.inverse.stride + pool(x, h), p, u + i * slots, w + i * slots, slots);
            fold_row(fold_products, p, u + i * slots, slots, lanes + (i - first));
        }
        fold_lanes(fold_products, lanes, means);
        for (long i = first; i < end; i++) {
            long row = h * kept.head + i * kept.stride, at = i * slots;
            if (!x.key) logits_row_backward(kept.p + row, u + at, w + at, means[i - first], slots);
            else
                scores_row_backward(kept.p + row, u + at, w + at,
                    kept.inverse.at + i * kept.inverse.stride + pool(x, h), kept.s + row, t + at, dbias + h * slots,
                    key_scale(x), means[i - first], slots);
        }
    }
}
