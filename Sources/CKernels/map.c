/* Element functions over flat arrays. */
#include "kernels.h"

enum { FLAT = 16384 };

typedef struct {
  const kernel_table *kernels;
  pk_function f;
  const float *x;
  float *out;
} map_run;

static void map_range(void *context, size_t begin, size_t end) {
  const map_run *run = context;
  run->kernels->map(run->f, run->x, run->out, begin, end);
}
void pk_map(int threads, pk_function f, const float *x, float *out, size_t n) {
  map_run run = {selected_kernels(), f, x, out};
  parallel_ranges(threads, n, FLAT, map_range, &run);
}
