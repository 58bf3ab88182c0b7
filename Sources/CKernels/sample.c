/* Choosing a token from a row of logits: temperature, filters, then the inverse of the cumulative distribution in the order of falling
   probability (lowest id first among equals); without filters in the order of ids. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "filter.h"
#include "kernels.h"

#pragma STDC FP_CONTRACT OFF

/* In no particular order: a row names those that it applies, in its own. */
static const logits_filter *const filters[] = {&top_k_filter, &top_p_filter, &min_p_filter, &typical_p_filter};

int32_t pk_filter_kernel(const char *name) {
  for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
    if (strcmp(filters[i]->name, name) == 0) return (int32_t)i;
  return -1;
}

/* Puts candidates that come in the order of their ids into the order of falling weight, lowest id first among equals. Weights
   are not negative, so their bits order them: four stable passes over bytes, through `spare`. */
static void sort_by_weight(candidate *candidates, candidate *spare, size_t n) {
  size_t starts[4][256] = {{0}};
#define digit(c, pass) (~(c).bits >> (8 * (pass)) & 255)
  for (size_t i = 0; i < n; i++)
    for (int pass = 0; pass < 4; pass++) starts[pass][digit(candidates[i], pass)]++;
  for (int pass = 0; pass < 4; pass++) {
    size_t at = 0;
    for (int d = 0; d < 256; d++) {
      size_t count = starts[pass][d];
      starts[pass][d] = at;
      at += count;
    }
    for (size_t i = 0; i < n; i++) spare[starts[pass][digit(candidates[i], pass)]++] = candidates[i];
    candidate *sorted = spare;
    spare = candidates;
    candidates = sorted;
  }
#undef digit
}

typedef struct {
  const float *logits;
  size_t v;
  const pk_sampling *sampling;
  const pk_filter *filters;
  const double *uniforms;
  const int32_t *banned;
  size_t banned_count;
  int32_t *tokens;
  double *probabilities;
  const kernel_table *kernels;
} sample_job;

/* A token, and its share of what it was drawn from. */
typedef struct {
  int32_t token;
  double probability;
} drawn_token;

enum { RUN = 64, WIDTH = 16 };

/* The largest of RUN numbers, none of them NaN. */
static float largest_of_run(const float *x) {
  float lanes[WIDTH];
  memcpy(lanes, x, sizeof lanes);
  for (size_t i = WIDTH; i < RUN; i += WIDTH)
    for (size_t l = 0; l < WIDTH; l++) lanes[l] = x[i + l] > lanes[l] ? x[i + l] : lanes[l];
  for (size_t half = WIDTH / 2; half > 0; half /= 2)
    for (size_t l = 0; l < half; l++) lanes[l] = lanes[l + half] > lanes[l] ? lanes[l + half] : lanes[l];
  return lanes[0];
}

/* From i on, the first place of a run of x [v] that may have numbers above `bound`; v where there is none. */
static size_t next_run(const float *x, size_t i, size_t v, float bound) {
  while (v - i >= RUN && !(largest_of_run(x + i) > bound)) i += RUN;
  return i;
}

/* The first of the largest; none is NaN. */
static int32_t greedy(const float *logits, size_t v) {
  size_t best = 0;
  for (size_t i = 0; (i = next_run(logits, i, v, logits[best])) < v;)
    for (size_t end = min_size(v, i + RUN); i < end; i++)
      if (logits[i] > logits[best]) best = i;
  return (int32_t)best;
}

/* Sorted candidates whose weights reach `mass` and number at least `count`, a prefix of the full order. */
static size_t leading(const float *weights, size_t v, double mass, size_t count, candidate *out,
                      candidate *spare) {
  static const float thresholds[] = {1e-2f, 1e-4f, 1e-7f, 0};
  for (size_t level = 0;; level++) {
    size_t n = 0;
    double sum = 0;
    for (size_t i = 0; (i = next_run(weights, i, v, thresholds[level])) < v;)
      for (size_t end = min_size(v, i + RUN); i < end; i++)
        if (weights[i] > thresholds[level]) {
          out[n++] = (candidate){{weights[i]}, (int32_t)i};
          sum += weights[i];
        }
    if (thresholds[level] == 0 || (sum >= mass && n >= count)) {
      sort_by_weight(out, spare, n);
      return n;
    }
  }
}

/* The row without what cannot come; 0 where a logit is NaN or +infinity. */
static int copy_row(const sample_job *job, size_t row, float *logits) {
  const float *given = job->logits + row * job->v;
  int finite = 1;
  for (size_t i = 0; i < job->v; i++) {
    logits[i] = given[i];
    finite &= given[i] <= FLT_MAX; /* -infinity is a token that cannot come */
  }
  if (finite)
    for (size_t i = 0; i < job->banned_count; i++) logits[job->banned[i]] = -INFINITY;
  return finite;
}

