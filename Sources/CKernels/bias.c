/* The gradient of a bias: columns divided among tasks, so that the tokens of one are added in order. */
#include "kernels.h"

enum { COLUMNS = 64 };

typedef struct {
  const kernel_table *kernels;
  const float *dy;
  float *db;
  size_t t, n;
} bias_run;

static void bias_columns(void *context, size_t begin, size_t end) {
  const bias_run *run = context;
  for (size_t t = 0; t < run->t; t++) run->kernels->add(run->db, run->dy + t * run->n, begin, end);
}
void pk_bias_gradient(int threads, const float *dy, float *db, size_t t, size_t n) {
  bias_run run = {selected_kernels(), dy, db, t, n};
  parallel_ranges(threads, n, COLUMNS, bias_columns, &run);
}
