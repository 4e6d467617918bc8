#include "tile.h"

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
#if defined(__x86_64__)
DEFINE_TILE(tile_v3, __attribute__((target("arch=x86-64-v3"))), 1)
DEFINE_TILE(tile_v4, __attribute__((target("arch=x86-64-v4"), min_vector_width(512))), 4)

tile_t *best_tile(void) {
    return __builtin_cpu_supports("x86-64-v4") ? tile_v4 : __builtin_cpu_supports("x86-64-v3") ? tile_v3 : tile_default;
}
#else
tile_t *best_tile(void) { return tile_default; }
#endif
