// Products of thin matrices. Matrices are row-major, `stride` floats from one row to the next.
#pragma once
#include <stdint.h>

// ---- both operands as they are -------------------------------------------------------------------------------------
/// c = a b, or c += a b where `accumulate`: a [rows, inner], b [inner, columns], inner > 0.
void product(const float *a, long a_stride, const float *b, long b_stride, float *c, long c_stride, long rows,
    long columns, long inner, int accumulate);
/// The same with a^T, a [inner, rows]; where sums are given, sums += a's column sums.
void product_transposed(const float *a, long a_stride, const float *b, long b_stride, float *c, long c_stride,
    long rows, long columns, long inner, int accumulate, float *sums);

/// c = a b [size, size], if it is symmetric: tiles on and above the diagonal are worked out, towards half of them where
/// there are many, the rest is their mirror image. c is neither a nor b.
void product_symmetric(
    const float *a, long a_stride, const float *b, long b_stride, float *c, long c_stride, long size);
/// c = a^T a [size, size] in the same way, a [inner, size], inner > 0.
void product_gram(const float *a, long a_stride, float *c, long c_stride, long size, long inner);

/// Rows, and columns (16 or 64), that are multiplied at once: whoever cuts them cuts between these.
long product_rows(void);
long product_columns(void);
/// The level of x86-64 whose instructions multiply: "x86-64-v4", "x86-64-v3", or "portable".
const char *product_level(void);

// ---- weights laid out once -----------------------------------------------------------------------------------------
// A row's result depends on that row alone, to the last bit: a sentence's translation cannot depend on the batch that
// it is in.

/// What panels hold: the weights, or W[o][i] = scale[o] w[o][i] with w in -127 ... 127. The rows are then taken for
/// x[r][i] = scale[r] q[r][i] as well, scale[r] = max |x[r]| / 127, and the sum of the products is exact, for up to
/// 65,536 inputs. `panel_int8` multiplies bytes as the processor does it best, with AVX-512 VNNI, AVX2 or in a plain
/// loop; `_avx2` and `_portable` do it as older processors do, which gives the same bits.
typedef enum { panel_float32, panel_int8, panel_int8_avx2, panel_int8_portable } panel_type_t;

/// Floats of the panels of a [outputs, inputs] matrix.
long panel_floats(long inputs, long outputs, panel_type_t type);
/// Lays out W as [outputs / strip][inputs][strip], strip = 16 or 64 as the processor has it, outputs filled up to whole
/// 64 with zeros; bytes as [outputs / 64]{scales [64], [inputs / 4][64][4]}, inputs filled up too, 128 added to each
/// byte. inputs > 0.
void panel_pack(const float *weights, long stride, float *panels, long inputs, long outputs, panel_type_t type);
/// The same from W^T [inputs, outputs], for products with W^T in the place of W: floats of `count` inputs from `first`
/// on.
void panel_pack_transposed(
    const float *weights, long stride, float *panels, long inputs, long outputs, long first, long count);

/// Rows as panels of a type want them, good for any number of products while x, places and scratch stay as they are.
typedef struct {
    panel_type_t type;
    long rows, inputs;
    const float *x;
    long stride;
    const int32_t *places;
    const void *bytes; // of the integers' types
} panel_rows_t;
/// Row r is row places[r] of x, or row r where NULL. scratch: `panel_scratch` floats.
panel_rows_t panel_rows(
    const float *x, long stride, const int32_t *places, long rows, long inputs, panel_type_t type, float *scratch);
long panel_scratch(long rows, long inputs, panel_type_t type);

/// What is done with p = x W^T + bias: y = p, y = max(0, p), y += p. NULL is no bias. Or sums go on from y: floats
/// alone, without bias and places.
typedef enum { panel_bias, panel_relu, panel_add, panel_go_on } panel_mode_t;
/// Row r of the first `rows` goes to row places[r] of y, no two to the same; NULL: row r.
void panel_product(panel_rows_t x, const float *panels, const float *bias, float *y, long y_stride,
    const int32_t *places, long rows, long outputs, panel_mode_t mode);
