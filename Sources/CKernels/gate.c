/* The gate of a feed-forward network, over flat arrays. */
#include "kernels.h"

enum { FLAT = 16384 };

typedef struct {
  const kernel_table *kernels;
  const float *gate, *up, *dout;
  float *gate_gradient, *up_gradient;
  void *out;
  pk_type type;
} gate_run;

static void gate_range(void *context, size_t begin, size_t end) {
  const gate_run *run = context;
  run->kernels->silu_gate(run->gate, run->up, run->out, run->type, begin, end);
}
void pk_silu_gate(const float *gate, const float *up, void *out, pk_type type, size_t n) {
  gate_run run = {.kernels = selected_kernels(), .gate = gate, .up = up, .out = out, .type = type};
  parallel_ranges(n, FLAT, gate_range, &run);
}

static void gradient_range(void *context, size_t begin, size_t end) {
  const gate_run *run = context;
  run->kernels->silu_gate_backward(run->gate_gradient, run->up_gradient, run->dout, begin, end);
}
void pk_silu_gate_backward(float *gate, float *up, const float *dout, size_t n) {
  gate_run run = {.kernels = selected_kernels(), .gate_gradient = gate, .up_gradient = up, .dout = dout};
  parallel_ranges(n, FLAT, gradient_range, &run);
}
