/* top-k: the k most probable tokens. */
#include "filter.h"

#pragma STDC FP_CONTRACT OFF

static int is_active(float value, size_t v) { return value > 0 && (size_t)value < v; }

static candidate_reach reach(float value, size_t v, float total) {
  (void)v, (void)total;
  return (candidate_reach){0, (size_t)value};
}

static void apply(candidate_list *list, float value) {
  size_t k = (size_t)value;
  if (list->count > k) list->count = k;
  list->total = 0;
  for (size_t i = 0; i < list->count; i++) list->total += list->items[i].weight;
}

const logits_filter top_k_filter = {"top_k", is_active, reach, apply};
