/* Rows over the vocabulary: log-sum-exp, the conditional objective, sampling. */
#include <stdlib.h>
#include <string.h>
#include "harness.h"

/* shape: rows, V, columns */
static uint64_t log_sum_exp_either(const int *shape, int plain) {
  size_t r = (size_t)shape[0], v = (size_t)shape[1];
  float *x = filled(r * v, 31, ORDINARY), *lse = floats(r);
  for (size_t i = 0; i < r * v; i += 5) x[i] = -__builtin_inff();
  (plain ? pk_reference_log_sum_exp : pk_log_sum_exp)(threads, x, v, r, (size_t)shape[2], lse);
  uint64_t hash = hash_floats(HASH_START, lse, r);
  free(x), free(lse);
  return hash;
}
static uint64_t log_sum_exp(const int *shape) { return log_sum_exp_either(shape, 0); }
static uint64_t log_sum_exp_definition(const int *shape) { return log_sum_exp_either(shape, 1); }

/* shape: rows, V, V of the reference, columns of the KL, direction */
static uint64_t loss_either(const int *shape, int plain) {
  size_t r = (size_t)shape[0], v = (size_t)shape[1], rv = (size_t)shape[2];
  float *x = filled(r * v, 32, ORDINARY), *reference = filled(r * rv, 33, ORDINARY);
  float *lm = floats(r), *kl = floats(r), *entropy = floats(r);
  int32_t *labels = malloc((r + 1) * sizeof(int32_t));
  if (!labels) abort();
  for (size_t i = 0; i < r; i++) labels[i] = (int32_t)(random_word(34, i) % v);
  (plain ? pk_reference_conditional_loss : pk_conditional_loss)(threads, x, shape[4] ? reference : NULL, r, v, rv, (size_t)shape[3], labels,
                                                                (pk_kl)shape[4], 0.3f, 0.2f, 0.5f, lm, kl, entropy);
  uint64_t hash = hash_floats(hash_floats(HASH_START, x, r * v), lm, r);
  hash = hash_floats(hash_floats(hash, kl, r), entropy, r);
  free(x), free(reference), free(lm), free(kl), free(entropy), free(labels);
  return hash;
}
static uint64_t loss(const int *shape) { return loss_either(shape, 0); }
static uint64_t loss_definition(const int *shape) { return loss_either(shape, 1); }

/* shape: rows, V */
static uint64_t token_statistics_either(const int *shape, int plain) {
  size_t r = (size_t)shape[0], v = (size_t)shape[1];
  float *x = filled(r * v, 37, ORDINARY), *log_probability = floats(r), *entropy = floats(r);
  int32_t *labels = malloc((r + 1) * sizeof(int32_t));
  if (!labels) abort();
  for (size_t i = 0; i < r; i++) labels[i] = (int32_t)(random_word(38, i) % v);
  for (size_t i = 0; i < r * v; i += 7) if ((size_t)labels[i / v] != i % v) x[i] = -__builtin_inff();
  (plain ? pk_reference_token_statistics : pk_token_statistics)(threads, x, r, v, labels, log_probability, entropy);
  uint64_t hash = hash_floats(hash_floats(hash_floats(HASH_START, x, r * v), log_probability, r), entropy, r);
  free(x), free(log_probability), free(entropy), free(labels);
  return hash;
}
static uint64_t token_statistics(const int *shape) { return token_statistics_either(shape, 0); }
static uint64_t token_statistics_definition(const int *shape) { return token_statistics_either(shape, 1); }

/* shape: rows, V */
static uint64_t cross_entropy_either(const int *shape, int plain) {
  size_t r = (size_t)shape[0], v = (size_t)shape[1];
  float *x = filled(r * v, 39, ORDINARY), *lm = floats(r);
  int32_t *labels = malloc((r + 1) * sizeof(int32_t));
  if (!labels) abort();
  for (size_t i = 0; i < r; i++) labels[i] = (int32_t)(random_word(40, i) % v);
  (plain ? pk_reference_cross_entropy : pk_cross_entropy)(threads, x, r, v, labels, 0.5f, lm);
  uint64_t hash = hash_floats(hash_floats(HASH_START, x, r * v), lm, r);
  free(x), free(lm), free(labels);
  return hash;
}
static uint64_t cross_entropy(const int *shape) { return cross_entropy_either(shape, 0); }
static uint64_t cross_entropy_definition(const int *shape) { return cross_entropy_either(shape, 1); }

