/* Products of bf16 on tiles of 16 rows by 64 bytes. A block of a packed panel, [pair][column][even, odd], is a tile of B as it
   lies; a tile of A is 16 rows of a block, in place or copied. TDPBF16PS computes a block as CKernels.h defines it: two
   chains, their sum, the sum onto C, all without subnormals.

   Tiles: 0 to 3 hold sums. Rows come in steps of 32 against two panels (A in 4 and 5, B in 6 and 7), which reads each tile
   twice as often as it is loaded; at most 16 rows at the end meet four panels (A in 4, B in 5), so that four sums are under
   way while each tile of B is read once.

   The configuration is loaded on each entry, because a thread may have moved, and given up at the end, so that nobody saves
   tiles that are not used. Its numbers are those of palette 1; the leaf of CPUID that tells them reads zero on some virtual
   machines. */

enum { MAX_PANELS = 4, SPAN = 64 };

/* The palette, then bytes and rows of each tile. */
typedef struct {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} tile_configuration;
_Static_assert(sizeof(tile_configuration) == 64, "what LDTILECFG reads");

/* Sums and A have `upper` rows, and `lower` in the second half of a step; B is whole. */
TARGET_AMX static void configure_step(size_t upper, size_t lower) {
  tile_configuration c = {.palette = 1, .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64}};
  uint8_t u = (uint8_t)upper, l = (uint8_t)lower;
  const uint8_t rows[8] = {u, u, l, l, u, l, 16, 16};
  memcpy(c.rows, rows, sizeof rows);
  _tile_loadconfig(&c);
}
TARGET_AMX static void configure_end(size_t rows) {
  tile_configuration c = {.palette = 1, .row_bytes = {64, 64, 64, 64, 64, 64}};
  uint8_t u = (uint8_t)rows;
  const uint8_t of_tiles[8] = {u, u, u, u, u, 16, 0, 0};
  memcpy(c.rows, of_tiles, sizeof of_tiles);
  _tile_loadconfig(&c);
}

/* Blocks of some panels that are shorter than 32, with zeros to their end. */
typedef struct {
  _Alignas(64) char tiles[SPAN * TILE_BYTES];
} padding;

/* Pads the short blocks of steps [begin, end): step i of panel p is at [(i - begin) * panels + p]. */
static void pad_panels(const tile_job *job, const char *b, size_t panels, size_t begin, size_t end, padding *padded) {
  for (size_t i = begin; i < end; i++) {
    size_t bytes = job->steps[i].pairs * 64;
    for (size_t p = 0; p < panels && bytes < TILE_BYTES; p++) {
      char *out = padded->tiles + ((i - begin) * panels + p) * TILE_BYTES;
      memcpy(out, b + p * job->panel_bytes + job->steps[i].b, bytes);
      memset(out + bytes, 0, TILE_BYTES - bytes);
    }
  }
}

/* A tile of A: where it is, and the bytes from row to row. */
#define a_tile(step, row)                                                                                   \
  ((step)->a_in_place ? (const char *)(job->a + (ptrdiff_t)(row) * job->row_stride + (step)->a)             \
                      : job->tiles + ((row) / TILE_ROWS * job->copies + (step)->copy) * TILE_BYTES)
#define a_stride(step) ((step)->a_in_place ? (size_t)job->row_stride * 2 : 64)
#define b_tile(i, p)                                                                                        \
  (job->steps[i].pairs == MAX_BLOCK / 2 ? b + (p) * job->panel_bytes + job->steps[i].b                      \
                                        : padded->tiles + (((i) - begin) * panels + (p)) * TILE_BYTES)

/* Sums from zero or from C, and back to C; the last panel's by way of memory as wide as a tile. */
typedef struct {
  _Alignas(64) float values[TILE_ROWS * PANEL];
} edge;

static size_t columns_of(const tile_job *job, size_t panel) { return min_size(PANEL, job->n - panel * PANEL); }

static void edge_from_c(const tile_job *job, size_t row, size_t rows, size_t panel, edge *edge) {
  size_t columns = columns_of(job, panel);
  for (size_t r = 0; r < rows; r++)
    memcpy(edge->values + r * PANEL, job->c + (row + r) * job->c_stride + panel * PANEL, columns * sizeof(float));
}
static void edge_to_c(const tile_job *job, size_t row, size_t rows, size_t panel, const edge *edge) {
  size_t columns = columns_of(job, panel);
  for (size_t r = 0; r < rows; r++)
    memcpy(job->c + (row + r) * job->c_stride + panel * PANEL, edge->values + r * PANEL, columns * sizeof(float));
}

