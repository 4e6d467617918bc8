#include "internal.h"
#include "search.h"

enum { BLOCK = 16 }; // positions of a block of a cache

static long block_head(long head) { return BLOCK * (head + ((head + 15) & ~15L)); }

long attention_block(long heads, long head) { return heads * block_head(head); }

void attention_block_write(const float *k, const float *v, long kv_stride, float *block, long position, long count, long heads, long head) {
    long width = (head + 15) & ~15L;
    for (long h = 0; h < heads; h++, block += block_head(head)) {
        float *values = block + head * BLOCK + position * width;
        for (long j = 0; j < count; j++, values += width) {
            const float *key = k + j * kv_stride + h * head, *value = v + j * kv_stride + h * head;
            for (long c = 0; c < head; c++) block[c * BLOCK + position + j] = key[c];
            for (long c = 0; c < width; c++) values[c] = c < head ? value[c] : 0;
        }
    }
}

void attention_block_copy(const float *from, float *to, long count, long heads, long head) {
    long width = (head + 15) & ~15L, step = block_head(head);
    for (long h = 0; h < heads; h++, from += step, to += step) memcpy(to, from, sizeof(float) * (size_t)(head * BLOCK + count * width));
}

/// Scores of 16 positions: one sum a lane.
INLINE void score_block(const float *restrict query, const float *restrict keys, float *restrict scores, long head) {
    FAST
    f16x s = {0};
    for (long c = 0; c < head; c++) s += query[c] * LOAD16(keys + c * BLOCK);
    STORE16(scores, s);
}

/// In place: softmax of scale x scores over the first n of `padded`, without the division; returns 1 / sum.
INLINE float exponentials(float *restrict s, long n, long padded, float scale) {
    FAST
    float top = -INFINITY, sum = 0;
    for (long j = 0; j < padded; j++) {
        s[j] = j < n ? s[j] * scale : -INFINITY;
        top = s[j] > top ? s[j] : top;
    }
    for (long j = 0; j < padded; j++) {
        s[j] = j < n ? exp_approx(s[j] - top) : 0;
        sum += s[j];
    }
    return 1 / sum;
}

/// sum += weights x values over `count` positions, 16 columns.
INLINE void weigh_block(const float *restrict weights, const float *restrict values, long width, long count, float *restrict sum) {
    FAST
    f16x s = LOAD16(sum);
    for (long j = 0; j < count; j++) s += weights[j] * LOAD16(values + j * width);
    STORE16(sum, s);
}

KERNEL void attention_step(const float *q, long q_stride, const float *const *blocks, const int32_t *places, long place_stride, const int32_t *slot,
                           const int32_t *length, float *out, long out_stride, long rows, long heads, long head, float *scratch) {
    float scale = 1 / sqrtf((float)head), sum[16];
    long width = (head + 15) & ~15L, step = block_head(head), block = heads * step;
    for (long r = 0; r < rows; r++, q += q_stride, out += out_stride) {
        const int32_t *place = places + slot[r] * place_stride;
        long n = length[r], padded = (n + BLOCK - 1) / BLOCK * BLOCK;
        for (long j = 0; j < n; j += BLOCK) {
            const float *keys = blocks[j / BLOCK] + place[j / BLOCK] * block;
            for (long h = 0; h < heads; h++) score_block(q + h * head, keys + h * step, scratch + h * padded + j, head);
        }
        for (long h = 0; h < heads; h++) {
            float *weights = scratch + h * padded, inverse = exponentials(weights, n, padded, scale);
            for (long c0 = 0; c0 < head; c0 += 16) {
                memset(sum, 0, sizeof sum);
                for (long j = 0; j < n; j += BLOCK) {
                    const float *values = blocks[j / BLOCK] + place[j / BLOCK] * block + h * step + head * BLOCK + c0;
                    weigh_block(weights + j, values, width, n - j < BLOCK ? n - j : BLOCK, sum);
                }
                for (long c = 0; c < 16 && c0 + c < head; c++) out[h * head + c0 + c] = sum[c] * inverse;
            }
        }
    }
}
