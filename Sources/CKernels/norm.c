/* RMS norm: rows divided among tasks, the weight's gradient by columns. */
#include "kernels.h"

enum { ROWS = 16, COLUMNS = 64 };

typedef struct {
  const kernel_table *kernels;
  norm_job job;
} norm_run;

static void norm_rows(void *context, size_t begin, size_t end) {
  const norm_run *run = context;
  run->kernels->rms_norm(&run->job, begin, end);
}
void pk_rms_norm(int threads, const float *x, const float *w, float eps, void *out, pk_type type, float *rstd, size_t t,
                 size_t c) {
  norm_run run = {selected_kernels(),
                  {.x = x, .w = w, .eps = eps, .out = out, .type = type, .rstd_out = rstd, .t = t, .c = c}};
  parallel_ranges(threads, t, ROWS, norm_rows, &run);
}

static void gradient_rows(void *context, size_t begin, size_t end) {
  const norm_run *run = context;
  run->kernels->rms_norm_dx(&run->job, begin, end);
}
static void weight_gradient_columns(void *context, size_t begin, size_t end) {
  const norm_run *run = context;
  run->kernels->rms_norm_dw(&run->job, begin, end);
}
void pk_rms_norm_backward(int threads, const float *x, const float *w, const float *rstd, const float *dy, float *dx,
                          float *dw, size_t t, size_t c) {
  norm_run run = {selected_kernels(),
                  {.x = x, .w = w, .rstd = rstd, .dy = dy, .dx = dx, .dw = dw, .t = t, .c = c}};
  parallel_ranges(threads, t, ROWS, gradient_rows, &run);
  if (dw) parallel_ranges(threads, c, COLUMNS, weight_gradient_columns, &run);
}
