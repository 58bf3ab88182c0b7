/* The operations of CKernels.h: each cuts its outputs into ranges and runs them on the pool. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "kernels.h"

#pragma STDC FP_CONTRACT OFF

enum {
  PANEL = 16,
  FLAT = 16384,
  PACK_BLOCKS = 4,
  MAX_BLOCK_PAIRS = 16,
  GROUP_FLOATS = 73728, /* of a group of A at one time: 288 KiB of a second-level cache of 512 */
  TASK_PRODUCTS = 1 << 20,
};

static size_t ceil_div(size_t a, size_t b) { return (a + b - 1) / b; }
static size_t min_size(size_t a, size_t b) { return a < b ? a : b; }

/* ---- matrix product ---- */

static size_t pair_count(const pk_block *blocks, size_t block_count) {
  size_t pairs = 0;
  for (size_t i = 0; i < block_count; i++) pairs += (blocks[i].length + 1) / 2;
  return pairs;
}

size_t pk_packed_count(size_t columns, const pk_block *blocks, size_t block_count) {
  return ceil_div(columns, PANEL) * pair_count(blocks, block_count) * 2 * PANEL;
}

typedef struct {
  pack_job job;
  const kernel_table *kernels;
  size_t panels;
} pack_run;

/* All blocks of one panel: sources whose columns are rows in memory. */
static void pack_panel(void *context, size_t panel) {
  const pack_run *run = context;
  size_t pair = 0;
  for (size_t block = 0; block < run->job.block_count; block++) {
    run->kernels->pack_block(&run->job, panel, run->job.blocks[block], pair);
    pair += (run->job.blocks[block].length + 1) / 2;
  }
}

/* Some blocks of all panels: sources whose reduction indices are rows in memory. */
static void pack_blocks(void *context, size_t task) {
  const pack_run *run = context;
  size_t end = min_size(run->job.block_count, (task + 1) * PACK_BLOCKS), pair = 0;
  for (size_t block = 0; block < end; block++) {
    for (size_t panel = 0; panel < run->panels && block >= task * PACK_BLOCKS; panel++)
      run->kernels->pack_block(&run->job, panel, run->job.blocks[block], pair);
    pair += (run->job.blocks[block].length + 1) / 2;
  }
}

static void pack(const void *b, int is_float, ptrdiff_t reduction_stride, ptrdiff_t column_stride, size_t columns,
                 const pk_block *blocks, size_t block_count, pk_type type, void *packed) {
  pack_run run = {{b, is_float, reduction_stride, column_stride, columns, pair_count(blocks, block_count), block_count,
                   blocks, type, packed},
                  selected_kernels(), ceil_div(columns, PANEL)};
  if (column_stride == 1) parallel_for(ceil_div(block_count, PACK_BLOCKS), pack_blocks, &run);
  else parallel_for(run.panels, pack_panel, &run);
}

void pk_pack_f32(const float *b, ptrdiff_t reduction_stride, ptrdiff_t column_stride, size_t columns,
                 const pk_block *blocks, size_t block_count, pk_type type, void *packed) {
  pack(b, 1, reduction_stride, column_stride, columns, blocks, block_count, type, packed);
}

void pk_pack(const void *b, ptrdiff_t reduction_stride, ptrdiff_t column_stride, size_t columns,
             const pk_block *blocks, size_t block_count, pk_type type, void *packed) {
  pack(b, type == PK_F32, reduction_stride, column_stride, columns, blocks, block_count, type, packed);
}

typedef struct {
  gemm_job job;
  const kernel_table *kernels;
  size_t panels, chunk, chunks;
} gemm_run;

static void expand_task(void *context, size_t group) {
  const gemm_run *run = context;
  run->kernels->gemm_expand(&run->job, group);
}

static void panel_task(void *context, size_t task) {
  const gemm_run *run = context;
  size_t first = task % run->chunks * run->chunk;
  run->kernels->gemm_panels(&run->job, first, min_size(run->panels, first + run->chunk), task / run->chunks);
}

