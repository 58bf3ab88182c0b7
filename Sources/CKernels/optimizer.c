/* The optimizers over flat arrays. */
#include <stdlib.h>
#include "kernels.h"

enum { FLAT = 16384, SQUARES = 65536 };

typedef struct {
  const kernel_table *kernels;
  float *p, *m, *v;
  const float *g;
  const pk_adamw_step *step;
} adamw_run;

static void adamw_range(void *context, size_t begin, size_t end) {
  const adamw_run *run = context;
  run->kernels->adamw(run->p, run->m, run->v, run->g, begin, end, run->step);
}
void pk_adamw(int threads, float *p, float *m, float *v, const float *g, size_t n, const pk_adamw_step *step) {
  adamw_run run = {selected_kernels(), p, m, v, g, step};
  parallel_ranges(threads, n, FLAT, adamw_range, &run);
}

typedef struct {
  const kernel_table *kernels;
  float *p, *v;
  const float *g;
  const pk_rmsprop_step *step;
} rmsprop_run;

static void rmsprop_range(void *context, size_t begin, size_t end) {
  const rmsprop_run *run = context;
  run->kernels->rmsprop(run->p, run->v, run->g, begin, end, run->step);
}
void pk_rmsprop(int threads, float *p, float *v, const float *g, size_t n, const pk_rmsprop_step *step) {
  rmsprop_run run = {selected_kernels(), p, v, g, step};
  parallel_ranges(threads, n, FLAT, rmsprop_range, &run);
}

typedef struct {
  const kernel_table *kernels;
  const float *x;
  double *partial;
} squares_run;

static void squares_range(void *context, size_t begin, size_t end) {
  const squares_run *run = context;
  run->partial[begin / SQUARES] = run->kernels->sum_of_squares(run->x + begin, end - begin);
}
double pk_sum_of_squares(int threads, const float *x, size_t n) {
  size_t chunks = ceil_div(n, SQUARES);
  double *partial = calloc(chunks ? chunks : 1, sizeof(double));
  if (!partial) abort(); /* out of memory: the worker dies, its stage fails */
  squares_run run = {selected_kernels(), x, partial};
  parallel_ranges(threads, n, SQUARES, squares_range, &run);
  double sum = 0;
  for (size_t i = 0; i < chunks; i++) sum += partial[i];
  free(partial);
  return sum;
}
