#include "internal.h"

KERNEL double cross_entropy(float *restrict logits, const float *restrict bias, const int32_t *label, long rows, long vocabulary, float smoothing, float gradient_scale, int gradient, double *nll) {
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
        if (!gradient) continue;
        float scale = gradient_scale / sum, off = share * gradient_scale, on = (1 - smoothing) * gradient_scale;
        for (long c = 0; c < vocabulary; c++) logits[c] = logits[c] * scale - off;
        logits[label[r]] -= on;
    }
    *nll += likelihood;
    return total;
}

/// log of the sum of exp(x / temperature), x being at most top.
INLINE double log_sum_exp(const float *restrict x, float top, float temperature, long count) {
    FAST
    float sum = 0, factor = 1 / temperature;
    for (long c = 0; c < count; c++) sum += exp_approx((x[c] - top) * factor);
    return (double)(top * factor) + log((double)sum);
}

/// alpha T^2 KL of one row, with the teacher's distribution p_k + rest / V; what the uniform part adds to the sums is in `all`.
INLINE double divergence(const float *restrict logits, teacher_t t, const int32_t *id, const float *p, float rest, double log_sum,
                         double all, long vocabulary) {
    double share = (double)rest / (double)vocabulary, sum = (double)rest * log_sum - share * all / (double)t.temperature;
    double entropy = share > 0 ? share * log(share) * (double)(vocabulary - t.likeliest) : 0;
    for (long k = 0; k < t.likeliest; k++) {
        double q = (double)p[k] + share;
        sum += (double)p[k] * (log_sum - (double)logits[id[k]] / (double)t.temperature);
        if (q > 0) entropy += q * log(q);
    }
    return (double)t.temperature * (double)t.temperature * (sum + entropy);
}

KERNEL double taught_cross_entropy(float *restrict logits, const float *restrict bias, const int32_t *label, teacher_t t, long rows,
                                   long vocabulary, float smoothing, float gradient_scale, int gradient, double *nll) {
    FAST
    double total = 0, likelihood = 0;
    const float one = 1, hard = 1 - t.alpha, share = smoothing / (float)vocabulary, factor = 1 / t.temperature;
    for (long r = 0; r < rows; r++, logits += vocabulary) {
        const int32_t *id = t.ids + r * t.likeliest;
        const float *p = t.probabilities + r * t.likeliest;
        float top = -INFINITY, all = 0, rest = 1;
        for (long c = 0; c < vocabulary; c++) {
            float v = logits[c] + bias[c];
            logits[c] = v;
            top = larger(top, v);
            all += v;
        }
        for (long k = 0; k < t.likeliest; k++) rest -= p[k];
        rest = larger(rest, 0);
        double log_sum = log_sum_exp(logits, top, one, vocabulary), soft = t.temperature == one ? log_sum : log_sum_exp(logits, top, t.temperature, vocabulary);
        double target = (double)logits[label[r]];
        total += (double)hard * (log_sum - (1.0 - (double)smoothing) * target - (double)share * (double)all);
        total += (double)t.alpha * divergence(logits, t, id, p, rest, soft, (double)all, vocabulary);
        likelihood += log_sum - target;
        if (!gradient) continue;
        // (1 - alpha) (softmax(z) - q) + alpha T (softmax(z / T) - p)
        float of_hard = hard * gradient_scale, of_soft = t.alpha * t.temperature * gradient_scale;
        float off = of_hard * share + of_soft * rest / (float)vocabulary;
        float shift = (float)log_sum, soft_shift = (float)soft;
        for (long c = 0; c < vocabulary; c++)
            logits[c] = of_hard * exp_approx(logits[c] - shift) + of_soft * exp_approx(logits[c] * factor - soft_shift) - off;
        float on = of_hard * (1 - smoothing);
        logits[label[r]] -= on;
        for (long k = 0; k < t.likeliest; k++) logits[id[k]] -= of_soft * p[k];
    }
    *nll += likelihood;
    return total;
}
