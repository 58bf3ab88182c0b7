/* Rotary positions: the table of angles, and turning the pairs of each head. */
#include "kernels.h"
#include "scalar.h"

#pragma STDC FP_CONTRACT OFF

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
