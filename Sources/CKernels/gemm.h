/* Matrix product on packed panels of 16 columns. See CKernels.h for what it computes, bit for bit.

   Rows of A come in tiles of PK_MR, tiles in groups whose widened rows stay in the second-level cache while the
   panels of B pass by. PK_PANELS panels meet one group block by block, and a block of bf16 is widened once for all tiles
   where there are more of them than PK_TILES_NOT_WIDENED. The sums lie side by side in `sums`, since
   rows of C are often a multiple of 4096 bytes apart and would fall into the same few lines of the first-level cache. */

enum { MAX_PAIRS = 16, PREFETCH_BYTES = 6144, ONE_ROW_PANELS = 2 }; /* panels against a row alone, so that enough chains are under way */

/* Loads one packed pair of reduction indices for 16 columns: bf16 as [column][even, odd], fp32 as [even, odd][column]. */
#define pair_even(type, b, pair)                                                     \
  ((type) == PK_BF16 ? floats16(((const u32x16 *)(b))[pair] << 16) : ((const f32x16 *)(b))[2 * (pair)])
#define pair_odd(type, b, pair)                                                      \
  ((type) == PK_BF16 ? floats16(((const u32x16 *)(b))[pair] & 0xffff0000u) : ((const f32x16 *)(b))[2 * (pair) + 1])
#define pair_bytes(type) ((type) == PK_BF16 ? (size_t)64 : 128)

/* Where a tile finds a block of B and its sums: `panels` panels side by side, each so many bytes or floats after the one before. */
typedef struct {
  const char *b;
  size_t b_stride;
  float *sums; /* rows of LANES */
  size_t sum_stride;
} PK_FN(block_operands);

/* Both chains in one pass: `rows` rows times `panels` panels, constants both. */
INLINE void PK_FN(gemm_one_pass)(const float *a, const PK_FN(block_operands) *of, size_t pairs, pk_type type, int rows, int panels) {
  _Static_assert(PK_PANELS <= ONE_ROW_PANELS, "the most panels side by side");
  f32x16 even[PK_MR * PK_PANELS], odd[PK_MR * PK_PANELS];
#pragma unroll
  for (int i = 0; i < rows * panels; i++) even[i] = odd[i] = splat(0);
  for (size_t p = 0; p < pairs; p++, a += 2 * PK_MR) {
    f32x16 be[ONE_ROW_PANELS], bo[ONE_ROW_PANELS];
#pragma unroll
    for (int panel = 0; panel < panels; panel++) {
      be[panel] = pair_even(type, of->b + (size_t)panel * of->b_stride, p);
      bo[panel] = pair_odd(type, of->b + (size_t)panel * of->b_stride, p);
    }
#pragma unroll
    for (int r = 0; r < rows; r++) {
      f32x16 ae = splat(a[r]), ao = splat(a[PK_MR + r]);
#pragma unroll
      for (int panel = 0; panel < panels; panel++) {
        even[panel * rows + r] = fma16(ae, be[panel], even[panel * rows + r]);
        odd[panel * rows + r] = fma16(ao, bo[panel], odd[panel * rows + r]);
      }
    }
  }
  if (pairs < MAX_PAIRS) { /* the zeros past a short block's end: of two chains one is enough */
#pragma unroll
    for (int i = 0; i < rows * panels; i++) even[i] = even[i] + splat(0);
  }
#pragma unroll
  for (int panel = 0; panel < panels; panel++) {
#pragma unroll
    for (int r = 0; r < rows; r++)
      add_block(of->sums + (size_t)panel * of->sum_stride + r * LANES, even[panel * rows + r] + odd[panel * rows + r]);
  }
}

/* The sums of one chain: fma over pairs of every row with the even or the odd vectors of B. Whole blocks are unrolled: with
   16 pairs the loop's end would cost a tenth of the time. */
#define chain_steps(begin, end, of_b, offset)                                                            \
  for (size_t p = begin; p < end; p++) {                                                                 \
    f32x16 b_ = of_b(type, of->b, p);                                                                    \
    _Pragma("unroll") for (int r = 0; r < rows; r++) chain[r] =                                          \
        fma16(splat(a[p * 2 * PK_MR + (offset) + (size_t)r]), b_, chain[r]);                             \
  }
#define chain_sums(of_b, offset)                                                                         \
  do {                                                                                                   \
    _Pragma("unroll") for (int r = 0; r < rows; r++) chain[r] = splat(0);                                \
    if (whole) {                                                                                         \
      _Pragma("unroll") chain_steps(0, MAX_PAIRS, of_b, offset)                                          \
    } else {                                                                                             \
      chain_steps(0, pairs, of_b, offset)                                                                \
    }                                                                                                    \
  } while (0)

