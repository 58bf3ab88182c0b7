#ifndef CKERNELS_H
#define CKERNELS_H

/* The arithmetic of Plumb. docs/arithmetic.md says what every function promises about its bits:
   results are a function of the operands only, never of threads, tile sizes, batch or instruction set.

   Letters: M rows, N columns, K reduction, T tokens, C channels, D head dimension, H heads, V vocabulary.
   All matrices are row-major. `float` is fp32; bf16 values are carried as uint16_t. */

#include <stddef.h>
#include <stdint.h>

/* ---- threads (pool.c) ----
   Operations take as `threads` how many work on them, from one pool of the process; 1 or less: the caller alone. Changes no
   result. */

/* ---- instruction sets (isa.c) ---- */

/* Instruction-set paths, best last. */
typedef enum { PK_PORTABLE = 0, PK_AVX2 = 1, PK_AVX512 = 2, PK_AVX512BF16 = 3, PK_AMX = 4 } pk_isa;
/* Whether this machine can run the path. On aarch64 the portable path is the only one: it is compiled to NEON, which every
   such processor has. */
int pk_isa_available(pk_isa isa);
/* Chooses a path; returns 0 if the machine lacks it. At start the best available one, or the one
   named by PLUMB_ISA (portable, avx2, avx512, avx512bf16, amx), without which the process ends. */
int pk_select_isa(pk_isa isa);
pk_isa pk_selected_isa(void);
const char *pk_isa_name(pk_isa isa);

/* ---- number types ---- */

/* From PK_I8 on for packed weights alone: integers that mode `int8` rounds to, and those of the blocks of a GGUF file. */
typedef enum {
  PK_F32 = 0, PK_BF16 = 1, PK_I8 = 2,
  PK_Q8_0 = 3, PK_Q4_0 = 4, PK_Q4_1 = 5, PK_Q5_0 = 6, PK_Q5_1 = 7, PK_Q4_K = 8, PK_Q5_K = 9, PK_Q6_K = 10
} pk_type;

void pk_widen_bf16(const uint16_t *x, float *out, size_t n);
/* Stores fp32 values as `type`, rounded to nearest even; NaN stays NaN. */
void pk_store(int threads, const float *x, void *out, pk_type type, size_t n);

/* ---- matrix product (gemm.h) ----
   Every product is defined block by block over K: blocks of at most 32 terms, each summed in two fp32
   fused-multiply-add chains from +0 (terms at even and at odd places of the block), then acc += even + odd.
   Places past the end of a block are zeros, which matters only to the sign of a zero. Subnormals are zero. This is what AMX
   tiles compute for bf16; fp32 operands use the same order. */

/* One block of the reduction: `length` terms starting at index `start` of A's reduction axis. */
typedef struct { size_t start, length; } pk_block;

/* Elements (of `type`) needed to pack B with `columns` and these blocks. */
size_t pk_packed_count(size_t columns, const pk_block *blocks, size_t block_count);
/* Packs B for pk_gemm. Element (k, n) is at b[k * reduction_stride + n * column_stride];
   the source is fp32 and is rounded when type is bf16. */
void pk_pack_f32(int threads, const float *b, ptrdiff_t reduction_stride, ptrdiff_t column_stride, size_t columns,
                 const pk_block *blocks, size_t block_count, pk_type type, void *packed);
/* The same from a source already of `type`. */
void pk_pack(int threads, const void *b, ptrdiff_t reduction_stride, ptrdiff_t column_stride, size_t columns,
             const pk_block *blocks, size_t block_count, pk_type type, void *packed);

/* Packs B as integers of 8 bits (int8.c). A block's terms in a column share a scale, the largest of their sizes / 127; an
   integer is term / scale, rounded to nearest even. A scale of 0 has integers 0; a block with a number that is not finite has
   the scale NaN and integers 0. */
void pk_pack_int8(int threads, const float *b, ptrdiff_t reduction_stride, ptrdiff_t column_stride, size_t columns,
                  const pk_block *blocks, size_t block_count, void *packed);
