#include "search.h"
#include "softmax.h"

enum { BLOCK = 16 }; // positions of a block of a cache

static long block_head(long head) { return BLOCK * (head + attention_row(head)); }

long attention_block(long heads, long head) { return heads * block_head(head); }

/// Of one head.
INLINE void write_head(
    const float *restrict key, const float *restrict value, float *restrict block, long position, long head) {
    float *values = block + head * BLOCK + position * attention_row(head);
    for (long c = 0; c < head; c++) block[c * BLOCK + position] = key[c];
    for (long c = 0; c < head; c++) values[c] = value[c];
}

void attention_block_write(
    const float *k, const float *v, long kv_stride, float *block, long position, long count, long heads, long head) {
    for (long h = 0; h < heads; h++, block += block_head(head))
        for (long j = 0; j < count; j++)
            write_head(k + j * kv_stride + h * head, v + j * kv_stride + h * head, block, position + j, head);
}

void attention_block_copy(const float *from, float *to, long count, long heads, long head) {
    long width = attention_row(head), step = block_head(head);
    for (long h = 0; h < heads; h++, from += step, to += step)
        memcpy(to, from, sizeof(float) * (size_t)(head * BLOCK + count * width));
}

/// Scores of 16 positions: one sum a lane.
INLINE void score_block(const float *restrict query, const float *restrict keys, float *restrict scores, long head) {
    FAST f16x s = {0};
    for (long c = 0; c < head; c++) s += query[c] * LOAD16(keys + c * BLOCK);
    STORE16(scores, s);
}

/// sum += weights x values over `count` positions, 16 columns.
INLINE void weigh_block(
    const float *restrict weights, const float *restrict values, long width, long count, float *restrict sum) {
    FAST f16x s = LOAD16(sum);
    for (long j = 0; j < count; j++) s += weights[j] * LOAD16(values + j * width);
    STORE16(sum, s);
}

INLINE void attend(const float *q, long q_stride, const float *k, const float *v, float *const *blocks,
    const int32_t *places, long place_stride, const int32_t *slot, const int32_t *length, float *out, long out_stride,
    long rows, long heads, const long head, float *restrict scratch) {
    float scale = 1 / sqrtf((float)head), sum[16];
    long width = attention_row(head), step = block_head(head), block = heads * step;
    for (long r = 0; r < rows; r++, q += q_stride, out += out_stride) {
        const int32_t *place = places + slot[r] * place_stride;
        long n = length[r], padded = (n + BLOCK - 1) / BLOCK * BLOCK, last = (n - 1) / BLOCK;
        if (k) // all heads before any is read: a vector read right after the stores of its parts would have to wait
            for (long h = 0; h < heads; h++)
                write_head(k + r * q_stride + h * head, v + r * q_stride + h * head,
                    blocks[last] + place[last] * block + h * step, (n - 1) % BLOCK, head);
        for (long h = 0; h < heads; h++) {
            for (long j = 0; j < n; j += BLOCK)
                score_block(q + h * head, blocks[j / BLOCK] + place[j / BLOCK] * block + h * step, scratch + j, head);
            float inverse = exponentials(scratch, n, padded, scale);
            for (long c0 = 0; c0 < head; c0 += 16) {
                memset(sum, 0, sizeof sum);
                for (long j = 0; j < n; j += BLOCK) {
                    const float *values = blocks[j / BLOCK] + place[j / BLOCK] * block + h * step + head * BLOCK + c0;
                    weigh_block(scratch + j, values, width, n - j < BLOCK ? n - j : BLOCK, sum);
                }
                for (long c = 0; c < 16 && c0 + c < head; c++) out[h * head + c0 + c] = sum[c] * inverse;
            }
        }
    }
}

KERNEL void attention_step(const float *q, long q_stride, const float *k, const float *v, float *const *blocks,
    const int32_t *places, long place_stride, const int32_t *slot, const int32_t *length, float *out, long out_stride,
    long rows, long heads, long head, float *scratch) {
    if (head == 16)
        attend(
            q, q_stride, k, v, blocks, places, place_stride, slot, length, out, out_stride, rows, heads, 16, scratch);
    else
        attend(
            q, q_stride, k, v, blocks, places, place_stride, slot, length, out, out_stride, rows, heads, head, scratch);
}
