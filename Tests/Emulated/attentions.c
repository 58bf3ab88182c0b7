/* Attention over pages, forward; over packed sequences, backward. */
#include <stdlib.h>
#include <string.h>
#include "harness.h"

enum { LENGTH = 100 };

/* shape: heads, kv heads, D, type, window, ten times the cap; every other number of heads turns by position */
static pk_attention_rule rule_of(const int *shape, float *angles) {
  size_t half = (size_t)shape[2] / 2;
  pk_attention_rule rule = {.scale = 0.125f, .cap = (float)shape[5] / 10, .window = shape[4]};
  if (shape[0] % 2) return rule;
  pk_rotary_table(10000, 0, LENGTH, half * 2, angles, angles + LENGTH * half);
  rule.cosine = angles;
  rule.sine = angles + LENGTH * half;
  return rule;
}

/* The same; then how many elements of a head turn, and whether neighbours do. */
static pk_attention_rule turned_rule_of(const int *shape, float *angles) {
  size_t half = (size_t)shape[6] / 2;
  pk_attention_rule rule = {.scale = 0.125f, .cap = (float)shape[5] / 10, .window = shape[4], .turned = shape[6],
                            .interleaved = shape[7]};
  pk_rotary_table(10000, 0, LENGTH, half * 2, angles, angles + LENGTH * half);
  rule.cosine = angles;
  rule.sine = angles + LENGTH * half;
  return rule;
}

typedef pk_attention_rule (*rule_maker)(const int *shape, float *angles);

/* Queries at `positions` of one sequence; the one at `alone`, none where it is `count`, has a list of pages of its own, so that no
   other is its neighbour. */
static uint64_t forward_at(const int *shape, int definition, rule_maker rule_of, const int32_t *positions, size_t count, size_t alone) {
  size_t heads = (size_t)shape[0], kv_heads = (size_t)shape[1], d = (size_t)shape[2];
  pk_type type = (pk_type)shape[3];
  enum { PAGES = (LENGTH + PK_PAGE - 1) / PK_PAGE };
  size_t row = kv_heads * d, element = type == PK_BF16 ? 2 : 4, half = PK_PAGE * row * element;
  float *q = filled(count * heads * d, 22, ORDINARY), *angles = floats(LENGTH * d);
  float *keys = filled(LENGTH * row, 23, ORDINARY), *values = filled(LENGTH * row, 24, ORDINARY);
  void *pages[PAGES], *same_pages[PAGES];
  for (int i = 0; i < PAGES; i++)
    if (!(same_pages[i] = pages[i] = calloc(2, half))) abort();
  pk_kv_layout layout = {kv_heads, row, 0, half, type};
  pk_query every[LENGTH], queries[LENGTH];
  for (int i = 0; i < LENGTH; i++) every[i] = (pk_query){(const void *const *)pages, i};
  for (size_t i = 0; i < count; i++) queries[i] = every[positions[i]];
  if (alone < count) queries[alone].pages = (const void *const *)same_pages;
  pk_attention_rule rule = rule_of(shape, angles);
  pk_store_kv(threads, keys, values, every, LENGTH, d, &layout, &rule);
  float *out = floats(count * heads * d), *lse = floats(count * heads);
  (definition ? pk_reference_attention : pk_attention)(threads, q, queries, count, heads, d, &layout, &rule, out, lse);
  uint64_t hash = hash_floats(hash_floats(HASH_START, out, count * heads * d), lse, count * heads);
  for (int i = 0; i < PAGES; i++) free(pages[i]);
  free(q), free(angles), free(keys), free(values), free(out), free(lse);
  return hash;
}
static uint64_t forward(const int *shape, int definition, rule_maker rule_of) {
  static const int32_t positions[] = {0, 1, 31, 32, 33, 63, 64, 65, 99};
  return forward_at(shape, definition, rule_of, positions, sizeof positions / sizeof *positions, 4);
}
/* Every position, more rows than one tile has. */
static uint64_t every_query(const int *shape, int definition) {
  int32_t positions[LENGTH];
  for (int i = 0; i < LENGTH; i++) positions[i] = i;
  return forward_at(shape, definition, rule_of, positions, LENGTH, LENGTH);
}
/* None at all, and some out of order in one tile. */
static uint64_t odd_queries(const int *shape, int definition) {
  static const int32_t positions[] = {70, 3, 99, 64, 0};
  enum { COUNT = sizeof positions / sizeof *positions };
  return forward_at(shape, definition, rule_of, positions, 0, 0) ^ forward_at(shape, definition, rule_of, positions, COUNT, COUNT);
}
static uint64_t unordered(const int *shape) { return odd_queries(shape, 0); }
static uint64_t unordered_definition(const int *shape) { return odd_queries(shape, 1); }
static uint64_t prefill(const int *shape) { return every_query(shape, 0); }
static uint64_t prefill_definition(const int *shape) { return every_query(shape, 1); }
static uint64_t attention(const int *shape) { return forward(shape, 0, rule_of); }
static uint64_t definition(const int *shape) { return forward(shape, 1, rule_of); }
static uint64_t turned(const int *shape) { return forward(shape, 0, turned_rule_of); }
static uint64_t turned_definition(const int *shape) { return forward(shape, 1, turned_rule_of); }