size_t pk_packed_int8_bytes(size_t columns, const pk_block *blocks, size_t block_count);

/* Packs columns [first, end) of B from the rows of a file, each k / terms blocks of `type` (file_blocks.c). Column n is row
   `order[n]` of the file, or row n where there is no order. `first` is a multiple of 16, `packed` where the first column lies.
   The integers are the file's; scales and minima are in binary32 what the file's numbers give, exactly. */
void pk_pack_file(int threads, pk_type type, const void *rows, const uint32_t *order, size_t first, size_t end, size_t k,
                  void *packed);
size_t pk_packed_file_bytes(pk_type type, size_t columns, size_t k);
/* What a format's block is in a file, in terms and in bytes; and the terms of a block of the reduction. */
size_t pk_file_terms(pk_type type);
size_t pk_file_bytes(pk_type type);
size_t pk_reduction_terms(pk_type type);

/* x sigmoid(x); x times the normal distribution up to x; the same with tanh's approximation of it. */
typedef enum { PK_SILU = 0, PK_GELU = 1, PK_GELU_TANH = 2 } pk_activation;

/* What a product's elements go through while they are at hand, each step where its pointer is not NULL. Rows of `up` and `out`
   lie as far apart as those of C. */
typedef struct {
  const float *bias; /* [N]: C[m, n] += bias[n] */
  void *out;         /* then out[m, n] = f(C[m, n]) * up[m, n], of `type`; f(C[m, n]) where up is NULL */
  const float *up;
  pk_activation f;
  pk_type type;
} pk_epilogue;

/* C[m, n] = (accumulate ? C[m, n] : 0) + sum over blocks of A[m, k] B[k, n]; then the epilogue, unless NULL.
   A element (m, k) is at a[m * row_stride + k * reduction_stride] and of `type`, as packed B is. From PK_I8 on A is of bf16, a
   block sums A times the integers, and acc = fma(scale, even + odd, acc); where the format has minima, acc = fma(minimum, sum,
   acc) follows, with the block's terms of A summed in two chains as well. Blocks are then pk_reduction_terms long. */
void pk_gemm(int threads, const void *a, ptrdiff_t row_stride, ptrdiff_t reduction_stride, const void *packed,
             pk_type type, float *c, size_t c_stride, size_t m, size_t n, const pk_block *blocks,
             size_t block_count, int accumulate, const pk_epilogue *epilogue);

/* ---- row operations ---- */

/* out[t] = table[ids[t]]; rows of C values of `type`. */
void pk_gather(int threads, const void *table, pk_type type, const int32_t *ids, float *out, size_t t, size_t c);
/* table[ids[t]] += rows[t], t ascending. */
void pk_scatter_add(int threads, float *table, const int32_t *ids, const float *rows, size_t t, size_t c);
/* x = value */
void pk_fill(int threads, float *x, float value, size_t n);
/* x += y */
void pk_add(int threads, float *x, const float *y, size_t n);

/* RMS norm. y = x * rstd * w with rstd = 1 / sqrt(mean(x^2) + eps). x: [T, C]; out: [T, C] of `type`; rstd: [T]. */
void pk_rms_norm(int threads, const float *x, const float *w, float eps, void *out, pk_type type, float *rstd, size_t t,
                 size_t c);
/* dx += dL/dx; dw += dL/dw (tokens ascending) unless dw is NULL. */
void pk_rms_norm_backward(int threads, const float *x, const float *w, const float *rstd, const float *dy, float *dx,
                          float *dw, size_t t, size_t c);

/* Layer norm. y = (x - mean) * rstd * w + b with rstd = 1 / sqrt(mean((x - mean)^2) + eps). mean, rstd: [T] or NULL. */
void pk_layer_norm(int threads, const float *x, const float *w, const float *b, float eps, void *out, pk_type type, float *mean,
                   float *rstd, size_t t, size_t c);
/* dx += dL/dx; dw += dL/dw and db += dL/db (tokens ascending) unless both are NULL. */
void pk_layer_norm_backward(int threads, const float *x, const float *w, const float *mean, const float *rstd, const float *dy,
                            float *dx, float *dw, float *db, size_t t, size_t c);

