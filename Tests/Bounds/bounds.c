/* The error of element functions and activations over all 2^32 floats, against the C library in double: the largest in units in
   the last place of the exact result, and where. Fails where one is larger than docs/arithmetic.md states, and where a result outside
   the range is not what is stated there. Subnormals count as zero, given or found. With names: those functions alone. */
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "CKernels.h"

static double exact_silu(double x) { return x / (1 + exp(-x)); }
static double exact_gelu(double x) { return 0.5 * x * erfc(-x * M_SQRT1_2); }
static double exact_gelu_tanh(double x) { return x / (1 + exp(-2 * M_2_SQRTPI * M_SQRT1_2 * (x + 0.044715 * x * x * x))); }

static void find_exp(const float *x, float *out, size_t n) { pk_map(1, PK_EXP, x, out, n); }
static void find_tanh(const float *x, float *out, size_t n) { pk_map(1, PK_TANH, x, out, n); }
static void find_erf(const float *x, float *out, size_t n) { pk_map(1, PK_ERF, x, out, n); }
static void find_log(const float *x, float *out, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] = pk_log(x[i]);
}
static void find_silu(const float *x, float *out, size_t n) { pk_activation_forward(1, PK_SILU, x, NULL, out, PK_F32, n); }
static void find_gelu(const float *x, float *out, size_t n) { pk_activation_forward(1, PK_GELU, x, NULL, out, PK_F32, n); }
static void find_gelu_tanh(const float *x, float *out, size_t n) {
  pk_activation_forward(1, PK_GELU_TANH, x, NULL, out, PK_F32, n);
}

typedef struct {
  const char *name;
  void (*find)(const float *x, float *out, size_t n);
  double (*exact)(double);
  float low, high;    /* the bound holds between them, both included */
  double bound;
  float below, above; /* the result beyond them, but for negative infinity; ANY: not looked at */
  float least;        /* the result of negative infinity, where that is beyond */
} function;

#define ANY (-1.0f)

static const function functions[] = {
    {"exp", find_exp, exp, -87.3f, 88.3f, 1.02, 0, INFINITY, 0},
    {"log", find_log, log, 0, INFINITY, 0.501, NAN, NAN, NAN},
    {"tanh", find_tanh, tanh, -INFINITY, INFINITY, 1.47, NAN, NAN, NAN},
    {"erf", find_erf, erf, -INFINITY, INFINITY, 1.67, NAN, NAN, NAN},
    {"silu", find_silu, exact_silu, -88.3f, FLT_MAX, 2.41, 0, INFINITY, NAN},
    {"gelu", find_gelu, exact_gelu, -FLT_MAX, FLT_MAX, 7.7, 0, INFINITY, 0},
    {"gelu-tanh", find_gelu_tanh, exact_gelu_tanh, -10.04276f, FLT_MAX, 215, 0, INFINITY, NAN},
    {"gelu-tanh", find_gelu_tanh, exact_gelu_tanh, -1, FLT_MAX, 2.6, ANY, INFINITY, ANY},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions, CHUNK = 1 << 16, MAX_THREADS = 64 };

typedef struct {
  const function *f;
  uint32_t first, last; /* chunks */
  double worst;
  float where;
  uint64_t wrong; /* beyond the range, or not a number */
  float wrong_where;
} part;

static float flushed(float x) { return fabsf(x) < FLT_MIN ? copysignf(0, x) : x; }

/* In units in the last place of the exact result. */
static double error_of(float found, double exact) {
  if (exact == (double)found || (isnan(exact) && isnan(found))) return 0;
  if (fabs(exact) < (double)FLT_MIN) return fabs(found) <= FLT_MIN ? 0 : INFINITY;
  if (isnan(exact) || isnan(found) || isinf(found)) return isinf(found) && isinf((float)exact) ? 0 : INFINITY;
  int exponent;
  frexp(exact, &exponent);
  return fabs((double)found - exact) / ldexp(1, exponent - FLT_MANT_DIG);
}

static void *measure(void *context) {
  part *p = context;
  const function *f = p->f;
  float *x = malloc(CHUNK * sizeof(float)), *found = malloc(CHUNK * sizeof(float));
  if (!x || !found) abort();
  for (uint32_t chunk = p->first; chunk < p->last; chunk++) {
    for (uint32_t i = 0; i < CHUNK; i++) {
      uint32_t bits = chunk * CHUNK + i;
      memcpy(x + i, &bits, 4);
    }
    f->find(x, found, CHUNK);
    for (uint32_t i = 0; i < CHUNK; i++) {
      float v = flushed(x[i]);
      if (v < f->low || v > f->high) {
        float wanted = v == -INFINITY ? f->least : v < f->low ? f->below : f->above;
        if (wanted == ANY || found[i] == wanted || (isnan(found[i]) && isnan(wanted))) continue;
        p->wrong++;
        p->wrong_where = v;
        continue;
      }
      double error = error_of(found[i], f->exact((double)v));
      if (error > p->worst) p->worst = error, p->where = v;
    }
  }
  free(x), free(found);
  return NULL;
}

static int named(const char *name, int count, char **names) {
  for (int i = 1; i < count; i++)
    if (strcmp(name, names[i]) == 0) return 1;
  return count < 2;
}

int main(int count, char **names) {
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  uint32_t threads = processors < 1 ? 1 : processors > MAX_THREADS ? MAX_THREADS : (uint32_t)processors;
  int failed = 0;
  printf("%-10s %10s %16s %10s  %s\n", "function", "from", "largest error", "stated", "at");
  for (int i = 0; i < FUNCTIONS; i++) {
    const function *f = &functions[i];
    if (!named(f->name, count, names)) continue;
    part parts[MAX_THREADS];
    pthread_t ids[MAX_THREADS];
    uint32_t chunks = 1u << 16;
    for (uint32_t t = 0; t < threads; t++) {
      parts[t] = (part){.f = f, .first = chunks / threads * t, .last = t + 1 == threads ? chunks : chunks / threads * (t + 1)};
      if (pthread_create(&ids[t], NULL, measure, &parts[t])) abort();
    }
    part all = {0};
    for (uint32_t t = 0; t < threads; t++) {
      pthread_join(ids[t], NULL);
      if (parts[t].worst > all.worst) all.worst = parts[t].worst, all.where = parts[t].where;
      if (parts[t].wrong) all.wrong += parts[t].wrong, all.wrong_where = parts[t].wrong_where;
    }
    failed |= all.worst > f->bound || all.wrong;
    printf("%-10s %10.7g %12.4f ulp %10.4g  %.9g", f->name, (double)f->low, all.worst, f->bound, (double)all.where);
    if (all.wrong) printf("  and %llu wrong beyond the range, such as at %.9g", (unsigned long long)all.wrong, (double)all.wrong_where);
    printf("\n");
    fflush(stdout);
  }
  printf("%s\n", failed ? "FAILED" : "all within what is stated");
  return failed;
}