/* Panels of one task: work for some ten microseconds, an even number, and enough tasks to share out. */
static size_t panels_a_task(size_t panels, size_t rows, size_t pairs) {
  size_t wanted = TASK_PRODUCTS / (rows * pairs * 2 * PANEL) + 1;
  return ceil_div(min_size(wanted, ceil_div(panels, 8)), 2) * 2;
}

void pk_gemm(const void *a, ptrdiff_t row_stride, ptrdiff_t reduction_stride, const void *packed, pk_type type,
             float *c, size_t c_stride, size_t m, size_t n, const pk_block *blocks, size_t block_count,
             int accumulate) {
  if (m == 0 || n == 0) return;
  operation_begin();
  gemm_run run = {.kernels = selected_kernels(), .panels = ceil_div(n, PANEL)};
  size_t tile_rows = run.kernels->tile_rows, group_tiles = min_size(GROUP_TILES, ceil_div(m, tile_rows));
  size_t group_rows = group_tiles * tile_rows, groups = ceil_div(m, group_rows);
  run.job = (gemm_job){.a = a, .row_stride = row_stride, .reduction_stride = reduction_stride, .packed = packed,
                       .type = type, .c = c, .c_stride = c_stride, .m = m, .n = n,
                       .panel_pairs = pair_count(blocks, block_count), .accumulate = accumulate,
                       .group_tiles = group_tiles};
  /* The reduction is cut where a group's part of A would outgrow the cache; the sums go on from C. */
  size_t most = min_size(run.job.panel_pairs, GROUP_FLOATS / (2 * group_rows) + MAX_BLOCK_PAIRS);
  size_t floats = most * 2 * group_rows + 16; /* a group's last store covers a little more */
  run.job.expanded = operation_scratch(groups * floats * sizeof(float));
  run.job.group_floats = floats;
  size_t first = 0;
  do {
    size_t count = 0, pairs = 0;
    while (first + count < block_count) {
      size_t more = (blocks[first + count].length + 1) / 2;
      if (pairs + more > most) break;
      pairs += more;
      count++;
    }
    run.job.blocks = blocks + first;
    run.job.block_count = count;
    run.job.pairs = pairs;
    run.chunk = panels_a_task(run.panels, min_size(m, group_rows), pairs);
    run.chunks = ceil_div(run.panels, run.chunk);
    parallel_for(groups, expand_task, &run);
    parallel_for(run.chunks * groups, panel_task, &run);
    run.job.packed = (const char *)run.job.packed + pairs * (type == PK_BF16 ? 64 : 128);
    run.job.accumulate = 1;
    first += count;
  } while (first < block_count);
  operation_end();
}

/* ---- flat and row operations: ranges of at least one cache-friendly chunk ---- */

typedef struct {
  const kernel_table *kernels;
  size_t n, chunk;
  const void *x, *y, *z;
  void *out, *out2;
  pk_type type;
  const pk_adamw_step *step;
  const norm_job *norm;
  const attention_job *attention;
  loss_job *loss;
  double *partial;
} range_run;

#define RANGE                        \
  const range_run *run = context;    \
  size_t begin = task * run->chunk;  \
  size_t end = min_size(run->n, begin + run->chunk)

static void store_task(void *context, size_t task) {
  RANGE;
  run->kernels->store(run->x, run->out, run->type, begin, end);
}
void pk_store(const float *x, void *out, pk_type type, size_t n) {
  range_run run = {.kernels = selected_kernels(), .n = n, .chunk = FLAT, .x = x, .out = out, .type = type};
  parallel_for(ceil_div(n, FLAT), store_task, &run);
}
void pk_round_bf16(const float *x, uint16_t *out, size_t n) { pk_store(x, out, PK_BF16, n); }
void pk_widen_bf16(const uint16_t *x, float *out, size_t n) {
  for (size_t i = 0; i < n; i++) {
    uint32_t bits = (uint32_t)x[i] << 16;
    memcpy(out + i, &bits, 4);
  }
}

static void add_task(void *context, size_t task) {
  RANGE;
  run->kernels->add(run->out, run->x, begin, end);
}
void pk_add(float *x, const float *y, size_t n) {
  range_run run = {.kernels = selected_kernels(), .n = n, .chunk = FLAT, .x = y, .out = x};
  parallel_for(ceil_div(n, FLAT), add_task, &run);
}

