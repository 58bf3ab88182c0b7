/* Matrix product on packed panels of 16 columns. See CKernels.h for what it computes, bit for bit. */

/* Loads one packed pair of reduction indices for 16 columns: bf16 as [column][even, odd], fp32 as [even, odd][column]. */
#define pair_even(type, b, pair)                                                     \
  ((type) == PK_BF16 ? floats16(((const u32x16 *)(b))[pair] << 16)                   \
                     : ((const f32x16 *)(b))[2 * (pair)])
#define pair_odd(type, b, pair)                                                      \
  ((type) == PK_BF16 ? floats16(((const u32x16 *)(b))[pair] & 0xffff0000u)           \
                     : ((const f32x16 *)(b))[2 * (pair) + 1])

/* ROWS rows (a constant) of one tile times one panel. */
INLINE void PK_FN(gemm_tile)(const gemm_job *job, const float *a, const char *b, float *c, size_t columns,
                             pk_type type, int rows) {
  float ragged[PK_MR * LANES];
  size_t stride = job->c_stride;
  if (columns < LANES) { /* the last panel: work on a copy */
    for (int r = 0; r < rows; r++)
      for (size_t j = 0; j < LANES; j++)
        ragged[r * LANES + j] = job->accumulate && j < columns ? c[r * stride + j] : 0;
  } else if (!job->accumulate) {
    for (int r = 0; r < rows; r++) store16(c + r * stride, splat(0));
  }
  float *target = columns < LANES ? ragged : c;
  size_t target_stride = columns < LANES ? LANES : stride;
  size_t pair_bytes = type == PK_BF16 ? 64 : 128;

  for (size_t block = 0; block < job->block_count; block++) {
    size_t pairs = (job->blocks[block].length + 1) / 2;
    f32x16 even[PK_MR], odd[PK_MR];
#pragma unroll
    for (int r = 0; r < rows; r++) even[r] = splat(0);
#if PK_ONE_PASS
#pragma unroll
    for (int r = 0; r < rows; r++) odd[r] = splat(0);
    for (size_t p = 0; p < pairs; p++) {
      f32x16 be = pair_even(type, b, p), bo = pair_odd(type, b, p);
#pragma unroll
      for (int r = 0; r < rows; r++) even[r] = fma16(splat(a[p * 2 * PK_MR + r]), be, even[r]);
#pragma unroll
      for (int r = 0; r < rows; r++) odd[r] = fma16(splat(a[p * 2 * PK_MR + PK_MR + r]), bo, odd[r]);
    }
#else
    for (size_t p = 0; p < pairs; p++) {
      f32x16 be = pair_even(type, b, p);
#pragma unroll
      for (int r = 0; r < rows; r++) even[r] = fma16(splat(a[p * 2 * PK_MR + r]), be, even[r]);
    }
    f32x16 kept[PK_MR];
#pragma unroll
    for (int r = 0; r < rows; r++) kept[r] = even[r];
    __asm__ volatile("" : : "r"(kept) : "memory"); /* keeps the even sums out of the registers of the odd pass */
#pragma unroll
    for (int r = 0; r < rows; r++) odd[r] = splat(0);
    for (size_t p = 0; p < pairs; p++) {
      f32x16 bo = pair_odd(type, b, p);
#pragma unroll
      for (int r = 0; r < rows; r++) odd[r] = fma16(splat(a[p * 2 * PK_MR + PK_MR + r]), bo, odd[r]);
    }
#pragma unroll
    for (int r = 0; r < rows; r++) even[r] = kept[r];
#endif
#pragma unroll
    for (int r = 0; r < rows; r++)
      store16(target + r * target_stride, load16(target + r * target_stride) + (even[r] + odd[r]));
    a += pairs * 2 * PK_MR;
    b += pairs * pair_bytes;
  }
  if (columns < LANES)
    for (int r = 0; r < rows; r++) memcpy(c + r * stride, ragged + r * LANES, columns * sizeof(float));
}

static void PK_FN(gemm_panel)(const gemm_job *job, size_t panel, size_t tile_begin, size_t tile_end) {
  size_t column = panel * LANES;
  size_t columns = job->n - column < LANES ? job->n - column : LANES;
  const char *b = (const char *)job->packed + panel * job->pairs * (job->type == PK_BF16 ? 64 : 128);
  for (size_t tile = tile_begin; tile < tile_end; tile++) {
    size_t row = tile * PK_MR;
    size_t rows = job->m - row < PK_MR ? job->m - row : PK_MR;
    const float *a = job->expanded + tile * job->pairs * 2 * PK_MR;
    float *c = job->c + row * job->c_stride + column;
#define TILE(R)                                                                                    \
  case R:                                                                                          \
    if (job->type == PK_BF16) PK_FN(gemm_tile)(job, a, b, c, columns, PK_BF16, R);                 \
    else PK_FN(gemm_tile)(job, a, b, c, columns, PK_F32, R);                                       \
    break;
    switch (rows) {
      TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)
#if PK_MR > 6
      TILE(7) TILE(8)
#endif
    }
#undef TILE
  }
}

/* Widens one row tile of A to fp32 in the order the tile loop reads it; odd lengths end in a zero. */
static void PK_FN(gemm_expand)(const gemm_job *job, size_t tile) {
  float *out = job->expanded + tile * job->pairs * 2 * PK_MR;
  size_t row = tile * PK_MR;
  size_t rows = job->m - row < PK_MR ? job->m - row : PK_MR;
  for (size_t block = 0; block < job->block_count; block++) {
    size_t start = job->blocks[block].start, length = job->blocks[block].length;
    size_t padded = (length + 1) / 2 * 2;
    for (size_t r = 0; r < rows; r++) {
      ptrdiff_t base = (ptrdiff_t)(row + r) * job->row_stride + (ptrdiff_t)start * job->reduction_stride;
      for (size_t k = 0; k < length; k++) {
        ptrdiff_t index = base + (ptrdiff_t)k * job->reduction_stride;
        float value;
        if (job->type == PK_BF16) {
          uint32_t bits = (uint32_t)((const uint16_t *)job->a)[index] << 16;
          memcpy(&value, &bits, 4);
        } else {
          value = ((const float *)job->a)[index];
        }
        out[k * PK_MR + r] = value;
      }
      if (padded != length) out[length * PK_MR + r] = 0;
    }
    out += padded * PK_MR;
  }
}
