/* The ceilings of every kernel: multiply-adds and products of bf16 in registers, and bytes from memory. */
#define _GNU_SOURCE
#include "Ceiling.h"
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

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
__attribute__((target("avx512f,avx512bf16"))) static void *dot_products(void *context) {
  __m512 sums[CHAINS];
  __m512i numbers = _mm512_set1_epi32(0x3f003e80);
  for (int i = 0; i < CHAINS; i++) sums[i] = _mm512_set1_ps((float)i);
  for (int step = 0; step < STEPS; step++) {
    _Pragma("clang loop unroll(full)") for (int i = 0; i < CHAINS; i++) sums[i] =
        _mm512_dpbf16_ps(sums[i], (__m512bh)numbers, (__m512bh)numbers);
    __asm__ volatile("" : "+v"(numbers));
  }
  for (int i = 1; i < CHAINS; i++) sums[0] += sums[i];
  ((part *)context)->result = sums[0][0];
  return NULL;
}
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
  int wide = __builtin_cpu_supports("avx512f") && (!isa || !strncmp(isa, "avx512", 6) || !strcmp(isa, "amx"));
  int lanes = wide ? 16 : 8;
  double time = run(wide ? fma_512 : fma_256, parts, threads);
#else
  int lanes = 4;
  double time = run(fma_128, parts, threads);
#endif
  return 2.0 * lanes * CHAINS * STEPS * threads / time;
}

enum { TILE_STEPS = 1 << 20, TILE_OPERATIONS = 2 * 16 * 16 * 32 };

#if defined(__x86_64__)
/* Four sums, so that each is complete before it is added to again. */
__attribute__((target("amx-tile,amx-bf16"))) static void *tile_products(void *context) {
  uint8_t configuration[64] = {1};
  uint16_t numbers[512], row_bytes = 64;
  for (int tile = 0; tile < 8; tile++) {
    memcpy(configuration + 16 + 2 * tile, &row_bytes, sizeof row_bytes);
    configuration[48 + tile] = 16;
  }
  for (unsigned i = 0; i < 512; i++) numbers[i] = (uint16_t)(0x3f00u + (i * 40503u >> 5 & 0x80ffu)); /* sizes of 0.5 to 2, both signs */
  _tile_loadconfig(configuration);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_loadd(4, numbers, 64);
  _tile_loadd(5, numbers, 64);
  _tile_loadd(6, numbers, 64);
  _tile_loadd(7, numbers, 64);
  for (int step = 0; step < TILE_STEPS; step++) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_release();
  return context;
}
#endif

double ceiling_bf16(int threads) {
#if defined(__x86_64__)
  enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
  const char *isa = getenv("PLUMB_ISA");
  part parts[MAX_THREADS] = {{0}};
  /* No tiles, no permission. */
  if ((!isa || !strcmp(isa, "amx")) && !syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA))
    return 4.0 * TILE_OPERATIONS * TILE_STEPS * threads / run(tile_products, parts, threads);
  if ((!isa || !strcmp(isa, "avx512bf16")) && __builtin_cpu_supports("avx512bf16"))
    return 4.0 * 16 * CHAINS * STEPS * threads / run(dot_products, parts, threads);
#endif
  return ceiling_fma(threads);
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
