#include "product.h"
#include "tile.h"

// Products of a training step: thin ones, whose operands are too small to be worth rearranging as a whole. The left one
// is read in place, unless it is transposed and its columns lie far apart; of the right one a strip of columns at a
// time is copied, if there are enough rows.

enum {
    GROUP = 22 * TILE, // rows of a transposed operand that are copied together: widths are often 128
    GAP = 16,          // floats between its tiles, where copies of whole registers end
    FEW = 4 * TILE,    // rows for which it is not worth it to copy a strip
    AHEAD = 16,        // rows of a transposed operand that are asked for before they are copied
};

/// Rows of an operand that will be read later: the memory is slow to answer, and no processor foresees rows that lie
/// far apart.
typedef struct {
    const float *from;
    long stride, rows, floats;
} later_t;

/// Asks for share `part` of `parts`.
INLINE void ask(later_t later, long part, long parts) {
    for (long r = later.rows * part / parts; r < later.rows * (part + 1) / parts; r++)
        for (long c = 0; c < later.floats; c += 16) __builtin_prefetch(later.from + r * later.stride + c, 0, 2);
}

/// packed[r / TILE][k][r % TILE] = a[k][r] for up to GROUP rows; what rows that do not exist hold is of no account.
/// Where there are sums, sums[r] += a[k][r].
INLINE void pack_group(
    const float *restrict a, long stride, long rows, long inner, float *restrict packed, float *restrict sums) {
    long step = TILE * inner + GAP;
    for (long k = 0; k < inner; k++, a += stride) {
        if (k + AHEAD < inner) ask((later_t){a + AHEAD * stride, 0, 1, rows}, 0, 1);
        float *to = packed + k * TILE;
        long r = 0;
        // 2 too many, overwritten by the next k; beyond the last row whatever lies there, of which nothing is kept
        for (long end = k + 1 < inner && stride >= 8 ? rows : rows - 7; r < end; r += TILE, to += step)
            memcpy(to, a + r, 8 * sizeof(float));
        for (; r < rows; r += TILE, to += step)
            for (long i = 0; i < TILE; i++) to[i] = r + i < rows ? a[r + i] : 0;
        if (sums)
            for (r = 0; r < rows; r++) sums[r] += a[r];
    }
}

/// The first `width` columns of b; those up to the next 16 are of no account, then come zeros.
INLINE void copy_part(
    const float *restrict b, long stride, long inner, long width, float *restrict copy, long columns) {
    for (long k = 0; k < inner; k++, b += stride, copy += columns)
        for (long i = 0; i < columns; i += 16) {
            if (i >= width) STORE16(copy + i, (f16x){0});
            else if (i + 16 <= width || (k + 1 < inner && stride >= 16)) STORE16(copy + i, LOAD16(b + i));
            else
                for (long c = 0; c < 16; c++) copy[i + c] = i + c < width ? b[i + c] : 0;
        }
}

/// One tile of c; what lies beyond its edges is worked out beside it and not kept.
INLINE void put_tile(strip_t strip, const float *const a[TILE], long step, const float *b, long b_stride, long inner,
    float *restrict c, long c_stride, long rows, long columns, int accumulate) {
    if (rows == TILE && columns == strip.columns)
        return strip.tile(a, step, b, b_stride, inner, c, c_stride, accumulate ? tile_add : tile_set);
    float sums[TILE * PANEL] __attribute__((aligned(64)));
    strip.tile(a, step, b, b_stride, inner, sums, strip.columns, tile_set);
    for (long r = 0; r < rows; r++)
        for (long j = 0; j < columns; j++)
            c[r * c_stride + j] = sums[r * strip.columns + j] + (accumulate ? c[r * c_stride + j] : 0);
}

/// c (+)= a b over one block of the inner dimension, a[r][k] at a[r / TILE a_tile + r % TILE a_row + k a_column]. Of
/// each strip of columns only tiles that begin above row `end of the strip + below`. `next` is what of a will be copied
/// after this.
INLINE void product_block(strip_t strip, const float *a, long a_tile, long a_row, long a_column, const float *b,
    long b_stride, float *c, long c_stride, long rows, long columns, long inner, int accumulate, long below,
    later_t next) {
    long tiles = (rows + TILE - 1) / TILE, strips = (columns + strip.columns - 1) / strip.columns;
    float copy[INNER * PANEL] __attribute__((aligned(64)));
    for (long j = 0; j < columns; j += strip.columns) {
        long width = columns - j < strip.columns ? columns - j : strip.columns;
        if (j + strip.columns + below <= 0) continue; // all of its tiles lie below
        const float *right = b + j;
        long stride = b_stride;
        if (width < strip.columns) {
            copy_part(right, b_stride, inner, width, copy, strip.columns);
            right = copy, stride = strip.columns;
        } else if (strip.columns == 16 && rows > FEW) {
            for (long k = 0; k < inner; k++) STORE16(copy + 16 * k, LOAD16(right + k * b_stride));
            right = copy, stride = 16;
        }
        for (long r0 = 0; r0 < rows && r0 < j + strip.columns + below; r0 += TILE) {
            const float *row[TILE], *own = a + r0 / TILE * a_tile;
            long height = rows - r0 < TILE ? rows - r0 : TILE, at = r0 / TILE;
            ask(next, j / strip.columns * tiles + at, strips * tiles);
            if (right == copy && j + strip.columns < columns)
                ask((later_t){b + j + strip.columns, b_stride, inner, strip.columns}, at, tiles);
            for (long r = 0; r < TILE; r++) row[r] = own + (r < height ? r : height - 1) * a_row;
            put_tile(
                strip, row, a_column, right, stride, inner, c + r0 * c_stride + j, c_stride, height, width, accumulate);
        }
    }
}

