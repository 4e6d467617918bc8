#include "kernels.h"
#include "internal.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

// What a core can do at most: multiply-adds of what is in registers already, with as many chains as hide their latency.

INLINE long floats(long rounds, float *restrict sums, const int chains) {
    _Pragma("clang fp contract(fast)") f16x s[12], factor = LOAD16(sums), term = LOAD16(sums + 16);
    for (int c = 0; c < chains; c++) s[c] = (f16x){0};
    for (long i = 0; i < rounds; i++)
        for (int c = 0; c < chains; c++) s[c] = s[c] * factor + term;
    for (int c = 1; c < chains; c++) s[0] += s[c];
    STORE16(sums, s[0]);
    return rounds * chains * 16;
}

#define DEFINE_FLOATS(name, attributes, chains)                                                                        \
    attributes __attribute__((noinline)) static long name(long rounds, float *sums) {                                  \
        return floats(rounds, sums, chains);                                                                           \
    }

DEFINE_FLOATS(floats_default, , 3)

#if defined(__x86_64__)
DEFINE_FLOATS(floats_v3, __attribute__((target("arch=x86-64-v3"))), 6)
DEFINE_FLOATS(floats_v4, __attribute__((target("arch=x86-64-v4"), min_vector_width(512))), 12)

__attribute__((target("arch=x86-64-v3"), noinline)) static long bytes_v3(long rounds, float *sums) {
    __m256i s[12], factor = _mm256_loadu_si256((const __m256i *)sums);
    for (int c = 0; c < 12; c++) s[c] = _mm256_set1_epi16((short)c);
    for (long i = 0; i < rounds; i++)
        _Pragma("unroll") for (int c = 0; c < 12; c++) s[c] = _mm256_add_epi32(s[c], _mm256_madd_epi16(s[c], factor));
    for (int c = 1; c < 12; c++) s[0] = _mm256_add_epi32(s[0], s[c]);
    _mm256_storeu_si256((__m256i *)sums, s[0]);
    return rounds * 12 * 16;
}

__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni"), min_vector_width(512), noinline)) static long bytes_vnni(
    long rounds, float *sums) {
    __m512i s[12], factor = _mm512_loadu_si512(sums), term = _mm512_loadu_si512(sums + 16);
    for (int c = 0; c < 12; c++) s[c] = _mm512_set1_epi32(c);
    for (long i = 0; i < rounds; i++)
        _Pragma("unroll") for (int c = 0; c < 12; c++) s[c] = _mm512_dpbusd_epi32(s[c], factor, term);
    for (int c = 1; c < 12; c++) s[0] = _mm512_add_epi32(s[0], s[c]);
    _mm512_storeu_si512(sums, s[0]);
    return rounds * 12 * 64;
}

long float_multiply_adds(long rounds, float *sums) {
    if (__builtin_cpu_supports("x86-64-v4")) return floats_v4(rounds, sums);
    return __builtin_cpu_supports("x86-64-v3") ? floats_v3(rounds, sums) : floats_default(rounds, sums);
}

long byte_multiply_adds(long rounds, float *sums) {
    if (__builtin_cpu_supports("avx512vnni")) return bytes_vnni(rounds, sums);
    return __builtin_cpu_supports("x86-64-v3") ? bytes_v3(rounds, sums) : 0;
}
#else
long float_multiply_adds(long rounds, float *sums) { return floats_default(rounds, sums); }
long byte_multiply_adds(long rounds, float *sums) { return 0; }
#endif
