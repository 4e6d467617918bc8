#include "internal.h"

KERNEL void layer_norm_forward(const float *x, const float *gain, const float *shift, float *y, float *mean,
    float *rstd, long rows, long d, float epsilon) {
    FAST for (long r = 0; r < rows; r++, x += d, y += d) {
        float sum = 0, squares = 0;
        for (long c = 0; c < d; c++) sum += x[c];
        float m = sum / (float)d;
        for (long c = 0; c < d; c++) squares += (x[c] - m) * (x[c] - m);
        float s = 1.0f / sqrtf(squares / (float)d + epsilon);
        for (long c = 0; c < d; c++) y[c] = gain[c] * ((x[c] - m) * s) + shift[c];
        mean[r] = m;
        rstd[r] = s;
    }
}

KERNEL void layer_norm_backward(const float *x, const float *gain, const float *dy, float *dx, const float *mean,
    const float *rstd, float *dgain, float *dshift, long rows, long d) {
    FAST for (long r = 0; r < rows; r++, x += d, dy += d, dx += d) {
        float m = mean[r], s = rstd[r], sum = 0, dot = 0;
        for (long c = 0; c < d; c++) {
            float g = gain[c] * dy[c];
            sum += g;
            dot += g * (x[c] - m);
        }
        float a = sum / (float)d, b = dot * s * s / (float)d;
        for (long c = 0; c < d; c++) {
            dx[c] += s * (gain[c] * dy[c] - a - b * (x[c] - m));
            dgain[c] += dy[c] * (x[c] - m) * s;
            dshift[c] += dy[c];
        }
    }
}
