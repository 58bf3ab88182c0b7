/* Products with integers: where the reduction is cut, and which panels of which rows each task computes. */
#include "kernels.h"

enum {
  GROUP_FLOATS = 73728, /* of a group of A at one time: 288 KiB of a second-level cache of 512 */
  GROUP_BYTES = 1 << 20, /* on tiles, which read A as it is: half of a cache of 2 MiB */
  TASK_PRODUCTS = 1 << 20,
};

size_t pk_reduction_terms(pk_type type) { return (size_t)format_of(type).terms; }

size_t integer_bytes(pk_type type, const pk_block *blocks, size_t block_count) {
  integer_format f = format_of(type);
  if (type == PK_I8) return block_count * PANEL * sizeof(float) + pair_count(blocks, block_count) * 2 * PANEL;
  size_t groups = ceil_div(block_count, (size_t)f.group);
  return groups * (size_t)f.halves * PANEL * sizeof(uint16_t) + block_count * PANEL * (size_t)(f.bytes + f.terms * f.bits / 8);
}

typedef struct {
  integer_job job;
  const kernel_table *kernels;
  const pk_epilogue *epilogue; /* with the last blocks alone */
  size_t panels, chunk, chunks;
  void (*before)(const integer_job *, size_t group); /* NULL where A is read as it is */
  void (*multiply)(const integer_job *, size_t panel_begin, size_t panel_end, size_t group);
} integer_run;

static void prepare_task(void *context, size_t group) {
  const integer_run *run = context;
  run->before(&run->job, group);
}

static void panel_task(void *context, size_t task) {
  const integer_run *run = context;
  const integer_job *job = &run->job;
  size_t group = task / run->chunks, first = task % run->chunks * run->chunk, end = min_size(run->panels, first + run->chunk);
  run->multiply(job, first, end, group);
  size_t row = group * job->group_rows;
  finish_product(run->kernels, run->epilogue, job->c, job->c_stride,
                 (product_part){row, min_size(job->m, row + job->group_rows), first * PANEL, min_size(job->n, end * PANEL)});
}

/* Panels of one task: work for some ten microseconds, whole sets of panels that go side by side, for an epilogue enough of a row
   at a time, and enough tasks to share out. */
static size_t panels_a_task(size_t panels, size_t rows, size_t indices, int finished) {
  size_t wanted = max_size(TASK_PRODUCTS / (rows * (indices + 1) * PANEL) + 1, finished ? FINISHED_PANELS : 0);
  return ceil_div(min_size(wanted, ceil_div(panels, 8)), 4) * 4;
}

/* In parts that the cache holds, none of which cuts a group of blocks; the sums go on from C. */
static void multiply_parts(int threads, integer_run *run, size_t groups, size_t most, const pk_epilogue *epilogue) {
  const integer_job whole = run->job;
  size_t first = 0;
  do {
    size_t count = min_size(most, whole.block_count - first);
    run->job.blocks = whole.blocks + first;
    run->job.block_count = count;
    run->epilogue = first + count == whole.block_count ? epilogue : NULL;
    run->chunk = panels_a_task(run->panels, min_size(whole.m, whole.group_rows), count * pk_reduction_terms(whole.type),
                               run->epilogue != NULL);
    run->chunks = ceil_div(run->panels, run->chunk);
    if (run->before) parallel_for(threads, groups, prepare_task, run);
    parallel_for(threads, run->chunks * groups, panel_task, run);
    run->job.packed += integer_bytes(whole.type, run->job.blocks, count);
    run->job.accumulate = 1;
    first += count;
  } while (first < whole.block_count);
}

/* Whether tiles or dots can read A, each row's blocks whole and side by side, and are worth it: a tile costs as much for short blocks
   and few rows. */
static int suits_words(const integer_job *job, const kernel_table *kernels) {
  if (job->m < 2 || job->reduction_stride != 1) return 0;
  if (kernels->tiles && job->m * pk_reduction_terms(job->type) < 64) return 0;
  for (size_t i = 0; i < job->block_count; i++)
    if (job->blocks[i].length != pk_reduction_terms(job->type)) return 0;
  return job->block_count > 0;
}

void multiply_integers(int threads, const kernel_table *kernels, const integer_job *whole, const pk_epilogue *epilogue) {
  integer_run run = {.job = *whole, .kernels = kernels, .panels = ceil_div(whole->n, PANEL)};
  integer_format f = format_of(whole->type);
  size_t m = whole->m, minimum = f.halves == 2, group = (size_t)f.group, all = ceil_div(whole->block_count, group);
  run.job.panel_bytes = integer_bytes(whole->type, whole->blocks, whole->block_count);
  int in_words = (kernels->tiles || kernels->dots) && suits_words(whole, kernels);
  size_t tile_rows = in_words ? TILE_ROWS : m == 1 ? 1 : kernels->tile_rows;
  size_t group_rows = min_size(GROUP_ROWS / tile_rows, ceil_div(m, tile_rows)) * tile_rows, groups = ceil_div(m, group_rows);
  run.job.tile_rows = tile_rows;
  run.job.group_rows = group_rows;
  size_t most, of_block; /* blocks at one time, and what is laid out of each row's */
  if (in_words && kernels->tiles) {
    most = GROUP_BYTES / (group_rows * MAX_BLOCK * 2 * group);
    of_block = minimum;
    run.before = minimum ? kernels->tiles->integer_sums : NULL;
    run.multiply = kernels->tiles->integer_panels;
  } else if (in_words) {
    of_block = (size_t)f.terms / 2 + minimum;
    most = GROUP_FLOATS / (of_block * group * group_rows);
    run.before = kernels->dots->integer_expand;
    run.multiply = kernels->dots->integer_panels;
  } else {
    of_block = MAX_BLOCK + minimum;
    most = GROUP_FLOATS / (of_block * group * group_rows);
    run.before = kernels->integer_expand;
    run.multiply = kernels->integer_panels;
  }
  most = min_size(all, most + 1) * group;
  run.job.group_floats = most * of_block * group_rows + 16; /* a group's last store covers a little more */
  run.job.expanded = operation_scratch(groups * run.job.group_floats * sizeof(float));
  multiply_parts(threads, &run, groups, most, epilogue);
}
