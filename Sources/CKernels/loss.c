#include "internal.h"

/// A row's loss in multiples of 2^-26. Their sums are exact below 2^27, so that no bit of a loss depends on how rows
/// are dealt to threads.
INLINE double exact(double loss) { return rint(loss * 0x1p26) * 0x1p-26; }

/// Adds the bias; returns the largest logit, and the sum of all in *sum.
INLINE float biased_row(float *restrict logits, const float *restrict bias, long vocabulary, float *sum) {
    FAST float top = -INFINITY, all = 0;
    for (long c = 0; c < vocabulary; c++) {
        float v = logits[c] + bias[c];
        logits[c] = v;
        top = larger(top, v);
        all += v;
    }
    *sum = all;
    return top;
}

/// x becomes exp(x - top); returns the sum.
INLINE float exponentials(float *restrict x, float top, long count) {
    FAST float sum = 0;
    for (long c = 0; c < count; c++) {
        float e = exp_approx(x[c] - top);
        x[c] = e;
        sum += e;
    }
    return sum;
}

KERNEL double cross_entropy(float *restrict logits, const float *restrict bias, const int32_t *label, long rows,
    long vocabulary, float smoothing, float gradient_scale, int gradient, double *nll) {
    FAST double total = 0, nll_sum = 0;
    float uniform = smoothing / (float)vocabulary;
    for (long r = 0; r < rows; r++, logits += vocabulary) {
        float all, top = biased_row(logits, bias, vocabulary, &all), target = logits[label[r]];
        float sum = exponentials(logits, top, vocabulary);
        double log_sum = (double)top + log((double)sum);
        // sum_c q_c log p_c, with the uniform part from the plain sum of the logits
        total += exact(log_sum - (1.0 - (double)smoothing) * (double)target - (double)uniform * (double)all);
        nll_sum += exact(log_sum - (double)target);
        if (!gradient) continue;
        float scale = gradient_scale / sum, off = uniform * gradient_scale, on = (1 - smoothing) * gradient_scale;
        for (long c = 0; c < vocabulary; c++) logits[c] = logits[c] * scale - off;
        logits[label[r]] -= on;
    }
    *nll += nll_sum;
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

/// Sum of exp((x - top) factor).
INLINE float sum_of_exponentials(const float *restrict x, float top, float factor, long count) {
    FAST float sum = 0;
    for (long c = 0; c < count; c++) sum += exp_approx((x[c] - top) * factor);
    return sum;
}

/// One row of logits z, beside what a teacher says of it.
typedef struct {
    const int32_t *id; // its likeliest classes, with their probabilities p
    const float *p;
    float z[MOST_LIKELIEST]; // logits of these classes
    float top;               // largest logit
    float hard_sum;          // sum of exp(z - top)
    float soft_sum;          // sum of exp((z - top) / T)
    double rest;             // what the teacher gives to all other classes together
    double others;           // what the model gives to them
} taught_row_t;

/// What the teacher gives to classes that are not among the likeliest.
INLINE double rest_of(const float *p, long likeliest, long vocabulary) {
    double rest = 1;
    for (long k = 0; k < likeliest; k++) rest -= (double)p[k];
    return rest > 0 && likeliest < vocabulary ? rest : 0;
}

/// T^2 KL of a row; finds `others`.
INLINE double divergence(taught_row_t *row, teacher_t t) {
    double sum = 0, own = 0, log_sum = log((double)row->soft_sum);
    for (long k = 0; k < t.likeliest; k++) {
        double log_own = (double)(row->z[k] - row->top) / (double)t.temperature - log_sum, p = (double)row->p[k];
        own += exp(log_own);
        if (p > 0) sum += p * (log(p) - log_own);
    }
    // of sums in single precision no more is known
    row->others = 1 - own > 1e-6 ? 1 - own : 1e-6;
    if (row->rest > 0) sum += row->rest * log(row->rest / row->others);
    return (double)t.temperature * (double)t.temperature * sum;
}

/// x holds exp(z - top) where T is 1, else z, and becomes the gradient
///   (1 - alpha) (softmax(z) - q) + alpha T (s - p),   s = softmax(z / T), p of the others in proportion to s.
INLINE void taught_gradient(float *restrict x, const taught_row_t *row, teacher_t t, int32_t label, long vocabulary,
    float smoothing, float gradient_scale) {
    FAST float factor = 1 / t.temperature, top = row->top;
    float of_hard = (1 - t.alpha) * gradient_scale, of_soft = t.alpha * t.temperature * gradient_scale;
    float others = (float)(row->rest / row->others), off = of_hard * smoothing / (float)vocabulary;
    float hard_scale = of_hard / row->hard_sum, soft_scale = of_soft * (1 - others) / row->soft_sum;
    if (factor == 1) {
        for (long c = 0; c < vocabulary; c++) x[c] = x[c] * (hard_scale + soft_scale) - off;
    } else {
        for (long c = 0; c < vocabulary; c++) {
            float z = x[c] - top;
            x[c] = hard_scale * exp_approx(z) + soft_scale * exp_approx(z * factor) - off;
        }
    }
    // made anew, and not corrected: where the model leaves others hardly anything, the digits would be lost
    for (long k = 0; k < t.likeliest; k++) {
        float z = row->z[k] - top, own = exp_approx(z * factor) / row->soft_sum;
        x[row->id[k]] = hard_scale * exp_approx(z) - off + of_soft * (own - row->p[k]);
    }
    x[label] -= of_hard * (1 - smoothing);
}

KERNEL double taught_cross_entropy(float *restrict logits, const float *restrict bias, const int32_t *label,
    teacher_t t, long rows, long vocabulary, float smoothing, float gradient_scale, int gradient, double *nll) {
    double total = 0, nll_sum = 0;
    const double alpha = (double)t.alpha, uniform = (double)(smoothing / (float)vocabulary);
    for (long r = 0; r < rows; r++, logits += vocabulary) {
        taught_row_t row = {.id = t.ids + r * t.likeliest, .p = t.probabilities + r * t.likeliest};
        float all, top = biased_row(logits, bias, vocabulary, &all);
        double target = (double)logits[label[r]];
        for (long k = 0; k < t.likeliest; k++) row.z[k] = logits[row.id[k]];
        row.top = top;
        row.rest = rest_of(row.p, t.likeliest, vocabulary);
        if (t.temperature == 1) {
            row.hard_sum = row.soft_sum = exponentials(logits, top, vocabulary);
        } else {
            row.hard_sum = sum_of_exponentials(logits, top, 1, vocabulary);
            row.soft_sum = sum_of_exponentials(logits, top, 1 / t.temperature, vocabulary);
        }
        double log_sum = (double)top + log((double)row.hard_sum);
        double own_loss = log_sum - (1 - (double)smoothing) * target - uniform * (double)all;
        total += exact((1 - alpha) * own_loss + alpha * divergence(&row, t));
        nll_sum += exact(log_sum - target);
        if (gradient) taught_gradient(logits, &row, t, label[r], vocabulary, smoothing, gradient_scale);
    }
    *nll += nll_sum;
    return total;
}
