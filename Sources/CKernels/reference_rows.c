/* The definitions of row operations in plain scalar loops: slow, and what every path must equal bit for bit. */
#include <math.h>
#include "kernels.h"
#include "reference.h"
#include "scalar.h"

#pragma STDC FP_CONTRACT OFF

static void put(void *out, pk_type type, size_t i, float value) {
  if (type == PK_F32) {
    ((float *)out)[i] = value;
    return;
  }
  uint32_t bits;
  memcpy(&bits, &value, 4);
  uint32_t half = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  if ((bits & 0x7fffffff) > 0x7f800000) half = bits >> 16 | 0x40;
  ((uint16_t *)out)[i] = (uint16_t)half;
}

void pk_reference_store(int threads, const float *x, void *out, pk_type type, size_t n) {
  (void)threads; /* as its fast version is called */
  for (size_t i = 0; i < n; i++) put(out, type, i, x[i]);
}

static void norm_rows(void *context, size_t unused) {
  (void)unused;
  const norm_job *job = context;
  size_t c = job->c;
  for (size_t t = 0; t < job->t; t++) {
    const float *x = job->x + t * c;
    float lanes[16] = {0};
    for (size_t i = 0; i < filled(c); i++) lanes[i % 16] = fmaf(at(x, i, c, 0), at(x, i, c, 0), lanes[i % 16]);
    float rstd = 1 / sqrtf(lanes_sum(lanes) / (float)c + job->eps);
    if (job->rstd_out) job->rstd_out[t] = rstd;
    for (size_t i = 0; i < c; i++) put(job->out, job->type, t * c + i, x[i] * rstd * job->w[i]);
  }
}
void pk_reference_rms_norm(int threads, const float *x, const float *w, float eps, void *out, pk_type type, float *rstd,
                           size_t t, size_t c) {
  norm_job job = {.x = x, .w = w, .eps = eps, .out = out, .type = type, .rstd_out = rstd, .t = t, .c = c};
  parallel_for(threads, 1, norm_rows, &job);
}

static void norm_gradients(void *context, size_t unused) {
  (void)unused;
  const norm_job *job = context;
  size_t c = job->c;
  for (size_t t = 0; t < job->t; t++) {
    const float *x = job->x + t * c, *dy = job->dy + t * c;
    float lanes[16] = {0}, rstd = job->rstd[t];
    for (size_t i = 0; i < filled(c); i++)
      lanes[i % 16] = fmaf(at(job->w, i, c, 0) * at(dy, i, c, 0), at(x, i, c, 0), lanes[i % 16]);
    float k = lanes_sum(lanes) * rstd * rstd * rstd / (float)c;
    for (size_t i = 0; i < c; i++) {
      job->dx[t * c + i] += fmaf(-k, x[i], job->w[i] * dy[i] * rstd);
      if (job->dw) job->dw[i] = fmaf(dy[i], x[i] * rstd, job->dw[i]);
    }
  }
}
void pk_reference_rms_norm_backward(int threads, const float *x, const float *w, const float *rstd, const float *dy, float *dx,
                                    float *dw, size_t t, size_t c) {
  norm_job job = {.x = x, .w = w, .rstd = rstd, .dy = dy, .dx = dx, .dw = dw, .t = t, .c = c};
  parallel_for(threads, 1, norm_gradients, &job);
}

static void layer_norm_rows(void *context, size_t unused) {
  (void)unused;
  const norm_job *job = context;
  size_t c = job->c;
  for (size_t t = 0; t < job->t; t++) {
    const float *x = job->x + t * c;
    float sums[16] = {0}, squares[16] = {0};
    for (size_t i = 0; i < filled(c); i++) sums[i % 16] = sums[i % 16] + at(x, i, c, 0);
    float mean = lanes_sum(sums) / (float)c;
    for (size_t i = 0; i < filled(c); i++) {
      float distance = at(x, i, c, mean) - mean;
      squares[i % 16] = fmaf(distance, distance, squares[i % 16]);
    }
    float rstd = 1 / sqrtf(lanes_sum(squares) / (float)c + job->eps);
    if (job->mean_out) job->mean_out[t] = mean;
    if (job->rstd_out) job->rstd_out[t] = rstd;
    for (size_t i = 0; i < c; i++) put(job->out, job->type, t * c + i, fmaf((x[i] - mean) * rstd, job->w[i], job->b[i]));
  }
}
void pk_reference_layer_norm(int threads, const float *x, const float *w, const float *b, float eps, void *out, pk_type type,
                             float *mean, float *rstd, size_t t, size_t c) {
  norm_job job = {.x = x, .w = w, .b = b, .eps = eps, .out = out, .type = type, .mean_out = mean, .rstd_out = rstd, .t = t, .c = c};
  parallel_for(threads, 1, layer_norm_rows, &job);
}

