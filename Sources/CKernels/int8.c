/* Weights as integers of 8 bits: how they are rounded. How they lie in the packed panels: kernels.h, `integer_format`. */
#include <math.h>
#include <string.h>
#include "kernels.h"

#pragma STDC FP_CONTRACT OFF

typedef struct {
  const float *b;
  ptrdiff_t reduction_stride, column_stride;
  size_t columns, block_count;
  const pk_block *blocks;
  char *packed;
} int8_job;

size_t pk_packed_int8_bytes(size_t columns, const pk_block *blocks, size_t block_count) {
  return ceil_div(columns, PANEL) * integer_bytes(PK_I8, blocks, block_count);
}

/* Rounds one column's terms of a block; returns the scale. Adding 1.5 * 2^23 rounds to the nearest integer, ties to even, and
   leaves it in the lowest bits. */
static float round_block(const float *w, size_t length, int8_t *integers) {
  uint32_t bits[MAX_BLOCK], most = 0;
  memcpy(bits, w, length * sizeof(float));
  for (size_t k = 0; k < length; k++) {
    uint32_t magnitude = bits[k] & 0x7fffffffu;
    most = magnitude > most ? magnitude : most;
  }
  float largest;
  memcpy(&largest, &most, 4);
  float scale = most < 0x7f800000u ? largest / 127 : NAN;
  if (!(scale > 0)) {
    memset(integers, 0, length);
    return scale;
  }
  for (size_t k = 0; k < length; k++) {
    float shifted = w[k] / scale + 12582912.0f;
    memcpy(bits + k, &shifted, 4);
  }
  for (size_t k = 0; k < length; k++) integers[k] = (int8_t)(bits[k] & 0xff);
  return scale;
}

static void pack_panel(void *context, size_t panel) {
  const int8_job *job = context;
  size_t first = panel * PANEL, live = min_size(PANEL, job->columns - first);
  char *out = job->packed + panel * integer_bytes(PK_I8, job->blocks, job->block_count);
  for (size_t i = 0; i < job->block_count; i++) {
    pk_block block = job->blocks[i];
    float scales[PANEL] = {0};
    int8_t *integers = (int8_t *)out + sizeof scales;
    memset(integers, 0, integer_bytes(PK_I8, &block, 1) - sizeof scales);
    for (size_t n = 0; n < live; n++) {
      const float *column = job->b + (ptrdiff_t)(first + n) * job->column_stride + (ptrdiff_t)block.start * job->reduction_stride;
      float terms[MAX_BLOCK];
      int8_t rounded[MAX_BLOCK];
      for (size_t k = 0; k < block.length; k++) terms[k] = column[(ptrdiff_t)k * job->reduction_stride];
      scales[n] = round_block(terms, block.length, rounded);
      for (size_t k = 0; k < block.length; k++) integers[k * PANEL + n] = rounded[k];
    }
    memcpy(out, scales, sizeof scales);
    out += integer_bytes(PK_I8, &block, 1);
  }
}

void pk_pack_int8(int threads, const float *b, ptrdiff_t reduction_stride, ptrdiff_t column_stride, size_t columns,
                  const pk_block *blocks, size_t block_count, void *packed) {
  int8_job job = {b, reduction_stride, column_stride, columns, block_count, blocks, packed};
  parallel_for(threads, ceil_div(columns, PANEL), pack_panel, &job);
}
