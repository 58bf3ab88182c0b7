/* Attention over pages, forward; over packed sequences, backward. */
#include <stdlib.h>
#include <string.h>
#include "harness.h"

/* shape: heads, kv heads, D, type */
static uint64_t forward(const int *shape, int definition) {
  size_t heads = (size_t)shape[0], kv_heads = (size_t)shape[1], d = (size_t)shape[2];
  pk_type type = (pk_type)shape[3];
  static const int32_t positions[] = {0, 1, 31, 32, 33, 63, 64, 65, 99};
  enum { QUERIES = sizeof positions / sizeof *positions, LENGTH = 100, PAGES = (LENGTH + PK_PAGE - 1) / PK_PAGE };
  size_t row = kv_heads * d, element = type == PK_BF16 ? 2 : 4, half = PK_PAGE * row * element;
  float *q = filled(QUERIES * heads * d, 22, ORDINARY), *x = filled(LENGTH * row, 23, ORDINARY);
  void *pages[PAGES];
  for (int i = 0; i < PAGES; i++)
    if (!(pages[i] = calloc(2, half))) abort();
  pk_kv_layout layout = {kv_heads, row, 0, half, type};
  pk_query every[LENGTH], queries[QUERIES];
  for (int i = 0; i < LENGTH; i++) every[i] = (pk_query){(const void *const *)pages, i};
  for (int i = 0; i < QUERIES; i++) queries[i] = every[positions[i]];
  pk_store_kv(x, every, LENGTH, d, &layout, layout.key_offset);
  fill(x, LENGTH * row, 24, ORDINARY);
  pk_store_kv(x, every, LENGTH, d, &layout, layout.value_offset);
  float *out = floats(QUERIES * heads * d), *lse = floats(QUERIES * heads);
  (definition ? pk_reference_attention : pk_attention)(q, queries, QUERIES, heads, d, &layout, 0.125f, out, lse);
  uint64_t hash = hash_floats(hash_floats(HASH_START, out, QUERIES * heads * d), lse, QUERIES * heads);
  for (int i = 0; i < PAGES; i++) free(pages[i]);
  free(q), free(x), free(out), free(lse);
  return hash;
}
static uint64_t attention(const int *shape) { return forward(shape, 0); }
static uint64_t definition(const int *shape) { return forward(shape, 1); }

/* shape: heads, kv heads, D, type */
static uint64_t backward_either(const int *shape, int plain) {
  size_t heads = (size_t)shape[0], kv_heads = (size_t)shape[1], d = (size_t)shape[2];
  pk_type type = (pk_type)shape[3];
  static const int32_t starts[] = {0, 1, 1, 18, 90};
  enum { SEQUENCES = 4, T = 90 };
  size_t wide = T * heads * d, narrow = T * kv_heads * d;
  float *q = filled(wide, 25, ORDINARY), *k = filled(narrow, 26, ORDINARY), *v = filled(narrow, 27, ORDINARY);
  float *out = filled(wide, 28, ORDINARY), *lse = filled(T * heads, 29, ORDINARY), *dout = filled(wide, 30, ORDINARY);
  float *dq = floats(wide), *dk = floats(narrow), *dv = floats(narrow);
  void *keys = stored(k, narrow, type), *values = stored(v, narrow, type);
  for (size_t i = 0; i < T * heads; i++) lse[i] += 8;
  (plain ? pk_reference_attention_backward : pk_attention_backward)(q, keys, values, out, lse, dout, starts, SEQUENCES, heads,
                                                                    kv_heads, d, type, 0.125f, dq, dk, dv);
  uint64_t hash = hash_floats(hash_floats(hash_floats(HASH_START, dq, wide), dk, narrow), dv, narrow);
  free(q), free(k), free(v), free(out), free(lse), free(dout), free(dq), free(dk), free(dv), free(keys), free(values);
  return hash;
}
static uint64_t backward(const int *shape) { return backward_either(shape, 0); }
static uint64_t backward_definition(const int *shape) { return backward_either(shape, 1); }

void attentions(void) {
  /* Groups of one and two heads. For three and four clang makes an EVEX gather that Bochs 3.0 takes for an invalid opcode;
     KernelPathTests has them on the paths of its own machine. */
  static const int shapes[][3] = {{1, 1, 16}, {4, 2, 32}, {3, 3, 64}, {2, 1, 48}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    for (int type = 0; type < 2; type++) {
      int shape[4] = {shapes[i][0], shapes[i][1], shapes[i][2], type};
      on_every_path("attention", shape, 4, attention, definition);
      on_every_path("attention-backward", shape, 4, backward, backward_definition);
    }
}
