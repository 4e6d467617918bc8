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

// ---- sizes ---------------------------------------------------------------------------------------------------------
INLINE long all_slots(mixer_t x) { return x.heads * x.slots; }
/// Columns of pooling weights, and where those of a head are.
INLINE long pools(mixer_t x) { return x.shared ? x.slots : all_slots(x); }
INLINE long pool(mixer_t x, long head) { return x.shared ? 0 : head * x.slots; }
INLINE long pooled_head(mixer_t x) { return x.slots * (x.value + x.key); }

long mixer_pooled(mixer_t x) { return x.heads * pooled_head(x); }
long mixer_state(mixer_t x) { return pools(x) + mixer_pooled(x); }

/// weights: e [m, pools]; inverse: 1 / c [n, pools], one row of ones for whole sentences; p, s: [head, n, slots].
typedef struct {
    float *weights, *inverse, *p, *s;
    long inverse_stride;
} tape_t;

INLINE tape_t parts(mixer_t x, float *tape, long n, long m) {
    float *inverse = tape + m * pools(x), *p = inverse + (x.causal ? n : 1) * pools(x);
    return (tape_t){tape, inverse, p, p + n * all_slots(x), x.causal ? pools(x) : 0};
}

long mixer_tape(mixer_t x, long n, long m) {
    return (m + (x.causal ? n : 1)) * pools(x) + (x.key ? 2 : 1) * n * all_slots(x);
}

INLINE long larger_size(long a, long b) { return a > b ? a : b; }

long mixer_scratch(mixer_t x, long n, long m) {
    long forward = larger_size(2 * pools(x), n * all_slots(x) + pooled_head(x));
    long backward = x.slots * (3 * n + m + 1) + pooled_head(x);
    long translation = (m + 2) * pools(x) + 3 * all_slots(x);
    return larger_size(larger_size(forward, backward), translation);
}

// ---- pooling weights -----------------------------------------------------------------------------------------------
// Eight columns at a time: heads have 8, 16, 24 slots, and the shortest rows would never enter loops over more.
#define BY_8 _Pragma("clang loop vectorize_width(8) interleave_count(1)")

static const float LIMIT = 30;

/// e = softmax over tokens. scratch: two rows.
INLINE void pooling_weights(rows_t a, float *restrict e, long m, long width, float *restrict scratch) {
    float *restrict top = scratch, *restrict sum = scratch + width;
    for (long k = 0; k < width; k++) {
        top[k] = -INFINITY;
        sum[k] = 0;
    }
    for (long j = 0; j < m; j++) BY_8 for (long k = 0; k < width; k++) top[k] = larger(top[k], a.at[j * a.stride + k]);
    for (long j = 0; j < m; j++) BY_8 for (long k = 0; k < width; k++) {
            float weight = exp_approx(a.at[j * a.stride + k] - top[k]);
            e[j * width + k] = weight;
            sum[k] += weight;
        }
    BY_8 for (long k = 0; k < width; k++) sum[k] = 1 / sum[k];
    for (long j = 0; j < m; j++) BY_8 for (long k = 0; k < width; k++) e[j * width + k] *= sum[k];
}

/// One more token: e = exp of its limited logits; sum += e; inverse = 1 / sum.
INLINE void next_weights(
    const float *restrict a, float *restrict e, float *restrict sum, float *restrict inverse, long width) {
    BY_8 for (long k = 0; k < width; k++) {
        float limited = a[k] < -LIMIT ? -LIMIT : (a[k] > LIMIT ? LIMIT : a[k]);
        float weight = exp_approx(limited), total = sum[k] + weight;
        e[k] = weight;
        sum[k] = total;
        inverse[k] = 1 / total;
    }
}

