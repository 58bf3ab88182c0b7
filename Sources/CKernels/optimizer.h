/* The optimizers, AdamW and RMSprop, and the sum of squares that clips their gradient. */

static void PK_FN(adamw)(float *p, float *m, float *v, const float *g, size_t begin, size_t end,
                         const pk_adamw_step *s) {
  for (size_t i = begin; i < end; i += LANES) {
    size_t count = end - i < LANES ? end - i : LANES;
    f32x16 grad = load_lanes(g + i, count) * splat(s->gradient_scale), old = load_lanes(p + i, count);
    if (s->l2 != 0) grad = fma16(splat(s->l2), old, grad);
    f32x16 m1 = fma16(splat(s->beta1), load_lanes(m + i, count), splat(1 - s->beta1) * grad);
    f32x16 v1 = fma16(splat(s->beta2), load_lanes(v + i, count), splat(1 - s->beta2) * grad * grad);
    f32x16 root = __builtin_elementwise_sqrt(v1 / splat(s->bias2));
    f32x16 kept = fma16(splat(-s->lr * s->weight_decay), old, old);
    f32x16 step = (m1 / splat(s->bias1)) / (root + splat(s->eps));
    store_lanes(m, i, PK_F32, count, m1);
    store_lanes(v, i, PK_F32, count, v1);
    store_lanes(p, i, PK_F32, count, fma16(splat(-s->lr), step, kept));
  }
}

static void PK_FN(rmsprop)(float *p, float *v, const float *g, size_t begin, size_t end, const pk_rmsprop_step *s) {
  for (size_t i = begin; i < end; i += LANES) {
    size_t count = end - i < LANES ? end - i : LANES;
    f32x16 grad = load_lanes(g + i, count) * splat(s->gradient_scale), old = load_lanes(p + i, count);
    if (s->l2 != 0) grad = fma16(splat(s->l2), old, grad);
    f32x16 v1 = fma16(splat(s->alpha), load_lanes(v + i, count), splat(1 - s->alpha) * grad * grad);
    store_lanes(v, i, PK_F32, count, v1);
    store_lanes(p, i, PK_F32, count, fma16(splat(-s->lr), grad / (__builtin_elementwise_sqrt(v1) + splat(s->eps)), old));
  }
}

static double PK_FN(sum_of_squares)(const float *x, size_t n) {
  typedef float f32x8 __attribute__((vector_size(32), aligned(4)));
  typedef double f64x8 __attribute__((vector_size(64)));
  f64x8 sums[2] = {{0}};
  double lanes[LANES];
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int part = 0; part < 2; part++) {
      f64x8 wide = __builtin_convertvector(*(const f32x8 *)(x + i + 8 * part), f64x8);
      sums[part] += wide * wide;
    }
  memcpy(lanes, sums, sizeof lanes);
  for (size_t l = 0; i + l < n; l++) lanes[l] += (double)x[i + l] * (double)x[i + l];
  for (int half = 8; half > 0; half /= 2)
    for (int l = 0; l < half; l++) lanes[l] += lanes[l + half];
  return lanes[0];
}
