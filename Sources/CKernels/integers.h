/* Products with integers as the right operand: those of mode `int8` and those of a file's blocks. kernels.h says how a panel
   lies in memory (`integer_format`), CKernels.h what is computed.

   One row of A meets a panel's integers as they lie, several panels at a time. Of more rows a block of integers is widened to
   fp32 once, for all tiles of rows; the sums of all rows lie side by side. */

enum { INTEGER_PAIRS = MAX_BLOCK / 2, ROW_PANELS = PK_MASKS == 512 ? 4 : 2 }; /* so many as the registers hold */

/* One row of A against some panels. */
INLINE void PK_FN(integer_row)(const integer_job *job, size_t panel, const float *a, size_t row, pk_type type, int panels) {
  const integer_format f = format_of(type);
  _Alignas(64) float sums[ROW_PANELS * LANES];
  const char *b[ROW_PANELS];
  PK_FN(integer_scales) s[ROW_PANELS];
  for (int i = 0; i < panels; i++) {
    b[i] = job->packed + (panel + (size_t)i) * job->panel_bytes;
    PK_FN(integer_load)(job, sums + i * LANES, row, (panel + (size_t)i) * LANES);
  }
  for (size_t block = 0; block < job->block_count; block++) {
    size_t pairs = type == PK_I8 ? (job->blocks[block].length + 1) / 2 : (size_t)f.terms / 2;
    f32x16 even[ROW_PANELS], odd[ROW_PANELS];
#pragma unroll
    for (int i = 0; i < panels; i++) {
      b[i] = PK_FN(read_scales)(f, b[i], block, &s[i]);
      even[i] = odd[i] = splat(0);
      prefetch_block(b[i] + (size_t)panels * job->panel_bytes, integers_bytes(f, pairs));
    }
#define row_pairs(count)                                                                                     \
  for (size_t p = 0; p < (count); p++)                                                                       \
    _Pragma("unroll") for (int i = 0; i < panels; i++) {                                                     \
      f32x16 b_even, b_odd;                                                                                  \
      widen_pair(f, b[i], p, b_even, b_odd);                                                                 \
      even[i] = fma16(splat(a[2 * p]), b_even, even[i]);                                                     \
      odd[i] = fma16(splat(a[2 * p + 1]), b_odd, odd[i]);                                                    \
    }
    if (type != PK_I8) {
      _Pragma("unroll") row_pairs((size_t)f.terms / 2)
    } else {
      row_pairs(pairs)
    }
#undef row_pairs
#pragma unroll
    for (int i = 0; i < panels; i++) {
      if (type == PK_I8 && pairs < INTEGER_PAIRS) even[i] = even[i] + splat(0); /* the zeros past a short block's end */
      f32x16 sum = fma16(s[i].scale, even[i] + odd[i], load16(sums + i * LANES));
      if (f.halves == 2) sum = fma16(s[i].minimum, splat(a[2 * pairs]), sum);
      store16(sums + i * LANES, sum);
      b[i] += integers_bytes(f, pairs);
    }
    a += integer_indices(f, pairs);
  }
  for (int i = 0; i < panels; i++) PK_FN(integer_save)(job, sums + i * LANES, row, (panel + (size_t)i) * LANES);
}

/* One widened block against `rows` rows (a constant) of a tile, both chains at once. */
INLINE void PK_FN(integer_tile)(const float *a, const float *wide, const PK_FN(integer_scales) *s, float *sums, size_t pairs,
                                int minima, int is_short, int rows) {
  f32x16 even[PK_ONE_PASS_ROWS], odd[PK_ONE_PASS_ROWS];
#pragma unroll
  for (int r = 0; r < rows; r++) even[r] = odd[r] = splat(0);
  for (size_t p = 0; p < pairs; p++, a += 2 * PK_MR) {
    f32x16 b_even = load16(wide + 2 * p * LANES), b_odd = load16(wide + (2 * p + 1) * LANES);
#pragma unroll
    for (int r = 0; r < rows; r++) {
      even[r] = fma16(splat(a[r]), b_even, even[r]);
      odd[r] = fma16(splat(a[PK_MR + r]), b_odd, odd[r]);
    }
  }
  f32x16 scale = s->scale, minimum = s->minimum;
#pragma unroll
  for (int r = 0; r < rows; r++) {
    if (is_short) even[r] = even[r] + splat(0); /* the zeros past a short block's end: of two chains one is enough */
    f32x16 sum = fma16(scale, even[r] + odd[r], load16(sums + r * LANES));
    if (minima) sum = fma16(minimum, splat(a[r]), sum);
    store16(sums + r * LANES, sum);
  }
}

