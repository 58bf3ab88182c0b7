/* Rotary positions: the table of angles. */
#include "kernels.h"
#include "scalar.h"

#pragma STDC FP_CONTRACT OFF

void pk_rotary_table(float base, size_t first, size_t positions, size_t d, float *cosine, float *sine) {
  for (size_t i = 0; i < d / 2; i++) {
    float frequency = (float)exp_double(-(double)(2 * i) / (double)d * log_double(base));
    for (size_t position = 0; position < positions; position++) {
      double s, c;
      sine_cosine((float)(first + position) * frequency, &s, &c);
      cosine[position * (d / 2) + i] = (float)c;
      sine[position * (d / 2) + i] = (float)s;
    }
  }
}