/* One chain after the other over one panel, where the registers hold the sums of only one: the even sums wait in memory. */
INLINE void PK_FN(gemm_two_passes)(const float *a, const PK_FN(block_operands) *of, size_t pairs, pk_type type, int rows, int whole) {
  _Alignas(64) float kept[PK_MR * LANES];
  f32x16 chain[PK_MR];
  chain_sums(pair_even, 0);
  if (!whole) { /* the zeros past a short block's end: of two chains one is enough */
#pragma unroll
    for (int r = 0; r < rows; r++) chain[r] = chain[r] + splat(0);
  }
#pragma unroll
  for (int r = 0; r < rows; r++) store16(kept + r * LANES, chain[r]);
  __asm__ volatile("" : : "r"(kept) : "memory"); /* keeps the even sums out of the registers of the odd pass */
  chain_sums(pair_odd, PK_MR);
#pragma unroll
  for (int r = 0; r < rows; r++) add_block(of->sums + r * LANES, load16(kept + r * LANES) + chain[r]);
}

/* One block of one tile, `rows` of it live, over PK_PANELS panels or one. */
INLINE void PK_FN(gemm_tile)(const float *a, const PK_FN(block_operands) *of, size_t pairs, pk_type type, size_t rows, size_t panels) {
#define TILE(R)                                                                                          \
  case R:                                                                                                \
    if (PK_PANELS > 1 && panels > 1) PK_FN(gemm_one_pass)(a, of, pairs, type, R, PK_PANELS);             \
    else if (R <= PK_ONE_PASS_ROWS) PK_FN(gemm_one_pass)(a, of, pairs, type, R, 1);                      \
    else if (pairs == MAX_PAIRS) PK_FN(gemm_two_passes)(a, of, pairs, type, R, 1);                       \
    else PK_FN(gemm_two_passes)(a, of, pairs, type, R, 0);                                               \
    break;
  switch (rows) {
    TILE(1) TILE(2) TILE(3) TILE(4)
#if PK_MR > 4
    TILE(5) TILE(6)
#endif
  }
#undef TILE
}

/* A block of B as fp32. */
INLINE void PK_FN(gemm_widen)(const char *b, float *wide, size_t pairs, pk_type type) {
  for (size_t p = 0; p < pairs; p++) {
    store16(wide + 2 * p * LANES, pair_even(type, b, p));
    store16(wide + (2 * p + 1) * LANES, pair_odd(type, b, p));
  }
}

/* One group of rows against PK_PANELS panels or one. */
INLINE void PK_FN(gemm_group)(const gemm_job *job, size_t panel, size_t panels, const float *a, size_t row, size_t rows,
                              pk_type type) {
  _Alignas(64) float sums[PK_PANELS * GROUP_ROWS * LANES], wide[PK_PANELS * 2 * MAX_PAIRS * LANES];
  enum { SUM_STRIDE = GROUP_ROWS * LANES, WIDE_STRIDE = 2 * MAX_PAIRS * LANES };
  const char *b = (const char *)job->packed + panel * job->panel_bytes;
  size_t tiles = (rows + PK_MR - 1) / PK_MR;
  int widened = type == PK_BF16 && tiles > PK_TILES_NOT_WIDENED;
  for (size_t p = 0; p < panels; p++) PK_FN(gemm_load)(job, sums + p * SUM_STRIDE, row, rows, (panel + p) * LANES);
  for (size_t block = 0; block < job->block_count; block++) {
    size_t pairs = (job->blocks[block].length + 1) / 2, bytes = pairs * pair_bytes(type);
    PK_FN(block_operands) of = {b, job->panel_bytes, sums, SUM_STRIDE};
    for (size_t p = 0; p < panels; p++) {
      for (size_t ahead = 0; ahead < bytes; ahead += 64) __builtin_prefetch(b + p * job->panel_bytes + PREFETCH_BYTES + ahead, 0, 2);
      if (widened) PK_FN(gemm_widen)(b + p * job->panel_bytes, wide + p * WIDE_STRIDE, pairs, type);
    }
    if (widened) of.b = (const char *)wide, of.b_stride = WIDE_STRIDE * sizeof(float);
    for (size_t tile = 0; tile < tiles; tile++, a += pairs * 2 * PK_MR, of.sums += PK_MR * LANES) {
      size_t live = min_size(PK_MR, rows - tile * PK_MR);
      if (widened) PK_FN(gemm_tile)(a, &of, pairs, PK_F32, live, panels);
      else PK_FN(gemm_tile)(a, &of, pairs, type, live, panels);
    }
    b += bytes;
  }
  for (size_t p = 0; p < panels; p++) PK_FN(gemm_save)(job, sums + p * SUM_STRIDE, row, rows, (panel + p) * LANES);
}