/* db[n] += dy[t, n], t ascending. */
void pk_bias_gradient(int threads, const float *dy, float *db, size_t t, size_t n);

/* Fills cosine and sine, each [positions, D/2], of position * base^(-2i/D) from position `first` on, angles rounded to fp32.
   D, how many elements of a head turn, is even, base at least 1. */
void pk_rotary_table(float base, size_t first, size_t positions, size_t d, float *cosine, float *sine);

/* out = f(gate) * up, or f(gate) where up is NULL, of `type`. */
void pk_activation_forward(int threads, pk_activation f, const float *gate, const float *up, void *out, pk_type type, size_t n);
/* Overwrites gate, and up where there is one, by their gradients. */
void pk_activation_backward(int threads, pk_activation f, float *gate, float *up, const float *dout, size_t n);

/* ---- attention (attention.h, attention_rows.h) ----
   Causal, grouped heads. Keys are visited in blocks of 64 that start at absolute position 0. */

enum { PK_PAGE = 32, PK_MAX_HEAD = 512 };

/* One query: it sits at `position` of its sequence and sees keys 0 ... position. Key j of key-value head g is
   at pages[j / PK_PAGE] + key_offset bytes + (j % PK_PAGE) * kv_stride + g * D elements; values alike. */
typedef struct {
  const void *const *pages;
  int32_t position;
} pk_query;

/* Where one layer's keys and values lie. */
typedef struct {
  size_t kv_heads, kv_stride;     /* stride in elements from one position to the next */
  size_t key_offset, value_offset; /* bytes from a page's start */
  pk_type type;
} pk_kv_layout;

/* How a query weighs the keys it sees. */
typedef struct {
  float scale;    /* score = scale * q . k */
  float cap;      /* then cap * tanh(score / cap); 0: off */
  int32_t window; /* sees itself and the window - 1 keys before it; 0: all */
  /* The first R elements of queries and keys turn in pairs (i, i + R/2), or (2i, 2i + 1) where interleaved, by the angles of their
     positions: [positions, R/2], or NULL: as they are. */
  const float *cosine, *sine;
  int32_t turned; /* R, even; 0: D */
  int interleaved;
} pk_attention_rule;

/* q: [T, H * D] fp32; out: [T, H * D] fp32; lse: [T, H] or NULL. D is even, 2 to PK_MAX_HEAD. */
void pk_attention(int threads, const float *q, const pk_query *queries, size_t t, size_t heads, size_t d,
                  const pk_kv_layout *layout, const pk_attention_rule *rule, float *out, float *lse);
/* Stores row t of keys and of values, kv_heads * D floats each, at position queries[t].position of its pages; keys turned as
   the rule says. */
void pk_store_kv(int threads, const float *keys, const float *values, const pk_query *queries, size_t t, size_t d,
                 const pk_kv_layout *layout, const pk_attention_rule *rule);
/* Backward over whole packed sequences. starts: [sequences + 1] token offsets. k, v: [T, kv_heads * D] of kv_type, k as stored.
   Writes dq: [T, H * D], dk and dv: [T, kv_heads * D], all fp32; dq and dk are those of queries and keys before they turn. */
void pk_attention_backward(int threads, const float *q, const void *k, const void *v, const float *out, const float *lse,
                           const float *dout, const int32_t *starts, size_t sequences, size_t heads,
                           size_t kv_heads, size_t d, pk_type kv_type, const pk_attention_rule *rule, float *dq,
                           float *dk, float *dv);

/* ---- vocabulary rows (softmax.h) ---- */

/* Per row: lse[r] = log sum exp over the first `columns` of the row. */
void pk_log_sum_exp(int threads, const float *logits, size_t stride, size_t rows, size_t columns, float *lse);

/* Per row of logits [R, V]: the log-probability of its label, and the entropy of its distribution; nats. */
void pk_token_statistics(int threads, const float *logits, size_t rows, size_t v, const int32_t *labels, float *log_probability,
                         float *entropy);

