/* Activations of a feed-forward network, over flat arrays. */
#include "kernels.h"

enum { FLAT = 16384 };

typedef struct {
  const kernel_table *kernels;
  pk_activation f;
  const float *gate, *up, *dout;
  float *gate_gradient, *up_gradient;
  void *out;
  pk_type type;
} activation_run;

static void value_range(void *context, size_t begin, size_t end) {
  const activation_run *run = context;
  run->kernels->activation(run->f, run->gate, run->up, run->out, run->type, begin, end);
}
void pk_activation_forward(int threads, pk_activation f, const float *gate, const float *up, void *out, pk_type type, size_t n) {
  activation_run run = {.kernels = selected_kernels(), .f = f, .gate = gate, .up = up, .out = out, .type = type};
  parallel_ranges(threads, n, FLAT, value_range, &run);
}

static void gradient_range(void *context, size_t begin, size_t end) {
  const activation_run *run = context;
  run->kernels->activation_backward(run->f, run->gate_gradient, run->up_gradient, run->dout, begin, end);
}
void pk_activation_backward(int threads, pk_activation f, float *gate, float *up, const float *dout, size_t n) {
  activation_run run = {.kernels = selected_kernels(), .f = f, .gate_gradient = gate, .up_gradient = up, .dout = dout};
  parallel_ranges(threads, n, FLAT, gradient_range, &run);
}
