/* Products of bf16 on a matrix unit: what is copied, where the reduction is cut, which panels each task computes. */
#include "kernels.h"

enum {
  TILE_GROUP_ROWS = 256,
  GROUP_BYTES = 1 << 20, /* of a group of A at one time: half of a second-level cache of 2 MiB */
  TASK_PRODUCTS = 1 << 22,
  PANELS_SIDE_BY_SIDE = 4,
};

typedef struct {
  tile_job job;
  const kernel_table *kernels;
  const pk_epilogue *epilogue; /* with the last blocks alone */
  size_t panels, chunk, chunks;
} tile_run;

static void copy_strips(void *context, size_t begin, size_t end) {
  const tile_run *run = context;
  for (size_t strip = begin; strip < end; strip++) run->kernels->tiles->copy_strip(&run->job, strip);
}

static void panel_task(void *context, size_t task) {
  const tile_run *run = context;
  const tile_job *job = &run->job;
  size_t group = task / run->chunks, first = task % run->chunks * run->chunk, end = min_size(run->panels, first + run->chunk);
  run->kernels->tiles->panels(job, first, end, group);
  size_t row = group * job->group_rows;
  finish_product(run->kernels, run->epilogue, job->c, job->c_stride,
                 (product_part){row, min_size(job->m, row + job->group_rows), first * PANEL, min_size(job->n, end * PANEL)});
}

/* Panels of one task, as for products in vectors; whole sets of panels. */
static size_t panels_a_task(size_t panels, size_t rows, size_t blocks, int finished) {
  size_t products = ceil_div(rows, TILE_ROWS) * TILE_ROWS * (blocks + 1) * MAX_BLOCK * PANEL;
  size_t wanted = max_size(TASK_PRODUCTS / products + 1, finished ? FINISHED_PANELS : 0);
  return ceil_div(min_size(wanted, ceil_div(panels, 8)), PANELS_SIDE_BY_SIDE) * PANELS_SIDE_BY_SIDE;
}

/* Where each block of the job lies in A and B; returns the bytes of these blocks in one packed panel. */
static size_t plan_steps(tile_job *job, tile_step *steps) {
  size_t bytes = 0;
  job->copies = 0;
  job->whole = 1;
  for (size_t i = 0; i < job->block_count; i++) {
    pk_block block = job->blocks[i];
    size_t pairs = (block.length + 1) / 2;
    int in_place = job->reduction_stride == 1 && block.length == MAX_BLOCK;
    steps[i] = (tile_step){(ptrdiff_t)block.start, bytes, pairs, job->copies, in_place};
    job->copies += !in_place;
    job->whole &= pairs == MAX_BLOCK / 2;
    bytes += pairs * 64;
  }
  job->steps = steps;
  return bytes;
}

void multiply_on_tiles(int threads, const kernel_table *kernels, const gemm_job *whole, const pk_epilogue *epilogue) {
  size_t strips = ceil_div(whole->m, TILE_ROWS), group_rows = min_size(TILE_GROUP_ROWS, ceil_div(whole->m, 32) * 32);
  size_t most = min_size(whole->block_count, max_size(16, GROUP_BYTES / (group_rows * MAX_BLOCK * 2)));
  size_t steps_bytes = ceil_div(most * sizeof(tile_step), 64) * 64;
  tile_run run = {.kernels = kernels, .panels = ceil_div(whole->n, PANEL)};
  run.job = (tile_job){.a = whole->a, .row_stride = whole->row_stride, .reduction_stride = whole->reduction_stride,
                       .packed = whole->packed, .panel_bytes = panel_bytes(whole->blocks, whole->block_count, PK_BF16),
                       .c = whole->c, .c_stride = whole->c_stride, .m = whole->m, .n = whole->n,
                       .accumulate = whole->accumulate, .group_rows = group_rows};
  size_t first = 0;
  do { /* the reduction in parts that the cache holds; the sums go on from C */
    size_t count = min_size(most, whole->block_count - first), copied = 0;
    for (size_t i = first; i < first + count; i++)
      copied += whole->reduction_stride != 1 || whole->blocks[i].length != MAX_BLOCK;
    char *scratch = operation_scratch(steps_bytes + strips * copied * TILE_BYTES);
    run.job.blocks = whole->blocks + first;
    run.job.block_count = count;
    run.epilogue = first + count == whole->block_count ? epilogue : NULL;
    run.job.tiles = scratch + steps_bytes;
    size_t bytes = plan_steps(&run.job, (tile_step *)scratch);
    run.chunk = panels_a_task(run.panels, min_size(whole->m, group_rows), count, run.epilogue != NULL);
    run.chunks = ceil_div(run.panels, run.chunk);
    if (copied) parallel_ranges(threads, strips, 2, copy_strips, &run);
    parallel_for(threads, run.chunks * ceil_div(whole->m, group_rows), panel_task, &run);
    run.job.packed += bytes;
    run.job.accumulate = 1;
    first += count;
  } while (first < whole->block_count);
}
