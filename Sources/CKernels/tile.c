#include "tile.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

INLINE void tile_columns(const float *const a[TILE], long step, const float *restrict b, long b_stride, long inner,
    float *restrict y, long y_stride, tile_mode_t mode, const int vectors) {
    _Pragma("clang fp contract(fast)") f16x s[TILE][4];
    for (int r = 0; r < TILE; r++)
        for (int v = 0; v < vectors; v++) {
            if (mode == tile_go_on) s[r][v] = LOAD16(y + r * y_stride + 16 * v);
            else {
                s[r][v] = (f16x){0};
                __builtin_prefetch(y + r * y_stride + 16 * v, 1); // it is there when the sums are
            }
        }
    for (long k = 0; k < inner; k++, b += b_stride) {
        f16x column[4];
        for (int v = 0; v < vectors; v++) column[v] = LOAD16(b + 16 * v);
        for (int r = 0; r < TILE; r++) {
            float x = a[r][k * step];
            for (int v = 0; v < vectors; v++) s[r][v] += x * column[v];
        }
    }
    for (int r = 0; r < TILE; r++)
        for (int v = 0; v < vectors; v++) {
            float *to = y + r * y_stride + 16 * v;
            STORE16(to, mode == tile_add ? LOAD16(to) + s[r][v] : s[r][v]);
        }
}

// Functions of their own, so that nothing competes with the sums for registers.
#define DEFINE_TILE(name, attributes, vectors)                                                                         \
    attributes __attribute__((noinline)) static void name(const float *const a[TILE], long step, const float *b,       \
        long b_stride, long inner, float *y, long y_stride, tile_mode_t mode) {                                        \
        const float *row[TILE];                                                                                        \
        for (int r = 0; r < TILE; r++) row[r] = a[r];                                                                  \
        tile_columns(row, step, b, b_stride, inner, y, y_stride, mode, vectors);                                       \
    }

DEFINE_TILE(tile_default, , 1)

// Sums of integers without a sign: rows with NaN begin anywhere.
static void byte_tile_portable(const byte_row_t *const a[TILE], const float *b_scales, const uint8_t *b, long quads,
    float *const y[TILE], const float *bias, panel_mode_t mode) {
    for (int r = 0; r < TILE; r++) {
        uint32_t s[PANEL];
        for (long c = 0; c < PANEL; c++) s[c] = a[r]->start;
        for (long k = 0; k < quads; k++) {
            const int8_t *x = a[r]->bytes + 4 * k;
            const uint8_t *w = b + k * 4 * PANEL;
            for (long c = 0; c < PANEL; c++)
                s[c] += (uint32_t)(x[0] * w[4 * c] + x[1] * w[4 * c + 1] + x[2] * w[4 * c + 2] + x[3] * w[4 * c + 3]);
        }
        float sums[PANEL];
        for (long c = 0; c < PANEL; c++) sums[c] = (float)(int32_t)s[c] * (a[r]->scale * b_scales[c]);
        finish(sums, bias, y[r], PANEL, mode);
    }
}

#if defined(__x86_64__)
DEFINE_TILE(tile_v3, __attribute__((target("arch=x86-64-v3"))), 1)
DEFINE_TILE(tile_v4, __attribute__((target("arch=x86-64-v4"), min_vector_width(512))), 4)

