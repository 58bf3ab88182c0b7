/* The two ceilings of every kernel: multiply-adds in registers, and bytes from memory. */
#define _POSIX_C_SOURCE 200809L
#include "Ceiling.h"
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_THREADS = 64 };

typedef struct {
  const float *memory;
  size_t count;
  float result;
} part;

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Enough independent chains to hide the latency of two units, and few enough for 16 registers beside the operands. */
enum { CHAINS = 12, STEPS = 1 << 22 };
#define fma_body(bytes, registers)                                                                   \
  typedef float vector __attribute__((vector_size(bytes)));                                          \
  vector sums[CHAINS], a = {0.5f}, b = {1e-9f};                                                      \
  for (int i = 0; i < CHAINS; i++) sums[i] = (vector){(float)i};                                     \
  for (int step = 0; step < STEPS; step++) {                                                         \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < CHAINS; i++) sums[i] =                    \
        __builtin_elementwise_fma(sums[i], a, b);                                                    \
    __asm__ volatile("" : "+" registers(a));                                                         \
  }                                                                                                  \
  for (int i = 1; i < CHAINS; i++) sums[0] += sums[i];                                               \
  ((part *)context)->result = sums[0][0];                                                            \
  return NULL

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static void *fma_512(void *context) { fma_body(64, "v"); }
__attribute__((target("avx2,fma"))) static void *fma_256(void *context) { fma_body(32, "x"); }
#else
static void *fma_128(void *context) { fma_body(16, "w"); }
#endif

static void *read_part(void *context) {
  part *job = context;
  typedef float vector __attribute__((vector_size(32), aligned(32)));
  vector sums[4] = {{0}};
  const vector *p = (const vector *)job->memory;
  for (size_t i = 0; i + 4 <= job->count / 8; i += 4)
    for (int j = 0; j < 4; j++) sums[j] += p[i + (size_t)j];
  job->result = (sums[0] + sums[1] + sums[2] + sums[3])[0];
  return NULL;
}

/* Seconds until all threads are done. */
static double run(void *(*body)(void *), part *parts, int threads) {
  pthread_t ids[MAX_THREADS];
  double start = seconds();
  for (int i = 1; i < threads; i++)
    if (pthread_create(&ids[i], NULL, body, &parts[i])) abort();
  body(&parts[0]);
  for (int i = 1; i < threads; i++) pthread_join(ids[i], NULL);
  return seconds() - start;
}

double ceiling_fma(int threads) {
  part parts[MAX_THREADS] = {{0}};
#if defined(__x86_64__)
  const char *isa = getenv("PLUMB_ISA");
  int wide = __builtin_cpu_supports("avx512f") && (!isa || !strcmp(isa, "avx512") || !strcmp(isa, "amx"));
  int lanes = wide ? 16 : 8;
  double time = run(wide ? fma_512 : fma_256, parts, threads);
#else
  int lanes = 4;
  double time = run(fma_128, parts, threads);
#endif
  return 2.0 * lanes * CHAINS * STEPS * threads / time;
}

double ceiling_read(size_t bytes, int threads) {
  size_t each = bytes / sizeof(float) / (size_t)threads / 1024 * 1024;
  float *memory = aligned_alloc(64, each * (size_t)threads * sizeof(float));
  if (!memory) abort();
  memset(memory, 1, each * (size_t)threads * sizeof(float));
  part parts[MAX_THREADS] = {{0}};
  for (int i = 0; i < threads; i++) parts[i] = (part){memory + each * (size_t)i, each, 0};
  run(read_part, parts, threads);
  double time = run(read_part, parts, threads);
  free(memory);
  return (double)(each * (size_t)threads * sizeof(float)) / time;
}