static uint64_t backward_either(const int *shape, int plain, rule_maker rule_of) {
  size_t heads = (size_t)shape[0], kv_heads = (size_t)shape[1], d = (size_t)shape[2];
  pk_type type = (pk_type)shape[3];
  static const int32_t starts[] = {0, 1, 1, 18, 90};
  enum { SEQUENCES = 4, T = 90 };
  size_t wide = T * heads * d, narrow = T * kv_heads * d;
  float *q = filled(wide, 25, ORDINARY), *k = filled(narrow, 26, ORDINARY), *v = filled(narrow, 27, ORDINARY);
  float *out = filled(wide, 28, ORDINARY), *lse = filled(T * heads, 29, ORDINARY), *dout = filled(wide, 30, ORDINARY);
  float *dq = floats(wide), *dk = floats(narrow), *dv = floats(narrow);
  void *keys = stored(k, narrow, type), *values = stored(v, narrow, type);
  float *angles = floats(LENGTH * d);
  pk_attention_rule rule = rule_of(shape, angles);
  for (size_t i = 0; i < T * heads; i++) lse[i] += 8;
  (plain ? pk_reference_attention_backward : pk_attention_backward)(threads, q, keys, values, out, lse, dout, starts, SEQUENCES, heads,
                                                                    kv_heads, d, type, &rule, dq, dk, dv);
  uint64_t hash = hash_floats(hash_floats(hash_floats(HASH_START, dq, wide), dk, narrow), dv, narrow);
  free(angles), free(q), free(k), free(v), free(out), free(lse), free(dout), free(dq), free(dk), free(dv), free(keys), free(values);
  return hash;
}
static uint64_t backward(const int *shape) { return backward_either(shape, 0, rule_of); }
static uint64_t backward_definition(const int *shape) { return backward_either(shape, 1, rule_of); }
static uint64_t turned_backward(const int *shape) { return backward_either(shape, 0, turned_rule_of); }
static uint64_t turned_backward_definition(const int *shape) { return backward_either(shape, 1, turned_rule_of); }

void attentions(void) {
  static const int heads[][3] = {{1, 1, 16}, {4, 2, 32}, {3, 3, 64}, {2, 1, 48}, {9, 3, 64}, {8, 2, 32}, {5, 1, 16}};
  /* Windows of one, across a block's edge, of whole blocks, wider than all. */
  static const int rules[][2] = {{0, 0}, {1, 0}, {37, 0}, {64, 15}, {65, 0}, {1000, 7}, {0, 20}};
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
    for (int type = 0; type < 2; type++)
      for (size_t j = 0; j < sizeof rules / sizeof *rules; j++) {
        if (j && (i + j) % 3 != (size_t)type) continue;
        int shape[6] = {heads[i][0], heads[i][1], heads[i][2], type, rules[j][0], rules[j][1]};
        on_every_path("attention", shape, 6, attention, definition);
        on_every_path("attention-backward", shape, 6, backward, backward_definition);
      }
  for (int type = 0; type < 2; type++)
    for (size_t i = 0; i < 8; i++) {
      /* A window of 20 leaves the first block from position 83 on: rows of one tile begin in two blocks. */
      static const int wide[][3] = {{1, 1, 20}, {9, 3, 64}, {5, 1, 20}, {60, 1, 16}};
      int shape[6] = {wide[i / 2][0], wide[i / 2][1], wide[i / 2][2], type, i % 2 ? 20 : 0, i % 2 ? 15 : 0};
      on_every_path("prefill", shape, 6, prefill, prefill_definition);
      on_every_path("attention-unordered", shape, 6, unordered, unordered_definition);
      on_every_path("prefill-backward", shape, 6, backward, backward_definition);
    }
  /* Head dimensions that are no multiple of sixteen, or large; one or three heads share a key-value head. */
  static const int dimensions[] = {2, 6, 12, 20, 80, 96, 100, 120, 250, 272, 510, 512};
  static const int shared[][2] = {{1, 1}, {2, 2}, {3, 1}, {6, 2}};
  for (size_t i = 0; i < sizeof dimensions / sizeof *dimensions; i++)
    for (size_t j = 0; j < sizeof shared / sizeof *shared; j++)
      for (int type = 0; type < 2; type++) {
        size_t rule = (i + j + (size_t)type) % (sizeof rules / sizeof *rules);
        int shape[6] = {shared[j][0], shared[j][1], dimensions[i], type, rules[rule][0], rules[rule][1]};
        on_every_path("attention", shape, 6, attention, definition);
        on_every_path("attention-backward", shape, 6, backward, backward_definition);
      }
  /* Of a head the first elements turn, all of them or a few, in halves or as neighbours. */
  static const int parts[][2] = {{2, 2}, {20, 6}, {20, 20}, {64, 16}, {64, 64}, {80, 20}, {96, 34}, {256, 64}};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    for (int type = 0; type < 2; type++)
      for (int interleaved = 0; interleaved < 2; interleaved++) {
        size_t heads = (i + (size_t)type) % 4, rule = (i + (size_t)interleaved) % (sizeof rules / sizeof *rules);
        int shape[8] = {shared[heads][0], shared[heads][1], parts[i][0], type, rules[rule][0], rules[rule][1], parts[i][1],
                        interleaved};
        on_every_path("attention-turned", shape, 8, turned, turned_definition);
        on_every_path("attention-turned-backward", shape, 8, turned_backward, turned_backward_definition);
      }
  /* Three groups of two heads. */
  for (int type = 0; type < 2; type++) {
    int shape[8] = {6, 3, 96, type, 0, 0, 96, 0};
    on_every_path("attention-turned", shape, 8, turned, turned_definition);
    on_every_path("attention-turned-backward", shape, 8, turned_backward, turned_backward_definition);
  }
}
