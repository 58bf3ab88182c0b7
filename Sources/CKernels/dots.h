/* Products of bf16 by VDPBF16PS, which adds to each of sixteen sums the product of the upper terms of two words, then that of
   the lower ones, each as a fused multiply-add without subnormals (`dots_as_defined` asks the processor). With terms i and i + 2
   side by side, i above, that is two steps of one of the two chains which CKernels.h defines, so that the bits are those of
   every other path.

   Four terms, a quad, are a word of the even chain, {i, i + 2}, and one of the odd chain, {i + 1, i + 3}. A row of A is laid out
   so, a block in a line of the cache; words of B are made from its pairs {i, i + 1}, once for all tiles of a group, or where
   they are read if there is one tile. */

enum { DOT_ROWS = 6, DOT_PANELS = 2, AHEAD_BYTES = 6144 };
enum { QUADS = MAX_BLOCK / 4, ROW_WORDS = MAX_BLOCK / 2, PAIR_BYTES = PANEL * 4, QUAD_BYTES = 2 * PAIR_BYTES };

#define dot16(sum, a, b) ((f32x16)_mm512_dpbf16_ps((__m512)(sum), (__m512bh)(a), (__m512bh)(b)))
#define UPPER 0xaaaaaaaau
/* Words of the even and of the odd chain, of pairs {i, i + 1} and {i + 2, i + 3}. */
#define even_words(first, second) _mm512_mask_blend_epi16(UPPER, (__m512i)(second), (__m512i)((first) << 16))
#define odd_words(first, second) _mm512_mask_blend_epi16(UPPER, (__m512i)((second) >> 16), (__m512i)(first))

/* Where a tile finds a block of B and its sums: `panels` panels side by side, each so many bytes or floats after the one before. */
typedef struct {
  const char *b;
  size_t b_stride;
  float *sums; /* rows of LANES */
  size_t sum_stride;
} dot_operands;

/* A block of a panel as words of the two chains, zeros past the end of a short one. */
INLINE void lay_out_panel(const char *b, size_t pairs, char *out) {
  const u32x16 *in = (const u32x16 *)b, zeros = {0};
  for (size_t p = 0; p < pairs; p += 2, out += QUAD_BYTES) {
    u32x16 first = in[p], second = p + 1 < pairs ? in[p + 1] : zeros;
    _mm512_store_si512(out, even_words(first, second));
    _mm512_store_si512(out + QUAD_BYTES / 2, odd_words(first, second));
  }
}

/* The two chains of `rows` rows, so many words apart, times `panels` panels, constants all, over so many quads: [panel][row]. B is laid
   out, or whole and as it was packed. */
INLINE void dot_chains(const uint32_t *a, int row_words, const dot_operands *of, size_t quads, int laid_out, int rows, int panels,
                       f32x16 *even, f32x16 *odd) {
#pragma unroll
  for (int i = 0; i < rows * panels; i++) even[i] = odd[i] = splat(0);
  for (size_t q = 0; q < quads; q++) {
    __m512i b_even[DOT_PANELS], b_odd[DOT_PANELS];
#pragma unroll
    for (int panel = 0; panel < panels; panel++) {
      const char *b = of->b + (size_t)panel * of->b_stride + q * QUAD_BYTES;
      u32x16 first = *(const u32x16 *)b, second = *(const u32x16 *)(b + QUAD_BYTES / 2);
      b_even[panel] = laid_out ? (__m512i)first : even_words(first, second);
      b_odd[panel] = laid_out ? (__m512i)second : odd_words(first, second);
    }
#pragma unroll
    for (int r = 0; r < rows; r++) {
      const uint32_t *words = a + (size_t)(r * row_words) + 2 * q;
      __m512i a_even = _mm512_set1_epi32((int)words[0]), a_odd = _mm512_set1_epi32((int)words[1]);
#pragma unroll
      for (int panel = 0; panel < panels; panel++) {
        even[panel * rows + r] = dot16(even[panel * rows + r], a_even, b_even[panel]);
        odd[panel * rows + r] = dot16(odd[panel * rows + r], a_odd, b_odd[panel]);
      }
    }
  }
}

/* One block of a tile onto its sums. */
INLINE void dot_tile(const uint32_t *a, const dot_operands *of, size_t quads, int laid_out, int rows, int panels) {
  f32x16 even[DOT_ROWS * DOT_PANELS], odd[DOT_ROWS * DOT_PANELS];
  dot_chains(a, ROW_WORDS, of, quads, laid_out, rows, panels, even, odd);
#pragma unroll
  for (int panel = 0; panel < panels; panel++) {
#pragma unroll
    for (int r = 0; r < rows; r++) {
      f32x16 of_even = even[panel * rows + r];
      if (quads < QUADS) of_even = of_even + splat(0); /* the zeros past a short block's end: of two chains one is enough */
      add_block(of->sums + (size_t)panel * of->sum_stride + r * LANES, of_even + odd[panel * rows + r]);
    }
  }
}