void pk_gather(const void *table, pk_type type, const int32_t *ids, float *out, size_t t, size_t c) {
  for (size_t i = 0; i < t; i++) {
    size_t from = (size_t)ids[i] * c;
    if (type == PK_BF16) pk_widen_bf16((const uint16_t *)table + from, out + i * c, c);
    else memcpy(out + i * c, (const float *)table + from, c * sizeof(float));
  }
}
void pk_scatter_add(float *table, const int32_t *ids, const float *rows, size_t t, size_t c) {
  for (size_t i = 0; i < t; i++) {
    float *target = table + (size_t)ids[i] * c;
    for (size_t j = 0; j < c; j++) target[j] += rows[i * c + j];
  }
}

static void norm_task(void *context, size_t task) {
  RANGE;
  run->kernels->rms_norm(run->norm, begin, end);
}
static void norm_dx_task(void *context, size_t task) {
  RANGE;
  run->kernels->rms_norm_dx(run->norm, begin, end);
}
static void norm_dw_task(void *context, size_t task) {
  RANGE;
  run->kernels->rms_norm_dw(run->norm, begin, end);
}
void pk_rms_norm(const float *x, const float *w, float eps, void *out, pk_type type, float *rstd, size_t t,
                 size_t c) {
  norm_job job = {.x = x, .w = w, .eps = eps, .out = out, .type = type, .rstd_out = rstd, .t = t, .c = c};
  range_run run = {.kernels = selected_kernels(), .n = t, .chunk = 16, .norm = &job};
  parallel_for(ceil_div(t, 16), norm_task, &run);
}
void pk_rms_norm_backward(const float *x, const float *w, const float *rstd, const float *dy, float *dx,
                          float *dw, size_t t, size_t c) {
  norm_job job = {.x = x, .w = w, .rstd = rstd, .dy = dy, .dx = dx, .dw = dw, .t = t, .c = c};
  range_run run = {.kernels = selected_kernels(), .n = t, .chunk = 16, .norm = &job};
  parallel_for(ceil_div(t, 16), norm_dx_task, &run);
  if (!dw) return;
  run.n = c;
  run.chunk = 64;
  parallel_for(ceil_div(c, 64), norm_dw_task, &run);
}

static void silu_task(void *context, size_t task) {
  RANGE;
  run->kernels->silu_gate(run->x, run->y, run->out, run->type, begin, end);
}
void pk_silu_gate(const float *gate, const float *up, void *out, pk_type type, size_t n) {
  range_run run = {.kernels = selected_kernels(), .n = n, .chunk = FLAT, .x = gate, .y = up, .out = out,
                   .type = type};
  parallel_for(ceil_div(n, FLAT), silu_task, &run);
}
static void silu_backward_task(void *context, size_t task) {
  RANGE;
  run->kernels->silu_gate_backward(run->out, run->out2, run->x, begin, end);
}
void pk_silu_gate_backward(float *gate, float *up, const float *dout, size_t n) {
  range_run run = {.kernels = selected_kernels(), .n = n, .chunk = FLAT, .x = dout, .out = gate, .out2 = up};
  parallel_for(ceil_div(n, FLAT), silu_backward_task, &run);
}

/* ---- attention ---- */

static void attention_task(void *context, size_t task) {
  RANGE;
  for (size_t i = begin; i < end; i++) run->kernels->attention(run->attention, i);
}
void pk_attention(const float *q, const pk_query *queries, size_t t, size_t heads, size_t d,
                  const pk_kv_layout *layout, float scale, float *out, float *lse) {
  attention_job job = {.q = q, .queries = queries, .t = t, .heads = heads, .d = d, .layout = *layout,
                       .scale = scale, .out = out, .lse = lse};
  range_run run = {.kernels = selected_kernels(), .n = t * layout->kv_heads, .chunk = 4, .attention = &job};
  parallel_for(ceil_div(t * layout->kv_heads, 4), attention_task, &run);
}