static void layer_norm_gradients(void *context, size_t unused) {
  (void)unused;
  const norm_job *job = context;
  size_t c = job->c;
  for (size_t t = 0; t < job->t; t++) {
    const float *x = job->x + t * c, *dy = job->dy + t * c;
    float sums[16] = {0}, dots[16] = {0}, mean = job->mean[t], rstd = job->rstd[t];
    for (size_t i = 0; i < filled(c); i++) {
      float g = at(job->w, i, c, 0) * at(dy, i, c, 0);
      sums[i % 16] = sums[i % 16] + g;
      dots[i % 16] = fmaf(g, (at(x, i, c, 0) - mean) * rstd, dots[i % 16]);
    }
    float shift = lanes_sum(sums) / (float)c, slope = lanes_sum(dots) / (float)c;
    for (size_t i = 0; i < c; i++) {
      float normal = (x[i] - mean) * rstd;
      job->dx[t * c + i] += fmaf(-slope, normal, job->w[i] * dy[i] - shift) * rstd;
      if (job->dw) job->dw[i] = fmaf(dy[i], normal, job->dw[i]);
      if (job->db) job->db[i] += dy[i];
    }
  }
}
void pk_reference_layer_norm_backward(int threads, const float *x, const float *w, const float *mean, const float *rstd,
                                      const float *dy, float *dx, float *dw, float *db, size_t t, size_t c) {
  norm_job job = {.x = x, .w = w, .mean = mean, .rstd = rstd, .dy = dy, .dx = dx, .dw = dw, .db = db, .t = t, .c = c};
  parallel_for(threads, 1, layer_norm_gradients, &job);
}

typedef struct {
  const float *dy;
  float *db;
  size_t t, n;
} bias_run;

static void bias_sums(void *context, size_t unused) {
  (void)unused;
  const bias_run *run = context;
  for (size_t t = 0; t < run->t; t++)
    for (size_t n = 0; n < run->n; n++) run->db[n] += run->dy[t * run->n + n];
}
void pk_reference_bias_gradient(int threads, const float *dy, float *db, size_t t, size_t n) {
  bias_run run = {dy, db, t, n};
  parallel_for(threads, 1, bias_sums, &run);
}

typedef struct {
  pk_activation f;
  const float *gate, *up, *dout;
  float *gate_gradient, *up_gradient;
  void *out;
  pk_type type;
  size_t n;
} activation_run;

/* gelu by the tail beyond |x|, and its slope; the others by the logistic function of v (activation.h). */
static float gelu(float x, float *slope) {
  float t = fabsf(x) > 16 ? 16 : fabsf(x), e, m;
  normal_tail(t, &e, &m);
  *slope = fmaf(copysignf(t, x) * 0.398942280f, e, x < 0 ? e * m : 1 - e * m);
  return fmaf(-t * e, m, x < 0 ? 0 : x);
}
static float logit(pk_activation f, float x, float *slope) {
  *slope = f == PK_SILU ? 1 : fmaf(0.214064449f, x * x, 1.59576912f);
  return f == PK_SILU ? x : x * fmaf(0.0713548163f, x * x, 1.59576912f);
}

static void activation_values(void *context, size_t unused) {
  (void)unused;
  const activation_run *run = context;
  for (size_t i = 0; i < run->n; i++) {
    float g = run->gate[i], slope, y = run->f == PK_GELU ? gelu(g, &slope) : g / (1 + pk_exp(-logit(run->f, g, &slope)));
    put(run->out, run->type, i, run->up ? y * run->up[i] : y);
  }
}
void pk_reference_activation_forward(int threads, pk_activation f, const float *gate, const float *up, void *out, pk_type type,
                                     size_t n) {
  activation_run run = {.f = f, .gate = gate, .up = up, .out = out, .type = type, .n = n};
  parallel_for(threads, 1, activation_values, &run);
}

