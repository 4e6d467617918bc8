#include "product.h"
#include "search.h"
#include "tile.h"

// y = x W^T with W laid out once for many rows or many steps. Every output is one chain of multiply-adds over the inputs in
// order, whatever the number of rows.

static long panels_of(long outputs) { return (outputs + PANEL - 1) / PANEL; }

long panel_floats(long inputs, long outputs) { return panels_of(outputs) * PANEL * inputs; }

/// to[i][c] = from[c][i], 16 x 16. Four rounds of interleaving the first half of the rows with the second transpose them.
INLINE void transpose_16(const float *restrict from, long from_stride, float *restrict to, long to_stride) {
    f16x x[16], y[16];
    for (int r = 0; r < 16; r++) x[r] = LOAD16(from + r * from_stride);
    for (int round = 0; round < 4; round++) {
        for (int r = 0; r < 8; r++) {
            y[2 * r] = __builtin_shufflevector(x[r], x[r + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            y[2 * r + 1] = __builtin_shufflevector(x[r], x[r + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
        memcpy(x, y, sizeof x);
    }
    for (int r = 0; r < 16; r++) STORE16(to + r * to_stride, x[r]);
}

KERNEL void panel_pack(const float *weights, long stride, float *panels, long inputs, long outputs) {
    for (long o = 0; o < panels_of(outputs) * PANEL; o += 16)
        for (long i = 0; i < inputs; i += 16) {
            float *to = panels + o / PANEL * PANEL * inputs + i * PANEL + o % PANEL;
            if (o + 16 <= outputs && i + 16 <= inputs) {
                transpose_16(weights + o * stride + i, stride, to, PANEL);
                continue;
            }
            for (long r = 0; r < 16 && i + r < inputs; r++)
                for (long c = 0; c < 16; c++) to[r * PANEL + c] = o + c < outputs ? weights[(o + c) * stride + i + r] : 0;
        }
}

/// The sums of rows r0 ..< r0 + TILE with one panel; rows that do not exist repeat the last.
INLINE void panel_sums(tile_t *tile, const float *x, long x_stride, const float *panel, long r0, long rows, long inputs, float *sums, long stride) {
    const float *row[TILE];
    for (int r = 0; r < TILE; r++) row[r] = x + (r0 + r < rows ? r0 + r : rows - 1) * x_stride;
    tile(row, 1, panel, PANEL, inputs, sums, stride, 0);
}

INLINE void finish(const float *restrict s, const float *restrict bias, float *restrict y, long count, panel_mode_t mode) {
    if (!bias)
        memcpy(y, s, sizeof(float) * (size_t)count);
    else if (mode == panel_bias)
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
            if (!bias && count == PANEL && rows - r0 >= TILE) {
                panel_sums(tile, x, x_stride, panels, r0, rows, inputs, y + r0 * y_stride + o, y_stride);
                continue;
            }
            panel_sums(tile, x, x_stride, panels, r0, rows, inputs, sums, PANEL);
            for (long r = 0; r < TILE && r0 + r < rows; r++) {
                float *to = y + (r0 + r) * y_stride + o;
                const float *own = bias ? bias + o : NULL;
                if (count == PANEL) finish(sums + r * PANEL, own, to, PANEL, mode);
                else finish(sums + r * PANEL, own, to, count, mode);
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
            panel_sums(tile, x, x_stride, panels, r0, rows, inputs, sums, PANEL);
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
