#include "replacement.h"
#include "panels.h"

static const float LEAK = 0.01f;

KERNEL void row_moments(const float *restrict x, long rows, long d, float *restrict sum, float *restrict squares) {
    FAST for (long r = 0; r < rows; r++, x += d) {
        float s = 0, q = 0;
        for (long c = 0; c < d; c++) {
            s += x[c];
            q += x[c] * x[c];
        }
        sum[r] = s;
        squares[r] = q;
    }
}

KERNEL void scale_columns(const float *restrict x, const float *restrict gain, float *restrict y, long rows, long d) {
    for (long r = 0; r < rows; r++, x += d, y += d)
        for (long c = 0; c < d; c++) y[c] = x[c] * gain[c];
}

KERNEL void add_rows(float *restrict x, long x_stride, const float *restrict y, long y_stride, long rows, long width) {
    for (long r = 0; r < rows; r++, x += x_stride, y += y_stride)
        for (long c = 0; c < width; c++) x[c] += y[c];
}

/// y = leaky((pre - m u) s + v), which may be in place; returns its mean.
INLINE float hidden_row(
    const float *pre, float *y, float m, float s, const float *restrict u, const float *restrict v, long width) {
    FAST float total = 0;
    for (long c = 0; c < width; c++) {
        float z = (pre[c] - m * u[c]) * s + v[c], low = LEAK * z;
        y[c] = z > low ? z : low;
        total += z > low ? z : low;
    }
    return total / (float)width;
}

/// 1 / the standard deviation that `squares`, a sum of squared differences from the mean, comes to.
INLINE float inverse_deviation(float squares, long width, float epsilon) {
    return 1 / sqrtf(squares / (float)width + epsilon);
}

KERNEL void hidden_forward(float *restrict pre, long stride, const float *restrict input_mean,
    const float *restrict input_rstd, const float *restrict u, const float *restrict v, long rows, long width,
    float *restrict mean, float *restrict rstd, float epsilon) {
    FAST for (long r = 0; r < rows; r++, pre += stride) {
        float m = hidden_row(pre, pre, input_mean[r], input_rstd[r], u, v, width), squares = 0;
        for (long c = 0; c < width; c++) squares += (pre[c] - m) * (pre[c] - m);
        mean[r] = m;
        rstd[r] = inverse_deviation(squares, width, epsilon);
    }
}

/// y = gain (y - mean); *top = max |y|, NaN above all. Returns 1 / the standard deviation of what y was.
INLINE float centred_row(
    float *restrict y, float mean, const float *restrict gain, long width, float epsilon, float *top) {
    FAST float squares = 0;
    uint32_t largest = 0;
    for (long c = 0; c < width; c++) {
        float delta = y[c] - mean;
        union {
            float f;
            uint32_t u;
        } value = {.f = gain[c] * delta};
        squares += delta * delta;
        y[c] = value.f;
        value.u &= 0x7fffffff;
        largest = value.u > largest ? value.u : largest;
    }
    memcpy(top, &largest, sizeof *top);
    return inverse_deviation(squares, width, epsilon);
}

long hidden_scratch(long rows, long width, panel_type_t type) {
    return type == panel_float32 ? rows * width : width + panel_scratch(rows, width, type);
}

KERNEL panel_rows_t hidden_rows(const float *restrict pre, const int32_t *restrict places,
    const float *restrict input_mean, const float *restrict input_rstd, const float *restrict u,
    const float *restrict v, const float *restrict gain, long rows, long width, float epsilon, panel_type_t type,
    float *scratch) {
    byte_row_t *row = type == panel_float32 ? NULL : byte_rows(scratch + width, rows, width);
    panel_rows_t result = {
        .type = type, .rows = rows, .inputs = width, .x = row ? NULL : scratch, .stride = width, .bytes = row};
    for (long r = 0; r < rows; r++) {
        float *h = row ? scratch : scratch + r * width;
        float top, mean = hidden_row(pre + place(places, r) * width, h, input_mean[r], input_rstd[r], u, v, width);
        float rstd = centred_row(h, mean, gain, width, epsilon, &top);
        if (row) fill_byte_row(row + r, h, top, rstd, width);
        else
            for (long c = 0; c < width; c++) h[c] *= rstd;
    }
    return result;
}

/// x *= the mask of a row: 0, or 1 / keep. Row r's random numbers are those of row dropout.row + r.
INLINE void drop_row(float *restrict x, long r, long width, dropout_t dropout) {
    uint16_t bits[CHUNK];
    for (long c0 = 0; drops(dropout) && c0 < width; c0 += CHUNK) {
        long count = row_bits(bits, r, c0, width, dropout);
        for (long c = 0; c < count; c++) x[c0 + c] *= bits[c] < dropout.keep_below ? dropout.scale : 0;
    }
}

KERNEL void hidden_normalise(const float *restrict y, float *restrict h, long stride, const float *restrict mean,
    const float *restrict rstd, const float *restrict gain, const float *restrict shift, long rows, long width,
    dropout_t dropout) {
    FAST for (long r = 0; r < rows; r++, y += stride, h += stride) {
        float m = mean[r], s = rstd[r];
        for (long c = 0; c < width; c++) h[c] = gain[c] * ((y[c] - m) * s) + shift[c];
        drop_row(h, r, width, dropout);
    }
}

