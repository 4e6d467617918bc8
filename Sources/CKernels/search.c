#include "internal.h"

/// log sum_c exp(x_c + bias_c)
INLINE float log_sum_exp(const float *restrict x, const float *restrict bias, long count) {
    FAST
    float top = -INFINITY, sum = 0;
    for (long c = 0; c < count; c++) {
        float v = x[c] + bias[c];
        top = v > top ? v : top;
    }
    for (long c = 0; c < count; c++) sum += exp_approx(x[c] + bias[c] - top);
    return top + logf(sum);
}

/// Puts (value, c) into the k best, which are sorted best first.
INLINE void insert(float *restrict best, int32_t *restrict index, long k, float value, int32_t c) {
    long at = k - 1;
    for (; at > 0 && best[at - 1] < value; at--) {
        best[at] = best[at - 1];
        index[at] = index[at - 1];
    }
    best[at] = value;
    index[at] = c;
}

KERNEL void top_k_log_softmax(const float *logits, const float *bias, long rows, long vocabulary, long k, float *log_probability, int32_t *index) {
    for (long r = 0; r < rows; r++, logits += vocabulary, log_probability += k, index += k) {
        float normaliser = log_sum_exp(logits, bias, vocabulary);
        for (long i = 0; i < k; i++) {
            log_probability[i] = -INFINITY;
            index[i] = 0;
        }
        for (long c0 = 0; c0 < vocabulary; c0 += 64) { // most groups hold no candidate: one vectorised look each
            long end = c0 + 64 < vocabulary ? c0 + 64 : vocabulary;
            float top = -INFINITY;
            for (long c = c0; c < end; c++) {
                float v = logits[c] + bias[c];
                top = v > top ? v : top;
            }
            if (!(top > log_probability[k - 1])) continue;
            for (long c = c0; c < end; c++)
                if (logits[c] + bias[c] > log_probability[k - 1]) insert(log_probability, index, k, logits[c] + bias[c], (int32_t)c);
        }
        for (long i = 0; i < k; i++) log_probability[i] -= normaliser;
    }
}

KERNEL void attention_step(const float *q, long q_stride, const float *keys, const float *values, const int32_t *slot, const int32_t *length,
                           float *out, long rows, long heads, long head, long capacity, float *scratch) {
    FAST
    float scale = 1 / sqrtf((float)head);
    for (long r = 0; r < rows; r++) {
        long n = length[r], padded = attention_row(n);
        for (long h = 0; h < heads; h++) {
            const float *query = q + r * q_stride + h * head;
            const float *k = keys + ((long)slot[r] * heads + h) * head * capacity, *v = values + ((long)slot[r] * heads + h) * head * capacity;
            float *result = out + (r * heads + h) * head, top = -INFINITY, sum = 0;
            for (long j = 0; j < padded; j += 16) {
                f16x s = {0};
                for (long c = 0; c < head; c++) s += query[c] * LOAD16(k + c * capacity + j);
                STORE16(scratch + j, s * scale);
            }
            for (long j = 0; j < n; j++) top = scratch[j] > top ? scratch[j] : top;
            for (long j = 0; j < n; j++) {
                scratch[j] = exp_approx(scratch[j] - top);
                sum += scratch[j];
            }
            memset(result, 0, sizeof(float) * (size_t)head);
            float inverse = 1 / sum;
            for (long j = 0; j < n; j++) {
                float w = scratch[j] * inverse;
                for (long c = 0; c < head; c++) result[c] += w * v[j * head + c];
            }
        }
    }
}

KERNEL void attention_cache_write(const float *k, const float *v, long kv_stride, float *keys, float *values, long slot, long position, long count, long heads, long head, long capacity) {
    for (long h = 0; h < heads; h++) {
        float *to_k = keys + (slot * heads + h) * head * capacity + position, *to_v = values + ((slot * heads + h) * capacity + position) * head;
        for (long j = 0; j < count; j++)
            for (long c = 0; c < head; c++) {
                to_k[c * capacity + j] = k[j * kv_stride + h * head + c];
                to_v[j * head + c] = v[j * kv_stride + h * head + c];
            }
    }
}
