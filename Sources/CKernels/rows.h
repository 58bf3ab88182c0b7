/* Norms, gates, sums: operations on rows and on flat arrays. */

static void PK_FN(store)(const float *x, void *out, pk_type type, size_t begin, size_t end) {
  if (type == PK_F32) {
    memcpy((float *)out + begin, x + begin, (end - begin) * sizeof(float));
    return;
  }
  uint16_t *o = out;
  size_t i = begin;
  for (; i + LANES <= end; i += LANES) *(u16x16 *)(o + i) = round16(load16(x + i));
  if (i < end) {
    u16x16 r = round16(load_tail(x + i, end - i, 0));
    memcpy(o + i, &r, (end - i) * sizeof(uint16_t));
  }
}

static void PK_FN(add)(float *x, const float *y, size_t begin, size_t end) {
  for (size_t i = begin; i < end; i++) x[i] += y[i];
}

/* Stores 16 lanes, or n of them, as `type`. */
#define store_lanes(out, index, type, n, value)                                                 \
  ({                                                                                            \
    f32x16 value_ = (value);                                                                    \
    if ((type) == PK_BF16) {                                                                    \
      u16x16 r_ = round16(value_);                                                              \
      memcpy((uint16_t *)(out) + (index), &r_, (n) * sizeof(uint16_t));                         \
    } else {                                                                                    \
      memcpy((float *)(out) + (index), &value_, (n) * sizeof(float));                           \
    }                                                                                           \
  })

#define for_lanes(i, n, count) \
  for (size_t i = 0, count; i < (n) && (count = (n) - i < LANES ? (n) - i : LANES, 1); i += LANES)
#define load_lanes(p, count) ((count) == LANES ? load16(p) : load_tail(p, count, 0))

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

static void PK_FN(silu_gate)(const float *gate, const float *up, void *out, pk_type type, size_t begin,
                             size_t end) {
  for (size_t i = begin; i < end; i += LANES) {
    size_t count = end - i < LANES ? end - i : LANES;
    f32x16 g = load_lanes(gate + i, count);
    f32x16 y = g / (splat(1) + exp16(-g)) * load_lanes(up + i, count);
    store_lanes(out, i, type, count, y);
  }
}

static void PK_FN(silu_gate_backward)(float *gate, float *up, const float *dout, size_t begin, size_t end) {
  for (size_t i = begin; i < end; i += LANES) {
    size_t count = end - i < LANES ? end - i : LANES;
    f32x16 g = load_lanes(gate + i, count), u = load_lanes(up + i, count), d = load_lanes(dout + i, count);
    f32x16 s = splat(1) / (splat(1) + exp16(-g));
    f32x16 slope = s * fma16(g, splat(1) - s, splat(1)); /* d silu / dg = s (1 + g (1 - s)) */
    store_lanes(gate, i, PK_F32, count, d * u * slope);
    store_lanes(up, i, PK_F32, count, d * (g * s));
  }
}

static void PK_FN(adamw)(float *p, float *m, float *v, const float *g, size_t begin, size_t end,
                         const pk_adamw_step *s) {
  for (size_t i = begin; i < end; i += LANES) {
    size_t count = end - i < LANES ? end - i : LANES;
    f32x16 grad = load_lanes(g + i, count) * splat(s->gradient_scale);
    f32x16 m1 = fma16(splat(s->beta1), load_lanes(m + i, count), splat(1 - s->beta1) * grad);
    f32x16 v1 = fma16(splat(s->beta2), load_lanes(v + i, count), splat(1 - s->beta2) * grad * grad);
    f32x16 vhat = v1 / splat(s->bias2), root;
    for (int l = 0; l < LANES; l++) root[l] = __builtin_sqrtf(vhat[l]);
    f32x16 old = load_lanes(p + i, count);
    f32x16 kept = fma16(splat(-s->lr * s->weight_decay), old, old);
    f32x16 step = (m1 / splat(s->bias1)) / (root + splat(s->eps));
    store_lanes(m, i, PK_F32, count, m1);
    store_lanes(v, i, PK_F32, count, v1);
    store_lanes(p, i, PK_F32, count, fma16(splat(-s->lr), step, kept));
  }
}

static double PK_FN(sum_of_squares)(const float *x, size_t n) {
  double lanes[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int l = 0; l < LANES; l++) lanes[l] += (double)x[i + l] * (double)x[i + l];
  for (size_t l = 0; i + l < n; l++) lanes[l] += (double)x[i + l] * (double)x[i + l];
  for (int half = 8; half > 0; half /= 2)
    for (int l = 0; l < half; l++) lanes[l] += lanes[l + half];
  return lanes[0];
}
