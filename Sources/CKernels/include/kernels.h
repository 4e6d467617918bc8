// Elementwise, reduction and attention kernels: loops, compiled once for each of three x86-64 levels
// and chosen when the program runs, so that one portable binary runs at the speed of the machine it finds itself on.
//
// Everything is row-major float. Names of dimensions: rows (tokens), d (model width), n (queries of a sentence),
// m (keys of a sentence). Backward functions stand under their forward and take the same arguments in the same order.
#pragma once
#include <stdint.h>

// ---- random numbers ------------------------------------------------------------------------------------------------
/// Names one stream of random numbers. `keep_below` is keep-probability x 65,536; 65,536 and above means "no dropout".
/// Element i of the stream depends on (seed, stream, step, i) alone (Philox 4x32, Salmon et al. 2011).
typedef struct {
    uint64_t seed;
    uint32_t stream;
    uint32_t step;
    uint32_t keep_below;
    float scale;  // 1 / keep-probability
    uint64_t row; // of the stream, that a matrix begins with: rows of a batch drop the same wherever it is cut
} dropout_t;

/// Uniform floats in [0, 1) with 24 bits of randomness.
void random_uniform(float *out, long count, uint64_t seed, uint32_t stream, uint32_t step);

// ---- normalisation -------------------------------------------------------------------------------------------------
/// y = gain (x - mean) rstd + shift, over each row; mean and rstd are kept for the backward pass.
void layer_norm_forward(const float *x, const float *gain, const float *shift, float *y, float *mean, float *rstd,
    long rows, long d, float epsilon);
/// dx += gradient of the input; dgain, dshift += gradients of the parameters.
void layer_norm_backward(const float *x, const float *gain, const float *dy, float *dx, const float *mean,
    const float *rstd, float *dgain, float *dshift, long rows, long d);

// ---- bias, activation, residual ------------------------------------------------------------------------------------
/// x += bias, each row.
void add_bias(float *x, const float *bias, long rows, long d);
/// sums += column sums of x, whose rows are `stride` floats apart: the gradient of a bias, from that of what it was
/// added to.
void add_column_sums(const float *x, long stride, float *sums, long rows, long d);
/// h = dropout(max(0, h + bias)), in place.
void bias_relu_dropout_forward(float *h, const float *bias, long rows, long d, dropout_t dropout);
/// dh *= [h > 0] scale, in place, where h is the forward's result; the gradient of the bias is its column sums.
void bias_relu_dropout_backward(const float *h, float *dh, long rows, long d, dropout_t dropout);
/// y = x + dropout(s + bias).
void residual_forward(
    const float *x, const float *s, const float *bias, float *y, long rows, long d, dropout_t dropout);
/// ds = dropout mask x dy; the gradient of the bias is its column sums, that of x is dy itself.
void residual_backward(const float *dy, float *ds, long rows, long d, dropout_t dropout);

// ---- embedding -----------------------------------------------------------------------------------------------------
/// y[i] = dropout(scale table[id[i]] + positions[position[i]]).
void embedding_forward(const float *table, const int32_t *id, const float *positions, const int32_t *position,
    float scale, float *y, long rows, long d, dropout_t dropout);
/// dtable[id[i]] += scale x mask x dy[i] for the ids from `first` up to `end`; rows are added in order.
void embedding_backward(float *dtable, const int32_t *id, const float *dy, float scale, long first, long end, long rows,
    long d, dropout_t dropout);

// ---- attention -----------------------------------------------------------------------------------------------------
/// Floats of a row of weights, m rounded up to 16; a head needs n of these.
static inline long attention_row(long m) { return (m + 15) & ~15L; }
/// Floats of scratch for either pass.
long attention_scratch(long n, long m, long head);

/// One sentence, all heads: out = dropout(softmax(scale q k^T)) v. Row strides are given apart from widths, so that q,
/// k and v may be columns of one fused projection. `causal` hides keys after the query's own position.
/// weights: [heads, n, row], kept for the backward pass; a dropped weight is stored with its sign bit set.
/// `first` is the index of this sentence's first weight in the dropout stream.
void attention_forward(const float *q, long q_stride, const float *k, const float *v, long kv_stride, float *out,
    long out_stride, float *weights, long n, long m, long heads, long head, int causal, float *scratch,
    dropout_t dropout, uint64_t first);
