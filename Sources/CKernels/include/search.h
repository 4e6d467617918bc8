// Kernels of translation: the best of a vocabulary, attention over a growing cache.
//
// Whatever is computed for a row depends on that row alone, to the last bit: a sentence's translation cannot depend on
// the batch that it is in.
#pragma once
#include "product.h"
#include <stdint.h>

// ---- the best of a vocabulary --------------------------------------------------------------------------------------
/// The k largest of x W^T + bias (panels and rows: see product.h) in a row with their log softmax, best first, equal
/// ones by lower index. The `barred` indices count in the softmax and are never returned. The logits never exist at
/// once. Where fewer than k are left, the rest have log-probability -infinity. scratch: 32 x rows floats.
void panel_top_k(panel_rows_t x, const float *panels, const float *bias, long vocabulary, long k, const int32_t *barred, long barred_count, float *scratch,
                 float *log_probability, int32_t *index);

// ---- attention over a cache ----------------------------------------------------------------------------------------
/// A cache is made of blocks of 16 positions, each [heads]{keys [head][16], values [16][head rounded up to 16]}: scores
/// of 16 positions are one chain of multiply-adds on a vector, and so is the weighted sum of the values.
long attention_block(long heads, long head);
/// Writes rows of k and v to positions `position` ..< `position + count` of one block.
void attention_block_write(const float *k, const float *v, long kv_stride, float *block, long position, long count, long heads, long head);
/// Copies the first `count` positions.
void attention_block_copy(const float *from, float *to, long count, long heads, long head);

/// out = softmax(scale q K^T) V, one query a row. Row r sees the first `length[r]` positions of `slot[r]`; positions
/// 16 c ..< 16 c + 16 of slot s are block `places[s x place_stride + c]` of `blocks[c]`. Where k and v are given, with
/// the row stride of q, they are the key and value of a row's last position and are written first.
/// scratch: the longest length, rounded up to 16, in floats.
void attention_step(const float *q, long q_stride, const float *k, const float *v, float *const *blocks, const int32_t *places, long place_stride,
                    const int32_t *slot, const int32_t *length, float *out, long out_stride, long rows, long heads, long head, float *scratch);