#define load_sums(tile, row, rows, panel, fresh)                                                            \
  do {                                                                                                      \
    if (fresh) {                                                                                            \
      _tile_zero(tile);                                                                                     \
    } else if (columns_of(job, panel) == PANEL) {                                                           \
      _tile_loadd(tile, job->c + (row) * job->c_stride + (panel) * PANEL, job->c_stride * sizeof(float));   \
    } else {                                                                                                \
      edge edge_ = {{0}};                                                                                   \
      edge_from_c(job, row, rows, panel, &edge_);                                                           \
      _tile_loadd(tile, edge_.values, 64);                                                                  \
    }                                                                                                       \
  } while (0)
#define store_sums(tile, row, rows, panel)                                                                  \
  do {                                                                                                      \
    if (columns_of(job, panel) == PANEL) {                                                                  \
      _tile_stored(tile, job->c + (row) * job->c_stride + (panel) * PANEL, job->c_stride * sizeof(float));  \
    } else {                                                                                                \
      edge edge_;                                                                                           \
      _tile_stored(tile, edge_.values, 64);                                                                 \
      edge_to_c(job, row, rows, panel, &edge_);                                                             \
    }                                                                                                       \
  } while (0)

/* 16 + `lower` rows against one or two panels, steps [begin, end). */
TARGET_AMX static inline __attribute__((always_inline)) void multiply_step(const tile_job *job, size_t row, size_t lower, size_t panel, size_t panels,
                                     const char *b, size_t begin, size_t end, const padding *padded, int fresh) {
  load_sums(0, row, TILE_ROWS, panel, fresh);
  load_sums(2, row + TILE_ROWS, lower, panel, fresh);
  if (panels == 2) {
    load_sums(1, row, TILE_ROWS, panel + 1, fresh);
    load_sums(3, row + TILE_ROWS, lower, panel + 1, fresh);
  }
  size_t asked = 0, each = ceil_div(TILE_ROWS + lower, max_size(1, end - begin));
  for (size_t i = begin; i < end; i++) {
    const tile_step *step = &job->steps[i];
    size_t stride = a_stride(step);
    for (size_t last = min_size(TILE_ROWS + lower, asked + each); asked < last; asked++) { /* lines of C, long before they are stored */
      const float *c = job->c + (row + asked) * job->c_stride + panel * PANEL;
      __builtin_prefetch(c, 1, 3);
      if (panels == 2) __builtin_prefetch(c + PANEL, 1, 3);
    }
    _tile_loadd(4, a_tile(step, row), stride);
    _tile_loadd(6, b_tile(i, 0), 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(5, a_tile(step, row + TILE_ROWS), stride);
    _tile_dpbf16ps(2, 5, 6);
    if (panels == 2) {
      _tile_loadd(7, b_tile(i, 1), 64);
      _tile_dpbf16ps(1, 4, 7);
      _tile_dpbf16ps(3, 5, 7);
    }
  }
  store_sums(0, row, TILE_ROWS, panel);
  store_sums(2, row + TILE_ROWS, lower, panel);
  if (panels == 2) {
    store_sums(1, row, TILE_ROWS, panel + 1);
    store_sums(3, row + TILE_ROWS, lower, panel + 1);
  }
}

/* At most 16 rows against one to four panels. */
TARGET_AMX static inline __attribute__((always_inline)) void multiply_end(const tile_job *job, size_t row, size_t rows, size_t panel, size_t panels,
                                    const char *b, size_t begin, size_t end, const padding *padded, int fresh) {
  load_sums(0, row, rows, panel, fresh);
  if (panels > 1) load_sums(1, row, rows, panel + 1, fresh);
  if (panels > 2) load_sums(2, row, rows, panel + 2, fresh);
  if (panels > 3) load_sums(3, row, rows, panel + 3, fresh);
  for (size_t i = begin; i < end; i++) {
    const tile_step *step = &job->steps[i];
    _tile_loadd(4, a_tile(step, row), a_stride(step));
    _tile_loadd(5, b_tile(i, 0), 64);
    _tile_dpbf16ps(0, 4, 5);
    if (panels > 1) {
      _tile_loadd(5, b_tile(i, 1), 64);
      _tile_dpbf16ps(1, 4, 5);
    }
    if (panels > 2) {
      _tile_loadd(5, b_tile(i, 2), 64);
      _tile_dpbf16ps(2, 4, 5);
    }
    if (panels > 3) {
      _tile_loadd(5, b_tile(i, 3), 64);
      _tile_dpbf16ps(3, 4, 5);
    }
  }
  store_sums(0, row, rows, panel);
  if (panels > 1) store_sums(1, row, rows, panel + 1);
  if (panels > 2) store_sums(2, row, rows, panel + 2);
  if (panels > 3) store_sums(3, row, rows, panel + 3);
}

/* Rows in steps of 32, or one last step of 16 + `lower`, against panels two by two. A pair of panels meets all rows before
   the next, so that it stays in the first-level cache. */
TARGET_AMX static void multiply_steps(const tile_job *job, size_t row, size_t end_row, size_t lower, size_t panel_begin,
                                      size_t panel_end) {
  padding padded;
  configure_step(TILE_ROWS, lower);
  for (size_t panel = panel_begin; panel < panel_end; panel += 2) {
    size_t panels = min_size(2, panel_end - panel), span = job->whole ? job->block_count : SPAN / panels, begin = 0;
    const char *b = job->packed + panel * job->panel_bytes;
    do {
      size_t end = min_size(job->block_count, begin + span);
      int fresh = begin == 0 && !job->accumulate;
      pad_panels(job, b, panels, begin, end, &padded);
      for (size_t r = row; r < end_row; r += 2 * TILE_ROWS) {
        if (panels == 2) multiply_step(job, r, lower, panel, 2, b, begin, end, &padded, fresh);
        else multiply_step(job, r, lower, panel, 1, b, begin, end, &padded, fresh);
      }
      begin = end;
    } while (begin < job->block_count);
  }
}

TARGET_AMX static void multiply_ends(const tile_job *job, size_t row, size_t rows, size_t panel_begin, size_t panel_end) {
  padding padded;
  configure_end(rows);
  for (size_t panel = panel_begin; panel < panel_end; panel += MAX_PANELS) {
    size_t panels = min_size(MAX_PANELS, panel_end - panel), span = job->whole ? job->block_count : SPAN / panels, begin = 0;
    const char *b = job->packed + panel * job->panel_bytes;
    do {
      size_t end = min_size(job->block_count, begin + span);
      int fresh = begin == 0 && !job->accumulate;
      pad_panels(job, b, panels, begin, end, &padded);
      switch (panels) {
      case 1: multiply_end(job, row, rows, panel, 1, b, begin, end, &padded, fresh); break;
      case 2: multiply_end(job, row, rows, panel, 2, b, begin, end, &padded, fresh); break;
      case 3: multiply_end(job, row, rows, panel, 3, b, begin, end, &padded, fresh); break;
      default: multiply_end(job, row, rows, panel, 4, b, begin, end, &padded, fresh);
      }
      begin = end;
    } while (begin < job->block_count);
  }
}

TARGET_AMX static void multiply_panels(const tile_job *job, size_t panel_begin, size_t panel_end, size_t group) {
  size_t row = group * job->group_rows, end = min_size(job->m, row + job->group_rows);
  size_t whole = row + (end - row) / 32 * 32, rest = end - whole;
  if (whole > row) multiply_steps(job, row, whole, TILE_ROWS, panel_begin, panel_end);
  if (rest > TILE_ROWS) multiply_steps(job, whole, end, rest - TILE_ROWS, panel_begin, panel_end);
  else if (rest) multiply_ends(job, whole, rest, panel_begin, panel_end);
  _tile_release();
}

/* Copies the blocks of 16 rows that cannot be read in place, zeros where there is no row or no term. */
static void copy_strip(const tile_job *job, size_t strip) {
  size_t row = strip * TILE_ROWS, rows = min_size(TILE_ROWS, job->m - row);
  char *out = job->tiles + strip * job->copies * TILE_BYTES;
  for (size_t i = 0; i < job->block_count; i++) {
    if (job->steps[i].a_in_place) continue;
    copy_block(job->a + (ptrdiff_t)row * job->row_stride + (ptrdiff_t)job->blocks[i].start * job->reduction_stride,
               job->row_stride, job->reduction_stride, rows, job->blocks[i].length, out);
    out += TILE_BYTES;
  }
}
