/* Rows and flat arrays: number types, embedding, norms, gates, rotary angles, optimizer. */
#include <stdlib.h>
#include <string.h>
#include "harness.h"

/* Each with its definition: `plain` says which of the two. */
#define BOTH(name)                                                           \
  static uint64_t name(const int *shape) { return name##_either(shape, 0); } \
  static uint64_t name##_definition(const int *shape) { return name##_either(shape, 1); }

/* shape: n, operands */
static uint64_t store_either(const int *shape, int plain) {
  size_t n = (size_t)shape[0];
  float *x = filled(n, 4, (operands)shape[1]), *y = filled(n, 5, (operands)shape[1]), *wide = floats(n);
  uint16_t *half = stored(x, n, PK_F32);
  (plain ? pk_reference_store : pk_store)(threads, x, half, PK_BF16, n);
  pk_widen_bf16(half, wide, n);
  uint64_t hash = hash_floats(hash_typed(HASH_START, half, PK_BF16, n), wide, n);
  pk_add(threads, x, y, n);
  hash = hash_floats(hash, x, n);
  free(x), free(y), free(wide), free(half);
  return hash;
}
BOTH(store)

/* shape: n, floats past an aligned place */
static uint64_t filling_either(const int *shape, int plain) {
  size_t n = (size_t)shape[0], offset = (size_t)shape[1], all = n + offset + 5;
  float *x = filled(all, 4, LEAST);
  if (plain) for (size_t i = 0; i < n; i++) x[offset + i] = 2.5f;
  else pk_fill(threads, x + offset, 2.5f, n);
  uint64_t hash = hash_floats(HASH_START, x, all);
  free(x);
  return hash;
}
BOTH(filling)

/* shape: T, C, type */
static uint64_t embedding(const int *shape) {
  size_t t = (size_t)shape[0], c = (size_t)shape[1];
  pk_type type = (pk_type)shape[2];
  enum { ROWS = 7 };
  float *table = filled(ROWS * c, 6, LEAST), *rows = floats(t * c);
  void *typed = stored(table, ROWS * c, type);
  int32_t *ids = malloc((t + 1) * sizeof(int32_t));
  if (!ids) abort();
  for (size_t i = 0; i < t; i++) ids[i] = (int32_t)(random_word(7, i) % ROWS);
  pk_gather(threads, typed, type, ids, rows, t, c);
  uint64_t hash = hash_floats(HASH_START, rows, t * c);
  pk_scatter_add(threads, table, ids, rows, t, c);
  hash = hash_floats(hash, table, ROWS * c);
  free(table), free(rows), free(typed), free(ids);
  return hash;
}

/* shape: T, C, type */
static uint64_t norm_either(const int *shape, int plain) {
  size_t t = (size_t)shape[0], c = (size_t)shape[1];
  pk_type type = (pk_type)shape[2];
  float *x = filled(t * c, 8, ORDINARY), *w = filled(c, 9, ORDINARY), *dy = filled(t * c, 10, ORDINARY);
  float *dx = filled(t * c, 11, ORDINARY), *dw = filled(c, 12, ORDINARY), *rstd = floats(t);
  void *out = stored(x, t * c, type);
  (plain ? pk_reference_rms_norm : pk_rms_norm)(threads, x, w, 1e-5f, out, type, rstd, t, c);
  (plain ? pk_reference_rms_norm_backward : pk_rms_norm_backward)(threads, x, w, rstd, dy, dx, dw, t, c);
  uint64_t hash = hash_floats(hash_typed(HASH_START, out, type, t * c), rstd, t);
  hash = hash_floats(hash_floats(hash, dx, t * c), dw, c);
  free(x), free(w), free(dy), free(dx), free(dw), free(rstd), free(out);
  return hash;
}
BOTH(norm)

/* shape: T, C, type */
static uint64_t layer_norm_either(const int *shape, int plain) {
  size_t t = (size_t)shape[0], c = (size_t)shape[1];
  pk_type type = (pk_type)shape[2];
  float *x = filled(t * c, 50, ORDINARY), *w = filled(c, 51, ORDINARY), *b = filled(c, 52, ORDINARY);
  float *dy = filled(t * c, 53, ORDINARY), *dx = filled(t * c, 54, ORDINARY), *dw = filled(c, 55, ORDINARY);
  float *db = filled(c, 56, ORDINARY), *mean = floats(t), *rstd = floats(t);
  void *out = stored(x, t * c, type);
  (plain ? pk_reference_layer_norm : pk_layer_norm)(threads, x, w, b, 1e-5f, out, type, mean, rstd, t, c);
  (plain ? pk_reference_layer_norm_backward : pk_layer_norm_backward)(threads, x, w, mean, rstd, dy, dx, dw, db, t, c);
  uint64_t hash = hash_floats(hash_floats(hash_typed(HASH_START, out, type, t * c), mean, t), rstd, t);
  hash = hash_floats(hash_floats(hash_floats(hash, dx, t * c), dw, c), db, c);
  free(x), free(w), free(b), free(dy), free(dx), free(dw), free(db), free(mean), free(rstd), free(out);
  return hash;
}
BOTH(layer_norm)

/* shape: T, N, operands */
static uint64_t bias_either(const int *shape, int plain) {
  size_t t = (size_t)shape[0], n = (size_t)shape[1];
  float *dy = filled(t * n, 57, (operands)shape[2]), *db = filled(n, 58, (operands)shape[2]);
  (plain ? pk_reference_bias_gradient : pk_bias_gradient)(threads, dy, db, t, n);
  uint64_t hash = hash_floats(HASH_START, db, n);
  free(dy), free(db);
  return hash;
}
BOTH(bias)

/* shape: n, type, operands, function + 10 * without the other factor */
static uint64_t activation_either(const int *shape, int plain) {
  size_t n = (size_t)shape[0];
  pk_type type = (pk_type)shape[1];
  pk_activation f = (pk_activation)(shape[3] % 10);
  float *g = filled(n, 13, (operands)shape[2]), *up = filled(n, 14, (operands)shape[2]), *d = filled(n, 15, ORDINARY);
  void *out = stored(g, n, type);
  float *factor = shape[3] < 10 ? up : NULL;
  (plain ? pk_reference_activation_forward : pk_activation_forward)(threads, f, g, factor, out, type, n);
  uint64_t hash = hash_typed(HASH_START, out, type, n);
  (plain ? pk_reference_activation_backward : pk_activation_backward)(threads, f, g, factor, d, n);
  hash = hash_floats(hash_floats(hash, g, n), up, n);
  free(g), free(up), free(d), free(out);
  return hash;
}
BOTH(activation)

/* shape: positions, D */
static uint64_t rotary(const int *shape) {
  size_t n = (size_t)shape[0] * (size_t)shape[1] / 2;
  float *cosine = floats(n), *sine = floats(n);
  pk_rotary_table(10000, 0, (size_t)shape[0], (size_t)shape[1], cosine, sine);
  uint64_t hash = hash_floats(hash_floats(HASH_START, cosine, n), sine, n);
  free(cosine), free(sine);
  return hash;
}

/* shape: n */
static uint64_t optimizer_either(const int *shape, int plain) {
  size_t n = (size_t)shape[0];
  float *p = filled(n, 18, ORDINARY), *m = filled(n, 19, SMALL), *v = filled(n, 20, SMALL), *g = filled(n, 21, ORDINARY);
  for (size_t i = 0; i < n; i++) v[i] = v[i] < 0 ? -v[i] : v[i];
  pk_adamw_step step = {1e-3f, 0.9f, 0.999f, 1e-8f, 0.01f, 0.02f, 0.19f, 0.002f, 0.7f};
  (plain ? pk_reference_adamw : pk_adamw)(threads, p, m, v, g, n, &step);
  step.l2 = 0;
  (plain ? pk_reference_adamw : pk_adamw)(threads, p, m, v, g, n, &step);
  for (int decays = 0; decays < 2; decays++) {
    pk_rmsprop_step rmsprop = {1e-3f, 0.99f, 1e-8f, 0.02f * decays, 0.7f};
    (plain ? pk_reference_rmsprop : pk_rmsprop)(threads, p, v, g, n, &rmsprop);
  }
  double squares = (plain ? pk_reference_sum_of_squares : pk_sum_of_squares)(threads, g, n);
  uint64_t bits;
  memcpy(&bits, &squares, 8);
  uint64_t hash = hash_floats(hash_floats(hash_floats(HASH_START, p, n), m, n), v, n) ^ bits;
  free(p), free(m), free(v), free(g);
  return hash;
}
BOTH(optimizer)

void rows(void) {
  static const int sizes[] = {0, 1, 15, 16, 17, 31, 48, 100};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    int n = sizes[i];
    for (int kind = 0; kind < 4; kind++) on_every_path("store", (int[]){n, kind}, 2, store, store_definition);
    for (int type = 0; type < 2; type++) {
      if (n) on_every_path("embedding", (int[]){9, n, type}, 3, embedding, NULL);
      if (n) on_every_path("norm", (int[]){5, n, type}, 3, norm, norm_definition);
      for (int kind = 0; kind < 3; kind++)
        for (int f = PK_SILU; f <= PK_GELU_TANH; f++)
          on_every_path("activation", (int[]){n, type, kind, f + (kind + f) % 2 * 10}, 4, activation, activation_definition);
    }
    on_every_path("optimizer", (int[]){n}, 1, optimizer, optimizer_definition);
  }
  on_every_path("norm", (int[]){0, 20, 0}, 3, norm, norm_definition);
  on_every_path("norm", (int[]){33, 70, 1}, 3, norm, norm_definition);
  on_every_path("embedding", (int[]){0, 16, 0}, 3, embedding, NULL);
  on_every_path("store", (int[]){40000, 0}, 2, store, store_definition);
  for (int offset = 0; offset < 5; offset++) {
    on_every_path("fill", (int[]){30, offset}, 2, filling, filling_definition);
    on_every_path("fill", (int[]){(1 << 18) + 7, offset}, 2, filling, filling_definition);
  }
  on_every_path("activation", (int[]){17000, 1, 0, PK_SILU}, 4, activation, activation_definition);
  on_every_path("activation", (int[]){17000, 0, 0, PK_GELU}, 4, activation, activation_definition);
  on_every_path("optimizer", (int[]){70000}, 1, optimizer, optimizer_definition);
  on_every_path("rotary", (int[]){90, 6}, 2, rotary, NULL);
  on_every_path("rotary", (int[]){2000, 64}, 2, rotary, NULL);
  on_every_path("rotary", (int[]){3, 2}, 2, rotary, NULL);
  on_every_path("rotary", (int[]){20, 510}, 2, rotary, NULL);
  for (size_t i = 1; i < sizeof sizes / sizeof *sizes; i++) {
    for (int type = 0; type < 2; type++)
      on_every_path("layer-norm", (int[]){5, sizes[i], type}, 3, layer_norm, layer_norm_definition);
    on_every_path("bias-gradient", (int[]){7, sizes[i], (int)i % 4}, 3, bias, bias_definition);
  }
  on_every_path("layer-norm", (int[]){0, 20, 0}, 3, layer_norm, layer_norm_definition);
  on_every_path("layer-norm", (int[]){33, 70, 1}, 3, layer_norm, layer_norm_definition);
  on_every_path("layer-norm", (int[]){18, 768, 0}, 3, layer_norm, layer_norm_definition);
  on_every_path("layer-norm", (int[]){3, 2560, 1}, 3, layer_norm, layer_norm_definition);
  on_every_path("layer-norm", (int[]){2, 1200, 0}, 3, layer_norm, layer_norm_definition);
  on_every_path("bias-gradient", (int[]){0, 20, 0}, 3, bias, bias_definition);
  on_every_path("bias-gradient", (int[]){40, 300, 0}, 3, bias, bias_definition);
}
