#include "tile.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

INLINE void tile_columns(const float *const a[TILE], long step, const float *restrict b, long b_stride, long inner, float *restrict y, long y_stride,
                         int accumulate, const int vectors) {
    _Pragma("clang fp contract(fast)")
    f16x s[TILE][4];
    for (int r = 0; r < TILE; r++)
        for (int v = 0; v < vectors; v++) {
            s[r][v] = (f16x){0};
            __builtin_prefetch(y + r * y_stride + 16 * v, 1); // it is there when the sums are
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
            STORE16(to, accumulate ? LOAD16(to) + s[r][v] : s[r][v]);
        }
}

// Functions of their own, so that nothing competes with the sums for registers.
#define DEFINE_TILE(name, attributes, vectors)                                                                                            \
    attributes __attribute__((noinline)) static void name(const float *const a[TILE], long step, const float *b, long b_stride, long inner, \
                                                          float *y, long y_stride, int accumulate) {                                      \
        const float *row[TILE];                                                                                                           \
        for (int r = 0; r < TILE; r++) row[r] = a[r];                                                                                     \
        for (int c = 0; c < PANEL; c += 16 * vectors) tile_columns(row, step, b + c, b_stride, inner, y + c, y_stride, accumulate, vectors); \
    }

DEFINE_TILE(tile_default, , 1)

// Integers without a sign: rows of what is no number begin anywhere.
INLINE void byte_tile(const byte_row_t *const a[TILE], const float *b_scales, const uint8_t *b, long quads, float *const y[TILE],
                      const float *bias, panel_mode_t mode) {
    for (int r = 0; r < TILE; r++) {
        uint32_t s[PANEL];
        for (long c = 0; c < PANEL; c++) s[c] = a[r]->start;
        for (long k = 0; k < quads; k++) {
            const int8_t *x = a[r]->bytes + 4 * k;
            const uint8_t *w = b + k * 4 * PANEL;
            for (long c = 0; c < PANEL; c++) s[c] += (uint32_t)(x[0] * w[4 * c] + x[1] * w[4 * c + 1] + x[2] * w[4 * c + 2] + x[3] * w[4 * c + 3]);
        }
        float sums[PANEL];
        for (long c = 0; c < PANEL; c++) sums[c] = (float)(int32_t)s[c] * (a[r]->scale * b_scales[c]);
        finish(sums, bias, y[r], PANEL, mode);
    }
}

#define DEFINE_BYTE_TILE(name, attributes)                                                                                                  \
    attributes static void name(const byte_row_t *const a[TILE], const float *b_scales, const uint8_t *b, long quads, float *const y[TILE], \
                                const float *bias, panel_mode_t mode) {                                                                     \
        byte_tile(a, b_scales, b, quads, y, bias, mode);                                                                                    \
    }

DEFINE_BYTE_TILE(byte_tile_default, )

#if defined(__x86_64__)
DEFINE_TILE(tile_v3, __attribute__((target("arch=x86-64-v3"))), 1)
DEFINE_TILE(tile_v4, __attribute__((target("arch=x86-64-v4"), min_vector_width(512))), 4)
DEFINE_BYTE_TILE(byte_tile_v3, __attribute__((target("arch=x86-64-v3"))))

// VNNI multiplies four bytes a lane and adds them up, at the rate of one multiply-add of floats.
__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni"), min_vector_width(512), noinline))
static void byte_tile_vnni(const byte_row_t *const a[TILE], const float *b_scales, const uint8_t *b, long quads, float *const y[TILE],
                           const float *bias, panel_mode_t mode) {
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
            __m512 value = _mm512_mul_ps(_mm512_cvtepi32_ps(s[r][v]), _mm512_mul_ps(_mm512_set1_ps(a[r]->scale), scales));
            value = _mm512_add_ps(value, shift);
            value = mode == panel_add ? _mm512_add_ps(_mm512_loadu_ps(to), value) : mode == panel_relu ? _mm512_max_ps(value, zero) : value;
            _mm512_storeu_ps(to, value);
        }
    }
}

tile_t *best_tile(void) {
    return __builtin_cpu_supports("x86-64-v4") ? tile_v4 : __builtin_cpu_supports("x86-64-v3") ? tile_v3 : tile_default;
}

byte_tile_t *portable_byte_tile(void) { return __builtin_cpu_supports("x86-64-v3") ? byte_tile_v3 : byte_tile_default; }
byte_tile_t *best_byte_tile(void) { return __builtin_cpu_supports("avx512vnni") ? byte_tile_vnni : portable_byte_tile(); }
#else
tile_t *best_tile(void) { return tile_default; }
byte_tile_t *portable_byte_tile(void) { return byte_tile_default; }
byte_tile_t *best_byte_tile(void) { return byte_tile_default; }
#endif
