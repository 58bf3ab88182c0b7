/* Products with integers by VDPBF16PS, from two rows on: even + odd of a block as in dots.h, since the integers are exact in bf16, and
   what scales it. A block's integers become words of the two chains once for a group of rows. */

/* A block's integers at b as words of the two chains. */
INLINE void lay_out_integers(integer_format f, const char *b, char *out) {
#pragma unroll
  for (int p = 0; p < f.terms / 2; p += 2, out += QUAD_BYTES) {
    u32x16 first = (u32x16)PK_FN(pair_words)(f, b, p), second = (u32x16)PK_FN(pair_words)(f, b, p + 1);
    _mm512_store_si512(out, even_words(first, second));
    _mm512_store_si512(out + QUAD_BYTES / 2, odd_words(first, second));
  }
}

/* `rows` rows times `panels` panels, constants both. */
INLINE void integer_dot_tile(const uint32_t *a, const dot_operands *of, integer_format f, const PK_FN(integer_scales) *s,
                             const float *a_sums, int rows, int panels) {
  f32x16 even[DOT_ROWS * DOT_PANELS], odd[DOT_ROWS * DOT_PANELS];
  dot_chains(a, f.terms / 2, of, (size_t)f.terms / 4, 1, rows, panels, even, odd);
#pragma unroll
  for (int panel = 0; panel < panels; panel++) {
    f32x16 scale = s[panel].scale, minimum = s[panel].minimum;
#pragma unroll
    for (int r = 0; r < rows; r++) {
      float *to = of->sums + (size_t)panel * of->sum_stride + r * LANES;
      f32x16 sum = fma16(scale, even[panel * rows + r] + odd[panel * rows + r], load16(to));
      if (f.halves == 2) sum = fma16(minimum, splat(a_sums[r]), sum);
      store16(to, sum);
    }
  }
}

/* A group of rows against one or two panels. */
INLINE void integer_dot_group(const integer_job *job, size_t panel, const uint32_t *a, const float *a_sums, size_t row, size_t rows,
                              pk_type type, int panels) {
  const integer_format f = format_of(type);
  const size_t pairs = (size_t)f.terms / 2;
  enum { SUM_STRIDE = GROUP_ROWS * LANES };
  _Alignas(64) float sums[DOT_PANELS * SUM_STRIDE];
  _Alignas(64) char words[DOT_PANELS * QUADS * QUAD_BYTES];
  PK_FN(integer_scales) s[DOT_PANELS] = {{.minimum = splat(0)}, {.minimum = splat(0)}};
  const char *b[DOT_PANELS];
  for (int i = 0; i < panels; i++) {
    b[i] = job->packed + (panel + (size_t)i) * job->panel_bytes;
    for (size_t r = 0; r < rows; r++)
      PK_FN(integer_load)(job, sums + i * SUM_STRIDE + r * LANES, row + r, (panel + (size_t)i) * LANES);
  }
  for (size_t block = 0; block < job->block_count; block++, a += rows * pairs, a_sums += ceil_div(rows, TILE_ROWS) * TILE_ROWS) {
#pragma unroll
    for (int i = 0; i < panels; i++) {
      b[i] = PK_FN(read_scales)(f, b[i], block, &s[i]);
      prefetch_block(b[i] + (size_t)panels * job->panel_bytes, integers_bytes(f, pairs));
      lay_out_integers(f, b[i], words + i * QUADS * QUAD_BYTES);
      b[i] += integers_bytes(f, pairs);
    }
    for (size_t r = 0; r < rows; r += DOT_ROWS) {
      dot_operands of = {words, QUADS * QUAD_BYTES, sums + r * LANES, SUM_STRIDE};
#define TILE(R) case R: integer_dot_tile(a + r * pairs, &of, f, s, a_sums + r, R, panels); break;
      switch (min_size(DOT_ROWS, rows - r)) { TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) }
#undef TILE
    }
  }
  for (int i = 0; i < panels; i++)
    for (size_t r = 0; r < rows; r++)
      PK_FN(integer_save)(job, sums + i * SUM_STRIDE + r * LANES, row + r, (panel + (size_t)i) * LANES);
}

#define DOTS_OF(TYPE)                                                                                        \
  static void dots_##TYPE(const integer_job *job, size_t panel, size_t panel_end, const uint32_t *a, const float *a_sums, \
                          size_t row, size_t rows) {                                                         \
    for (; panel + DOT_PANELS <= panel_end; panel += DOT_PANELS)                                             \
      integer_dot_group(job, panel, a, a_sums, row, rows, TYPE, DOT_PANELS);                                 \
    if (panel < panel_end) integer_dot_group(job, panel, a, a_sums, row, rows, TYPE, 1);                     \
  }
DOTS_OF(PK_I8)
DOTS_OF(PK_Q8_0)
DOTS_OF(PK_Q4_0)
DOTS_OF(PK_Q4_1)
DOTS_OF(PK_Q5_0)
DOTS_OF(PK_Q5_1)
DOTS_OF(PK_Q4_K)
DOTS_OF(PK_Q5_K)
DOTS_OF(PK_Q6_K)
#undef DOTS_OF

/* Where the sums of a group's blocks begin, after its rows. */
static float *sums_of_group(const integer_job *job, size_t group) {
  size_t words = (size_t)format_of(job->type).terms / 2;
  return job->expanded + group * job->group_floats + job->block_count * words * job->group_rows;
}

static void integer_dot_panels(const integer_job *job, size_t panel_begin, size_t panel_end, size_t group) {
  size_t row = group * job->group_rows, rows = min_size(job->group_rows, job->m - row);
  const uint32_t *a = (const uint32_t *)(job->expanded + group * job->group_floats);
  const float *a_sums = sums_of_group(job, group);
#define CASE(TYPE) case TYPE: dots_##TYPE(job, panel_begin, panel_end, a, a_sums, row, rows); break;
  switch (job->type) {
    CASE(PK_Q8_0) CASE(PK_Q4_0) CASE(PK_Q4_1) CASE(PK_Q5_0) CASE(PK_Q5_1) CASE(PK_Q4_K) CASE(PK_Q5_K) CASE(PK_Q6_K)
  default: dots_PK_I8(job, panel_begin, panel_end, a, a_sums, row, rows);
  }
#undef CASE
}

/* Lays out one group of A, whose blocks are whole: [block][row][terms in quads], and where there are minima [block][row] sums. */
static void integer_dot_expand(const integer_job *job, size_t group) {
  const integer_format f = format_of(job->type);
  size_t first = group * job->group_rows, end = min_size(job->m, first + job->group_rows), words = (size_t)f.terms / 2;
  __mmask32 live = (__mmask32)((1ull << f.terms) - 1);
  uint32_t *out = (uint32_t *)(job->expanded + group * job->group_floats);
  for (size_t block = 0; block < job->block_count; block++)
    for (size_t row = first; row < end; row++, out += words) {
      const uint16_t *a = job->a + (ptrdiff_t)row * job->row_stride + (ptrdiff_t)job->blocks[block].start;
      _mm512_mask_storeu_epi16(out, live, in_quads(_mm512_maskz_loadu_epi16(live, a)));
    }
  if (f.halves == 2) PK_FN(sum_blocks)(job, first, end, sums_of_group(job, group));
}