void pk_store_kv(const float *x, const pk_query *queries, size_t t, size_t d, const pk_kv_layout *layout,
                 size_t offset) {
  size_t row = layout->kv_heads * d, element = layout->type == PK_BF16 ? 2 : 4;
  const kernel_table *kernels = selected_kernels();
  for (size_t i = 0; i < t; i++) {
    size_t at = (size_t)queries[i].position;
    char *page = (char *)queries[i].pages[at / PK_PAGE] + offset;
    kernels->store(x + i * row, page + at % PK_PAGE * layout->kv_stride * element, layout->type, 0, row);
  }
}

static void attention_backward_task(void *context, size_t task) {
  const range_run *run = context;
  run->kernels->attention_backward(run->attention, task);
}
void pk_attention_backward(const float *q, const void *k, const void *v, const float *out, const float *lse,
                           const float *dout, const int32_t *starts, size_t sequences, size_t heads,
                           size_t kv_heads, size_t d, pk_type kv_type, float scale, float *dq, float *dk,
                           float *dv) {
  attention_job job = {.q = q, .k = k, .v = v, .out = (float *)out, .lse = (float *)lse, .dout = dout,
                       .starts = starts, .heads = heads, .kv_heads = kv_heads, .d = d, .kv_type = kv_type,
                       .scale = scale, .dq = dq, .dk = dk, .dv = dv};
  range_run run = {.kernels = selected_kernels(), .attention = &job};
  parallel_for(sequences * kv_heads, attention_backward_task, &run);
}

/* ---- vocabulary rows ---- */

static void lse_task(void *context, size_t row) {
  const range_run *run = context;
  run->kernels->log_sum_exp(run->loss, row);
}
void pk_log_sum_exp(const float *logits, size_t stride, size_t rows, size_t columns, float *lse) {
  loss_job job = {.logits = (float *)logits, .stride = stride, .columns = columns, .lse = lse};
  range_run run = {.kernels = selected_kernels(), .loss = &job};
  parallel_for(rows, lse_task, &run);
}
static void loss_task(void *context, size_t row) {
  const range_run *run = context;
  run->kernels->conditional_loss(run->loss, row);
}
void pk_conditional_loss(float *logits, const float *reference, size_t rows, size_t v, size_t reference_v,
                         size_t kl_columns, const int32_t *labels, pk_kl direction, float beta, float alpha,
                         float scale, float *lm, float *kl, float *entropy) {
  loss_job job = {.logits = logits, .reference = reference, .rows = rows, .v = v, .reference_v = reference_v,
                  .columns = kl_columns, .labels = labels, .direction = direction, .beta = beta,
                  .alpha = alpha, .scale = scale, .lm = lm, .kl = kl, .entropy = entropy};
  range_run run = {.kernels = selected_kernels(), .loss = &job};
  parallel_for(rows, loss_task, &run);
}

/* ---- optimizer ---- */

typedef struct {
  range_run range;
  float *p, *m, *v;
  const float *g;
} adamw_run;
static void adamw_task(void *context, size_t task) {
  const adamw_run *run = context;
  size_t begin = task * FLAT;
  run->range.kernels->adamw(run->p, run->m, run->v, run->g, begin, min_size(run->range.n, begin + FLAT),
                            run->range.step);
}
void pk_adamw(float *p, float *m, float *v, const float *g, size_t n, const pk_adamw_step *step) {
  adamw_run run = {{.kernels = selected_kernels(), .n = n, .step = step}, p, m, v, g};
  parallel_for(ceil_div(n, FLAT), adamw_task, &run);
}

static void squares_task(void *context, size_t task) {
  RANGE;
  run->partial[task] = run->kernels->sum_of_squares((const float *)run->x + begin, end - begin);
}
double pk_sum_of_squares(const float *x, size_t n) {
  enum { CHUNK = 65536 };
  size_t chunks = ceil_div(n, CHUNK);
  double *partial = calloc(chunks ? chunks : 1, sizeof(double));
  if (!partial) abort(); /* out of memory: the worker dies, its stage fails */
  range_run run = {.kernels = selected_kernels(), .n = n, .chunk = CHUNK, .x = x, .partial = partial};
  parallel_for(chunks, squares_task, &run);
  double sum = 0;
  for (size_t i = 0; i < chunks; i++) sum += partial[i];
  free(partial);
  return sum;
}
