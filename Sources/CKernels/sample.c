/* Choosing a token from a row of logits: temperature, top-k, top-p, min-p, typical-p, then the inverse of the cumulative
   distribution in the order of falling probability (lowest id first among equals). */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "kernels.h"

#pragma STDC FP_CONTRACT OFF

typedef struct {
  union {
    float weight;
    uint32_t bits;
  };
  int32_t id;
} candidate;

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
  const double *uniforms;
  const int32_t *banned;
  size_t banned_count;
  int32_t *tokens;
  const kernel_table *kernels;
} sample_job;

static int32_t greedy(const float *logits, size_t v) {
  size_t best = 0;
  for (size_t i = 1; i < v; i++)
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
    for (size_t i = 0; i < v; i++)
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

typedef struct {
  float distance;
  int32_t rank;
} surprise;

static int by_distance(const void *a, const void *b) {
  const surprise *x = a, *y = b;
  if (x->distance != y->distance) return x->distance < y->distance ? -1 : 1;
  return (x->rank > y->rank) - (x->rank < y->rank);
}

/* Keeps the candidates whose surprise -log p lies nearest the entropy, as many as reach the mass typical_p, in the order
   they have. */
static size_t typical(candidate *candidates, size_t n, float typical_p, surprise *surprises) {
  double sum = 0, entropy = 0, mass = 0;
  for (size_t i = 0; i < n; i++) sum += candidates[i].weight;
  float log_sum = pk_log((float)sum);
  for (size_t i = 0; i < n; i++)
    entropy += (double)candidates[i].weight / sum * (double)(log_sum - pk_log(candidates[i].weight));
  for (size_t i = 0; i < n; i++) {
    float distance = log_sum - pk_log(candidates[i].weight) - (float)entropy;
    surprises[i] = (surprise){distance < 0 ? -distance : distance, (int32_t)i};
  }
  qsort(surprises, n, sizeof(surprise), by_distance);
  size_t keep = 0, out = 0;
  while (keep < n && (keep == 0 || mass < (double)typical_p * sum))
    mass += candidates[surprises[keep++].rank].weight;
  for (size_t i = keep; i < n; i++) candidates[surprises[i].rank].weight = -1;
  for (size_t i = 0; i < n; i++)
    if (candidates[i].weight >= 0) candidates[out++] = candidates[i];
  return out;
}

/* This thread's room for one row: logits, weights and candidates, kept between rows. */
static char *row_memory(size_t bytes) {
  static _Thread_local char *memory;
  static _Thread_local size_t capacity;
  if (bytes > capacity) {
    free(memory);
    memory = malloc(bytes);
    if (!memory) abort(); /* out of memory: the worker dies, its stage fails */
    capacity = bytes;
  }
  return memory;
}

static void sample_row(void *context, size_t row) {
  const sample_job *job = context;
  size_t v = job->v;
  candidate *candidates = (candidate *)row_memory(v * (sizeof(candidate) + sizeof(surprise) + 2 * sizeof(float)));
  surprise *surprises = (surprise *)(candidates + v);
  float *logits = (float *)(surprises + v), *weights = logits + v;
  const float *given = job->logits + row * v;
  int finite = 1;
  for (size_t i = 0; i < v; i++) {
    logits[i] = given[i];
    finite &= given[i] <= FLT_MAX; /* -infinity is a token that cannot come */
  }
  if (!finite) {
    job->tokens[row] = -2;
    return;
  }
  for (size_t i = 0; i < job->banned_count; i++) logits[job->banned[i]] = -INFINITY;
  const pk_sampling *s = &job->sampling[row];
  int32_t best = greedy(logits, v);
  if (logits[best] == -INFINITY) {
    job->tokens[row] = -1;
  } else if (s->temperature == 0) {
    job->tokens[row] = best;
  } else {
    float maximum, total;
    job->kernels->exponentials(logits, s->temperature, weights, v, &maximum, &total);
    if (!(fabsf(maximum) <= FLT_MAX)) { /* a temperature so low that the quotients overflow */
      job->tokens[row] = best;
      return;
    }
    size_t k = s->top_k > 0 && (size_t)s->top_k < v ? (size_t)s->top_k : 0;
    if (k == 0 && s->top_p >= 1 && s->min_p <= 0 && s->typical_p >= 1) { /* nothing filtered: the order of ids does */
      double sum = 0, cumulative = 0;
      for (size_t i = 0; i < v; i++) sum += weights[i];
      double target = job->uniforms[row] * sum;
      int32_t last = 0, chosen = -1;
      for (size_t i = 0; i < v && chosen < 0; i++) {
        if (weights[i] <= 0) continue;
        last = (int32_t)i;
        cumulative += weights[i];
        if (cumulative > target) chosen = last;
      }
      job->tokens[row] = chosen < 0 ? last : chosen;
    } else {
      double mass = k || s->top_p >= 1 ? 0 : (double)s->top_p * total * 1.0001;
      size_t wanted = k ? k : (s->top_p >= 1 ? v : 1);
      if (s->min_p > 0 && s->top_p >= 1 && !k) wanted = 1;
      size_t n = leading(weights, v, s->min_p > 0 && !k && s->top_p >= 1 ? total : mass, wanted, candidates,
                         (candidate *)surprises);
      if (k && n > k) n = k;
      double kept_total = total;
      if (k) {
        kept_total = 0;
        for (size_t i = 0; i < n; i++) kept_total += candidates[i].weight;
      }
      if (s->top_p < 1) { /* the smallest prefix that reaches top_p */
        double before = 0;
        size_t keep = 0;
        while (keep < n && (keep == 0 || before < (double)s->top_p * kept_total)) before += candidates[keep++].weight;
        n = keep;
      }
      if (s->min_p > 0) {
        size_t keep = 1;
        while (keep < n && candidates[keep].weight >= s->min_p * candidates[0].weight) keep++;
        n = keep;
      }
      if (s->typical_p < 1) n = typical(candidates, n, s->typical_p, surprises);
      double sum = 0, cumulative = 0;
      for (size_t i = 0; i < n; i++) sum += candidates[i].weight;
      double target = job->uniforms[row] * sum;
      size_t chosen = n - 1;
      for (size_t i = 0; i < n; i++) {
        cumulative += candidates[i].weight;
        if (cumulative > target) {
          chosen = i;
          break;
        }
      }
      job->tokens[row] = candidates[chosen].id;
    }
  }
}

void pk_sample(int threads, const float *logits, size_t rows, size_t v, const pk_sampling *sampling, const double *uniforms,
               const int32_t *banned, size_t banned_count, int32_t *tokens) {
  sample_job job = {logits, v, sampling, uniforms, banned, banned_count, tokens, selected_kernels()};
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