INLINE void dot_rows(const uint32_t *a, const dot_operands *of, size_t quads, int laid_out, size_t rows, int panels) {
  _Static_assert(DOT_ROWS == 6, "so many rows have a case each");
#define TILE(R)                                                                \
  case R:                                                                      \
    if (quads == QUADS) dot_tile(a, of, QUADS, laid_out, R, panels);           \
    else dot_tile(a, of, quads, 1, R, panels);                                 \
    break;
  switch (rows) { TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) }
#undef TILE
}

/* One group of rows against some panels, a constant. */
INLINE void dot_group(const gemm_job *job, size_t panel, size_t panels, const uint32_t *a, size_t row, size_t rows) {
  _Alignas(64) float sums[DOT_PANELS * DOT_GROUP_ROWS * LANES];
  _Alignas(64) char words[DOT_PANELS * QUADS * QUAD_BYTES];
  enum { SUM_STRIDE = DOT_GROUP_ROWS * LANES };
  const char *b = (const char *)job->packed + panel * job->panel_bytes;
  for (size_t p = 0; p < panels; p++) PK_FN(gemm_load)(job, sums + p * SUM_STRIDE, row, rows, (panel + p) * LANES);
  size_t asked = 0, each = ceil_div(rows, max_size(1, job->block_count));
  for (size_t block = 0; block < job->block_count; block++, a += rows * ROW_WORDS) {
    size_t pairs = (job->blocks[block].length + 1) / 2, quads = (pairs + 1) / 2, bytes = pairs * PAIR_BYTES;
    int laid_out = rows > DOT_ROWS || pairs < MAX_BLOCK / 2;
    for (size_t p = 0; p < panels; p++) {
      const char *of_panel = b + p * job->panel_bytes;
      for (size_t i = 0; i < bytes; i += LINE) __builtin_prefetch(of_panel + AHEAD_BYTES + i, 0, 2);
      if (laid_out) lay_out_panel(of_panel, pairs, words + p * QUADS * QUAD_BYTES);
    }
    dot_operands of = laid_out ? (dot_operands){words, QUADS * QUAD_BYTES, sums, SUM_STRIDE}
                               : (dot_operands){b, job->panel_bytes, sums, SUM_STRIDE};
    for (size_t last = min_size(rows, asked + each); asked < last; asked++) { /* lines of C, long before they are stored */
      const float *c = job->c + (row + asked) * job->c_stride + panel * PANEL;
      __builtin_prefetch(c, 1, 3);
      if (panels == 2) __builtin_prefetch(c + PANEL, 1, 3);
    }
    for (size_t r = 0; r < rows; r += DOT_ROWS, of.sums += DOT_ROWS * LANES) {
      if (laid_out) dot_rows(a + r * ROW_WORDS, &of, quads, 1, min_size(DOT_ROWS, rows - r), (int)panels);
      else dot_rows(a + r * ROW_WORDS, &of, quads, 0, min_size(DOT_ROWS, rows - r), (int)panels);
    }
    b += bytes;
  }
  for (size_t p = 0; p < panels; p++) PK_FN(gemm_save)(job, sums + p * SUM_STRIDE, row, rows, (panel + p) * LANES);
}

static void dot_panels(const gemm_job *job, size_t panel, size_t panel_end, size_t group) {
  size_t row = group * job->group_rows, rows = min_size(job->group_rows, job->m - row);
  const uint32_t *a = (const uint32_t *)(job->expanded + group * job->group_floats);
  for (; panel + DOT_PANELS <= panel_end; panel += DOT_PANELS) dot_group(job, panel, DOT_PANELS, a, row, rows);
  for (; panel < panel_end; panel++) dot_group(job, panel, 1, a, row, rows);
}

/* 32 terms in the order of words of the two chains. */
#define in_quads(line) _mm512_shufflehi_epi16(_mm512_shufflelo_epi16((line), 0x72), 0x72)

/* Lays out one group of A: [block][row][32 terms in quads]. */
static void dot_expand(const gemm_job *job, size_t group) {
  size_t first = group * job->group_rows, end = min_size(job->m, first + job->group_rows);
  char *out = (char *)(job->expanded + group * job->group_floats);
  for (size_t block = 0; block < job->block_count; block++) {
    size_t length = job->blocks[block].length;
    const uint16_t *a = (const uint16_t *)job->a + (ptrdiff_t)job->blocks[block].start * job->reduction_stride;
    __mmask32 live = (__mmask32)((1ull << length) - 1);
    for (size_t row = first; row < end; row += STRIP_ROWS) {
      size_t rows = min_size(STRIP_ROWS, end - row);
      const uint16_t *from = a + (ptrdiff_t)row * job->row_stride;
      _Alignas(64) char copied[STRIP_BYTES];
      if (job->reduction_stride != 1) copy_block(from, job->row_stride, job->reduction_stride, rows, length, copied);
      for (size_t r = 0; r < rows; r++, out += LINE) {
        __m512i line = job->reduction_stride != 1 ? _mm512_load_si512(copied + r * LINE)
                                                  : _mm512_maskz_loadu_epi16(live, from + (ptrdiff_t)r * job->row_stride);
        _mm512_store_si512(out, in_quads(line));
      }
    }
  }
}
