// Mixers: what stands for attention without comparing any two tokens. Per sentence, per head of `value` columns with K
// slots, m tokens that are read (j) and n that ask (i):
//     alpha_jk = softmax over j of a_jk                 pooling logits, given
//     M_k      = sum_j alpha_jk v_j                     pooled values
//     p_ik     = softmax over k of z_ik                 reading logits: given, or, where key > 0,
//     z_ik     = q_i . kappa_k / sqrt(key) + b_k        with pooled keys kappa_k = sum_j alpha_jk k_j
//     y_i      = sum_k p_ik M_k
// (HyperMixer, Mai et al. 2023; efficient attention, Shen et al. 2021; with keys: bounded-memory attention, Peng et al.
// 2022.) A causal mixer, n = m, pools for each position i over j <= i, with weights exp(a_jk) / sum_{j <= i} exp(a_jk),
// a limited to +-30 (the gradient of what is cut off is 0): the maximum of a sentence would tell of tokens to come.
//
// Time and memory are in proportion to n + m. A sentence's result depends on that sentence alone, to the last bit.
#pragma once
#include "kernels.h"

typedef struct {
    long heads, slots, value, key; // key: columns of a head's queries and keys; 0 where the reading logits are given
    int shared;                    // all heads pool with the same weights: a has `slots` columns, not heads x slots
    int causal;
} mixer_t;

/// Rows of tokens, `stride` floats from one to the next, that do not overlap. Head h has the columns from h x slots,
/// h x value, h x key on. Whatever pools or reads puts weights in the place of the logits that it was given.
typedef struct {
    float *pooling; // a [m, heads x slots], or [m, slots] where shared
    long pooling_stride;
    float *value; // v [m, heads x value]
    long value_stride;
    float *key; // k [m, heads x key]; not read where key == 0
    long key_stride;
    float *reading; // z [n, heads x slots] where key == 0, else q [n, heads x key]
    long reading_stride;
    const float *bias; // b [heads, slots]; not read where key == 0
} mixer_rows_t;

/// Floats that one sentence keeps for its backward pass, and floats of scratch for any of the functions below.
/// `mixer_pool` has n = 0; `mixer_step` and `mixer_read` need as much as (0, 1), for any number of rows.
long mixer_tape(mixer_t mixer, long n);
long mixer_scratch(mixer_t mixer, long n, long m);

/// One sentence: out [n, heads x value] = y; zero where nothing is read (m = 0).
void mixer_forward(
    mixer_t mixer, mixer_rows_t in, long n, long m, float *out, long out_stride, float *tape, float *scratch);
/// Rows and tape are those that `mixer_forward` has left; each row becomes its gradient, dbias += that of the bias
/// (not looked at where key == 0).
void mixer_backward(mixer_t mixer, mixer_rows_t in, long n, long m, const float *dout, long out_stride,
    const float *tape, float *dbias, float *scratch);

// ---- translation ---------------------------------------------------------------------------------------------------
/// Floats of what a causal mixer knows of a hypothesis: sums of weights, of weighted keys and of weighted values.
/// Zeros: nothing yet.
long mixer_state(mixer_t mixer);
/// The next position of every hypothesis: takes the token of row r into the state at places[r] (r if NULL) and reads,
/// with the very bits that `mixer_forward` gives that position.
void mixer_step(mixer_t mixer, mixer_rows_t in, long rows, float *states, const int32_t *places, float *out,
    long out_stride, float *scratch);

/// Floats of the pooled keys and values of one sentence.
long mixer_pooled(mixer_t mixer);
/// Pools a whole sentence of m tokens, once, for `mixer_read`; `reading` and `bias` are not looked at.
void mixer_pool(mixer_t mixer, mixer_rows_t in, long m, float *pooled, float *scratch);
/// Row r reads the sentence at places[r] (r if NULL), with the very bits that `mixer_forward` gives; only `reading` and
/// `bias` are looked at.
void mixer_read(mixer_t mixer, mixer_rows_t in, long rows, const float *pooled, const int32_t *places, float *out,
    long out_stride, float *scratch);
