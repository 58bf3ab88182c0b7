/* Layer norm and its gradients. */

/* Filled with the mean, so that what lies past the end is no distance from it. */
#define load_around(p, count, mean) ((count) == LANES ? load16(p) : load_tail(p, count, mean))

static void PK_FN(layer_norm)(const norm_job *job, size_t begin, size_t end) {
  size_t c = job->c;
  for (size_t t = begin; t < end; t++) {
    const float *x = job->x + t * c;
    f32x16 sum = splat(0), squares = splat(0);
    for_lanes(i, c, count) sum = sum + load_lanes(x + i, count);
    float mean = tree_sum(sum) / (float)c;
    for_lanes(i, c, count) {
      f32x16 distance = load_around(x + i, count, mean) - splat(mean);
      squares = fma16(distance, distance, squares);
    }
    float rstd = 1.0f / __builtin_sqrtf(tree_sum(squares) / (float)c + job->eps);
    if (job->rstd_out) job->rstd_out[t] = rstd;
    if (job->mean_out) job->mean_out[t] = mean;
    for_lanes(i, c, count) {
      f32x16 normal = (load_lanes(x + i, count) - splat(mean)) * splat(rstd);
      store_lanes(job->out, t * c + i, job->type, count, fma16(normal, load_lanes(job->w + i, count), load_lanes(job->b + i, count)));
    }
  }
}

static void PK_FN(layer_norm_dx)(const norm_job *job, size_t begin, size_t end) {
  size_t c = job->c;
  for (size_t t = begin; t < end; t++) {
    const float *x = job->x + t * c, *dy = job->dy + t * c;
    float *dx = job->dx + t * c;
    float mean = job->mean[t], rstd = job->rstd[t];
    f32x16 sum = splat(0), dot = splat(0);
    for_lanes(i, c, count) {
      f32x16 normal = (load_lanes(x + i, count) - splat(mean)) * splat(rstd);
      f32x16 g = load_lanes(job->w + i, count) * load_lanes(dy + i, count);
      sum = sum + g;
      dot = fma16(g, normal, dot);
    }
    float shift = tree_sum(sum) / (float)c, slope = tree_sum(dot) / (float)c;
    for_lanes(i, c, count) {
      f32x16 normal = (load_lanes(x + i, count) - splat(mean)) * splat(rstd);
      f32x16 g = load_lanes(job->w + i, count) * load_lanes(dy + i, count) - splat(shift);
      g = fma16(splat(-slope), normal, g) * splat(rstd);
      store_lanes(dx, i, PK_F32, count, load_lanes(dx + i, count) + g);
    }
  }
}

static void PK_FN(layer_norm_dw)(const norm_job *job, size_t begin, size_t end) {
  for (size_t t = 0; t < job->t; t++) {
    const float *x = job->x + t * job->c, *dy = job->dy + t * job->c;
    float mean = job->mean[t], rstd = job->rstd[t];
    for (size_t i = begin; i < end; i++) job->dw[i] = __builtin_fmaf(dy[i], (x[i] - mean) * rstd, job->dw[i]);
    for (size_t i = begin; i < end; i++) job->db[i] += dy[i];
  }
}