INLINE void PK_FN(integer_tiles)(const float *a, const float *wide, const PK_FN(integer_scales) *s, float *sums, size_t pairs,
                                 int minima, int is_short, size_t rows) {
  for (; rows >= PK_ONE_PASS_ROWS; rows -= PK_ONE_PASS_ROWS, a += PK_ONE_PASS_ROWS, sums += PK_ONE_PASS_ROWS * LANES)
    PK_FN(integer_tile)(a, wide, s, sums, pairs, minima, is_short, PK_ONE_PASS_ROWS);
  _Static_assert(PK_ONE_PASS_ROWS <= 6, "rows that are left have a case each");
#define TILE(R) case R: PK_FN(integer_tile)(a, wide, s, sums, pairs, minima, is_short, R); break;
  switch (rows) {
    TILE(1)
#if PK_ONE_PASS_ROWS > 2
    TILE(2) TILE(3) TILE(4) TILE(5)
#endif
  }
#undef TILE
}

/* A group of rows against one panel. */
INLINE void PK_FN(integer_group)(const integer_job *job, size_t panel, const float *a, size_t row, size_t rows, pk_type type) {
  const integer_format f = format_of(type);
  _Alignas(64) float sums[GROUP_ROWS * LANES], wide[2 * INTEGER_PAIRS * LANES];
  PK_FN(integer_scales) s = {.scale = splat(0)};
  const char *b = job->packed + panel * job->panel_bytes;
  for (size_t r = 0; r < rows; r++) PK_FN(integer_load)(job, sums + r * LANES, row + r, panel * LANES);
  for (size_t block = 0; block < job->block_count; block++) {
    size_t pairs = type == PK_I8 ? (job->blocks[block].length + 1) / 2 : (size_t)f.terms / 2;
    int is_short = type == PK_I8 && pairs < INTEGER_PAIRS;
    b = PK_FN(read_scales)(f, b, block, &s);
    prefetch_block(b + job->panel_bytes, integers_bytes(f, pairs));
#define widen_pairs(count)                                                                                   \
  for (size_t p = 0; p < (count); p++) {                                                                     \
    f32x16 even, odd;                                                                                        \
    widen_pair(f, b, p, even, odd);                                                                          \
    store16(wide + 2 * p * LANES, even);                                                                     \
    store16(wide + (2 * p + 1) * LANES, odd);                                                                \
  }
    if (type != PK_I8) {
      _Pragma("unroll") widen_pairs((size_t)f.terms / 2)
    } else {
      widen_pairs(pairs)
    }
#undef widen_pairs
    b += integers_bytes(f, pairs);
    for (size_t r = 0; r < rows; r += PK_MR, a += integer_indices(f, pairs) * PK_MR)
      PK_FN(integer_tiles)(a, wide, &s, sums + r * LANES, pairs, f.halves == 2, is_short, min_size(PK_MR, rows - r));
  }
  for (size_t r = 0; r < rows; r++) PK_FN(integer_save)(job, sums + r * LANES, row + r, panel * LANES);
}

#define PANELS_OF(TYPE)                                                                                      \
  static void PK_FN(panels_##TYPE)(const integer_job *job, size_t panel, size_t panel_end, const float *a, size_t row, \
                                   size_t rows) {                                                            \
    if (job->tile_rows == 1) {                                                                               \
      for (; panel + ROW_PANELS <= panel_end; panel += ROW_PANELS)                                           \
        PK_FN(integer_row)(job, panel, a, row, TYPE, ROW_PANELS);                                            \
      for (; panel < panel_end; panel++) PK_FN(integer_row)(job, panel, a, row, TYPE, 1);                    \
    } else {                                                                                                 \
      for (; panel < panel_end; panel++) PK_FN(integer_group)(job, panel, a, row, rows, TYPE);               \
    }                                                                                                        \
  }
PANELS_OF(PK_I8)
PANELS_OF(PK_Q8_0)
PANELS_OF(PK_Q4_0)
PANELS_OF(PK_Q4_1)
PANELS_OF(PK_Q5_0)
PANELS_OF(PK_Q5_1)
PANELS_OF(PK_Q4_K)
PANELS_OF(PK_Q5_K)
PANELS_OF(PK_Q6_K)
#undef PANELS_OF

