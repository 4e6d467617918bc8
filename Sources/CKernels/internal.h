#pragma once
#include "kernels.h"
#include <math.h>
#include <string.h>

// One clone per x86-64 level; resolved when the program is loaded. ThreadSanitizer cannot start with the resolvers.
#if defined(__x86_64__) && !(defined(__has_feature) && __has_feature(thread_sanitizer))
#define KERNEL __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), min_vector_width(512)))
#else
#define KERNEL
#endif
#define INLINE static inline __attribute__((always_inline))
// Let sums be split over vector lanes and products be fused: the order is fixed by the compiled code, so results
// repeat.
#define FAST _Pragma("clang fp reassociate(on) contract(fast)")

/// Sixteen floats: one AVX-512 register, two of AVX, four of SSE.
typedef float f16x __attribute__((vector_size(64), aligned(4)));

// Macros, since a function that returns 64 bytes in a register would have a different ABI on every level.
#define LOAD16(p) (*(const f16x *)(p))
#define STORE16(p, v) (*(f16x *)(p) = (v))

/// 16 x 16 floats. Each of four rounds interleaves the upper half of the rows with the lower.
INLINE void transpose(f16x *restrict tile) {
    f16x old[16];
    for (int round = 0; round < 4; round++) {
        memcpy(old, tile, sizeof old);
        for (int r = 0; r < 8; r++) {
            tile[2 * r] =
                __builtin_shufflevector(old[r], old[r + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            tile[2 * r + 1] = __builtin_shufflevector(
                old[r], old[r + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
    }
}

/// Where row r is: at places[r], or at r where there are none.
INLINE long place(const int32_t *places, long r) { return places ? places[r] : r; }

// Unlike fmaxf and sqrtf these become vector instructions: NaN is passed on, errno is not set.
INLINE float larger(float a, float b) { return __builtin_elementwise_maximum(a, b); }
INLINE float square_root(float x) { return __builtin_elementwise_sqrt(x); }

/// e^x to 2 ulp for x in [-87, 88], clamped outside: 2^round(x log2 e) times a polynomial on the remainder.
INLINE float exp_approx(float x) {
    x = x < -87.0f ? -87.0f : (x > 88.0f ? 88.0f : x);
    float shifted = x * 1.44269504f + 12582912.0f; // adding 1.5 x 2^23 rounds to an integer kept in the low bits
    float whole = shifted - 12582912.0f;
    float r = x - whole * 0.693359375f + whole * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    union {
        float f;
        uint32_t u;
    } bits = {.f = shifted}, scale;
    scale.u = (bits.u << 23) + 0x3f800000u;
    return p * scale.f;
}

/// Philox 4x32 with 7 rounds, which passes BigCrush (Salmon et al. 2011, table 2). Numbers are the lower halves of 64
/// bits, where the multiplication of vectors reads its factors; what the upper halves hold meanwhile is of no account.
INLINE void philox(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint64_t seed, uint32_t out[4]) {
    uint64_t a = c0, b = c1, c = c2, d = c3;
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 7; round++) {
        uint64_t p0 = (uint64_t)(uint32_t)a * 0xD2511F53u, p1 = (uint64_t)(uint32_t)c * 0xCD9E8D57u;
        a = (p1 >> 32) ^ b ^ k0;
        c = (p0 >> 32) ^ d ^ k1;
        b = p1;
        d = p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = (uint32_t)a;
    out[1] = (uint32_t)b;
    out[2] = (uint32_t)c;
    out[3] = (uint32_t)d;
}

// For loops over what is a multiple of 16: nothing wider, which the shortest rows would never enter.
#define BY_16 _Pragma("clang loop vectorize_width(16) interleave_count(1)")

/// 16-bit random numbers first ..< first + count of a stream; `first` is a multiple of 8, the buffer's length of 128.
/// Philox block b holds elements 8b ..< 8b + 8.
INLINE void random_bits(uint16_t *restrict out, uint64_t first, long count, dropout_t d) {
    uint64_t block = first / 8;
    long blocks = (count + 127) / 128 * 16; // whole vectors of blocks
    BY_16 for (long b = 0; b < blocks; b++) {
        uint32_t r[4];
        philox((uint32_t)(block + b), (uint32_t)((block + b) >> 32), d.stream, d.step, d.seed, r);
        uint64_t low = r[0] | (uint64_t)r[1] << 32, high = r[2] | (uint64_t)r[3] << 32;
        memcpy(out + 8 * b, &low, sizeof low); // lower half first
        memcpy(out + 8 * b + 4, &high, sizeof high);
    }
}

INLINE void clear_rows(float *y, long stride, long rows, long width) {
    for (long r = 0; r < rows; r++) memset(y + r * stride, 0, sizeof(float) * (size_t)width);
}

INLINE int drops(dropout_t d) { return d.keep_below < 65536; }
enum { CHUNK = 512 }; // elements whose random numbers are drawn at a time

/// The bits of columns c0 ..< c0 + CHUNK of row r; a row's numbers start on a Philox block. Returns how many there are.
INLINE long row_bits(uint16_t *restrict bits, long r, long c0, long d, dropout_t dropout) {
    long count = d - c0 < CHUNK ? d - c0 : CHUNK;
    random_bits(bits, (dropout.row + (uint64_t)r) * (uint64_t)((d + 7) & ~7L) + (uint64_t)c0, count, dropout);
    return count;
}