/// dq, dk, dv are overwritten.
void attention_backward(const float *q, long q_stride, const float *k, const float *v, long kv_stride,
    const float *dout, long out_stride, const float *weights, long n, long m, long heads, long head, float *dq,
    float *dk, float *dv, float *scratch, dropout_t dropout);

// ---- threads -------------------------------------------------------------------------------------------------------
/// What a thread does between two looks at something that another one is about to change.
static inline void pause_briefly(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// ---- memory --------------------------------------------------------------------------------------------------------
/// For the address sanitizer, which sees nothing of what is taken from a block and given back to it: whether it is at
/// work, and from now on nobody may touch these bytes, or all may again. Without it they do nothing.
int memory_is_watched(void);
void memory_forbid(const void *start, long bytes);
void memory_allow(const void *start, long bytes);

// ---- limits --------------------------------------------------------------------------------------------------------
/// Does nothing but multiply-adds in registers, of the kind that products are made of, and returns how many: none where
/// the processor has no instructions for bytes. sums: 32 numbers, whose values are of no account.
long float_multiply_adds(long rounds, float *sums);
long byte_multiply_adds(long rounds, float *sums);

// ---- loss ----------------------------------------------------------------------------------------------------------
/// Label-smoothed cross-entropy over `vocabulary` classes:
///   q = (1 - smoothing) onehot(label) + smoothing / vocabulary,   loss = -sum_c q_c log softmax(logits + bias)_c.
/// Returns the summed loss; the summed negative log-likelihood of the labels is added to *nll. Where a gradient is
/// asked for, logits become (softmax - q) x gradient_scale; else they are left undefined. That of the bias is its
/// column sums.
double cross_entropy(float *logits, const float *bias, const int32_t *label, long rows, long vocabulary,
    float smoothing, float gradient_scale, int gradient, double *nll);

enum { MOST_LIKELIEST = 64 };
/// What a teacher says of each row: its likeliest classes, at most MOST_LIKELIEST, with their probabilities
/// [rows, likeliest] at this temperature. All others are one class, with what is left of 1.
typedef struct {
    const int32_t *ids;
    const float *probabilities;
    long likeliest;
    float alpha, temperature; // T
} teacher_t;

/// The loss of a model that is taught (Hinton et al. 2015), arguments as above:
///   alpha T^2 KL(p, s) + (1 - alpha) cross-entropy,   s = softmax((logits + bias) / T), the others' summed.
double taught_cross_entropy(float *logits, const float *bias, const int32_t *label, teacher_t teacher, long rows,
    long vocabulary, float smoothing, float gradient_scale, int gradient, double *nll);

/// Returns scale x |x_r - target_r|^2 summed over rows; dx += gradient_scale (x - target).
double match_rows(
    const float *x, const float *target, float *dx, long rows, long width, double scale, float gradient_scale);

// ---- optimiser -----------------------------------------------------------------------------------------------------
typedef struct {
    float rate, beta1, beta2, epsilon;
    float correction1, correction2; // 1 - beta^t
    float decay;                    // decoupled weight decay, already multiplied by the rate
} adam_t;
/// Adam (Kingma & Ba 2015) with decoupled decay on `count` weights.
void adam_step(float *weights, float *moment1, float *moment2, const float *gradient, long count, adam_t adam);
/// u = b u + (1 - b) g and, where it points next (Nesterov's form of momentum), y = b u + (1 - b) g. Returns sum y^2.
double momentum_step(float *moment, const float *gradient, float *y, long count, float b);
/// y = a x + b y.
void blend(float *y, const float *x, long count, float a, float b);
/// y = a I + b x + c y, [n, n] without gaps.
void polynomial(const float *x, float *y, long n, float a, float b, float c);
/// y = x^T, x [rows, columns].
void transpose_rows(const float *x, float *y, long rows, long columns);
/// sum x^2, in double precision.
double sum_of_squares(const float *x, long count);

// ---- machine -------------------------------------------------------------------------------------------------------
/// Cores that this process may be scheduled on, of those that are there; 0 where the system does not say.
long scheduled_cores(void);

// ---- conversion ----------------------------------------------------------------------------------------------------
void float_to_half(const float *x, uint16_t *y, long count);
void half_to_float(const uint16_t *x, float *y, long count);
