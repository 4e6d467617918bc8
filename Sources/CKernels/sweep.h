// Sums over tokens, for LANES columns at a time; linear.h includes this once for every number of LANES.
// `height` of a block, `together`, `adds` and `reads` are constants wherever this is inlined.

#define JOIN(a, b) a##b
#define NAMED(name, lanes) JOIN(name, lanes)
#define VECTOR NAMED(lanes_, LANES)

typedef float VECTOR __attribute__((vector_size(4 * LANES), aligned(4)));

/// `height` rows of sums stay in registers while rows of tokens pass by.
INLINE void NAMED(sweep_block_, LANES)(
    const long height, const int adds, const int reads, linear_t l, float *sums, long count) {
    VECTOR s[HEIGHT];
    for (long b = 0; b < height; b++) s[b] = reads && !adds ? *(VECTOR *)(sums + b * l.width) : (VECTOR){0};
    for (long i = 0; i < count; i++) {
        if (adds) {
            VECTOR row = *(const VECTOR *)(l.u.at + i * l.u.stride);
            for (long b = 0; b < height; b++) s[b] += l.x.at[i * l.x.stride + b] * row;
        }
        if (reads) {
            VECTOR row = l.onto ? *(VECTOR *)(l.o + i * l.o_stride) : (VECTOR){0};
            for (long b = 0; b < height; b++) row += l.y.at[i * l.y.stride + b] * s[b];
            *(VECTOR *)(l.o + i * l.o_stride) = row;
        }
    }
    for (long b = 0; b < height && adds && !reads; b++) *(VECTOR *)(sums + b * l.width) = s[b];
}

/// All rows of sums, for the columns from c on as far as LANES fill them; returns the first column left.
INLINE long NAMED(sweep_columns_, LANES)(long c, const int adds, const int reads, linear_t l, float *sums, long count) {
    for (; c + LANES <= l.width; c += LANES) {
        long r = 0;
        for (; r + HEIGHT <= l.height; r += HEIGHT)
            NAMED(sweep_block_, LANES)(HEIGHT, adds, reads, part(l, r, c), at(l, sums, r, c), count);
        for (; r < l.height; r++) NAMED(sweep_block_, LANES)(1, adds, reads, part(l, r, c), at(l, sums, r, c), count);
    }
    return c;
}

/// The columns from c on as far as LANES fill them, of `together` heads of a token; returns the first column left.
INLINE long NAMED(step_columns_, LANES)(
    long c, const long together, const int adds, const head_t *heads, long height, long width) {
    for (; c + LANES <= width; c += LANES) {
        VECTOR o[TOGETHER], u[TOGETHER];
        for (long b = 0; b < together; b++) {
            o[b] = (VECTOR){0};
            if (adds) u[b] = *(const VECTOR *)(heads[b].u + c);
        }
        for (long r = 0; r < height; r++)
            for (long b = 0; b < together; b++) {
                VECTOR *sum = (VECTOR *)(heads[b].sums + r * width + c), row = *sum;
                if (adds) *sum = row += heads[b].x[r] * u[b];
                o[b] += heads[b].y[r] * row;
            }
        for (long b = 0; b < together; b++) *(VECTOR *)(heads[b].o + c) = o[b];
    }
    return c;
}

#undef VECTOR
#undef NAMED
#undef JOIN
#undef LANES
