/* Number types and sums of flat arrays. */
#include <string.h>
#include "kernels.h"

enum { FLAT = 16384, PAST_CACHES = 1 << 20 };

typedef struct {
  const kernel_table *kernels;
  const void *x;
  void *out;
  pk_type type;
} flat_run;

static void store_range(void *context, size_t begin, size_t end) {
  const flat_run *run = context;
  run->kernels->store(run->x, run->out, run->type, begin, end);
}
void pk_store(int threads, const float *x, void *out, pk_type type, size_t n) {
  flat_run run = {selected_kernels(), x, out, type};
  parallel_ranges(threads, n, FLAT, store_range, &run);
}

void pk_widen_bf16(const uint16_t *x, float *out, size_t n) {
  for (size_t i = 0; i < n; i++) {
    uint32_t bits = (uint32_t)x[i] << 16;
    memcpy(out + i, &bits, 4);
  }
}

static void add_range(void *context, size_t begin, size_t end) {
  const flat_run *run = context;
  run->kernels->add(run->out, run->x, begin, end);
}
void pk_add(int threads, float *x, const float *y, size_t n) {
  flat_run run = {selected_kernels(), y, x, PK_F32};
  parallel_ranges(threads, n, FLAT, add_range, &run);
}

typedef struct {
  float *x;
  float value;
  int past_caches;
} fill_run;

/* What is larger than a cache is written past it: nobody reads memory that is overwritten. */
static void fill_range(void *context, size_t begin, size_t end) {
  typedef float quad __attribute__((vector_size(16)));
  const fill_run *run = context;
  float *p = run->x + begin, *last = run->x + end;
  if (run->past_caches) {
    quad values = {run->value, run->value, run->value, run->value};
    for (; p < last && (uintptr_t)p % sizeof(quad); p++) *p = run->value;
    for (; p + 4 <= last; p += 4) __builtin_nontemporal_store(values, (quad *)p);
#if defined(__x86_64__)
    __builtin_ia32_sfence(); /* such stores are not ordered with those that tell of a task's end */
#endif
  }
  for (; p < last; p++) *p = run->value;
}
void pk_fill(int threads, float *x, float value, size_t n) {
  fill_run run = {x, value, n * sizeof(float) >= PAST_CACHES};
  parallel_ranges(threads, n, FLAT, fill_range, &run);
}
