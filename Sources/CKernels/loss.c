#include "internal.h"

/// A row's loss in multiples of 2^-26. Their sums are exact below 2^27, so that no bit of a loss depends on how rows
/// are dealt to threads.
INLINE double exact(double loss) { return rint(loss * 0x1p26) * 0x1p-26; }

KERNEL double cross_entropy(float *restrict logits, const float *restrict bias, const int32_t *label, long rows,
    long vocabulary, float smoothing, float gradient_scale, int gradient, double *nll) {
    FAST double total = 0, likelihood = 0;
    float uniform = smoothing / (float)vocabulary;
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
        total += exact(log_sum - (1.0 - (double)smoothing) * (double)target - (double)uniform * (double)all);
        likelihood += exact(log_sum - (double)target);
        if (!gradient) continue;
        float scale = gradient_scale / sum, off = uniform * gradient_scale, on = (1 - smoothing) * gradient_scale;
        for (long c = 0; c < vocabulary; c++) logits[c] = logits[c] * scale - off;
        logits[label[r]] -= on;
    }
    *nll += likelihood;
    return total;
}

KERNEL double match_rows(const float *restrict x, const float *restrict target, float *restrict dx, long rows,
    long width, double scale, float gradient_scale) {
    FAST double total = 0;
    for (long r = 0; r < rows; r++, x += width, target += width, dx += width) {
        float squares = 0;
        for (long c = 0; c < width; c++) {
            float difference = x[c] - target[c];
            squares += difference * difference;
            dx[c] += gradient_scale * difference;
        }
        total += exact(scale * (double)squares);
    }
    return total;
}

/// log of the sum of exp(x / temperature), x being at most top.
INLINE double log_sum_exp(const float *restrict x, float top, float temperature, long count) {
    FAST float sum = 0, factor = 1 / temperature;
    for (long c = 0; c < count; c++) sum += exp_approx((x[c] - top) * factor);
    return (double)(top * factor) + log((double)sum);
}

/// What a model gives to a teacher's likeliest classes, and to all others together.
typedef struct {
    double others;     // probability
    double divergence; // T^2 KL
} taught_t;

/// Of one row; log_sum is that of logits / T, rest what the teacher gives to all others.
INLINE taught_t compare(
    const float *restrict logits, teacher_t t, const int32_t *id, const float *p, double rest, double log_sum) {
    double sum = 0, own = 0;
    for (long k = 0; k < t.likeliest; k++) {
        double log_own = (double)logits[id[k]] / (double)t.temperature - log_sum;
        own += exp(log_own);
        if (p[k] > 0) sum += (double)p[k] * (log((double)p[k]) - log_own);
    }
    // of sums in single precision no more is known
    double others = 1 - own > 1e-6 ? 1 - own : 1e-6;
    if (rest > 0) sum += rest * log(rest / others);
    return (taught_t){others, (double)t.temperature * (double)t.temperature * sum};
}

KERNEL double taught_cross_entropy(float *restrict logits, const float *restrict bias, const int32_t *label,
    teacher_t t, long rows, long vocabulary, float smoothing, float gradient_scale, int gradient, double *nll) {
    FAST double total = 0, likelihood = 0;
    const float one = 1, hard = 1 - t.alpha, uniform = smoothing / (float)vocabulary, factor = 1 / t.temperature;
    for (long r = 0; r < rows; r++, logits += vocabulary) {
        const int32_t *id = t.ids + r * t.likeliest;
        const float *p = t.probabilities + r * t.likeliest;
        float top = -INFINITY, all = 0;
        double rest = 1;
        for (long c = 0; c < vocabulary; c++) {
            float v = logits[c] + bias[c];
            logits[c] = v;
            top = larger(top, v);
            all += v;
        }
        for (long k = 0; k < t.likeliest; k++) rest -= (double)p[k];
        rest = rest > 0 && t.likeliest < vocabulary ? rest : 0;
        double log_sum = log_sum_exp(logits, top, one, vocabulary), soft = log_sum;
        if (t.temperature != one) soft = log_sum_exp(logits, top, t.temperature, vocabulary);
        double target = (double)logits[label[r]];
        taught_t taught = compare(logits, t, id, p, rest, soft);
        double own_loss = log_sum - (1.0 - (double)smoothing) * target - (double)uniform * (double)all;
        total += exact((double)hard * own_loss + (double)t.alpha * taught.divergence);
        likelihood += exact(log_sum - target);
        if (!gradient) continue;
        // (1 - alpha) (softmax(z) - q) + alpha T (s - p), s = softmax(z / T); p of the others is in proportion to s
        float of_hard = hard * gradient_scale, off = of_hard * uniform;
        float of_soft = t.alpha * t.temperature * gradient_scale;
        float others = (float)(rest / taught.others), of_others = of_soft * (1 - others);
        float shift = (float)log_sum, soft_shift = (float)soft, own[t.likeliest];
        for (long k = 0; k < t.likeliest; k++) own[k] = exp_approx(logits[id[k]] * factor - soft_shift);
        for (long c = 0; c < vocabulary; c++) {
            float soft_part = of_others * exp_approx(logits[c] * factor - soft_shift);
            logits[c] = of_hard * exp_approx(logits[c] - shift) + soft_part - off;
        }
        logits[label[r]] -= of_hard * (1 - smoothing);
        for (long k = 0; k < t.likeliest; k++) logits[id[k]] += of_soft * (others * own[k] - p[k]);
    }
    *nll += likelihood;
    return total;
}