KERNEL void hidden_normalise_backward(const float *restrict y, float *restrict dh, long stride,
    const float *restrict mean, const float *restrict rstd, const float *restrict gain, float *restrict dgain,
    float *restrict dshift, long rows, long width, dropout_t dropout, float *restrict sum, float *restrict dot) {
    FAST for (long r = 0; r < rows; r++, y += stride, dh += stride) {
        float m = mean[r], s = rstd[r], total = 0, product = 0;
        drop_row(dh, r, width, dropout);
        for (long c = 0; c < width; c++) {
            float n = (y[c] - m) * s, g = dh[c];
            dgain[c] += g * n;
            dshift[c] += g;
            total += gain[c] * g;
            product += gain[c] * g * n;
        }
        sum[r] = total;
        dot[r] = product;
    }
}

KERNEL void hidden_backward(const float *restrict y, float *restrict dh, long stride, const float *restrict mean,
    const float *restrict rstd, const float *restrict gain, const float *restrict sum, const float *restrict dot,
    const float *restrict input_mean, const float *restrict input_rstd, long rows, long width, float *restrict dv,
    float *restrict da_mean) {
    FAST for (long r = 0; r < rows; r++, y += stride, dh += stride) {
        float m = mean[r], s = rstd[r], a0 = sum[r], a1 = dot[r], im = input_mean[r], is = input_rstd[r];
        for (long c = 0; c < width; c++) {
            float dy = (gain[c] * dh[c] - a0 - (y[c] - m) * s * a1) * s;
            float delta = y[c] > 0 ? dy : LEAK * dy;
            float a = delta * is;
            dh[c] = a;
            dv[c] += delta;
            da_mean[c] += a * im;
        }
    }
}

KERNEL double squared_error(float *restrict out, const float *restrict bias, const float *restrict targets,
    long targets_stride, long rows, long width, float gradient_scale, float *restrict dbias) {
    FAST double total = 0;
    memset(dbias, 0, sizeof(float) * (size_t)width);
    for (long r = 0; r < rows; r++, out += width, targets += targets_stride) {
        float square = 0;
        for (long c = 0; c < width; c++) {
            float e = out[c] + bias[c] - targets[c];
            square += e * e;
            e *= gradient_scale;
            out[c] = e;
            dbias[c] += e;
        }
        total += square;
    }
    return total;
}

KERNEL void compare_rows(const float *restrict out, const float *restrict targets, long targets_stride, long rows,
    long width, double totals[3]) {
    FAST for (long r = 0; r < rows; r++, out += width, targets += targets_stride) {
        float square = 0, dot = 0, oo = 0, ww = 0;
        for (long c = 0; c < width; c++) {
            square += (out[c] - targets[c]) * (out[c] - targets[c]);
            dot += out[c] * targets[c];
            oo += out[c] * out[c];
            ww += targets[c] * targets[c];
        }
        totals[0] += square;
        if (oo > 0 && ww > 0) {
            totals[1] += dot / square_root(oo) / square_root(ww);
            totals[2] += 1;
        }
    }
}

KERNEL void input_gradient(float *restrict g, long g_stride, const float *restrict w, long w_stride,
    const float *restrict gain, const float *restrict shift, const float *restrict dv, const float *restrict da_mean,
    long rows, long width, float *restrict dgain, float *restrict dshift) {
    FAST for (long r = 0; r < rows; r++, g += g_stride, w += w_stride) {
        float scale = gain[r], offset = shift[r], gains = 0, shifts = 0;
        for (long c = 0; c < width; c++) {
            float m = g[c] - da_mean[c];
            gains += m * w[c];
            shifts += w[c] * dv[c];
            g[c] = scale * m + offset * dv[c];
        }
        dgain[r] = gains;
        dshift[r] = shifts;
    }
}

KERNEL void input_projections(const float *restrict w, long stride, const float *restrict gain,
    const float *restrict shift, float *restrict u, float *restrict v, long rows, long width) {
    FAST for (long r = 0; r < rows; r++, w += stride) for (long c = 0; c < width; c++) {
        u[c] += gain[r] * w[c];
        v[c] += shift[r] * w[c];
    }
}

KERNEL void input_terms(const float *restrict y, const float *restrict a, const float *restrict u,
    const float *restrict v, const float *restrict input_mean, const float *restrict input_rstd, long rows, long width,
    float inputs, float *restrict terms) {
    FAST for (long r = 0; r < rows; r++, y += width, a += width, terms += 3) {
        float s = 0, q = 0;
        for (long h = 0; h < width; h++) {
            float pre = y[h] > 0 ? y[h] : y[h] * (1 / LEAK);
            s += a[h] * u[h];
            q += a[h] * (pre - v[h]);
        }
        q *= input_rstd[r] / inputs;
        terms[0] = s;
        terms[1] = q;
        terms[2] = q * input_mean[r];
    }
}

KERNEL void input_backward(const float *restrict product, const float *restrict gain, const float *restrict x,
    const float *restrict terms, float inputs, float *restrict dx, long rows, long d) {
    for (long r = 0; r < rows; r++, product += d, x += d, dx += d, terms += 3) {
        float constant = terms[2] - terms[0] / inputs;
        for (long c = 0; c < d; c++) dx[c] += gain[c] * product[c] + constant - terms[1] * x[c];
    }
}