/* shape: rows, V; or rows, V, operands */
static uint64_t sample_from(const int *shape, operands kind) {
  size_t r = (size_t)shape[0], v = (size_t)shape[1];
  float *x = filled(r * v, 35, kind);
  double *uniforms = malloc((r + 1) * sizeof(double));
  int32_t *tokens = malloc((r + 1) * sizeof(int32_t));
  pk_sampling *sampling = malloc((r + 1) * sizeof(pk_sampling));
  pk_filter *filters = malloc((4 * r + 1) * sizeof(pk_filter));
  if (!uniforms || !tokens || !sampling || !filters) abort();
  for (size_t i = 0; i < r; i++) {
    /* temperature, then top-k, top-p, min-p, typical-p */
    static const float kinds[][5] = {{0, 0, 1, 0, 1},        {1, 0, 1, 0, 1},    {0.7f, 0, 0.9f, 0, 1}, {1, 3, 1, 0, 1},
                                     {1.5f, 0, 1, 0.05f, 1}, {1, 0, 1, 0, 0.8f}, {0.9f, 20, 0.95f, 0.01f, 0.9f}};
    static const char *const names[] = {"top_k", "top_p", "min_p", "typical_p"};
    sampling[i] = (pk_sampling){kinds[i % 7][0], 4 * (uint32_t)i, 4};
    for (size_t f = 0; f < 4; f++) filters[4 * i + f] = (pk_filter){pk_filter_kernel(names[f]), kinds[i % 7][1 + f]};
    uniforms[i] = ((double)(random_word(36, i) >> 11) + 0.5) / 9007199254740992.0;
  }
  int32_t banned[] = {0, (int32_t)v / 2}, seen[] = {0, (int32_t)v - 1}, counts[] = {0, 3};
  if (r && v > 1) {
    pk_ban(x, banned, 1);
    pk_penalize(threads, x + (r - 1) * v, seen, counts, 2, 1.3f, 0.2f, 0.1f);
  }
  pk_sample(threads, x, r, v, sampling, filters, uniforms, banned, 2, tokens, NULL);
  uint64_t hash = hash_floats(HASH_START, x, r * v);
  for (size_t i = 0; i < r; i++) hash = hash * 31 + (uint64_t)tokens[i];
  free(x), free(uniforms), free(tokens), free(sampling), free(filters);
  return hash;
}
static uint64_t sample(const int *shape) { return sample_from(shape, ORDINARY); }
static uint64_t sample_operands(const int *shape) { return sample_from(shape, (operands)shape[2]); }

void vocabularies(void) {
  static const int sizes[] = {1, 15, 16, 17, 100, 1000};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    int v = sizes[i], less = v > 3 ? v - 3 : v;
    on_every_path("log-sum-exp", (int[]){3, v, less}, 3, log_sum_exp, log_sum_exp_definition);
    on_every_path("loss", (int[]){3, v, v, v, PK_KL_NONE}, 5, loss, loss_definition);
    on_every_path("loss", (int[]){3, v, v, less, PK_KL_REFERENCE_POLICY}, 5, loss, loss_definition);
    on_every_path("loss", (int[]){3, v, less, less, PK_KL_POLICY_REFERENCE}, 5, loss, loss_definition);
    on_every_path("sample", (int[]){14, v}, 2, sample, NULL);
  }
  on_every_path("loss", (int[]){2, 1, 1, 1, PK_KL_REFERENCE_POLICY}, 5, loss, loss_definition);
  on_every_path("loss", (int[]){5, 37, 35, 34, PK_KL_REFERENCE_POLICY}, 5, loss, loss_definition);
  on_every_path("log-sum-exp", (int[]){0, 5, 5}, 3, log_sum_exp, log_sum_exp_definition);
  on_every_path("sample", (int[]){0, 5}, 2, sample, NULL);
  for (int v = 1; v < 40; v += 19) on_every_path("sample", (int[]){14, v, SPECIAL}, 3, sample_operands, NULL);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    on_every_path("token-statistics", (int[]){3, sizes[i]}, 2, token_statistics, token_statistics_definition);
    on_every_path("cross-entropy", (int[]){3, sizes[i]}, 2, cross_entropy, cross_entropy_definition);
  }
  on_every_path("token-statistics", (int[]){0, 5}, 2, token_statistics, token_statistics_definition);
  on_every_path("cross-entropy", (int[]){0, 5}, 2, cross_entropy, cross_entropy_definition);
}