// Bytes become 16 bits wide and are multiplied in pairs, whose sums are added up side by side: as fast as floats are
// there.
__attribute__((target("arch=x86-64-v3"), noinline)) static void byte_tile_v3(const byte_row_t *const a[TILE],
    const float *b_scales, const uint8_t *b, long quads, float *const y[TILE], const float *bias, panel_mode_t mode) {
    float sums[TILE][PANEL];
    const int8_t *x[TILE];
    for (int r = 0; r < TILE; r++) x[r] = a[r]->bytes;
    for (long c = 0; c < PANEL; c += 8) {
        __m256i s[TILE][2];
        for (int r = 0; r < TILE; r++) s[r][0] = s[r][1] = _mm256_setzero_si256();
        for (long k = 0; k < quads; k++) {
            __m256i w[2];
            for (int v = 0; v < 2; v++)
                w[v] = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(b + (k * PANEL + c) * 4 + 16 * v)));
            for (int r = 0; r < TILE; r++) {
                int32_t four;
                memcpy(&four, x[r] + 4 * k, 4);
                __m256i fours = _mm256_cvtepi8_epi16(_mm_set1_epi32(four));
                for (int v = 0; v < 2; v++) s[r][v] = _mm256_add_epi32(s[r][v], _mm256_madd_epi16(w[v], fours));
            }
        }
        for (int r = 0; r < TILE; r++) {
            __m256i whole =
                _mm256_permute4x64_epi64(_mm256_hadd_epi32(s[r][0], s[r][1]), 0xd8); // columns 0 1 4 5, 2 3 6 7
            __m256 value = _mm256_cvtepi32_ps(_mm256_add_epi32(whole, _mm256_set1_epi32((int)a[r]->start)));
            _mm256_storeu_ps(sums[r] + c,
                _mm256_mul_ps(value, _mm256_mul_ps(_mm256_set1_ps(a[r]->scale), _mm256_loadu_ps(b_scales + c))));
        }
    }
    for (int r = 0; r < TILE; r++) finish(sums[r], bias, y[r], PANEL, mode);
}

// VNNI multiplies four bytes a lane and adds them up, at the rate of one multiply-add of floats.
__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni"), min_vector_width(512), noinline)) static void
byte_tile_vnni(const byte_row_t *const a[TILE], const float *b_scales, const uint8_t *b, long quads,
    float *const y[TILE], const float *bias, panel_mode_t mode) {
    __m512i s[TILE][4];
    for (int r = 0; r < TILE; r++)
        for (int v = 0; v < 4; v++) s[r][v] = _mm512_set1_epi32((int)a[r]->start);
    const int8_t *x[TILE];
    for (int r = 0; r < TILE; r++) x[r] = a[r]->bytes;
    for (long k = 0; k < quads; k++, b += 4 * PANEL) {
        __m512i w[4];
        for (int v = 0; v < 4; v++) w[v] = _mm512_loadu_si512(b + 64 * v);
        for (int r = 0; r < TILE; r++) {
            int32_t four;
            memcpy(&four, x[r] + 4 * k, 4);
            for (int v = 0; v < 4; v++) s[r][v] = _mm512_dpbusd_epi32(s[r][v], w[v], _mm512_set1_epi32(four));
        }
    }
    const __m512 zero = _mm512_setzero_ps();
    _Pragma("unroll") for (int v = 0; v < 4; v++) { // or the sums would not stay in registers
        __m512 scales = _mm512_loadu_ps(b_scales + 16 * v), shift = bias ? _mm512_loadu_ps(bias + 16 * v) : zero;
        _Pragma("unroll") for (int r = 0; r < TILE; r++) {
            float *to = y[r] + 16 * v;
            __m512 value =
                _mm512_mul_ps(_mm512_cvtepi32_ps(s[r][v]), _mm512_mul_ps(_mm512_set1_ps(a[r]->scale), scales));
            value = _mm512_add_ps(value, shift);
            value = mode == panel_add    ? _mm512_add_ps(_mm512_loadu_ps(to), value)
                    : mode == panel_relu ? _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(value, zero, _CMP_NLE_UQ), value)
                                         : value;
            _mm512_storeu_ps(to, value);
        }
    }
}

strip_t best_strip(void) {
    if (__builtin_cpu_supports("x86-64-v4")) return (strip_t){tile_v4, 64, "x86-64-v4"};
    if (__builtin_cpu_supports("x86-64-v3")) return (strip_t){tile_v3, 16, "x86-64-v3"};
    return (strip_t){tile_default, 16, "portable"};
}

byte_tile_t *byte_tile(panel_type_t type) {
    if (type == panel_int8 && __builtin_cpu_supports("avx512vnni")) return byte_tile_vnni;
    return type != panel_int8_portable && __builtin_cpu_supports("x86-64-v3") ? byte_tile_v3 : byte_tile_portable;
}
#else
strip_t best_strip(void) { return (strip_t){tile_default, 16, "portable"}; }
byte_tile_t *byte_tile(panel_type_t type) { return byte_tile_portable; }
#endif
