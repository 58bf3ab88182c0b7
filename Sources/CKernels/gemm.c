/* Matrix products: where the reduction is cut, and which panels of which rows each task computes. */
#include "kernels.h"

enum {
  MAX_BLOCK_PAIRS = MAX_BLOCK / 2,
  GROUP_WORDS = 73728, /* of a group of A at one time: 288 KiB of a second-level cache of 512 */
  DOT_GROUP_WORDS = 114688, /* 448 KiB: processors with VDPBF16PS have caches of 1 MiB and more */
  TASK_PRODUCTS = 1 << 20,
};

typedef struct {
  gemm_job job;
  const kernel_table *kernels;
  void (*expand)(const gemm_job *, size_t group);
  void (*multiply)(const gemm_job *, size_t panel_begin, size_t panel_end, size_t group);
  const pk_epilogue *epilogue; /* with the last blocks alone */
  size_t panels, chunk, chunks;
} gemm_run;

static void expand_task(void *context, size_t group) {
  const gemm_run *run = context;
  run->expand(&run->job, group);
}

static void panel_task(void *context, size_t task) {
  const gemm_run *run = context;
  const gemm_job *job = &run->job;
  size_t group = task / run->chunks, first = task % run->chunks * run->chunk, end = min_size(run->panels, first + run->chunk);
  run->multiply(job, first, end, group);
  size_t row = group * job->group_rows;
  finish_product(run->kernels, run->epilogue, job->c, job->c_stride,
                 (product_part){row, min_size(job->m, row + job->group_rows), first * PANEL, min_size(job->n, end * PANEL)});
}

/* Panels of one task: work for some ten microseconds, an even number, for an epilogue enough of a row at a time, and enough
   tasks to share out. */
static size_t panels_a_task(size_t panels, size_t rows, size_t pairs, int finished) {
  size_t wanted = max_size(TASK_PRODUCTS / (rows * (pairs * 2 + 1) * PANEL) + 1, finished ? FINISHED_PANELS : 0);
  return ceil_div(min_size(wanted, ceil_div(panels, 8)), 2) * 2;
}

/* Words of a block of a row as it is laid out for the kernels. */
static size_t block_words(pk_block block, int dots) { return dots ? MAX_BLOCK / 2 : (block.length + 1) / 2 * 2; }

static void multiply_in_vectors(int threads, const kernel_table *kernels, const gemm_job *whole, const pk_epilogue *epilogue) {
  int dots = kernels->dots && whole->type == PK_BF16 && whole->m > 1; /* one row alone reads B once, at the speed of memory */
  gemm_run run = {.job = *whole, .kernels = kernels, .panels = ceil_div(whole->n, PANEL),
                  .expand = dots ? kernels->dots->expand : kernels->gemm_expand,
                  .multiply = dots ? kernels->dots->panels : kernels->gemm_panels};
  size_t m = whole->m, tile_rows = kernels->tile_rows;
  size_t most_rows = dots ? DOT_GROUP_ROWS : GROUP_ROWS;
  size_t group_rows = min_size(most_rows / tile_rows, ceil_div(m, tile_rows)) * tile_rows, groups = ceil_div(m, group_rows);
  run.job.group_rows = group_rows;
  run.job.panel_bytes = panel_bytes(whole->blocks, whole->block_count, whole->type);
  /* The reduction is cut where a group's part of A would outgrow the cache; the sums go on from C. */
  size_t all = 0;
  for (size_t i = 0; i < whole->block_count; i++) all += block_words(whole->blocks[i], dots);
  size_t most = min_size(all, (dots ? DOT_GROUP_WORDS : GROUP_WORDS) / group_rows + MAX_BLOCK);
  size_t floats = most * group_rows + 16; /* a group's last store covers a little more */
  run.job.expanded = operation_scratch(groups * floats * sizeof(float));
  run.job.group_floats = floats;
  size_t first = 0;
  do {
    size_t count = 0, words = 0;
    while (first + count < whole->block_count) {
      size_t more = block_words(whole->blocks[first + count], dots);
      if (words + more > most) break;
      words += more;
      count++;
    }
    run.job.blocks = whole->blocks + first;
    run.job.block_count = count;
    run.epilogue = first + count == whole->block_count ? epilogue : NULL;
    run.chunk = panels_a_task(run.panels, min_size(m, group_rows), pair_count(run.job.blocks, count), run.epilogue != NULL);
    run.chunks = ceil_div(run.panels, run.chunk);
    parallel_for(threads, groups, expand_task, &run);
    parallel_for(threads, run.chunks * groups, panel_task, &run);
    run.job.packed = (const char *)run.job.packed + panel_bytes(run.job.blocks, count, whole->type);
    run.job.accumulate = 1;
    first += count;
  } while (first < whole->block_count);
}

void pk_gemm(int threads, const void *a, ptrdiff_t row_stride, ptrdiff_t reduction_stride, const void *packed, pk_type type,
             float *c, size_t c_stride, size_t m, size_t n, const pk_block *blocks, size_t block_count,
             int accumulate, const pk_epilogue *epilogue) {
  if (m == 0 || n == 0) return;
  if (type >= PK_I8) {
    integer_job job = {.a = a, .row_stride = row_stride, .reduction_stride = reduction_stride, .packed = packed,
                       .type = type, .c = c, .c_stride = c_stride, .m = m, .n = n, .blocks = blocks,
                       .block_count = block_count, .accumulate = accumulate};
    operation_begin();
    multiply_integers(threads, selected_kernels(), &job, epilogue);
    operation_end();
    return;
  }
  gemm_job job = {.a = a, .row_stride = row_stride, .reduction_stride = reduction_stride, .packed = packed,
                  .type = type, .c = c, .c_stride = c_stride, .m = m, .n = n, .blocks = blocks,
                  .block_count = block_count, .accumulate = accumulate};
  operation_begin();
  const kernel_table *kernels = selected_kernels();
  if (kernels->tiles && type == PK_BF16) multiply_on_tiles(threads, kernels, &job, epilogue);
  else multiply_in_vectors(threads, kernels, &job, epilogue);
  operation_end();
}