static void activation_gradients(void *context, size_t unused) {
  (void)unused;
  const activation_run *run = context;
  for (size_t i = 0; i < run->n; i++) {
    float g = run->gate_gradient[i], u = run->up_gradient ? run->up_gradient[i] : 1, d = run->dout[i], value, slope;
    if (run->f == PK_GELU) {
      value = gelu(g, &slope);
    } else {
      float s = 1 / (1 + pk_exp(-logit(run->f, g, &slope)));
      value = g * s;
      slope = s * fmaf(g * slope, 1 - s, 1);
    }
    run->gate_gradient[i] = d * u * slope;
    if (run->up_gradient) run->up_gradient[i] = d * value;
  }
}
void pk_reference_activation_backward(int threads, pk_activation f, float *gate, float *up, const float *dout, size_t n) {
  activation_run run = {.f = f, .gate_gradient = gate, .up_gradient = up, .dout = dout, .n = n};
  parallel_for(threads, 1, activation_gradients, &run);
}

/* log sum exp of the first n. */
static float row_lse(const float *x, size_t n) {
  float maximum = -INFINITY, lanes[16] = {0};
  for (size_t i = 0; i < n; i++) maximum = x[i] > maximum ? x[i] : maximum;
  for (size_t i = 0; i < n; i++) lanes[i % 16] = lanes[i % 16] + pk_exp(x[i] - maximum);
  return maximum + pk_log(lanes_sum(lanes));
}

static void log_sum_exp_row(void *context, size_t row) {
  const loss_job *job = context;
  job->lse[row] = row_lse(job->logits + row * job->stride, job->columns);
}
void pk_reference_log_sum_exp(int threads, const float *logits, size_t stride, size_t rows, size_t columns, float *lse) {
  loss_job job = {.logits = (float *)logits, .stride = stride, .columns = columns, .lse = lse};
  parallel_for(threads, rows, log_sum_exp_row, &job);
}

static float row_entropy(const float *z, size_t v, float lse) {
  float lanes[16] = {0};
  for (size_t i = 0; i < v; i++) {
    float log_p = z[i] - lse, p = pk_exp(log_p);
    lanes[i % 16] = lanes[i % 16] - (p > 0 ? p * log_p : 0);
  }
  return lanes_sum(lanes);
}

static void token_statistics_row(void *context, size_t row) {
  const loss_job *job = context;
  const float *z = job->logits + row * job->v;
  float lse = row_lse(z, job->v);
  job->log_probability[row] = -(lse - z[job->labels[row]]);
  job->entropy[row] = row_entropy(z, job->v, lse);
}
void pk_reference_token_statistics(int threads, const float *logits, size_t rows, size_t v, const int32_t *labels,
                                   float *log_probability, float *entropy) {
  loss_job job = {.logits = (float *)logits, .rows = rows, .v = v, .labels = labels,
                  .log_probability = log_probability, .entropy = entropy};
  parallel_for(threads, rows, token_statistics_row, &job);
}

static void cross_entropy_row(void *context, size_t row) {
  const loss_job *job = context;
  float *z = job->logits + row * job->v;
  size_t label = (size_t)job->labels[row];
  float lse = row_lse(z, job->v);
  job->lm[row] = lse - z[label];
  for (size_t i = 0; i < job->v; i++) z[i] = (i == label ? pk_exp(z[i] - lse) - 1 : pk_exp(z[i] - lse)) * job->scale;
}
void pk_reference_cross_entropy(int threads, float *logits, size_t rows, size_t v, const int32_t *labels, float scale, float *lm) {
  loss_job job = {.logits = logits, .rows = rows, .v = v, .labels = labels, .scale = scale, .lm = lm};
  parallel_for(threads, rows, cross_entropy_row, &job);
}

