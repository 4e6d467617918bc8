#include "mixing.h"

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

// ---- sizes --------------------------------------------------------------------------------------------------------
long mixer_pooled(mixer_t x) { return x.heads * pooled_head(x); }
long mixer_state(mixer_t x) { return pools(x) + mixer_pooled(x); }
long mixer_tape(mixer_t x, long n) { return (x.causal ? n : 1) * pools(x) + (x.key ? 2 * n * all_slots(x) : 0); }

INLINE long larger_size(long a, long b) { return a > b ? a : b; }

long mixer_scratch(mixer_t x, long n, long m) {
    long forward = larger_size(2 * pools(x), x.causal ? n * all_slots(x) : pooled_head(x));
    long backward = x.slots * (3 * n + m + 1) + (x.shared ? m * x.slots : 0) + n * x.key + pooled_head(x);
    long translation = larger_size(2 * pools(x), pools(x) + 3 * all_slots(x));
    return larger_size(larger_size(forward, backward), translation);
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
