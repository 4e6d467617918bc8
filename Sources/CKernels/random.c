#include "internal.h"

KERNEL void random_uniform(float *out, long count, uint64_t seed, uint32_t stream, uint32_t step) {
    for (long i = 0; i < count; i += 4) {
        uint32_t r[4];
        philox((uint32_t)(i / 4), (uint32_t)((uint64_t)i >> 34), stream, step, seed, r);
        long left = count - i < 4 ? count - i : 4;
        for (long j = 0; j < left; j++) out[i + j] = (float)(r[j] >> 8) * 0x1p-24f;
    }
}