static void PK_FN(integer_panels)(const integer_job *job, size_t panel_begin, size_t panel_end, size_t group) {
  size_t row = group * job->group_rows, rows = min_size(job->group_rows, job->m - row);
  const float *a = job->expanded + group * job->group_floats;
#define CASE(TYPE) case TYPE: PK_FN(panels_##TYPE)(job, panel_begin, panel_end, a, row, rows); break;
  switch (job->type) {
    CASE(PK_Q8_0) CASE(PK_Q4_0) CASE(PK_Q4_1) CASE(PK_Q5_0) CASE(PK_Q5_1) CASE(PK_Q4_K) CASE(PK_Q5_K) CASE(PK_Q6_K)
  default: PK_FN(panels_PK_I8)(job, panel_begin, panel_end, a, row, rows);
  }
#undef CASE
}

/* One block of one tile as fp32, [index][row], its sums after it where there are minima. Stores cover eight rows: those past
   a smaller tile fall where what follows is written later, or into the room after the group. Returns where the next begins. */
INLINE float *PK_FN(integer_expand_block)(const integer_job *job, size_t row, size_t rows, pk_block block, float *out, int minima) {
  ptrdiff_t across = job->reduction_stride, down = job->row_stride;
  const uint16_t *a = job->a + (ptrdiff_t)row * down + (ptrdiff_t)block.start * across;
  size_t indices = (block.length + 1) / 2 * 2, k = 0;
  if (across == 1)
    for (; k + 8 <= block.length; k += 8) {
      u32x8 in[8], turned[8];
#pragma unroll
      for (size_t r = 0; r < 8; r++)
        in[r] = r < rows ? __builtin_convertvector(*(const u16x8 *)(a + (ptrdiff_t)r * down + (ptrdiff_t)k), u32x8) << 16
                         : (u32x8){0};
      PK_FN(transpose8)(in, turned);
#pragma unroll
      for (size_t i = 0; i < 8; i++) *(u32x8 *)(out + (k + i) * PK_MR) = turned[i];
    }
  for (; k < indices; k++)
    for (size_t r = 0; r < PK_MR; r++) {
      uint32_t bits = 0;
      if (r < rows && k < block.length) bits = (uint32_t)a[(ptrdiff_t)r * down + (ptrdiff_t)k * across] << 16;
      memcpy(out + k * PK_MR + r, &bits, 4);
    }
  if (minima) {
    float sums[2][PK_MR] = {{0}};
    for (k = 0; k < indices; k++)
      for (size_t r = 0; r < PK_MR; r++) sums[k % 2][r] = sums[k % 2][r] + out[k * PK_MR + r];
    for (size_t r = 0; r < PK_MR; r++) out[indices * PK_MR + r] = sums[0][r] + sums[1][r];
  }
  return out + (indices + (size_t)minima) * PK_MR;
}

/* The same of the only row. */
INLINE float *PK_FN(integer_expand_row)(const integer_job *job, pk_block block, float *out, int minima) {
  const uint16_t *a = job->a + (ptrdiff_t)block.start * job->reduction_stride;
  size_t indices = (block.length + 1) / 2 * 2;
  float sums[2] = {0, 0};
  for (size_t k = 0; k < indices; k++) {
    uint32_t bits = k < block.length ? (uint32_t)a[(ptrdiff_t)k * job->reduction_stride] << 16 : 0;
    memcpy(out + k, &bits, 4);
  }
  if (minima) {
    for (size_t k = 0; k < indices; k++) sums[k % 2] = sums[k % 2] + out[k];
    out[indices] = sums[0] + sums[1];
  }
  return out + indices + minima;
}

/* Widens one group of A in the order in which the blocks read it. */
static void PK_FN(integer_expand)(const integer_job *job, size_t group) {
  size_t first = group * job->group_rows, end = min_size(job->m, first + job->group_rows);
  float *out = job->expanded + group * job->group_floats;
  int minima = format_of(job->type).halves == 2;
  for (size_t block = 0; block < job->block_count; block++)
    for (size_t row = first; row < end; row += job->tile_rows) {
      if (job->tile_rows == 1) out = PK_FN(integer_expand_row)(job, job->blocks[block], out, minima);
      else out = PK_FN(integer_expand_block)(job, row, min_size(PK_MR, end - row), job->blocks[block], out, minima);
    }
}
