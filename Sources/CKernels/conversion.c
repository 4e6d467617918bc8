#include "internal.h"

KERNEL void float_to_half(const float *x, uint16_t *y, long count) {
    for (long i = 0; i < count; i++) {
        _Float16 h = (_Float16)x[i];
        memcpy(y + i, &h, 2);
    }
}

KERNEL void half_to_float(const uint16_t *x, float *y, long count) {
    for (long i = 0; i < count; i++) {
        _Float16 h;
        memcpy(&h, x + i, 2);
        y[i] = (float)h;
    }
}
