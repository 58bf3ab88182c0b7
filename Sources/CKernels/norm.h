/* RMS norm and its gradients. */

static void PK_FN(rms_norm)(const norm_job *job, size_t begin, size_t end) {
  size_t c = job->c;
  for (size_t t = begin; t < end; t++) {
    const float *x = job->x + t * c;
    f32x16 squares = splat(0);
    for_lanes(i, c, count) {
      f32x16 v = load_lanes(x + i, count);
      squares = fma16(v, v, squares);
    }
    float rstd = 1.0f / __builtin_sqrtf(tree_sum(squares) / (float)c + job->eps);
    if (job->rstd_out) job->rstd_out[t] = rstd;
    for_lanes(i, c, count) {
      f32x16 y = load_lanes(x + i, count) * splat(rstd) * load_lanes(job->w + i, count);
      store_lanes(job->out, t * c + i, job->type, count, y);
    }
  }
}

static void PK_FN(rms_norm_dx)(const norm_job *job, size_t begin, size_t end) {
  size_t c = job->c;
  for (size_t t = begin; t < end; t++) {
    const float *x = job->x + t * c, *dy = job->dy + t * c;
    float *dx = job->dx + t * c;
    float rstd = job->rstd[t];
    f32x16 dot = splat(0);
    for_lanes(i, c, count)
      dot = fma16(load_lanes(job->w + i, count) * load_lanes(dy + i, count), load_lanes(x + i, count), dot);
    float k = tree_sum(dot) * rstd * rstd * rstd / (float)c;
    for_lanes(i, c, count) {
      f32x16 g = load_lanes(job->w + i, count) * load_lanes(dy + i, count) * splat(rstd);
      g = fma16(splat(-k), load_lanes(x + i, count), g);
      store_lanes(dx, i, PK_F32, count, load_lanes(dx + i, count) + g);
    }
  }
}

static void PK_FN(rms_norm_dw)(const norm_job *job, size_t begin, size_t end) {
  for (size_t t = 0; t < job->t; t++) {
    const float *x = job->x + t * job->c, *dy = job->dy + t * job->c;
    for (size_t i = begin; i < end; i++)
      job->dw[i] = __builtin_fmaf(dy[i], x[i] * job->rstd[t], job->dw[i]);
  }
}
