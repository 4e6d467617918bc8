#include "internal.h"

// Moments of words not seen for long become subnormal, a dozen times slower, and stay so: rounding stops their decay.
static const float negligible = 1e-30f;

KERNEL void adam_step(float *restrict weights, float *restrict moment1, float *restrict moment2,
    const float *restrict g, long count, adam_t a) {
    FAST float rate = a.rate / a.correction1, correction = 1 / square_root(a.correction2);
    for (long i = 0; i < count; i++) {
        float m = a.beta1 * moment1[i] + (1 - a.beta1) * g[i], v = a.beta2 * moment2[i] + (1 - a.beta2) * g[i] * g[i];
        moment1[i] = m = fabsf(m) < negligible ? 0 : m;
        moment2[i] = v = v < negligible ? 0 : v;
        weights[i] -= a.decay * weights[i] + rate * m / (square_root(v) * correction + a.epsilon);
    }
}

KERNEL double momentum_step(float *restrict moment, const float *restrict g, float *restrict y, long count, float b) {
    FAST double total = 0;
    for (long i = 0; i < count; i++) {
        float u = b * moment[i] + (1 - b) * g[i];
        moment[i] = u = fabsf(u) < negligible ? 0 : u;
        float next = b * u + (1 - b) * g[i];
        y[i] = next;
        total += (double)next * next;
    }
    return total;
}

KERNEL void blend(float *y, const float *x, long count, float a, float b) {
    FAST for (long i = 0; i < count; i++) y[i] = a * x[i] + b * y[i];
}

KERNEL void polynomial(const float *x, float *y, long n, float a, float b, float c) {
    blend(y, x, n * n, b, c);
    for (long i = 0; i < n; i++) y[i * n + i] += a;
}

KERNEL void transpose_rows(const float *restrict x, float *restrict y, long rows, long columns) {
    // By columns of a cache line of y.
    for (long first = 0; first < rows; first += 16)
        for (long c = 0; c < columns; c++)
            for (long r = first; r < first + 16 && r < rows; r++) y[c * rows + r] = x[r * columns + c];
}

KERNEL double sum_of_squares(const float *x, long count) {
    FAST double total = 0;
    for (long i = 0; i < count; i++) total += (double)x[i] * x[i];
    return total;
}
