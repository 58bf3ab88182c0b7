/* Products with integers on tiles of 16 rows. The integers of a block are exact in bf16: TDPBF16PS of a tile of A and one of them
   gives even + odd, added to -0, which changes no bit of it. What scales a block is applied in vectors.

   Tiles: sums of two panels in 0 and 1, A in 4; in 2, 3 and 5 those of the last rows, which may be fewer than 16; B in 6 and 7. */

enum { TILE_PANELS = 2 };

static const _Alignas(64) float minus_zeros[PANEL] = {-0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f,
                                                      -0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f};

static void configure_integers(size_t last, size_t terms) {
  uint16_t a = (uint16_t)(terms * sizeof(uint16_t));
  uint8_t l = (uint8_t)last, b = (uint8_t)(terms / 2);
  tile_configuration c = {.palette = 1, .row_bytes = {64, 64, 64, 64, a, a, 64, 64}, .rows = {16, 16, l, l, 16, l, b, b}};
  _tile_loadconfig(&c);
}

/* A block's integers at b as a tile, [pair][column][even, odd]. */
INLINE void fill_tile(integer_format f, const char *b, uint32_t *tile) {
#pragma unroll
  for (int p = 0; p < f.terms / 2; p++) _mm512_storeu_si512(tile + p * PANEL, PK_FN(pair_words)(f, b, p));
}

/* Products of a strip of rows with a block, on their way from the tiles. */
typedef struct {
  _Alignas(64) float products[TILE_PANELS][TILE_ROWS * PANEL];
  f32x16 scale[TILE_PANELS], minimum[TILE_PANELS];
  const float *a_sums;
  size_t row, rows;
} strip_products;

/* Scales the products and adds them, with what minima add, to the sums. */
INLINE void add_scaled(const strip_products *strip, float sums[TILE_PANELS][GROUP_ROWS * PANEL], int panels, int minima) {
#pragma unroll
  for (int i = 0; i < panels; i++) {
    f32x16 scale = strip->scale[i], minimum = strip->minimum[i];
    float *to = sums[i] + strip->row * PANEL;
    for (size_t r = 0; r < strip->rows; r++) {
      f32x16 sum = fma16(scale, load16(strip->products[i] + r * PANEL), load16(to + r * PANEL));
      if (minima) sum = fma16(minimum, splat(strip->a_sums[r]), sum);
      store16(to + r * PANEL, sum);
    }
  }
}

/* One strip of 16 rows, or the last one, against the blocks in the tiles of B. What it gives is added after the next strip has
   begun: before that the tiles would be waited for. */
#define multiply_strip(sums_0, sums_1, tile_a, live)                                                         \
  do {                                                                                                       \
    strip_products *now = &strips[turn & 1];                                                                 \
    _tile_loadd(tile_a, a + (ptrdiff_t)row_of_strip * job->row_stride, (size_t)job->row_stride * sizeof(uint16_t)); \
    _tile_loadd(sums_0, minus_zeros, 0);                                                                     \
    _tile_dpbf16ps(sums_0, tile_a, 6);                                                                       \
    if (panels == 2) {                                                                                       \
      _tile_loadd(sums_1, minus_zeros, 0);                                                                   \
      _tile_dpbf16ps(sums_1, tile_a, 7);                                                                     \
    }                                                                                                        \
    if (turn > 0) add_scaled(&strips[~turn & 1], sums, panels, f.halves == 2);                               \
    _tile_stored(sums_0, now->products[0], 64);                                                              \
    if (panels == 2) _tile_stored(sums_1, now->products[1], 64);                                             \
    for (int i = 0; i < panels; i++) now->scale[i] = s[i].scale, now->minimum[i] = s[i].minimum;             \
    now->a_sums = a_sums + row_of_strip;                                                                     \
    now->row = row_of_strip;                                                                                 \
    now->rows = live;                                                                                        \
    turn++;                                                                                                  \
  } while (0)

