/* Sums of a product with integers, a row at a time. */

/* Sixteen columns of one row of C, or zeros; and back. */
INLINE void PK_FN(integer_load)(const integer_job *job, float *sums, size_t row, size_t column) {
  const float *c = job->c + row * job->c_stride + column;
  size_t columns = min_size(LANES, job->n - column);
  if (!job->accumulate) store16(sums, splat(0));
  else if (columns == LANES) store16(sums, load16(c));
  else store16(sums, load_tail(c, columns, 0));
}
INLINE void PK_FN(integer_save)(const integer_job *job, const float *sums, size_t row, size_t column) {
  size_t columns = min_size(LANES, job->n - column);
  memcpy(job->c + row * job->c_stride + column, sums, columns * sizeof(float));
}
