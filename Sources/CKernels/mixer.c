#include "mixer.h"
#include "internal.h"
#include "linear.h"

// All but exponentials is linear attention, see linear.h. Backward, with
// c_ik the sum of the weights e_jk so far (whole sentences: e = alpha, c = 1), and
//     w = p / c,    s = z - b,    dz = p (dp - sum_k p dp),    t = dz / (c sqrt(key)):
//     dp_ik = dy_i . T_ik / c_ik,         T: sums of e v
//     dq_i  = sum_k t_ik T_ik,            T: sums of e k
//     dv_j  = sum_k e_jk A_jk,            A: sums of w dy
//     dk_j  = sum_k e_jk A_jk,            A: sums of t q
//     da_jk = e_jk (A_jk . v_j + A_jk . k_j - B_jk),      B: sums of (p dp + dz s) / c
// where A and B are sums over i >= j, or over all i.
//
// Weights take the place of logits, and gradients the place of both: a tile has just worked on that memory, other
// memory would have to come from afar to be overwritten.

// ---- sizes ---------------------------------------------------------------------------------------------------------
INLINE long all_slots(mixer_t x) { return x.heads * x.slots; }
/// Columns of pooling weights, and where those of a head are.
INLINE long pools(mixer_t x) { return x.shared ? x.slots : all_slots(x); }
INLINE long pool(mixer_t x, long head) { return x.shared ? 0 : head * x.slots; }
INLINE long pooled_head(mixer_t x) { return x.slots * (x.value + x.key); }

long mixer_pooled(mixer_t x) { return x.heads * pooled_head(x); }
long mixer_state(mixer_t x) { return pools(x) + mixer_pooled(x); }

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

long mixer_tape(mixer_t x, long n) { return (x.causal ? n : 1) * pools(x) + (x.key ? 2 * n * all_slots(x) : 0); }

INLINE long larger_size(long a, long b) { return a > b ? a : b; }

