#include "internal.h"
#include "search.h"

// y = x W^T for translation: few rows, the same weights step after step. Nothing is packed in a step, and every output is
// one chain of multiply-adds over the inputs in order, whatever the number of rows.

enum {
    PANEL = 64, // outputs side by side
    TILE = 6,   // rows whose sums stay in registers together: 6 x 64 are 24 registers of AVX-512, 6 x 16 are 12 of AVX
};

static long panels_of(long outputs) { return (outputs + PANEL - 1) / PANEL; }

long panel_floats(long inputs, long outputs) { return panels_of(outputs) * PANEL * inputs; }

void panel_pack(const float *weights, long stride, float *panels, long inputs, long outputs) {
    for (long p = 0; p < panels_of(outputs); p++)
        for (long i = 0; i < inputs; i++)
            for (long c = 0; c < PANEL; c++) {
                long o = p * PANEL + c;
                *panels++ = o < outputs ? weights[o * stride + i] : 0;
            }
}

/// sums[r][c] = sum_i x[r][i] panel[i][c] for TILE rows and 16 x `vectors` columns.
INLINE void tile_columns(const float *const x[TILE], const float *restrict panel, long inputs, float *restrict sums, const int vectors) {
    FAST
    f16x s[TILE][4];
    for (int r = 0; r < TILE; r++)
        for (int v = 0; v < vectors; v++) s[r][v] = (f16x){0};
    for (long i = 0; i < inputs; i++, panel += PANEL) {
        f16x b[4];
        for (int v = 0; v < vectors; v++) b[v] = LOAD16(panel + 16 * v);
        for (int r = 0; r < TILE; r++) {
            float a = x[r][i];
            for (int v = 0; v < vectors; v++) s[r][v] += a * b[v];
        }
    }
    for (int r = 0; r < TILE; r++)
        for (int v = 0; v < vectors; v++) STORE16(sums + r * PANEL + 16 * v, s[r][v]);
}

/// The sums of rows r0 ..< r0 + TILE with one panel; rows that do not exist repeat the last.
INLINE void tile(const float *x, long x_stride, const float *restrict panel, long r0, long rows, long inputs, float *restrict sums, const int vectors) {
    const float *row[TILE];
    for (int r = 0; r < TILE; r++) row[r] = x + (r0 + r < rows ? r0 + r : rows - 1) * x_stride;
    for (int c = 0; c < PANEL; c += 16 * vectors) tile_columns(row, panel + c, inputs, sums + c, vectors);
}

// A function of its own, so that nothing competes with the sums for registers, and with the widest tile that fits them on each
// level, which is more than a clone can know.
typedef void tile_t(const float *x, long x_stride, const float *restrict panel, long r0, long rows, long inputs, float *restrict sums);
#define DEFINE_TILE(name, attributes, vectors)                                                                                       \
    attributes __attribute__((noinline)) static void name(const float *x, long x_stride, const float *restrict panel, long r0, long rows, \
                                                          long inputs, float *restrict sums) {                                       \
        tile(x, x_stride, panel, r0, rows, inputs, sums, vectors);                                                                   \
    }

DEFINE_TILE(tile_default, , 1)
#if defined(__x86_64__)
DEFINE_TILE(tile_v3, __attribute__((target("arch=x86-64-v3"))), 1)
DEFINE_TILE(tile_v4, __attribute__((target("arch=x86-64-v4"), min_vector_width(512))), 4)
static tile_t *best_tile(void) {
    return __builtin_cpu_supports("x86-64-v4") ? tile_v4 : __builtin_cpu_supports("x86-64-v3") ? tile_v3 : tile_default;
}
#else
static tile_t *best_tile(void) { return tile_default; }
#endif

INLINE void finish(const float *restrict s, const float *restrict bias, float *restrict y, long count, panel_mode_t mode) {
    if (mode == panel_bias)
        for (long c = 0; c < count; c++) y[c] = s[c] + bias[c];
    else if (mode == panel_relu)
        for (long c = 0; c < count; c++) y[c] = s[c] + bias[c] > 0 ? s[c] + bias[c] : 0;
    else
        for (long c = 0; c < count; c++) y[c] += s[c] + bias[c];
}