/* lm[r] = -log p(label) of each row of logits [R, V], which are overwritten by scale * d lm / d logits. */
void pk_cross_entropy(int threads, float *logits, size_t rows, size_t v, const int32_t *labels, float scale, float *lm);

typedef enum { PK_KL_NONE = 0, PK_KL_REFERENCE_POLICY = 1, PK_KL_POLICY_REFERENCE = 2 } pk_kl;

/* The conditional objective on rows of logits: lm + beta * KL - alpha * H, each row scaled by `scale`.
   logits: [R, V], overwritten by dL/dlogits. reference: [R, V_ref] logits or NULL; the KL compares the first
   `kl_columns` columns of both, renormalised. lm, kl, entropy: [R], unscaled values. */
void pk_conditional_loss(int threads, float *logits, const float *reference, size_t rows, size_t v, size_t reference_v,
                         size_t kl_columns, const int32_t *labels, pk_kl direction, float beta, float alpha,
                         float scale, float *lm, float *kl, float *entropy);

/* ---- sampling (sample.c) ---- */

/* A filter by its kernel, at a value. */
typedef struct {
  int32_t kernel;
  float value;
} pk_filter;

/* The kernel of the filter of this name; -1 where there is none. */
int32_t pk_filter_kernel(const char *name);

/* How the token of a row is chosen: its filters, in the order in which they apply, are filter_count from first_filter on. */
typedef struct {
  float temperature; /* 0: greedy, lowest id wins ties */
  uint32_t first_filter, filter_count;
} pk_sampling;

/* Chooses one token per row, -1 where none is left, -2 where a logit is NaN or +infinity. uniforms: [R] in (0, 1). Tokens in banned
   never come. probabilities: [R], of each token in the distribution that it was drawn from, 1 where that is greedy; or NULL. */
void pk_sample(int threads, const float *logits, size_t rows, size_t v, const pk_sampling *sampling, const pk_filter *filters,
               const double *uniforms, const int32_t *banned, size_t banned_count, int32_t *tokens, double *probabilities);
/* One row of logits: these tokens cannot come. */
void pk_ban(float *logits, const int32_t *tokens, size_t n);
/* One row of logits: x / repetition above 0, else x * repetition; then - presence - frequency * count where count > 0.
   tokens: [N], each once. */
void pk_penalize(int threads, float *logits, const int32_t *tokens, const int32_t *counts, size_t n, float repetition,
                 float presence, float frequency);

/* ---- optimizers (optimizer.h) ---- */

typedef struct { float lr, beta1, beta2, eps, weight_decay, l2, bias1, bias2, gradient_scale; } pk_adamw_step;
/* p, m, v in place; bias1 = 1 - beta1^step, bias2 = 1 - beta2^step. weight_decay is decoupled; l2 * p is added to the gradient. */
void pk_adamw(int threads, float *p, float *m, float *v, const float *g, size_t n, const pk_adamw_step *step);
typedef struct { float lr, alpha, eps, l2, gradient_scale; } pk_rmsprop_step;
/* p, v in place: v = alpha v + (1 - alpha) g^2, p -= lr g / (sqrt(v) + eps); l2 * p is added to the gradient. */
void pk_rmsprop(int threads, float *p, float *v, const float *g, size_t n, const pk_rmsprop_step *step);
/* Sum of squares in double over fp32 values: chunks of 65536, each 16 lanes and one tree; chunks serially. */
double pk_sum_of_squares(int threads, const float *x, size_t n);

/* ---- random numbers (philox.c) ---- */

/* Philox 4x32-10. */
void pk_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* ---- element functions (elements.h, scalar.c) ----
   Subnormals are zero. How far from the exact result, over all floats: docs/arithmetic.md. */

float pk_exp(float x);
float pk_log(float x);
float pk_tanh(float x);
float pk_erf(float x);

typedef enum { PK_EXP = 0, PK_TANH = 1, PK_ERF = 2 } pk_function;
/* out = f(x), the bits of the above. */
void pk_map(int threads, pk_function f, const float *x, float *out, size_t n);

