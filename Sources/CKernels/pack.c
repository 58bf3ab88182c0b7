/* Packing the right operand of products: which blocks of which panels each task lays out. */
#include "kernels.h"

enum { PACK_BLOCKS = 4 };

size_t pair_count(const pk_block *blocks, size_t block_count) {
  size_t pairs = 0;
  for (size_t i = 0; i < block_count; i++) pairs += (blocks[i].length + 1) / 2;
  return pairs;
}

size_t panel_bytes(const pk_block *blocks, size_t block_count, pk_type type) {
  return pair_count(blocks, block_count) * 2 * PANEL * (type == PK_BF16 ? sizeof(uint16_t) : sizeof(float));
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

static void pack(int threads, const void *b, int is_float, ptrdiff_t reduction_stride, ptrdiff_t column_stride, size_t columns,
                 const pk_block *blocks, size_t block_count, pk_type type, void *packed) {
  pack_run run = {{b, is_float, reduction_stride, column_stride, columns, pair_count(blocks, block_count), block_count,
                   blocks, type, packed},
                  selected_kernels(), ceil_div(columns, PANEL)};
  if (column_stride == 1) parallel_for(threads, ceil_div(block_count, PACK_BLOCKS), pack_blocks, &run);
  else parallel_for(threads, run.panels, pack_panel, &run);
}

void pk_pack_f32(int threads, const float *b, ptrdiff_t reduction_stride, ptrdiff_t column_stride, size_t columns,
                 const pk_block *blocks, size_t block_count, pk_type type, void *packed) {
  pack(threads, b, 1, reduction_stride, column_stride, columns, blocks, block_count, type, packed);
}

void pk_pack(int threads, const void *b, ptrdiff_t reduction_stride, ptrdiff_t column_stride, size_t columns,
             const pk_block *blocks, size_t block_count, pk_type type, void *packed) {
  pack(threads, b, type == PK_F32, reduction_stride, column_stride, columns, blocks, block_count, type, packed);
}