/* The terms of softmax.h, one element after the other. */
static void conditional_loss_row(void *context, size_t row) {
  const loss_job *job = context;
  float *z = job->logits + row * job->v;
  size_t v = job->v, k = job->columns, label = (size_t)job->labels[row];
  float lse = row_lse(z, v), kl_lanes[16] = {0}, lse_p = 0, lse_r = 0;
  job->lm[row] = lse - z[label];
  float entropy = row_entropy(z, v, lse), kl = 0;
  const float *r = job->reference && job->direction != PK_KL_NONE ? job->reference + row * job->reference_v : NULL;
  int reference_first = job->direction == PK_KL_REFERENCE_POLICY;
  if (r) {
    lse_p = row_lse(z, k);
    lse_r = row_lse(r, k);
    for (size_t i = 0; i < filled(k); i++) {
      float log_p = at(z, i, k, 0) - lse_p, log_r = at(r, i, k, 0) - lse_r;
      float weight = pk_exp(reference_first ? log_r : log_p), gap = reference_first ? log_r - log_p : log_p - log_r;
      kl_lanes[i % 16] = kl_lanes[i % 16] + (i < k && weight > 0 ? weight * gap : 0);
    }
    kl = lanes_sum(kl_lanes);
  }
  job->entropy[row] = entropy;
  job->kl[row] = kl;
  for (size_t i = 0; i < v; i++) {
    float log_p = z[i] - lse, p = pk_exp(log_p);
    float g = fmaf(job->alpha, p > 0 ? p * (log_p + entropy) : 0, p);
    if (r && i < filled(k)) { /* sixteen at a time: what lies past K adds zero */
      float log_q = z[i] - lse_p, q = pk_exp(log_q), d = 0;
      if (i < k && reference_first) d = q - pk_exp(r[i] - lse_r);
      else if (i < k && q > 0) d = q * (log_q - (r[i] - lse_r) - kl);
      g = fmaf(job->beta, d, g);
    }
    if (i == label) g -= 1;
    z[i] = g * job->scale;
  }
}
void pk_reference_conditional_loss(int threads, float *logits, const float *reference, size_t rows, size_t v,
                                   size_t reference_v, size_t kl_columns, const int32_t *labels, pk_kl direction,
                                   float beta, float alpha, float scale, float *lm, float *kl, float *entropy) {
  loss_job job = {.logits = logits, .reference = reference, .rows = rows, .v = v, .reference_v = reference_v,
                  .columns = kl_columns, .labels = labels, .direction = direction, .beta = beta, .alpha = alpha,
                  .scale = scale, .lm = lm, .kl = kl, .entropy = entropy};
  parallel_for(threads, rows, conditional_loss_row, &job);
}

typedef struct {
  float *p, *m, *v;
  const float *g;
  size_t n;
  const pk_adamw_step *step;
} adamw_run;

static void adamw_values(void *context, size_t unused) {
  (void)unused;
  const adamw_run *run = context;
  const pk_adamw_step *s = run->step;
  for (size_t i = 0; i < run->n; i++) {
    float g = run->g[i] * s->gradient_scale, old = run->p[i];
    if (s->l2 != 0) g = fmaf(s->l2, old, g);
    float m = run->m[i] = fmaf(s->beta1, run->m[i], (1 - s->beta1) * g);
    float v = run->v[i] = fmaf(s->beta2, run->v[i], (1 - s->beta2) * g * g);
    float step = m / s->bias1 / (sqrtf(v / s->bias2) + s->eps);
    run->p[i] = fmaf(-s->lr, step, fmaf(-s->lr * s->weight_decay, old, old));
  }
}
void pk_reference_adamw(int threads, float *p, float *m, float *v, const float *g, size_t n, const pk_adamw_step *step) {
  adamw_run run = {p, m, v, g, n, step};
  parallel_for(threads, 1, adamw_values, &run);
}

typedef struct {
  float *p, *v;
  const float *g;
  size_t n;
  const pk_rmsprop_step *step;
} rmsprop_run;

static void rmsprop_values(void *context, size_t unused) {
  (void)unused;
  const rmsprop_run *run = context;
  const pk_rmsprop_step *s = run->step;
  for (size_t i = 0; i < run->n; i++) {
    float g = run->g[i] * s->gradient_scale, old = run->p[i];
    if (s->l2 != 0) g = fmaf(s->l2, old, g);
    float v = run->v[i] = fmaf(s->alpha, run->v[i], (1 - s->alpha) * g * g);
    run->p[i] = fmaf(-s->lr, g / (sqrtf(v) + s->eps), old);
  }
}
void pk_reference_rmsprop(int threads, float *p, float *v, const float *g, size_t n, const pk_rmsprop_step *step) {
  rmsprop_run run = {p, v, g, n, step};
  parallel_for(threads, 1, rmsprop_values, &run);
}

typedef struct {
  const float *x;
  size_t n;
  double sum;
} squares_run;

static void squares(void *context, size_t unused) {
  (void)unused;
  squares_run *run = context;
  run->sum = 0;
  for (size_t first = 0; first < run->n; first += 65536) {
    double lanes[16] = {0};
    for (size_t i = first; i < run->n && i < first + 65536; i++) lanes[i % 16] += (double)run->x[i] * (double)run->x[i];
    for (int half = 8; half > 0; half /= 2)
      for (int l = 0; l < half; l++) lanes[l] += lanes[l + half];
    run->sum += lanes[0];
  }
}
double pk_reference_sum_of_squares(int threads, const float *x, size_t n) {
  squares_run run = {x, n, 0};
  parallel_for(threads, 1, squares, &run);
  return run.sum;
}