/* ---- naive references (reference.c, reference_rows.c): the definitions in plain scalar loops, of what has a fast version on
   more than one path. Gathering, rotary positions, sampling and random numbers are plain loops themselves. ---- */

void pk_reference_gemm(int threads, const void *a, ptrdiff_t row_stride, ptrdiff_t reduction_stride, const void *b,
                       ptrdiff_t b_reduction_stride, ptrdiff_t b_column_stride, pk_type type, float *c,
                       size_t c_stride, size_t m, size_t n, const pk_block *blocks, size_t block_count,
                       int accumulate);
/* B is fp32 and not packed: the definition rounds it itself. */
void pk_reference_gemm_int8(int threads, const uint16_t *a, ptrdiff_t row_stride, ptrdiff_t reduction_stride, const float *b,
                            ptrdiff_t b_reduction_stride, ptrdiff_t b_column_stride, float *c, size_t c_stride,
                            size_t m, size_t n, const pk_block *blocks, size_t block_count, int accumulate);
/* B is as a file has it: row n are the blocks of column n. */
void pk_reference_gemm_file(int threads, const uint16_t *a, ptrdiff_t row_stride, ptrdiff_t reduction_stride, pk_type type,
                            const void *rows, float *c, size_t c_stride, size_t m, size_t n, size_t k, int accumulate);
void pk_reference_attention(int threads, const float *q, const pk_query *queries, size_t t, size_t heads, size_t d,
                            const pk_kv_layout *layout, const pk_attention_rule *rule, float *out, float *lse);
void pk_reference_attention_backward(int threads, const float *q, const void *k, const void *v, const float *out,
                                     const float *lse, const float *dout, const int32_t *starts,
                                     size_t sequences, size_t heads, size_t kv_heads, size_t d, pk_type kv_type,
                                     const pk_attention_rule *rule, float *dq, float *dk, float *dv);
void pk_reference_store(int threads, const float *x, void *out, pk_type type, size_t n);
void pk_reference_rms_norm(int threads, const float *x, const float *w, float eps, void *out, pk_type type, float *rstd,
                           size_t t, size_t c);
void pk_reference_rms_norm_backward(int threads, const float *x, const float *w, const float *rstd, const float *dy, float *dx,
                                    float *dw, size_t t, size_t c);
void pk_reference_layer_norm(int threads, const float *x, const float *w, const float *b, float eps, void *out, pk_type type,
                             float *mean, float *rstd, size_t t, size_t c);
void pk_reference_layer_norm_backward(int threads, const float *x, const float *w, const float *mean, const float *rstd,
                                      const float *dy, float *dx, float *dw, float *db, size_t t, size_t c);
void pk_reference_bias_gradient(int threads, const float *dy, float *db, size_t t, size_t n);
void pk_reference_activation_forward(int threads, pk_activation f, const float *gate, const float *up, void *out, pk_type type,
                                     size_t n);
void pk_reference_activation_backward(int threads, pk_activation f, float *gate, float *up, const float *dout, size_t n);
void pk_reference_log_sum_exp(int threads, const float *logits, size_t stride, size_t rows, size_t columns, float *lse);
void pk_reference_token_statistics(int threads, const float *logits, size_t rows, size_t v, const int32_t *labels,
                                   float *log_probability, float *entropy);
void pk_reference_cross_entropy(int threads, float *logits, size_t rows, size_t v, const int32_t *labels, float scale, float *lm);
void pk_reference_conditional_loss(int threads, float *logits, const float *reference, size_t rows, size_t v,
                                   size_t reference_v, size_t kl_columns, const int32_t *labels, pk_kl direction,
                                   float beta, float alpha, float scale, float *lm, float *kl, float *entropy);
void pk_reference_adamw(int threads, float *p, float *m, float *v, const float *g, size_t n, const pk_adamw_step *step);
void pk_reference_rmsprop(int threads, float *p, float *v, const float *g, size_t n, const pk_rmsprop_step *step);
double pk_reference_sum_of_squares(int threads, const float *x, size_t n);

#endif
