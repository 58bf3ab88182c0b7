/* Scalar functions in double that need no C library, so that every machine gives the same bits: logarithm,
   sine, cosine and power; the rotary table; Philox. */
#include <math.h>
#include <string.h>
#include "kernels.h"
#include "lanes.h"

#pragma STDC FP_CONTRACT OFF

float pk_exp(float x) { return exp1(x); }

/* ln x = e ln 2 + 2 atanh((m - 1) / (m + 1)) with m in [sqrt 1/2, sqrt 2). Error below 1e-15 before rounding. */
static double log_double(double x) {
  uint64_t bits;
  memcpy(&bits, &x, 8);
  int exponent = (int)(bits >> 52 & 0x7ff) - 1023;
  bits = (bits & 0x000fffffffffffffull) | 0x3ff0000000000000ull;
  double m;
  memcpy(&m, &bits, 8);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    exponent++;
  }
  double s = (m - 1) / (m + 1), s2 = s * s, sum = 0;
  for (int k = 23; k >= 3; k -= 2) sum = (sum + 1.0 / k) * s2;
  return exponent * 0.69314718055994530942 + 2 * (s + s * sum);
}

float pk_log(float x) {
  if (!(x > 0)) return x == 0 ? -INFINITY : NAN;
  if (x > 3.4028234e38f) return INFINITY;
  return (float)log_double(x);
}

/* exp x for moderate x: 2^n times a Taylor series on |r| <= ln 2 / 2. */
static double exp_double(double x) {
  double n = __builtin_floor(x * 1.44269504088896340736 + 0.5);
  double r = x - n * 0.693147180369123816490; /* high part of ln 2: n * high is exact for small n */
  r -= n * 1.90821492927058770002e-10;
  double sum = 1;
  for (int k = 18; k >= 1; k--) sum = 1 + sum * r / k;
  uint64_t bits = (uint64_t)((int64_t)n + 1023) << 52;
  double scale;
  memcpy(&scale, &bits, 8);
  return sum * scale;
}

/* Reduces by pi / 2 in three parts, then Taylor series on |r| <= pi / 4. Good to 1e-15 for |x| < 1e6. */
static void sine_cosine(double x, double *sine, double *cosine) {
  double n = __builtin_floor(x * 0.63661977236758134308 + 0.5);
  double r = x - n * 1.57079632673412561417;
  r -= n * 6.07710050630396597660e-11;
  r -= n * 2.02226624879595063154e-21;
  double r2 = r * r, s = 0, c = 0;
  for (int k = 21; k >= 3; k -= 2) s = -r2 / (k * (k - 1)) * (1 + s);
  for (int k = 20; k >= 2; k -= 2) c = -r2 / (k * (k - 1)) * (1 + c);
  s = r + r * s;
  c = 1 + c;
  switch ((int64_t)n & 3) {
  case 0: *sine = s, *cosine = c; break;
  case 1: *sine = c, *cosine = -s; break;
  case 2: *sine = -s, *cosine = -c; break;
  default: *sine = -c, *cosine = s; break;
  }
}

void pk_rotary_table(float base, size_t positions, size_t d, float *cosine, float *sine) {
  for (size_t i = 0; i < d / 2; i++) {
    float frequency = (float)exp_double(-(double)(2 * i) / (double)d * log_double(base));
    for (size_t position = 0; position < positions; position++) {
      double s, c;
      sine_cosine((float)position * frequency, &s, &c);
      cosine[position * (d / 2) + i] = (float)c;
      sine[position * (d / 2) + i] = (float)s;
    }
  }
}

typedef struct {
  float *x;
  size_t stride, heads, d;
  const int32_t *positions;
  const float *cosine, *sine;
  float sign;
} rotary_job;

static void rotary_task(void *context, size_t t) {
  const rotary_job *job = context;
  size_t half = job->d / 2;
  const float *c = job->cosine + (size_t)job->positions[t] * half, *s = job->sine + (size_t)job->positions[t] * half;
  for (size_t h = 0; h < job->heads; h++) {
    float *x = job->x + t * job->stride + h * job->d;
    for (size_t i = 0; i < half; i++) {
      float sine = job->sign * s[i], a = x[i], b = x[i + half];
      x[i] = a * c[i] - b * sine;
      x[i + half] = b * c[i] + a * sine;
    }
  }
}

void pk_rotary(float *x, size_t stride, size_t heads, size_t d, const int32_t *positions, const float *cosine,
               const float *sine, float sign, size_t t) {
  rotary_job job = {x, stride, heads, d, positions, cosine, sine, sign};
  parallel_for(t, rotary_task, &job);
}

/* Source: Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (SC 2011), Philox 4x32 with 10 rounds. */
void pk_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3], k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
    uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c1 = (uint32_t)p1;
    c3 = (uint32_t)p0;
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}
