/* Rows over the vocabulary: log-sum-exp, statistics of a token, cross-entropy and the conditional objective with their gradients. */

/* Maximum of x / divisor, then e = exp(x / divisor - maximum) (stored when e is not NULL) and the sum of e. */
static void PK_FN(exponentials)(const float *x, float divisor, float *e, size_t n, float *maximum, float *sum) {
  f32x16 highest = splat(-__builtin_inff());
  size_t full = n / LANES * LANES, rest = n - full;
  for (size_t i = 0; i < full; i += LANES) highest = max16(highest, load16(x + i));
  if (rest) highest = max16(highest, load_tail(x + full, rest, -__builtin_inff()));
  float top = tree_max(highest) / divisor;
  f32x16 total = splat(0);
  for (size_t i = 0; i < full; i += LANES) {
    f32x16 value = exp16(load16(x + i) / splat(divisor) - splat(top));
    total = total + value;
    if (e) store16(e + i, value);
  }
  if (rest) {
    f32x16 value = exp16(load_tail(x + full, rest, -__builtin_inff()) / splat(divisor) - splat(top));
    total = total + value;
    if (e) store_tail(e + full, rest, value);
  }
  *maximum = top;
  *sum = tree_sum(total);
}

INLINE float PK_FN(row_lse)(const float *row, size_t n) {
  float maximum, sum;
  PK_FN(exponentials)(row, 1, NULL, n, &maximum, &sum);
  return maximum + pk_log(sum);
}

static void PK_FN(log_sum_exp)(const loss_job *job, size_t row) {
  job->lse[row] = PK_FN(row_lse)(job->logits + row * job->stride, job->columns);
}

/* -sum p log p */
INLINE float PK_FN(row_entropy)(const float *z, size_t v, float lse) {
  f32x16 sum = splat(0);
  for_lanes(i, v, count) {
    f32x16 log_p = (count == LANES ? load16(z + i) : load_tail(z + i, count, -__builtin_inff())) - splat(lse);
    f32x16 p = exp16(log_p);
    f32x16 term = p * log_p;
    sum = sum - choose16(p > splat(0), term, splat(0));
  }
  return tree_sum(sum);
}

static void PK_FN(token_statistics)(const loss_job *job, size_t row) {
  const float *z = job->logits + row * job->v;
  float lse = PK_FN(row_lse)(z, job->v);
  job->log_probability[row] = -(lse - z[job->labels[row]]);
  job->entropy[row] = PK_FN(row_entropy)(z, job->v, lse);
}

/* lm = -log p[label], d/dz = p - 1[label] */
static void PK_FN(cross_entropy)(const loss_job *job, size_t row) {
  float *z = job->logits + row * job->v;
  size_t v = job->v, label = (size_t)job->labels[row];
  float lse = PK_FN(row_lse)(z, v);
  job->lm[row] = lse - z[label];
  for_lanes(i, v, count) {
    f32x16 g = exp16(load_lanes(z + i, count) - splat(lse));
    if (label >= i && label < i + count) g[label - i] -= 1;
    store_lanes(z, i, PK_F32, count, g * splat(job->scale));
  }
}

/* With p the policy over all V, p' and r policy and reference over the first K columns, renormalised:
   lm = -log p[label]                     d/dz = p - 1[label]
   H  = -sum p log p                      d(-a H)/dz = a p (log p + H)
   KL(r || p') = sum r (log r - log p')   d/dz = p' - r
   KL(p' || r) = sum p' (log p' - log r)  d/dz = p' (log p' - log r - KL)                                  */
static void PK_FN(conditional_loss)(const loss_job *job, size_t row) {
  float *z = job->logits + row * job->v;
  size_t v = job->v, k = job->columns;
  float lse = PK_FN(row_lse)(z, v);
  int32_t label = job->labels[row];
  float label_logit = z[label];
  job->lm[row] = lse - label_logit;

  float entropy = PK_FN(row_entropy)(z, v, lse);
  job->entropy[row] = entropy;

  const float *r = job->reference ? job->reference + row * job->reference_v : NULL;
  float lse_p = 0, lse_r = 0, kl = 0;
  if (r && job->direction != PK_KL_NONE) {
    lse_p = k == v ? lse : PK_FN(row_lse)(z, k);
    lse_r = PK_FN(row_lse)(r, k);
    f32x16 kl_sum = splat(0);
    for_lanes(i, k, count) {
      f32x16 log_p = load_lanes(z + i, count) - splat(lse_p), log_r = load_lanes(r + i, count) - splat(lse_r);
      f32x16 weight = exp16(job->direction == PK_KL_REFERENCE_POLICY ? log_r : log_p);
      f32x16 gap = job->direction == PK_KL_REFERENCE_POLICY ? log_r - log_p : log_p - log_r;
      f32x16 term = weight * gap;
      if (count < LANES)
        for (size_t l = count; l < LANES; l++) term[l] = 0;
      kl_sum = kl_sum + choose16(weight > splat(0), term, splat(0));
    }
    kl = tree_sum(kl_sum);
  }
  job->kl[row] = kl;

  for_lanes(i, v, count) {
    f32x16 logit = load_lanes(z + i, count);
    f32x16 log_p = logit - splat(lse);
    f32x16 p = exp16(log_p);
    f32x16 g = fma16(splat(job->alpha), choose16(p > splat(0), p * (log_p + splat(entropy)), splat(0)), p);
    if (r && job->direction != PK_KL_NONE && i < k) {
      size_t live = k - i < count ? k - i : count;
      f32x16 log_q = logit - splat(lse_p), log_r = load_lanes(r + i, live) - splat(lse_r);
      f32x16 q = exp16(log_q), d;
      if (job->direction == PK_KL_REFERENCE_POLICY) d = q - exp16(log_r);
      else d = choose16(q > splat(0), q * (log_q - log_r - splat(kl)), splat(0));
      for (size_t l = live; l < LANES; l++) d[l] = 0;
      g = fma16(splat(job->beta), d, g);
    }
    if ((size_t)label >= i && (size_t)label < i + count) g[(size_t)label - i] -= 1;
    store_lanes(z, i, PK_F32, count, g * splat(job->scale));
  }
}
