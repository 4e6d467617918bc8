#include "internal.h"

KERNEL double cross_entropy(float *restrict logits, const float *restrict bias, const int32_t *label, long rows, long vocabulary, float smoothing, float gradient_scale, float *restrict dbias, double *nll) {
    FAST
    double total = 0, likelihood = 0;
    float share = smoothing / (float)vocabulary;
    for (long r = 0; r < rows; r++, logits += vocabulary) {
        float top = -INFINITY, sum = 0, all = 0;
        for (long c = 0; c < vocabulary; c++) {
            float v = logits[c] + bias[c];
            logits[c] = v;
            top = larger(top, v);
            all += v;
        }
        float target = logits[label[r]];
        for (long c = 0; c < vocabulary; c++) {
            float e = exp_approx(logits[c] - top);
            logits[c] = e;
            sum += e;
        }
        double log_sum = (double)top + log((double)sum);
        // sum_c q_c log p_c, with the uniform part from the plain sum of the logits
        total += log_sum - (1.0 - (double)smoothing) * (double)target - (double)share * (double)all;
        likelihood += log_sum - (double)target;
        if (!dbias) continue;
        float scale = gradient_scale / sum, off = share * gradient_scale, on = (1 - smoothing) * gradient_scale;
        for (long c = 0; c < vocabulary; c++) {
            float g = logits[c] * scale - off;
            logits[c] = g;
            dbias[c] += g;
        }
        logits[label[r]] -= on;
        dbias[label[r]] -= on;
    }
    *nll += likelihood;
    return total;
}
