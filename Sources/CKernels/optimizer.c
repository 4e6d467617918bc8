#include "internal.h"

KERNEL void adam_step(float *restrict weights, float *restrict moment1, float *restrict moment2,
    const float *restrict g, long count, adam_t a) {
    FAST float rate = a.rate / a.correction1, correction = 1 / square_root(a.correction2);
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

KERNEL double sum_of_squares(const float *x, long count) {
    FAST double total = 0;
    for (long i = 0; i < count; i++) total += (double)x[i] * x[i];
    return total;
}
