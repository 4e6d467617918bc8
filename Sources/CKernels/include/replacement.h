// Kernels of the shallow networks that stand for attention. A network is
//     LayerNorm -> Linear -> LeakyReLU(0.01) -> LayerNorm -> Linear
// Matrices are row-major, `stride` floats from one row to the next; `width` columns of them are worked on.
#pragma once
#include "kernels.h"
#include "product.h"

/// sum[r] = sum of row r, squares[r] = sum of its squares.
void row_moments(const float *x, long rows, long d, float *sum, float *squares);
/// y = x . gain, each row.
void scale_columns(const float *x, const float *gain, float *y, long rows, long d);
/// x[r] += y[r].
void add_rows(float *x, long x_stride, const float *y, long y_stride, long rows, long width);

/// pre holds the products with the gained input; in place
///     y = leaky((pre - input_mean u) input_rstd + v),   mean, rstd = of each row of y.
void hidden_forward(float *pre, long stride, const float *input_mean, const float *input_rstd, const float *u,
    const float *v, long rows, long width, float *mean, float *rstd, float epsilon);
/// The hidden layer of translation, ready for the next product: h[r] = gain (y - mean) rstd, with y and its moments
/// from row places[r] of pre (row r if NULL) as above. Rows of pre are `width` floats apart. scratch: `hidden_scratch`
/// floats.
panel_rows_t hidden_rows(const float *pre, const int32_t *places, const float *input_mean, const float *input_rstd,
    const float *u, const float *v, const float *gain, long rows, long width, float epsilon, panel_type_t type,
    float *scratch);
long hidden_scratch(long rows, long width, panel_type_t type);
/// h = dropout(gain (y - mean) rstd + shift).
void hidden_normalise(const float *y, float *h, long stride, const float *mean, const float *rstd, const float *gain,
    const float *shift, long rows, long width, dropout_t dropout);
/// First half of the backward pass through dropout and LayerNorm. dh becomes the gradient behind dropout;
/// dgain, dshift += column sums; sum[r], dot[r] = sums of gain dh and of gain dh (y - mean) rstd over these columns.
void hidden_normalise_backward(const float *y, float *dh, long stride, const float *mean, const float *rstd,
    const float *gain, float *dgain, float *dshift, long rows, long width, dropout_t dropout, float *sum, float *dot);
/// Second half, on through LeakyReLU and the first LayerNorm's scale. With
///     delta = leaky'(y) (gain dh - sum[r] - (y - mean) rstd dot[r]) rstd,
/// where sum and dot are by now means over all H columns: dh becomes a = delta input_rstd;
/// dv += column sums of delta, da_mean += column sums of a input_mean.
void hidden_backward(const float *y, float *dh, long stride, const float *mean, const float *rstd, const float *gain,
    const float *sum, const float *dot, const float *input_mean, const float *input_rstd, long rows, long width,
    float *dv, float *da_mean);

/// out += bias; returns the summed squared error against `targets`; out becomes the difference x gradient_scale;
/// dbias = column sums of that.
double squared_error(float *out, const float *bias, const float *targets, long targets_stride, long rows, long width,
    float gradient_scale, float *dbias);
/// Adds to totals: [0] squared error, [1] sum of cosines of (row of out, row of targets), [2] rows that have one: of
/// which neither is zero.
void compare_rows(const float *out, const float *targets, long targets_stride, long rows, long width, double totals[3]);

/// The gradient of the first layer, in place of g, the summed products x^T a of one block of inputs:
///     m = g - 1 da_mean^T,   dW = gain . m + shift dv^T,   dgain = row sums of m . W,   dshift = W dv.
void input_gradient(float *g, long g_stride, const float *w, long w_stride, const float *gain, const float *shift,
    const float *dv, const float *da_mean, long rows, long width, float *dgain, float *dshift);
/// What the gradient of the inputs has of each hidden row through the input's moments: with pre the pre-activation, y =
/// leaky(pre),
///     terms[r] = { a . u, q, q input_mean },     q = a . (pre - v) input_rstd / inputs.
void input_terms(const float *y, const float *a, const float *u, const float *v, const float *input_mean,
    const float *input_rstd, long rows, long width, float inputs, float *terms);
/// dx[r] += gain . product[r] - terms[r][0] / inputs - terms[r][1] x[r] + terms[r][2].
void input_backward(const float *product, const float *gain, const float *x, const float *terms, float inputs,
    float *dx, long rows, long d);
/// u += W^T gain, v += W^T shift over `rows` rows of W.
void input_projections(
    const float *w, long stride, const float *gain, const float *shift, float *u, float *v, long rows, long width);