long product_rows(void) { return TILE; }

long product_columns(void) { return best_strip().columns; }

const char *product_level(void) { return best_strip().level; }

/// to[i][j] = from[j][i], 4 x 4.
INLINE void transpose_block(const float *from, float *to, long stride) {
    typedef float f4x __attribute__((vector_size(16), aligned(4)));
    const f4x *row[4];
    for (long j = 0; j < 4; j++) row[j] = (const f4x *)(from + j * stride);
    f4x low = __builtin_shufflevector(*row[0], *row[1], 0, 4, 1, 5),
        high = __builtin_shufflevector(*row[0], *row[1], 2, 6, 3, 7),
        low2 = __builtin_shufflevector(*row[2], *row[3], 0, 4, 1, 5),
        high2 = __builtin_shufflevector(*row[2], *row[3], 2, 6, 3, 7);
    *(f4x *)to = __builtin_shufflevector(low, low2, 0, 1, 4, 5);
    *(f4x *)(to + stride) = __builtin_shufflevector(low, low2, 2, 3, 6, 7);
    *(f4x *)(to + 2 * stride) = __builtin_shufflevector(high, high2, 0, 1, 4, 5);
    *(f4x *)(to + 3 * stride) = __builtin_shufflevector(high, high2, 2, 3, 6, 7);
}

/// Of a symmetric product what tiles above the diagonal do not hold: c[i][j] = c[j][i].
INLINE void mirror(float *c, long stride, long size) {
    for (long i = 0; i < size; i += 4) {
        long whole = i + 4 <= size ? i : 0;
        for (long j = 0; j < whole; j += 4) transpose_block(c + j * stride + i, c + i * stride + j, stride);
        for (long r = i; r < i + 4 && r < size; r++)
            for (long j = whole; j < r; j++) c[r * stride + j] = c[j * stride + r];
    }
}

INLINE void multiply(const float *a, long a_stride, const float *b, long b_stride, float *c, long c_stride, long rows,
    long columns, long inner, int accumulate, long below) {
    strip_t strip = best_strip();
    for (long k = 0; k < inner; k += INNER)
        product_block(strip, a + k, TILE * a_stride, a_stride, 1, b + k * b_stride, b_stride, c, c_stride, rows,
            columns, inner - k < INNER ? inner - k : INNER, accumulate || k > 0, below, (later_t){0});
}

KERNEL void product(const float *a, long a_stride, const float *b, long b_stride, float *c, long c_stride, long rows,
    long columns, long inner, int accumulate) {
    multiply(a, a_stride, b, b_stride, c, c_stride, rows, columns, inner, accumulate, rows);
}

KERNEL void product_symmetric(
    const float *a, long a_stride, const float *b, long b_stride, float *c, long c_stride, long size) {
    multiply(a, a_stride, b, b_stride, c, c_stride, size, size, size, 0, 0);
    mirror(c, c_stride, size);
}

/// Rows of c from the first on, of each strip of columns those above its end and `below` more.
INLINE void multiply_transposed(const float *a, long a_stride, const float *b, long b_stride, float *c, long c_stride,
    long rows, long columns, long inner, int accumulate, float *sums, long below) {
    strip_t strip = best_strip();
    float packed[(INNER * TILE + GAP) * (GROUP / TILE)] __attribute__((aligned(64)));
    for (long k = 0; k < inner; k += INNER) {
        long depth = inner - k < INNER ? inner - k : INNER;
        for (long r = 0; r < rows; r += GROUP) {
            long count = rows - r < GROUP ? rows - r : GROUP;
            pack_group(a + k * a_stride + r, a_stride, count, depth, packed, sums ? sums + r : NULL);
            later_t next = {
                a + (k + depth) * a_stride + r, a_stride, inner - k - depth < INNER ? inner - k - depth : INNER, count};
            if (r + count < rows)
                next = (later_t){
                    a + k * a_stride + r + count, a_stride, depth, rows - r - count < GROUP ? rows - r - count : GROUP};
            product_block(strip, packed, TILE * depth + GAP, 1, TILE, b + k * b_stride, b_stride, c + r * c_stride,
                c_stride, count, columns, depth, accumulate || k > 0, below - r, next);
        }
    }
}

KERNEL void product_transposed(const float *a, long a_stride, const float *b, long b_stride, float *c, long c_stride,
    long rows, long columns, long inner, int accumulate, float *sums) {
    multiply_transposed(a, a_stride, b, b_stride, c, c_stride, rows, columns, inner, accumulate, sums, rows);
}

KERNEL void product_gram(const float *a, long a_stride, float *c, long c_stride, long size, long inner) {
    multiply_transposed(a, a_stride, a, a_stride, c, c_stride, size, size, inner, 0, NULL, 0);
    mirror(c, c_stride, size);
}
