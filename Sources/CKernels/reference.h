/* What the definitions share: reading a number of either type, and the one tree. */
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

static inline float lanes_sum(const float lanes[16]) {
  float t[16];
  memcpy(t, lanes, sizeof t);
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; i++) t[i] = t[i] + t[i + half];
  return t[0];
}

#endif
