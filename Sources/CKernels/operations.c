/* The operations of CKernels.h: each cuts its outputs into ranges and runs them on the pool. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "kernels.h"

#pragma STDC FP_CONTRACT OFF

enum { PANEL = 16, FLAT = 16384, TILE_GROUP = 8 };

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
  const void *source;
  int source_is_float;
  ptrdiff_t reduction_stride, column_stride;
  size_t columns, pairs, block_count;
  const pk_block *blocks;
  pk_type type;
  void *packed;
} pack_job;

static uint16_t round_one(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* Element (k, n) of the source as it is stored, zero outside the matrix. */
static float pack_float(const pack_job *job, ptrdiff_t at, int there) {
  return there ? ((const float *)job->source)[at] : 0;
}
static uint32_t pack_half(const pack_job *job, ptrdiff_t at, int there) {
  if (!there) return 0;
  return job->source_is_float ? round_one(((const float *)job->source)[at]) : ((const uint16_t *)job->source)[at];
}

static void pack_panel(void *context, size_t panel) {
  const pack_job *job = context;
  size_t first = panel * PANEL, live = min_size(PANEL, job->columns - first);
  float *f = (float *)job->packed + panel * job->pairs * 2 * PANEL;
  uint32_t *h = (uint32_t *)job->packed + panel * job->pairs * PANEL;
  for (size_t block = 0; block < job->block_count; block++) {
    size_t length = job->blocks[block].length, pairs = (length + 1) / 2;
    ptrdiff_t start = (ptrdiff_t)job->blocks[block].start * job->reduction_stride;
    int whole = live == PANEL && length % 2 == 0 && job->source_is_float && job->type == PK_BF16;
    for (size_t n = 0; n < PANEL && whole; n++) { /* the case of every weight: no edge to look out for */
      const float *column = (const float *)job->source + start + (ptrdiff_t)(first + n) * job->column_stride;
      for (size_t p = 0; p < pairs; p++) {
        float even = column[(ptrdiff_t)(2 * p) * job->reduction_stride];
        float odd = column[(ptrdiff_t)(2 * p + 1) * job->reduction_stride];
        h[p * PANEL + n] = round_one(even) | (uint32_t)round_one(odd) << 16;
      }
    }
    for (size_t p = 0; p < pairs && !whole; p++)
      for (size_t n = 0; n < PANEL; n++) {
        ptrdiff_t at = start + (ptrdiff_t)(2 * p) * job->reduction_stride + (ptrdiff_t)(first + n) * job->column_stride;
        int odd_there = n < live && 2 * p + 1 < length;
        if (job->type == PK_F32) {
          f[p * 2 * PANEL + n] = pack_float(job, at, n < live);
          f[(p * 2 + 1) * PANEL + n] = pack_float(job, at + job->reduction_stride, odd_there);
        } else {
          h[p * PANEL + n] = pack_half(job, at, n < live) | pack_half(job, at + job->reduction_stride, odd_there) << 16;
        }
      }
    f += pairs * 2 * PANEL;
    h += pairs * PANEL;
  }
}

static void pack(const void *b, int is_float, ptrdiff_t reduction_stride, ptrdiff_t column_stride, size_t columns,
                 const pk_block *blocks, size_t block_count, pk_type type, void *packed) {
  pack_job job = {b, is_float, reduction_stride, column_stride, columns, pair_count(blocks, block_count),
                  block_count, blocks, type, packed};
  parallel_for(ceil_div(columns, PANEL), pack_panel, &job);
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
  size_t tiles, groups;
} gemm_run;

static void expand_task(void *context, size_t tile) {
  const gemm_run *run = context;
  run->kernels->gemm_expand(&run->job, tile);
}

static void panel_task(void *context, size_t task) {
  const gemm_run *run = context;
  size_t group = task % run->groups;
  run->kernels->gemm_panel(&run->job, task / run->groups, group * TILE_GROUP,
                           min_size(run->tiles, (group + 1) * TILE_GROUP));
}

void pk_gemm(const void *a, ptrdiff_t row_stride, ptrdiff_t reduction_stride, const void *packed, pk_type type,
             float *c, size_t c_stride, size_t m, size_t n, const pk_block *blocks, size_t block_count,
             int accumulate) {
  if (m == 0 || n == 0) return;
  operation_begin();
  gemm_run run = {.kernels = selected_kernels()};
  size_t tile_rows = run.kernels->tile_rows;
  run.tiles = ceil_div(m, tile_rows);
  run.groups = ceil_div(run.tiles, TILE_GROUP);
  size_t pairs = pair_count(blocks, block_count);
  run.job = (gemm_job){a,      row_stride,  reduction_stride, packed, type,       c, c_stride, m, n,
                       blocks, block_count, pairs,            accumulate,
                       operation_scratch((run.tiles * pairs * 2 * tile_rows + 64) * sizeof(float))};
  parallel_for(run.tiles, expand_task, &run);
  parallel_for(ceil_div(n, PANEL) * run.groups, panel_task, &run);
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
  range_run run = {.kernels = selected_kernels(), .n = t * heads, .chunk = 8, .attention = &job};
  parallel_for(ceil_div(t * heads, 8), attention_task, &run);
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
