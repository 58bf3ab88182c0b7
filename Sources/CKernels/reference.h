/* What the definitions share: reading a number of either type, filling lanes, and the one tree. */
#ifndef REFERENCE_H
#define REFERENCE_H

#include <string.h>
#include "CKernels.h"

static inline float typed(const void *p, pk_type type, ptrdiff_t index) {
  if (type == PK_F32) return ((const float *)p)[index];
  uint32_t bits = (uint32_t)((const uint16_t *)p)[index] << 16;
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

/* x[i], or the neutral element past the end: lanes are filled to sixteen. */
static inline float at(const float *x, size_t i, size_t n, float neutral) { return i < n ? x[i] : neutral; }
static inline size_t filled(size_t n) { return (n + 15) / 16 * 16; }

static inline float lanes_sum(const float lanes[16]) {
  float t[16];
  memcpy(t, lanes, sizeof t);
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; i++) t[i] = t[i] + t[i + half];
  return t[0];
}

#endif
