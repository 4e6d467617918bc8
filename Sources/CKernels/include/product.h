// Products of thin matrices. Matrices are row-major, `stride` floats from one row to the next.
#pragma once

// ---- both operands as they are -------------------------------------------------------------------------------------
/// c = a b, or c += a b where `accumulate`: a [rows, inner], b [inner, columns], inner > 0.
void product(const float *a, long a_stride, const float *b, long b_stride, float *c, long c_stride, long rows, long columns, long inner, int accumulate);
/// The same with a^T, a [inner, rows].
void product_transposed(const float *a, long a_stride, const float *b, long b_stride, float *c, long c_stride, long rows, long columns, long inner, int accumulate);

// ---- weights laid out once -----------------------------------------------------------------------------------------
// A row's result depends on that row alone, to the last bit: a sentence's translation cannot depend on the batch that it is in.

/// Floats of the panels of a [outputs, inputs] matrix.
long panel_floats(long inputs, long outputs);
/// Lays out W as [outputs / 64][inputs][64], outputs filled up with zeros.
void panel_pack(const float *weights, long stride, float *panels, long inputs, long outputs);

/// What is done with p = x W^T + bias: y = p, y = max(0, p), y += p. Where bias is NULL, y = x W^T.
typedef enum { panel_bias, panel_relu, panel_add } panel_mode_t;
void panel_product(const float *x, long x_stride, const float *panels, const float *bias, float *y, long y_stride,
                   long rows, long inputs, long outputs, panel_mode_t mode);
