#pragma once
#include "internal.h"

typedef int32_t i16x __attribute__((vector_size(64), aligned(4)));
#define SELECT16(mask, a, b) ((f16x)(((i16x)(a) & (mask)) | ((i16x)(b) & ~(mask))))
#define LARGER16(a, b) SELECT16((a) > (b), a, b)
#define TURNED16(v, by)                                                                                                \
    __builtin_shufflevector(v, v, (0 + by) % 16, (1 + by) % 16, (2 + by) % 16, (3 + by) % 16, (4 + by) % 16,           \
        (5 + by) % 16, (6 + by) % 16, (7 + by) % 16, (8 + by) % 16, (9 + by) % 16, (10 + by) % 16, (11 + by) % 16,     \
        (12 + by) % 16, (13 + by) % 16, (14 + by) % 16, (15 + by) % 16)

INLINE float lane_sum(const f16x *v) {
    f16x s = *v;
    s += TURNED16(s, 8);
    s += TURNED16(s, 4);
    s += TURNED16(s, 2);
    s += TURNED16(s, 1);
    return s[0];
}

INLINE float lane_maximum(const f16x *v) {
    f16x s = *v;
    s = LARGER16(s, TURNED16(s, 8));
    s = LARGER16(s, TURNED16(s, 4));
    s = LARGER16(s, TURNED16(s, 2));
    s = LARGER16(s, TURNED16(s, 1));
    return s[0];
}

/// In place: softmax of scale x scores over the first `count` of `padded` columns, without the division, zero beyond;
/// returns 1 / sum.
INLINE float exponentials(float *restrict s, long count, long padded, float scale) {
    FAST const i16x lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const f16x none = (f16x){0} - INFINITY;
    f16x tops = none;
    for (long j = 0; j < padded; j += 16) { // in registers: a store of parts would stall the next load of the whole
        f16x masked = SELECT16(lanes < (int32_t)(count - j), LOAD16(s + j), none);
        tops = LARGER16(tops, masked);
    }
    float top = lane_maximum(&tops), sum = 0;
    BY_16 for (long j = 0; j < padded; j++) {
        s[j] = j < count ? exp_approx((s[j] - top) * scale) : 0;
        sum += s[j];
    }
    return 1 / sum;
}
