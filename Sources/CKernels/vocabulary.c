#include "panels.h"
#include "search.h"
#include "softmax.h"

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

INLINE int is_suppressed(int32_t c, const int32_t *suppressed, long count) {
    for (long i = 0; i < count; i++)
        if (suppressed[i] == c) return 1;
    return 0;
}

enum { REFERENCE = 16, STATE = 32 };

/// Takes one panel's products into a row's state: state[0 ..< 16] are lanes of sum exp(logit - reference),
/// state[REFERENCE] is the largest logit so far, so that no exponential exceeds 1.
INLINE void take_panel(float *restrict v, const float *restrict bias, long first, long count, long k,
    const int32_t *suppressed, long suppressed_count, float *restrict state, float *restrict best,
    int32_t *restrict index) {
    FAST for (long c = count; c < PANEL; c++) v[c] = -INFINITY;
    if (count == PANEL) BY_16 for (long c = 0; c < PANEL; c++) v[c] += bias[c];
    else
        for (long c = 0; c < count; c++) v[c] += bias[c];
    f16x tops = LOAD16(v);
    for (long c0 = 16; c0 < PANEL; c0 += 16) tops = LARGER16(tops, LOAD16(v + c0));
    float top = lane_maximum(&tops);
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
            if (v[c] > best[k - 1] && !is_suppressed((int32_t)(first + c), suppressed, suppressed_count))
                insert(best, index, k, v[c], (int32_t)(first + c));
    }
}

KERNEL void panel_top_k(panel_rows_t x, const float *panels, const float *bias, long vocabulary, long k,
    const int32_t *suppressed, long suppressed_count, float *scratch, float *log_probability, int32_t *index) {
    float sums[TILE * PANEL] __attribute__((aligned(64)));
    operand_t in = operand(x);
    long rows = x.rows, stride = panel_stride(x.inputs, x.type);
    for (long r = 0; r < rows; r++) {
        memset(scratch + r * STATE, 0, sizeof(float) * 16);
        scratch[r * STATE + REFERENCE] = -INFINITY;
    }
    for (long i = 0; i < rows * k; i++) {
        log_probability[i] = -INFINITY;
        index[i] = 0;
    }
    for (long o = 0; o < vocabulary; o += PANEL, panels += stride) { // weights stream past once, rows stay near
        long count = vocabulary - o < PANEL ? vocabulary - o : PANEL;
        for (long r0 = 0; r0 < rows; r0 += TILE) {
            if (o + PANEL < vocabulary) fetch(panels + stride, stride, r0, rows);
            panel_sums(&in, panels, r0, sums, PANEL);
            for (long r = r0; r < r0 + TILE && r < rows; r++)
                take_panel(sums + (r - r0) * PANEL, bias + o, o, count, k, suppressed, suppressed_count,
                    scratch + r * STATE, log_probability + r * k, index + r * k);
        }
    }
    for (long r = 0; r < rows; r++) {
        float sum = 0;
        for (long l = 0; l < 16; l++) sum += scratch[r * STATE + l];
        for (long i = 0; i < k; i++)
            log_probability[r * k + i] = (log_probability[r * k + i] - scratch[r * STATE + REFERENCE]) - logf(sum);
    }
}