KERNEL void panel_product(const float *x, long x_stride, const float *panels, const float *bias, float *y, long y_stride,
                          long rows, long inputs, long outputs, panel_mode_t mode) {
    float sums[TILE * PANEL] __attribute__((aligned(64)));
    tile_t *tile = best_tile();
    for (long o = 0; o < outputs; o += PANEL, panels += PANEL * inputs) {
        long count = outputs - o < PANEL ? outputs - o : PANEL;
        for (long r0 = 0; r0 < rows; r0 += TILE) {
            tile(x, x_stride, panels, r0, rows, inputs, sums);
            for (long r = 0; r < TILE && r0 + r < rows; r++) {
                float *to = y + (r0 + r) * y_stride + o;
                if (count == PANEL) finish(sums + r * PANEL, bias + o, to, PANEL, mode);
                else finish(sums + r * PANEL, bias + o, to, count, mode);
            }
        }
    }
}

/// Puts (value, c) into the k best, which are sorted best first; a later equal value stays behind an earlier one.
INLINE void insert(float *restrict best, int32_t *restrict index, long k, float value, int32_t c) {
    long at = k - 1;
    for (; at > 0 && best[at - 1] < value; at--) {
        best[at] = best[at - 1];
        index[at] = index[at - 1];
    }
    best[at] = value;
    index[at] = c;
}

INLINE int is_barred(int32_t c, const int32_t *barred, long count) {
    for (long i = 0; i < count; i++)
        if (barred[i] == c) return 1;
    return 0;
}

enum { REFERENCE = 16, STATE = 32 };

/// Takes one panel's products into a row's state: state[0 ..< 16] are lanes of sum exp(logit - reference), state[REFERENCE] is
/// the largest logit so far, so that no exponential exceeds 1.
INLINE void take_panel(float *restrict v, const float *restrict bias, long first, long count, long k, const int32_t *barred, long barred_count,
                       float *restrict state, float *restrict best, int32_t *restrict index) {
    FAST
    float top = -INFINITY;
    for (long c = count; c < PANEL; c++) v[c] = -INFINITY;
    if (count == PANEL) BY_16 for (long c = 0; c < PANEL; c++) v[c] += bias[c];
    else for (long c = 0; c < count; c++) v[c] += bias[c];
    BY_16 for (long c = 0; c < PANEL; c++) top = larger(top, v[c]);
    if (top > state[REFERENCE]) {
        float factor = exp_approx(state[REFERENCE] - top);
        for (long l = 0; l < 16; l++) state[l] *= factor;
        state[REFERENCE] = top;
    }
    float reference = state[REFERENCE];
    for (long c0 = 0; c0 < PANEL; c0 += 16)
        BY_16 for (long l = 0; l < 16; l++) state[l] += exp_approx(v[c0 + l] - reference);
    if (!(top > best[k - 1])) return;
    for (long c0 = 0; c0 < PANEL; c0 += 16) {
        int candidates = 0;
        BY_16 for (long l = 0; l < 16; l++) candidates |= v[c0 + l] > best[k - 1];
        for (long c = c0; candidates && c < c0 + 16; c++)
            if (v[c] > best[k - 1] && !is_barred((int32_t)(first + c), barred, barred_count)) insert(best, index, k, v[c], (int32_t)(first + c));
    }
}

KERNEL void panel_top_k(const float *x, long x_stride, const float *panels, const float *bias, long rows, long inputs, long vocabulary, long k,
                        const int32_t *barred, long barred_count, float *scratch, float *log_probability, int32_t *index) {
    float sums[TILE * PANEL] __attribute__((aligned(64)));
    tile_t *tile = best_tile();
    for (long r = 0; r < rows; r++) {
        memset(scratch + r * STATE, 0, sizeof(float) * 16);
        scratch[r * STATE + REFERENCE] = -INFINITY;
    }
    for (long i = 0; i < rows * k; i++) {
        log_probability[i] = -INFINITY;
        index[i] = 0;
    }
    for (long o = 0; o < vocabulary; o += PANEL, panels += PANEL * inputs) { // weights stream past once, rows stay near
        long count = vocabulary - o < PANEL ? vocabulary - o : PANEL;
        for (long r0 = 0; r0 < rows; r0 += TILE) {
            tile(x, x_stride, panels, r0, rows, inputs, sums);
            for (long r = r0; r < r0 + TILE && r < rows; r++)
                take_panel(sums + (r - r0) * PANEL, bias + o, o, count, k, barred, barred_count, scratch + r * STATE, log_probability + r * k, index + r * k);
        }
    }
    for (long r = 0; r < rows; r++) {
        float sum = 0;
        for (long l = 0; l < 16; l++) sum += scratch[r * STATE + l];
        for (long i = 0; i < k; i++) log_probability[r * k + i] = (log_probability[r * k + i] - scratch[r * STATE + REFERENCE]) - logf(sum);
    }
}