/* A group of rows against one or two panels. */
INLINE void integer_strips(const integer_job *job, size_t panel, size_t row, size_t rows, const float *a_sums, pk_type type,
                           int panels) {
  const integer_format f = format_of(type);
  _Alignas(64) float sums[TILE_PANELS][GROUP_ROWS * PANEL];
  strip_products strips[2];
  _Alignas(64) uint32_t tiles[TILE_PANELS][TILE_BYTES / sizeof(uint32_t)];
  PK_FN(integer_scales) s[TILE_PANELS] = {{.minimum = splat(0)}, {.minimum = splat(0)}};
  const char *b[TILE_PANELS];
  size_t whole = (rows - 1) / TILE_ROWS * TILE_ROWS, turn = 0;
  for (int i = 0; i < panels; i++) {
    size_t column = (panel + (size_t)i) * PANEL, columns = min_size(PANEL, job->n - column);
    b[i] = job->packed + (panel + (size_t)i) * job->panel_bytes;
    for (size_t r = 0; r < rows; r++) {
      const float *c = job->c + (row + r) * job->c_stride + column;
      store16(sums[i] + r * PANEL, job->accumulate ? load_lanes(c, columns) : splat(0));
    }
  }
  const uint16_t *a = job->a + (ptrdiff_t)row * job->row_stride + (ptrdiff_t)job->blocks[0].start;
  for (size_t block = 0; block < job->block_count; block++, a += f.terms, a_sums += whole + TILE_ROWS) {
#pragma unroll
    for (int i = 0; i < panels; i++) {
      b[i] = PK_FN(read_scales)(f, b[i], block, &s[i]);
      prefetch_block(b[i] + (size_t)panels * job->panel_bytes, integers_bytes(f, (size_t)f.terms / 2));
      fill_tile(f, b[i], tiles[i]);
      b[i] += integers_bytes(f, (size_t)f.terms / 2);
    }
    _tile_loadd(6, tiles[0], 64);
    if (panels == 2) _tile_loadd(7, tiles[1], 64);
    size_t row_of_strip = 0;
    for (; row_of_strip < whole; row_of_strip += TILE_ROWS) multiply_strip(0, 1, 4, TILE_ROWS);
    multiply_strip(2, 3, 5, rows - whole);
  }
  add_scaled(&strips[~turn & 1], sums, panels, f.halves == 2);
  for (int i = 0; i < panels; i++) {
    size_t column = (panel + (size_t)i) * PANEL, columns = min_size(PANEL, job->n - column);
    for (size_t r = 0; r < rows; r++)
      memcpy(job->c + (row + r) * job->c_stride + column, sums[i] + r * PANEL, columns * sizeof(float));
  }
}

#define STRIPS_OF(TYPE)                                                                                      \
  static void strips_##TYPE(const integer_job *job, size_t panel, size_t panel_end, size_t row, size_t rows, \
                            const float *a_sums) {                                                           \
    for (; panel + 2 <= panel_end; panel += 2) integer_strips(job, panel, row, rows, a_sums, TYPE, 2);       \
    if (panel < panel_end) integer_strips(job, panel, row, rows, a_sums, TYPE, 1);                           \
  }
STRIPS_OF(PK_I8)
STRIPS_OF(PK_Q8_0)
STRIPS_OF(PK_Q4_0)
STRIPS_OF(PK_Q4_1)
STRIPS_OF(PK_Q5_0)
STRIPS_OF(PK_Q5_1)
STRIPS_OF(PK_Q4_K)
STRIPS_OF(PK_Q5_K)
STRIPS_OF(PK_Q6_K)
#undef STRIPS_OF

static void integer_panels_on_tiles(const integer_job *job, size_t panel_begin, size_t panel_end, size_t group) {
  size_t row = group * job->group_rows, rows = min_size(job->group_rows, job->m - row);
  const float *a_sums = job->expanded + group * job->group_floats;
  configure_integers(rows - (rows - 1) / TILE_ROWS * TILE_ROWS, (size_t)format_of(job->type).terms);
#define CASE(TYPE) case TYPE: strips_##TYPE(job, panel_begin, panel_end, row, rows, a_sums); break;
  switch (job->type) {
    CASE(PK_Q8_0) CASE(PK_Q4_0) CASE(PK_Q4_1) CASE(PK_Q5_0) CASE(PK_Q5_1) CASE(PK_Q4_K) CASE(PK_Q5_K) CASE(PK_Q6_K)
  default: strips_PK_I8(job, panel_begin, panel_end, row, rows, a_sums);
  }
#undef CASE
  _tile_release();
}

/* The sums of A's blocks, [group][block][row]. */
static void sum_rows(const integer_job *job, size_t group) {
  size_t first = group * job->group_rows, end = min_size(job->m, first + job->group_rows);
  PK_FN(sum_blocks)(job, first, end, job->expanded + group * job->group_floats);
}
