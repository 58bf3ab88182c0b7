/* Scalar functions that need no C library, so that every machine gives the same bits: the element functions of one number, and in
   double the logarithm, power, sine and cosine of rotary tables. */
#include "scalar.h"
#include <float.h>
#include <math.h>
#include <string.h>
#include "elements.h"

#pragma STDC FP_CONTRACT OFF

/* As inside operations, where the processor does it: a subnormal is zero. */
static float flushed(float x) { return fabsf(x) < FLT_MIN ? copysignf(0, x) : x; }

float pk_exp(float x) { return exp1(x); }
float pk_tanh(float x) { return tanh16(splat(flushed(x)))[0]; }
float pk_erf(float x) { return erf16(splat(flushed(x)))[0]; }

void normal_tail(float t, float *exponential, float *mills) {
  f32x16 e, m;
  normal_tail16(splat(t), e, m);
  *exponential = e[0], *mills = m[0];
}

/* ln x = e ln 2 + 2 atanh((m - 1) / (m + 1)) with m in [sqrt 1/2, sqrt 2). Error below 1e-15 before rounding. */
double log_double(double x) {
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
  if (!(flushed(x) > 0)) return flushed(x) == 0 ? -INFINITY : NAN;
  if (x > 3.4028234e38f) return INFINITY;
  return (float)log_double(x);
}

/* exp x for moderate x: 2^n times a Taylor series on |r| <= ln 2 / 2. */
double exp_double(double x) {
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
void sine_cosine(double x, double *sine, double *cosine) {
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
