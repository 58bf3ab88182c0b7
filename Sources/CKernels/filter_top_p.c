/* top-p: the smallest set of most probable tokens whose mass reaches the share p. */
#include "filter.h"

#pragma STDC FP_CONTRACT OFF

static int is_active(float value, size_t v) {
  (void)v;
  return value < 1;
}

static candidate_reach reach(float value, size_t v, float total) {
  (void)v;
  return (candidate_reach){(double)value * total * 1.0001, 1}; /* `total` is a sum in another order */
}

static void apply(candidate_list *list, float value) {
  double before = 0;
  size_t keep = 0;
  while (keep < list->count && (keep == 0 || before < (double)value * list->total)) before += list->items[keep++].weight;
  list->count = keep;
}

const logits_filter top_p_filter = {"top_p", is_active, reach, apply};