/* Nothing is filtered: the order of ids does. */
static drawn_token draw_of_all(const float *weights, size_t v, double uniform) {
  double sum = 0, cumulative = 0;
  for (size_t i = 0; i < v; i++) sum += weights[i];
  double target = uniform * sum;
  int32_t last = 0;
  for (size_t i = 0; i < v; i++) {
    if (weights[i] <= 0) continue;
    last = (int32_t)i;
    cumulative += weights[i];
    if (cumulative > target) break;
  }
  return (drawn_token){last, weights[last] / sum};
}

static drawn_token draw(const candidate_list *list, double uniform) {
  double sum = 0, cumulative = 0;
  for (size_t i = 0; i < list->count; i++) sum += list->items[i].weight;
  double target = uniform * sum;
  size_t chosen = 0;
  for (; chosen + 1 < list->count; chosen++) {
    cumulative += list->items[chosen].weight;
    if (cumulative > target) break;
  }
  return (drawn_token){list->items[chosen].id, list->items[chosen].weight / sum};
}

static drawn_token chosen_token(const sample_job *job, size_t row) {
  size_t v = job->v;
  candidate *candidates = (candidate *)thread_memory(v * (sizeof(candidate) + sizeof(ranked_distance) + 2 * sizeof(float)));
  ranked_distance *spare = (ranked_distance *)(candidates + v);
  float *logits = (float *)(spare + v), *weights = logits + v;
  if (!copy_row(job, row, logits)) return (drawn_token){-2, 0};
  const pk_sampling *s = &job->sampling[row];
  int32_t best = greedy(logits, v);
  if (logits[best] == -INFINITY) return (drawn_token){-1, 0};
  if (s->temperature == 0) return (drawn_token){best, 1};
  float maximum, total;
  job->kernels->exponentials(logits, s->temperature, weights, v, &maximum, &total);
  if (!(fabsf(maximum) <= FLT_MAX)) return (drawn_token){best, 1}; /* a temperature so low that the quotients overflow */

  candidate_list list = {candidates, 0, total, spare};
  for (size_t i = 0; i < s->filter_count; i++) {
    pk_filter used = job->filters[s->first_filter + i];
    const logits_filter *filter = filters[used.kernel];
    if (!filter->is_active(used.value, v)) continue;
    if (list.count == 0) { /* the first that is active says how much of the order is needed */
      candidate_reach reach = filter->reach(used.value, v, total);
      list.count = leading(weights, v, reach.mass, reach.count, candidates, (candidate *)spare);
    }
    filter->apply(&list, used.value);
  }
  return list.count == 0 ? draw_of_all(weights, v, job->uniforms[row]) : draw(&list, job->uniforms[row]);
}

static void sample_row(void *context, size_t row) {
  const sample_job *job = context;
  drawn_token drawn = chosen_token(job, row);
  job->tokens[row] = drawn.token;
  if (job->probabilities) job->probabilities[row] = drawn.probability;
}

void pk_sample(int threads, const float *logits, size_t rows, size_t v, const pk_sampling *sampling, const pk_filter *filters,
               const double *uniforms, const int32_t *banned, size_t banned_count, int32_t *tokens,
               double *probabilities) {
  sample_job job = {logits, v, sampling, filters, uniforms, banned, banned_count, tokens, probabilities, selected_kernels()};
  parallel_for(threads, rows, sample_row, &job);
}

void pk_ban(float *logits, const int32_t *tokens, size_t n) {
  for (size_t i = 0; i < n; i++) logits[tokens[i]] = -INFINITY;
}

typedef struct {
  float *logits;
  const int32_t *tokens, *counts;
  float repetition, presence, frequency;
} penalty_run;

static void penalize_range(void *context, size_t begin, size_t end) {
  const penalty_run *run = context;
  for (size_t i = begin; i < end; i++) {
    float *x = run->logits + run->tokens[i];
    *x = *x > 0 ? *x / run->repetition : *x * run->repetition;
    if (run->counts[i] > 0) *x -= run->presence + run->frequency * (float)run->counts[i];
  }
}

void pk_penalize(int threads, float *logits, const int32_t *tokens, const int32_t *counts, size_t n, float repetition,
                 float presence, float frequency) {
  penalty_run run = {logits, tokens, counts, repetition, presence, frequency};
  parallel_ranges(threads, n, 1024, penalize_range, &run);
}
