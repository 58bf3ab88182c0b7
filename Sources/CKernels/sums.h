/* Sums of a product, in rows of sixteen beside each other in memory while blocks are added to them. */

/* Adds a block's sum onto those before it. */
#define add_block(sum, block) store16(sum, load16(sum) + (block))

/* Rows and columns of C into the sums, or zeros; and back. */
static void PK_FN(gemm_load)(const gemm_job *job, float *sums, size_t row, size_t rows, size_t column) {
  size_t columns = job->n - column < LANES ? job->n - column : LANES;
  for (size_t r = 0; r < rows; r++) {
    const float *c = job->c + (row + r) * job->c_stride + column;
    if (!job->accumulate) store16(sums + r * LANES, splat(0));
    else if (columns == LANES) store16(sums + r * LANES, load16(c));
    else store16(sums + r * LANES, load_tail(c, columns, 0));
  }
}
static void PK_FN(gemm_save)(const gemm_job *job, const float *sums, size_t row, size_t rows, size_t column) {
  size_t columns = job->n - column < LANES ? job->n - column : LANES;
  for (size_t r = 0; r < rows; r++) {
    float *c = job->c + (row + r) * job->c_stride + column;
    if (columns == LANES) store16(c, load16(sums + r * LANES));
    else memcpy(c, sums + r * LANES, columns * sizeof(float));
  }
}
