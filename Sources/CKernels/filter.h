/* What a filter of logits is to the sampler: candidates in, fewer candidates out. */
#ifndef FILTER_H
#define FILTER_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  union {
    float weight;
    uint32_t bits;
  };
  int32_t id;
} candidate;

/* How far a candidate is from what a filter looks for, and its place in the order. */
typedef struct {
  float distance;
  int32_t rank;
} ranked_distance;

/* The candidates of one row in the order of falling weight, lowest id first among equals, as the filters before left them. */
typedef struct {
  candidate *items;
  size_t count;           /* at least 1 */
  double total;           /* the mass that shares are of: of all tokens, or of those that a count left */
  ranked_distance *spare; /* room for `count` of them */
} candidate_list;

/* A prefix of the order: at least `count` candidates, whose weights reach `mass`. */
typedef struct {
  double mass;
  size_t count;
} candidate_reach;

typedef struct {
  const char *name;
  /* Whether it leaves any of v tokens out at this value. */
  int (*is_active)(float value, size_t v);
  /* The prefix of the order that it has to see where it is the first; `total` is the mass of all tokens. */
  candidate_reach (*reach)(float value, size_t v, float total);
  void (*apply)(candidate_list *list, float value);
} logits_filter;

extern const logits_filter top_k_filter, top_p_filter, min_p_filter, typical_p_filter;

#endif
