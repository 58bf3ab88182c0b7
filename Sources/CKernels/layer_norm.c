/* Layer norm: rows divided among tasks, the gradients of weight and bias by columns. */
#include "kernels.h"

enum { ROWS = 16, COLUMNS = 64 };

typedef struct {
  const kernel_table *kernels;
  norm_job job;
} norm_run;

static void norm_rows(void *context, size_t begin, size_t end) {
  const norm_run *run = context;
  run->kernels->layer_norm(&run->job, begin, end);
}
void pk_layer_norm(int threads, const float *x, const float *w, const float *b, float eps, void *out, pk_type type, float *mean,
                   float *rstd, size_t t, size_t c) {
  norm_run run = {selected_kernels(),
                  {.x = x, .w = w, .b = b, .eps = eps, .out = out, .type = type, .mean_out = mean, .rstd_out = rstd, .t = t, .c = c}};
  parallel_ranges(threads, t, ROWS, norm_rows, &run);
}

static void gradient_rows(void *context, size_t begin, size_t end) {
  const norm_run *run = context;
  run->kernels->layer_norm_dx(&run->job, begin, end);
}
static void parameter_gradient_columns(void *context, size_t begin, size_t end) {
  const norm_run *run = context;
  run->kernels->layer_norm_dw(&run->job, begin, end);
}
void pk_layer_norm_backward(int threads, const float *x, const float *w, const float *mean, const float *rstd, const float *dy,
                            float *dx, float *dw, float *db, size_t t, size_t c) {
  norm_run run = {selected_kernels(), {.x = x, .w = w, .mean = mean, .rstd = rstd, .dy = dy, .dx = dx, .dw = dw, .db = db,
                                       .t = t, .c = c}};
  parallel_ranges(threads, t, ROWS, gradient_rows, &run);
  if (dw) parallel_ranges(threads, c, COLUMNS, parameter_gradient_columns, &run);
}