/* One row of A. */
INLINE size_t PK_FN(gemm_row)(const gemm_job *job, size_t panel, size_t panel_end, const float *a, size_t row,
                              pk_type type) {
  size_t stride = job->panel_bytes;
  for (; panel + ONE_ROW_PANELS <= panel_end; panel += ONE_ROW_PANELS) {
    _Alignas(64) float sums[ONE_ROW_PANELS * LANES];
    const char *b = (const char *)job->packed + panel * stride;
    const float *at = a;
    for (size_t p = 0; p < ONE_ROW_PANELS; p++) PK_FN(gemm_load)(job, sums + p * LANES, row, 1, (panel + p) * LANES);
    for (size_t block = 0; block < job->block_count; block++) {
      size_t pairs = (job->blocks[block].length + 1) / 2;
      PK_FN(block_operands) of = {b, stride, sums, LANES};
      PK_FN(gemm_one_pass)(at, &of, pairs, type, 1, ONE_ROW_PANELS);
      at += pairs * 2 * PK_MR;
      b += pairs * pair_bytes(type);
    }
    for (size_t p = 0; p < ONE_ROW_PANELS; p++) PK_FN(gemm_save)(job, sums + p * LANES, row, 1, (panel + p) * LANES);
  }
  return panel;
}

INLINE void PK_FN(gemm_typed)(const gemm_job *job, size_t panel, size_t panel_end, size_t group, pk_type type) {
  size_t row = group * job->group_rows, rows = min_size(job->group_rows, job->m - row);
  const float *a = job->expanded + group * job->group_floats;
  if (rows == 1) panel = PK_FN(gemm_row)(job, panel, panel_end, a, row, type);
  for (; PK_PANELS > 1 && panel + PK_PANELS <= panel_end; panel += PK_PANELS)
    PK_FN(gemm_group)(job, panel, PK_PANELS, a, row, rows, type);
  for (; panel < panel_end; panel++) PK_FN(gemm_group)(job, panel, 1, a, row, rows, type);
}

static void PK_FN(gemm_panels)(const gemm_job *job, size_t panel_begin, size_t panel_end, size_t group) {
  if (job->type == PK_BF16) PK_FN(gemm_typed)(job, panel_begin, panel_end, group, PK_BF16);
  else PK_FN(gemm_typed)(job, panel_begin, panel_end, group, PK_F32);
}

/* Eight elements of A in a row, as the words of fp32. */
#define load_a8(type, p, index)                                                                        \
  ((type) == PK_BF16                                                                                   \
       ? __builtin_convertvector(*(const u16x8 *)((const uint16_t *)(p) + (index)), u32x8) << 16       \
       : *(const u32x8 *)((const float *)(p) + (index)))

/* One block of one tile as fp32, [reduction index][row]; odd lengths end in a zero. Stores cover eight rows: those
   past a smaller tile fall where the next one is written, or into the room after the group. */
INLINE void PK_FN(expand_block)(const gemm_job *job, size_t row, size_t rows, pk_block block, float *out,
                                pk_type type) {
  ptrdiff_t across = job->reduction_stride, down = job->row_stride;
  ptrdiff_t base = (ptrdiff_t)row * down + (ptrdiff_t)block.start * across;
  size_t k = 0;
  if (across == 1) {
    for (; k + 8 <= block.length; k += 8) {
      u32x8 in[8], turned[8];
#pragma unroll
      for (size_t r = 0; r < 8; r++)
        in[r] = r < rows ? load_a8(type, job->a, base + (ptrdiff_t)r * down + (ptrdiff_t)k) : (u32x8){0};
      PK_FN(transpose8)(in, turned);
#pragma unroll
      for (size_t i = 0; i < 8; i++) *(u32x8 *)(out + (k + i) * PK_MR) = turned[i];
    }
  } else if (down == 1 && row + 8 <= job->m) {
    for (; k < block.length; k++)
      *(u32x8 *)(out + k * PK_MR) = load_a8(type, job->a, base + (ptrdiff_t)k * across);
  }
  for (; k < block.length; k++)
    for (size_t r = 0; r < PK_MR; r++) {
      ptrdiff_t index = base + (ptrdiff_t)r * down + (ptrdiff_t)k * across;
      float value = 0;
      if (r < rows && type == PK_BF16) {
        uint32_t bits = (uint32_t)((const uint16_t *)job->a)[index] << 16;
        memcpy(&value, &bits, 4);
      } else if (r < rows) {
        value = ((const float *)job->a)[index];
      }
      out[k * PK_MR + r] = value;
    }
  if (block.length % 2)
    for (size_t r = 0; r < PK_MR; r++) out[block.length * PK_MR + r] = 0;
}

/* Widens one group of row tiles of A in the order in which the blocks read it: [block][tile][index][row]. */
static void PK_FN(gemm_expand)(const gemm_job *job, size_t group) {
  size_t first = group * job->group_rows, end = min_size(job->m, first + job->group_rows);
  float *out = job->expanded + group * job->group_floats;
  for (size_t block = 0; block < job->block_count; block++)
    for (size_t row = first; row < end; row += PK_MR) {
      size_t rows = min_size(PK_MR, end - row);
      if (job->type == PK_F32) PK_FN(expand_block)(job, row, rows, job->blocks[block], out, PK_F32);
      else PK_FN(expand_block)(job, row, rows, job->blocks[block], out, PK_BF16);
      out += (job->blocks[block].length + 1) / 2 * 2 * PK_MR;
    }
}
