/* typical-p: the candidates whose surprisal -log p lies nearest the entropy, as many as reach the share p, in the order they have. */
#include <stdlib.h>
#include "filter.h"
#include "kernels.h"

#pragma STDC FP_CONTRACT OFF

static int is_active(float value, size_t v) {
  (void)v;
  return value < 1;
}

static candidate_reach reach(float value, size_t v, float total) {
  (void)value, (void)total;
  return (candidate_reach){0, v};
}

static int by_distance(const void *a, const void *b) {
  const ranked_distance *x = a, *y = b;
  if (x->distance != y->distance) return x->distance < y->distance ? -1 : 1;
  return (x->rank > y->rank) - (x->rank < y->rank);
}

static void apply(candidate_list *list, float value) {
  candidate *items = list->items;
  size_t n = list->count;
  double sum = 0, entropy = 0, mass = 0;
  for (size_t i = 0; i < n; i++) sum += items[i].weight;
  float log_sum = pk_log((float)sum);
  for (size_t i = 0; i < n; i++) entropy += (double)items[i].weight / sum * (double)(log_sum - pk_log(items[i].weight));
  for (size_t i = 0; i < n; i++) {
    float distance = log_sum - pk_log(items[i].weight) - (float)entropy;
    list->spare[i] = (ranked_distance){distance < 0 ? -distance : distance, (int32_t)i};
  }
  qsort(list->spare, n, sizeof(ranked_distance), by_distance);
  size_t keep = 0, out = 0;
  while (keep < n && (keep == 0 || mass < (double)value * sum)) mass += items[list->spare[keep++].rank].weight;
  for (size_t i = keep; i < n; i++) items[list->spare[i].rank].weight = -1;
  for (size_t i = 0; i < n; i++)
    if (items[i].weight >= 0) items[out++] = items[i];
  list->count = out;
}

const logits_filter typical_p_filter = {"typical_p", is_active, reach, apply};
