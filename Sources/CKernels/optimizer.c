#include "internal.h"

/// One step on `count` weights.
INLINE void step(float *restrict weights, float *restrict moment1, float *restrict moment2, const float *restrict g,
    long count, adam_t a) {
    float rate = a.rate / a.correction1, correction = 1 / square_root(a.correction2);
    // Moments of words not seen for long become subnormal, a dozen times slower, and stay so: rounding stops their
    // decay.
    const float negligible = 1e-30f;
    for (long i = 0; i < count; i++) {
        float m = a.beta1 * moment1[i] + (1 - a.beta1) * g[i], v = a.beta2 * moment2[i] + (1 - a.beta2) * g[i] * g[i];
        moment1[i] = m = fabsf(m) < negligible ? 0 : m;
        moment2[i] = v = v < negligible ? 0 : v;
        weights[i] -= a.decay * weights[i] + rate * m / (square_root(v) * correction + a.epsilon);
    }
}

KERNEL void adam_step(float *restrict weights, float *restrict moment1, float *restrict moment2,
    const float *restrict gradient, long count, adam_t a) {
    FAST step(weights, moment1, moment2, gradient, count, a);
}

KERNEL void adam_update(float *restrict weights, float *restrict moment1, float *restrict moment2,
    float *const *gradients, long parts, long offset, long count, adam_t a) {
    FAST weights += offset;
    moment1 += offset;
    moment2 += offset;
    float g[CHUNK];
    for (long first = 0; first < count; first += CHUNK) {
        long length = count - first < CHUNK ? count - first : CHUNK;
        memset(g, 0, sizeof g);
        for (long p = 0; p < parts; p++) {
            float *part = gradients[p] + offset + first;
            for (long i = 0; i < length; i++) {
                g[i] += part[i];
                part[i] = 0;
            }
        }
        step(weights + first, moment1 + first, moment2 + first, g, length, a);
    }
}