long mixer_scratch(mixer_t x, long n, long m) {
    long forward = larger_size(2 * pools(x), x.causal ? n * all_slots(x) : pooled_head(x));
    long backward = x.slots * (3 * n + m + 1) + (x.shared ? m * x.slots : 0) + n * x.key + pooled_head(x);
    long translation = larger_size(2 * pools(x), pools(x) + 3 * all_slots(x));
    return larger_size(larger_size(forward, backward), translation);
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

// ---- one sentence --------------------------------------------------------------------------------------------------
// Columns of a head.
INLINE rows_t values(mixer_t x, mixer_rows_t in, long h) { return (rows_t){in.value + h * x.value, in.value_stride}; }
INLINE rows_t keys(mixer_t x, mixer_rows_t in, long h) { return (rows_t){in.key + h * x.key, in.key_stride}; }
INLINE rows_t queries(mixer_t x, mixer_rows_t in, long h) {
    return (rows_t){in.reading + h * x.key, in.reading_stride};
}
INLINE rows_t pooling(mixer_t x, mixer_rows_t in, long h) {
    return (rows_t){in.pooling + pool(x, h), in.pooling_stride};
}

KERNEL void mixer_forward(
    mixer_t x, mixer_rows_t in, long n, long m, float *out, long out_stride, float *tape, float *scratch) {
    if (m == 0) return clear_rows(out, out_stride, n, x.heads * x.value);
    long slots = x.slots, width = pools(x);
    tape_t kept = parts(x, in, tape, n);
    if (x.causal) {
        clear_rows(scratch, 0, 1, width);
        for (long i = 0; i < n; i++) next_weights(in.pooling + i * in.pooling_stride, scratch, tape + i * width, width);
    } else {
        pooling_weights(in.pooling, in.pooling_stride, m, width, scratch);
        for (long k = 0; k < width; k++) tape[k] = 1;
    }
    float *sums = scratch;
    for (long h = 0; h < x.heads && x.key; h++) {
        linear_t scores = {
            x.key, slots, keys(x, in, h), pooling(x, in, h), queries(x, in, h), kept.s + h * kept.head, slots, 0};
        attend(x.causal, scores, n, m, sums);
    }
    reading_weights(x, kept, in.bias, n);
    if (x.causal) {
        divide_by_weights(x, kept, scratch, n);
        kept.p = scratch, kept.stride = slots, kept.head = n * slots;
    }
    for (long h = 0; h < x.heads; h++) {
        rows_t w = {kept.p + h * kept.head, kept.stride};
        linear_t read = {slots, x.value, pooling(x, in, h), values(x, in, h), w, out + h * x.value, out_stride, 0};
        attend(x.causal, read, n, m, sums);
    }
}

KERNEL void mixer_backward(mixer_t x, mixer_rows_t in, long n, long m, const float *dout, long out_stride,
    const float *tape, float *dbias, float *scratch) {
    if (m == 0) return clear_rows(in.reading, in.reading_stride, n, x.heads * (x.key ? x.key : x.slots));
    long slots = x.slots;
    tape_t kept = parts(x, in, (float *)tape, n);
    float *w = scratch, *u = w + n * slots, *t = u + n * slots;          // [n, slots]
    float *g = t + n * slots, *b = g + m * slots, *dq = b + slots;       // [m, slots], [slots], [n, key]
    float *da = dq + n * x.key, *sums = da + (x.shared ? m * slots : 0); // [m, slots]
    rows_t ws = {w, slots}, ts = {t, slots};
    for (long h = 0; h < x.heads; h++) {
        rows_t e = pooling(x, in, h), v = values(x, in, h), dy = {dout + h * x.value, out_stride};
        attend(x.causal, (linear_t){x.value, slots, v, e, dy, u, slots, 0}, n, m, sums);
        reading_backward(x, kept, h, u, w, t, dbias, n);
        attend_backward(x.causal, (linear_t){x.value, slots, dy, ws, v, g, slots, 0}, n, m, sums);
        linear_t dv = {slots, x.value, ws, dy, e, in.value + h * x.value, in.value_stride, 0};
        attend_backward(x.causal, dv, n, m, sums);
        if (x.key) {
            rows_t k = keys(x, in, h), q = queries(x, in, h);
            attend(x.causal, (linear_t){slots, x.key, e, k, ts, dq, x.key, 0}, n, m, sums);
            attend_backward(x.causal, (linear_t){x.key, slots, q, ts, k, g, slots, 1}, n, m, sums);
            linear_t dk = {slots, x.key, ts, q, e, in.key + h * x.key, in.key_stride, 0};
            attend_backward(x.causal, dk, n, m, sums);
            copy_rows(dq, x.key, in.reading + h * x.key, in.reading_stride, n, x.key);
        }
        clear_rows(b, 0, 1, slots);
        for (long i = 0; i < n && !x.causal; i++) add_row(b, u + i * slots, slots);
        for (long j = m - 1; j >= 0; j--) {
            if (x.causal) add_row(b, u + j * slots, slots);
            float *own = in.pooling + j * in.pooling_stride + pool(x, h);
            if (x.shared) shared_pooling_row_backward(own, g + j * slots, b, da + j * slots, x.causal, h > 0, slots);
            else pooling_row_backward(own, g + j * slots, b, x.causal, slots);
        }
    }
    if (x.shared) copy_rows(da, slots, in.pooling, in.pooling_stride, m, slots);
}

// ---- translation ---------------------------------------------------------------------------------------------------
// A head's sums: of weighted keys [key, slots], then of weighted values [slots, value].

/// What a head of a token reads and writes, and where the next head's is.
typedef struct {
    head_t first;
    long x, u, y, o;
} heads_t;

/// o of every head from its sums, to which the token is added first where `adds`.
INLINE void step_heads(mixer_t x, const int adds, heads_t all, long height, long width) {
    enum { SOME = 16 };
    head_t heads[SOME];
    for (long h = 0; h < x.heads;) {
        long count = 0;
        for (; count < SOME && h < x.heads; count++, h++)
            heads[count] = (head_t){ahead(all.first.x, h * all.x), ahead(all.first.u, h * all.u),
                all.first.y + h * all.y, all.first.o + h * all.o, all.first.sums + h * pooled_head(x)};
        step_sums(adds, heads, count, height, width);
    }
}

/// s of one token, from sums of keys.
INLINE void step_keys(mixer_t x, const int adds, mixer_rows_t in, float *sums, float *s) {
    heads_t heads = {{NULL, NULL, in.reading, s, sums}, x.key, pool(x, 1), x.key, x.slots};
    if (adds) heads.first.x = in.key, heads.first.u = in.pooling;
    step_heads(x, adds, heads, x.key, x.slots);
}

/// What one token puts out with weights w, from sums of values.
INLINE void step_values(mixer_t x, const int adds, mixer_rows_t in, float *sums, const float *w, float *out) {
    heads_t heads = {{NULL, NULL, w, out, sums + x.key * x.slots}, pool(x, 1), x.value, x.slots, x.value};
    if (adds) heads.first.x = in.pooling, heads.first.u = in.value;
    step_heads(x, adds, heads, x.slots, x.value);
}

KERNEL void mixer_step(mixer_t x, mixer_rows_t in, long rows, float *states, const int32_t *places, float *out,
    long out_stride, float *scratch) {
    long width = pools(x);
    float *inverse = scratch, *w = inverse + width, *s = w + all_slots(x), *z = s + all_slots(x);
    if (!x.key) softmax_rows(in.reading, in.reading_stride, rows, x.heads, x.slots);
    for (long r = 0; r < rows; r++) {
        float *sum = states + place(places, r) * mixer_state(x);
        tape_t own = {{inverse, 0}, x.key ? z : in.reading, s, 0, x.slots};
        next_weights(in.pooling, sum, inverse, width);
        if (x.key) {
            step_keys(x, 1, in, sum + width, s);
            reading_weights(x, own, in.bias, 1);
        }
        divide_by_weights(x, own, w, 1);
        step_values(x, 1, in, sum + width, w, out);
        in.pooling += in.pooling_stride;
        in.value += in.value_stride;
        in.key += in.key_stride;
        in.reading += in.reading_stride;
        out += out_stride;
    }
}

KERNEL void mixer_pool(mixer_t x, mixer_rows_t in, long m, float *pooled, float *scratch) {
    long slots = x.slots;
    pooling_weights(in.pooling, in.pooling_stride, m, pools(x), scratch);
    for (long h = 0; h < x.heads; h++, pooled += pooled_head(x)) {
        rows_t e = pooling(x, in, h);
        linear_t pool_keys = {.height = x.key, .width = slots, .x = keys(x, in, h), .u = e};
        sum_rows(pool_keys, pooled, m);
        linear_t pool_values = {.height = slots, .width = x.value, .x = e, .u = values(x, in, h)};
        sum_rows(pool_values, pooled + x.key * slots, m);
    }
}

KERNEL void mixer_read(mixer_t x, mixer_rows_t in, long rows, const float *pooled, const int32_t *places, float *out,
    long out_stride, float *scratch) {
    float *ones = scratch, *s = ones + pools(x), *z = s + all_slots(x);
    for (long k = 0; k < pools(x); k++) ones[k] = 1;
    if (!x.key) softmax_rows(in.reading, in.reading_stride, rows, x.heads, x.slots);
    for (long r = 0; r < rows; r++, in.reading += in.reading_stride, out += out_stride) {
        float *sums = (float *)pooled + place(places, r) * mixer_pooled(x);
        tape_t own = {{ones, 0}, x.key ? z : in.reading, s, 0, x.slots};
        if (x.key) {
            step_keys(x, 0, in, sums, s);
            reading_weights(x, own, in.bias, 1);
        }
        step_values(x, 0, in, sums, own.p, out);
    }
}