/// da (+)= e (g - B), zero where the logit was cut off.
INLINE void pooling_row_backward(const float *restrict a, const float *restrict e, const float *restrict g,
    const float *restrict b, float *restrict da, float limit, int onto, long slots) {
    BY_8 for (long k = 0; k < slots; k++) {
        float gradient = e[k] * (g[k] - b[k]);
        gradient = a[k] < -limit || a[k] > limit ? 0 : gradient;
        da[k] = onto ? da[k] + gradient : gradient;
    }
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

INLINE void add_row(float *restrict x, const float *restrict y, long width) {
    BY_8 for (long k = 0; k < width; k++) x[k] += y[k];
}

INLINE void copy_row(const float *restrict x, float *restrict y, long width) {
    BY_8 for (long k = 0; k < width; k++) y[k] = x[k];
}

INLINE void subtract_maximum(float *z, long slots) {
    float top = -INFINITY;
    BY_8 for (long k = 0; k < slots; k++) top = larger(top, z[k]);
    BY_8 for (long k = 0; k < slots; k++) z[k] -= top;
}

/// p, exponentials, become a softmax; w = p / c.
INLINE void divide_row(float *restrict p, const float *restrict inverse, float *restrict w, long slots) {
    _Pragma("clang fp reassociate(on)") float sum = 0;
    BY_8 for (long k = 0; k < slots; k++) sum += p[k];
    sum = 1 / sum;
    BY_8 for (long k = 0; k < slots; k++) {
        float weight = p[k] * sum;
        p[k] = weight;
        w[k] = weight * inverse[k];
    }
}

/// p, w [head, n, slots] of n tokens; s holds their products with keys. One thing after the other for all rows: a row
/// alone would be a chain of operations that wait for each other.
INLINE void reading_weights(
    mixer_t x, rows_t reading, const float *bias, rows_t inverse, float *s, float *p, float *w, long n) {
    long slots = x.slots;
    for (long h = 0, row = 0; h < x.heads; h++)
        for (long i = 0; i < n; i++, row += slots) {
            const float *inverses = inverse.at + i * inverse.stride + pool(x, h);
            if (x.key) score_row(s + row, inverses, bias + h * slots, p + row, key_scale(x), slots);
            else copy_row(reading.at + i * reading.stride + h * slots, p + row, slots);
            subtract_maximum(p + row, slots);
        }
    BY_16 for (long k = 0; k < n * all_slots(x); k++) p[k] = exp_approx(p[k]);
    for (long h = 0, row = 0; h < x.heads; h++)
        for (long i = 0; i < n; i++, row += slots)
            divide_row(p + row, inverse.at + i * inverse.stride + pool(x, h), w + row, slots);
}

/// Of one token. u, products of dy with sums of weighted values, becomes what B sums; dz is overwritten, or dbias is
/// added to.
INLINE void reading_row_backward(float *restrict u, const float *restrict inverse, const float *restrict p,
    const float *restrict s, float *restrict w, float *restrict t, float *restrict dz, float *restrict dbias,
    float scale, long slots) {
    _Pragma("clang fp reassociate(on)") float dot = 0;
    BY_8 for (long k = 0; k < slots; k++) {
        u[k] *= inverse[k];
        w[k] = p[k] * inverse[k];
        dot += p[k] * u[k];
    }
    if (!dbias) BY_8 for (long k = 0; k < slots; k++) {
            dz[k] = p[k] * (u[k] - dot);
            u[k] *= w[k];
        }
    else BY_8 for (long k = 0; k < slots; k++) {
            float gradient = p[k] * (u[k] - dot);
            dbias[k] += gradient;
            t[k] = gradient * inverse[k] * scale;
            u[k] = u[k] * w[k] + gradient * inverse[k] * s[k];
        }
}

// ---- one sentence --------------------------------------------------------------------------------------------------
// Columns of a head.
INLINE rows_t values(mixer_t x, mixer_inputs_t in, long h) { return (rows_t){in.value + h * x.value, in.value_stride}; }
INLINE rows_t keys(mixer_t x, mixer_inputs_t in, long h) { return (rows_t){in.key + h * x.key, in.key_stride}; }
INLINE rows_t queries(mixer_t x, mixer_inputs_t in, long h) {
    return (rows_t){in.reading + h * x.key, in.reading_stride};
}

KERNEL void mixer_forward(
    mixer_t x, mixer_inputs_t in, long n, long m, float *out, long out_stride, float *tape, float *scratch) {
    if (m == 0) return clear_rows(out, out_stride, n, x.heads * x.value);
    long slots = x.slots, width = pools(x);
    tape_t kept = parts(x, tape, n, m);
    if (x.causal) {
        clear_rows(scratch, 0, 1, width);
        for (long i = 0; i < n; i++)
            next_weights(
                in.pooling + i * in.pooling_stride, kept.weights + i * width, scratch, kept.inverse + i * width, width);
    } else {
        pooling_weights((rows_t){in.pooling, in.pooling_stride}, kept.weights, m, width, scratch);
        for (long k = 0; k < width; k++) kept.inverse[k] = 1;
    }
    float *w = scratch, *sums = w + n * all_slots(x);
    for (long h = 0; h < x.heads && x.key; h++) {
        rows_t e = {kept.weights + pool(x, h), width};
        linear_t scores = {x.key, slots, keys(x, in, h), e, queries(x, in, h), kept.s + h * n * slots, slots, 0};
        attend(x.causal, scores, n, m, sums);
    }
    rows_t reading = {in.reading, in.reading_stride}, inverse = {kept.inverse, kept.inverse_stride};
    reading_weights(x, reading, in.bias, inverse, kept.s, kept.p, w, n);
    for (long h = 0; h < x.heads; h++) {
        rows_t e = {kept.weights + pool(x, h), width};
        rows_t weights = {w + h * n * slots, slots};
        linear_t read = {slots, x.value, e, values(x, in, h), weights, out + h * x.value, out_stride, 0};
        attend(x.causal, read, n, m, sums);
    }
}

KERNEL void mixer_backward(mixer_t x, mixer_inputs_t in, long n, long m, const float *dout, long out_stride,
    const float *tape, mixer_gradients_t d, float *scratch) {
    if (m == 0) return clear_rows(d.reading, d.reading_stride, n, x.heads * (x.key ? x.key : x.slots));
    long slots = x.slots, width = pools(x);
    tape_t kept = parts(x, (float *)tape, n, m);
    float *w = scratch, *u = w + n * slots, *t = u + n * slots;      // [n, slots]
    float *g = t + n * slots, *b = g + m * slots, *sums = b + slots; // [m, slots], [slots]
    rows_t ws = {w, slots}, ts = {t, slots};
    for (long h = 0; h < x.heads; h++) {
        rows_t e = {kept.weights + pool(x, h), width}, v = values(x, in, h), dy = {dout + h * x.value, out_stride};
        attend(x.causal, (linear_t){x.value, slots, v, e, dy, u, slots, 0}, n, m, sums);
        for (long i = 0; i < n; i++) {
            long row = (h * n + i) * slots, at = i * slots;
            const float *inverse = kept.inverse + i * kept.inverse_stride + pool(x, h);
            float *dz = d.reading + i * d.reading_stride + h * slots, *dbias = x.key ? d.bias + h * slots : NULL;
            reading_row_backward(
                u + at, inverse, kept.p + row, kept.s + row, w + at, t + at, dz, dbias, key_scale(x), slots);
        }
        linear_t dv = {slots, x.value, ws, dy, e, d.value + h * x.value, d.value_stride, 0};
        linear_t gv = {x.value, slots, dy, ws, v, g, slots, 0};
        attend_backward(x.causal, dv, n, m, sums);
        attend_backward(x.causal, gv, n, m, sums);
        if (x.key) {
            rows_t k = keys(x, in, h), q = queries(x, in, h);
            linear_t dq = {slots, x.key, e, k, ts, d.reading + h * x.key, d.reading_stride, 0};
            linear_t dk = {slots, x.key, ts, q, e, d.key + h * x.key, d.key_stride, 0};
            linear_t gk = {x.key, slots, q, ts, k, g, slots, 1};
            attend(x.causal, dq, n, m, sums);
            attend_backward(x.causal, dk, n, m, sums);
            attend_backward(x.causal, gk, n, m, sums);
        }
        clear_rows(b, 0, 1, slots);
        for (long i = 0; i < n && !x.causal; i++) add_row(b, u + i * slots, slots);
        for (long j = m - 1; j >= 0; j--) {
            if (x.causal) add_row(b, u + j * slots, slots);
            const float *a = in.pooling + j * in.pooling_stride + pool(x, h);
            float *da = d.pooling + j * d.pooling_stride + pool(x, h), limit = x.causal ? LIMIT : INFINITY;
            pooling_row_backward(a, e.at + j * width, g + j * slots, b, da, limit, x.shared && h > 0, slots);
        }
    }
}

// ---- translation ---------------------------------------------------------------------------------------------------
// A head's sums: of weighted keys [key, slots], then of weighted values [slots, value].

KERNEL void mixer_step(mixer_t x, mixer_inputs_t in, long rows, float *states, const int32_t *places, float *out,
    long out_stride, float *scratch) {
    long slots = x.slots, width = pools(x);
    float *e = scratch, *inverse = e + width, *s = inverse + width, *p = s + all_slots(x), *w = p + all_slots(x);
    for (long r = 0; r < rows; r++) {
        float *sum = states + place(places, r) * mixer_state(x), *sums = sum + width;
        next_weights(in.pooling, e, sum, inverse, width);
        for (long h = 0; h < x.heads && x.key; h++) {
            rows_t weights = {e + pool(x, h), 0};
            linear_t scores = {x.key, slots, keys(x, in, h), weights, queries(x, in, h), s + h * slots, 0, 0};
            sweep(scores, sums + h * pooled_head(x), 1);
        }
        reading_weights(x, (rows_t){in.reading, 0}, in.bias, (rows_t){inverse, 0}, s, p, w, 1);
        for (long h = 0; h < x.heads; h++) {
            rows_t weights = {e + pool(x, h), 0};
            linear_t read = {slots, x.value, weights, values(x, in, h), {w + h * slots, 0}, out + h * x.value, 0, 0};
            sweep(read, sums + h * pooled_head(x) + x.key * slots, 1);
        }
        in.pooling += in.pooling_stride;
        in.value += in.value_stride;
        in.key += in.key_stride;
        in.reading += in.reading_stride;
        out += out_stride;
    }
}

KERNEL void mixer_pool(mixer_t x, mixer_inputs_t in, long m, float *pooled, float *scratch) {
    long slots = x.slots, width = pools(x);
    float *weights = scratch + 2 * width;
    pooling_weights((rows_t){in.pooling, in.pooling_stride}, weights, m, width, scratch);
    for (long h = 0; h < x.heads; h++, pooled += pooled_head(x)) {
        rows_t e = {weights + pool(x, h), width};
        linear_t pool_keys = {.height = x.key, .width = slots, .x = keys(x, in, h), .u = e};
        sum_rows(pool_keys, pooled, m);
        linear_t pool_values = {.height = slots, .width = x.value, .x = e, .u = values(x, in, h)};
        sum_rows(pool_values, pooled + x.key * slots, m);
    }
}

KERNEL void mixer_read(mixer_t x, mixer_inputs_t in, long rows, const float *pooled, const int32_t *places, float *out,
    long out_stride, float *scratch) {
    long slots = x.slots;
    float *ones = scratch, *s = ones + pools(x), *p = s + all_slots(x), *w = p + all_slots(x);
    for (long k = 0; k < pools(x); k++) ones[k] = 1;
    for (long r = 0; r < rows; r++, in.reading += in.reading_stride, out += out_stride) {
        const float *sums = pooled + place(places, r) * mixer_pooled(x);
        for (long h = 0; h < x.heads && x.key; h++) {
            linear_t scores = {.height = x.key, .width = slots, .y = queries(x, in, h), .o = s + h * slots};
            read_sums(scores, sums + h * pooled_head(x), 1);
        }
        reading_weights(x, (rows_t){in.reading, 0}, in.bias, (rows_t){ones, 0}, s, p, w, 1);
        for (long h = 0; h < x.heads; h++) {
            linear_t read = {.height = slots, .width = x.value, .y = {w + h * slots, 0}, .o = out + h * x.value};
            read_sums(read, sums + h * pooled_head(x) + x.key * slots, 1);
        }
    }
}
