/* min-p: tokens at least this share as probable as the most probable one. */
#include "filter.h"

#pragma STDC FP_CONTRACT OFF

static int is_active(float value, size_t v) {
  (void)v;
  return value > 0;
}

static candidate_reach reach(float value, size_t v, float total) {
  (void)value, (void)v;
  return (candidate_reach){total, 1};
}

static void apply(candidate_list *list, float value) {
  size_t keep = 1;
  while (keep < list->count && list->items[keep].weight >= value * list->items[0].weight) keep++;
  list->count = keep;
}

const logits_filter min_p_filter = {"min_p", is_active, reach, apply};
