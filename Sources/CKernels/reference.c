/* The definitions of products and attention in plain scalar loops: slow, and what every path must equal bit for bit. */
#include "reference.h"
#include <math.h>
#include "kernels.h"

#pragma STDC FP_CONTRACT OFF

typedef struct {
  const void *a, *b;
  ptrdiff_t ar, ak, bk, bn;
  pk_type type;
  float *c;
  size_t c_stride, m, n, block_count;
  const pk_block *blocks;
  int accumulate;
} reference_gemm;

static void reference_gemm_run(void *context, size_t unused) {
  (void)unused;
  const reference_gemm *g = context;
  for (size_t m = 0; m < g->m; m++)
    for (size_t n = 0; n < g->n; n++) {
      float acc = g->accumulate ? g->c[m * g->c_stride + n] : 0;
      for (size_t block = 0; block < g->block_count; block++) {
        float chain[2] = {0, 0};
        for (size_t k = 0; k < g->blocks[block].length; k++) {
          ptrdiff_t at = (ptrdiff_t)(g->blocks[block].start + k);
          float a = typed(g->a, g->type, (ptrdiff_t)m * g->ar + at * g->ak);
          float b = typed(g->b, g->type, at * g->bk + (ptrdiff_t)n * g->bn);
          chain[k % 2] = fmaf(a, b, chain[k % 2]);
        }
        for (size_t k = g->blocks[block].length; k < 32; k++) chain[k % 2] = fmaf(0, 0, chain[k % 2]);
        acc = acc + (chain[0] + chain[1]);
      }
      g->c[m * g->c_stride + n] = acc;
    }
}

void pk_reference_gemm(int threads, const void *a, ptrdiff_t row_stride, ptrdiff_t reduction_stride, const void *b,
                       ptrdiff_t b_reduction_stride, ptrdiff_t b_column_stride, pk_type type, float *c,
                       size_t c_stride, size_t m, size_t n, const pk_block *blocks, size_t block_count,
                       int accumulate) {
  reference_gemm g = {a, b, row_stride, reduction_stride, b_reduction_stride, b_column_stride, type, c,
                      c_stride, m, n, block_count, blocks, accumulate};
  parallel_for(threads, 1, reference_gemm_run, &g); /* for its handling of subnormals */
}

typedef struct {
  const uint16_t *a;
  const float *b;
  ptrdiff_t ar, ak, bk, bn;
  float *c;
  size_t c_stride, m, n, block_count;
  const pk_block *blocks;
  int accumulate;
} reference_gemm_int8;

/* An integer of the block at `b`, and the block's scale. */
static int reference_int8(const float *b, ptrdiff_t bk, size_t length, size_t k, float *scale) {
  float largest = 0;
  int finite = 1;
  for (size_t i = 0; i < length; i++) {
    float size = fabsf(b[(ptrdiff_t)i * bk]);
    if (!isfinite(size)) finite = 0;
    if (size > largest) largest = size;
  }
  *scale = finite ? largest / 127 : NAN;
  return *scale > 0 && k < length ? (int)nearbyintf(b[(ptrdiff_t)k * bk] / *scale) : 0;
}

static void reference_gemm_int8_run(void *context, size_t unused) {
  (void)unused;
  const reference_gemm_int8 *g = context;
  for (size_t m = 0; m < g->m; m++)
    for (size_t n = 0; n < g->n; n++) {
      float acc = g->accumulate ? g->c[m * g->c_stride + n] : 0;
      for (size_t block = 0; block < g->block_count; block++) {
        size_t length = g->blocks[block].length;
        ptrdiff_t start = (ptrdiff_t)g->blocks[block].start;
        const float *b = g->b + start * g->bk + (ptrdiff_t)n * g->bn;
        float chain[2] = {0, 0}, scale = 0;
        for (size_t k = 0; k < 32; k++) {
          ptrdiff_t at = (ptrdiff_t)m * g->ar + (start + (ptrdiff_t)k) * g->ak;
          float a = k < length ? typed(g->a, PK_BF16, at) : 0;
          chain[k % 2] = fmaf(a, (float)reference_int8(b, g->bk, length, k, &scale), chain[k % 2]);
        }
        acc = fmaf(scale, chain[0] + chain[1], acc);
      }
      g->c[m * g->c_stride + n] = acc;
    }
}

void pk_reference_gemm_int8(int threads, const uint16_t *a, ptrdiff_t row_stride, ptrdiff_t reduction_stride, const float *b,
                            ptrdiff_t b_reduction_stride, ptrdiff_t b_column_stride, float *c, size_t c_stride,
                            size_t m, size_t n, const pk_block *blocks, size_t block_count, int accumulate) {
  reference_gemm_int8 g = {a, b, row_stride, reduction_stride, b_reduction_stride, b_column_stride, c, c_stride,
                           m, n, block_count, blocks, accumulate};
  parallel_for(threads, 1, reference_gemm_int8_run, &g); /* for its handling of subnormals */
}

typedef struct {
  const uint16_t *a;
  ptrdiff_t ar, ak;
  pk_type type;
  const uint8_t *rows;
  float *c;
  size_t c_stride, m, n, k;
  int accumulate;
} reference_gemm_file;

/* IEEE binary16, exact. */
static float reference_half(const uint8_t *p) {
  unsigned bits = p[0] | (unsigned)p[1] << 8, exponent = bits >> 10 & 31, fraction = bits & 1023;
  float size = exponent == 31 ? (fraction ? NAN : INFINITY)
               : exponent     ? ldexpf((float)(1024 + fraction), (int)exponent - 25)
                              : ldexpf((float)fraction, -24);
  return bits & 0x8000 ? -size : size;
}

/* Scale or minimum i of a block of Q4_K or Q5_K, of 6 bits each. */
static int reference_six_bits(const uint8_t *p, size_t i, int minimum) {
  size_t own = minimum ? 4 : 0;
  if (i < 4) return p[own + i] & 63;
  return (minimum ? p[4 + i] >> 4 : p[4 + i] & 15) + (p[own + i - 4] >> 6) * 16;
}

/* The integer of a term of a row, the scale of its block and what the block's terms of A are multiplied by besides. */
static float reference_integer(pk_type type, const uint8_t *row, size_t term, float *scale, float *minimum) {
  const uint8_t *p = row + term / pk_file_terms(type) * pk_file_bytes(type);
  size_t i = term % pk_file_terms(type), nibbles = type == PK_Q4_0 ? 2 : type == PK_Q5_0 ? 6 : type == PK_Q5_1 ? 8 : 4;
  *minimum = 0;
  *scale = reference_half(type == PK_Q6_K ? p + 208 : p);
  if (type == PK_Q8_0) return (float)(int8_t)p[2 + i];
  if (type == PK_Q6_K) {
    size_t part = i % 128;
    int low = p[i / 128 * 64 + part % 64] >> (part / 64 * 4) & 15, high = p[128 + i / 128 * 32 + i % 32] >> (part / 32 * 2) & 3;
    *scale *= (float)(int8_t)p[192 + i / 16];
    return (float)(low + high * 16 - 32);
  }
  if (type == PK_Q4_K || type == PK_Q5_K) {
    const uint8_t *low = p + (type == PK_Q4_K ? 16 : 48) + i / 64 * 32 + i % 32;
    *minimum = -(reference_half(p + 2) * (float)reference_six_bits(p + 4, i / 32, 1));
    *scale *= (float)reference_six_bits(p + 4, i / 32, 0);
    return (float)((*low >> (i / 32 % 2 * 4) & 15) + (type == PK_Q5_K ? (p[16 + i % 32] >> (i / 32) & 1) * 16 : 0));
  }
  int integer = p[nibbles + i % 16] >> (i / 16 * 4) & 15;
  if (type == PK_Q5_0 || type == PK_Q5_1) integer += (p[nibbles - 4 + i / 8] >> (i % 8) & 1) * 16;
  if (type == PK_Q4_1 || type == PK_Q5_1) *minimum = reference_half(p + 2);
  return (float)(type == PK_Q4_0 ? integer - 8 : type == PK_Q5_0 ? integer - 16 : integer);
}

static void reference_gemm_file_run(void *context, size_t unused) {
  (void)unused;
  const reference_gemm_file *g = context;
  size_t row_bytes = g->k / pk_file_terms(g->type) * pk_file_bytes(g->type), terms = pk_reduction_terms(g->type);
  int has_minima = g->type == PK_Q4_1 || g->type == PK_Q5_1 || g->type == PK_Q4_K || g->type == PK_Q5_K;
  for (size_t m = 0; m < g->m; m++)
    for (size_t n = 0; n < g->n; n++) {
      float acc = g->accumulate ? g->c[m * g->c_stride + n] : 0;
      for (size_t start = 0; start < g->k; start += terms) {
        float chain[2] = {0, 0}, sum[2] = {0, 0}, scale = 0, minimum = 0;
        for (size_t k = 0; k < terms; k++) {
          float a = typed(g->a, PK_BF16, (ptrdiff_t)m * g->ar + (ptrdiff_t)(start + k) * g->ak);
          float b = reference_integer(g->type, g->rows + n * row_bytes, start + k, &scale, &minimum);
          chain[k % 2] = fmaf(a, b, chain[k % 2]);
          sum[k % 2] = fmaf(a, 1, sum[k % 2]);
        }
        acc = fmaf(scale, chain[0] + chain[1], acc);
        if (has_minima) acc = fmaf(minimum, sum[0] + sum[1], acc);
      }
      g->c[m * g->c_stride + n] = acc;
    }
}

void pk_reference_gemm_file(int threads, const uint16_t *a, ptrdiff_t row_stride, ptrdiff_t reduction_stride, pk_type type,
                            const void *rows, float *c, size_t c_stride, size_t m, size_t n, size_t k, int accumulate) {
  reference_gemm_file g = {a, row_stride, reduction_stride, type, rows, c, c_stride, m, n, k, accumulate};
  parallel_for(threads, 1, reference_gemm_file_run, &g); /* for its handling of subnormals */
}

/* Whether the query at t sees the key at j, of one sequence. */
static int sees(const pk_attention_rule *rule, size_t t, size_t j) {
  return j <= t && (rule->window == 0 || t - j < (size_t)rule->window);
}

/* A score from q . k, and what the score is in slope of scale * q . k. */
static float score_of(const pk_attention_rule *rule, float dot, float *slope) {
  *slope = 1;
  if (rule->cap == 0) return dot * rule->scale;
  float bent = pk_tanh(dot * rule->scale / rule->cap);
  *slope = fmaf(-bent, bent, 1);
  return bent * rule->cap;
}

/* x [D] turned by the angles of `position`. */
static void reference_rotate(const pk_attention_rule *rule, size_t position, float sign, float *x, size_t d) {
  size_t half = turned_length(rule, d) / 2;
  for (size_t i = 0; rule->cosine && i < half; i++) {
    size_t first = rule->interleaved ? 2 * i : i, second = rule->interleaved ? 2 * i + 1 : i + half;
    float a = x[first], b = x[second], c = rule->cosine[position * half + i], s = sign * rule->sine[position * half + i];
    x[first] = a * c - b * s;
    x[second] = b * c + a * s;
  }
}

/* Keys outside the window weigh nothing; a block of only such keys leaves all as it was. */
static void reference_attention_run(void *context, size_t unused) {
  (void)unused;
  const attention_job *job = context;
  size_t d = job->d;
  for (size_t t = 0; t < job->t; t++)
    for (size_t h = 0; h < job->heads; h++) {
      const pk_query *query = &job->queries[t];
      const pk_kv_layout *layout = &job->layout;
      size_t offset = h / (job->heads / layout->kv_heads) * d, visible = (size_t)query->position + 1;
      float q[MAX_D];
      memcpy(q, job->q + (t * job->heads + h) * d, d * sizeof(float));
      reference_rotate(&job->rule, (size_t)query->position, 1, q, d);
      float *out = job->out + (t * job->heads + h) * d;
      float maximum = -INFINITY, sum = 0;
      for (size_t i = 0; i < d; i++) out[i] = 0;
      for (size_t first = 0; first < visible; first += 64) {
        size_t count = visible - first < 64 ? visible - first : 64;
        float scores[64], top = -INFINITY, lanes[16] = {0}, slope;
        for (size_t j = 0; j < count; j++) {
          scores[j] = -INFINITY;
          if (!sees(&job->rule, (size_t)query->position, first + j)) continue;
          const void *key = (const char *)query->pages[(first + j) / PK_PAGE] + layout->key_offset;
          ptrdiff_t place = (ptrdiff_t)((first + j) % PK_PAGE * layout->kv_stride + offset);
          float dot[16] = {0};
          for (size_t i = 0; i < filled(d); i++)
            dot[i % 16] = fmaf(at(q, i, d, 0), i < d ? typed(key, layout->type, place + (ptrdiff_t)i) : 0, dot[i % 16]);
          scores[j] = score_of(&job->rule, lanes_sum(dot), &slope);
          top = scores[j] > top ? scores[j] : top;
        }
        if (!sees(&job->rule, (size_t)query->position, first + count - 1)) continue;
        float next = top > maximum ? top : maximum, correction = pk_exp(maximum - next);
        for (size_t j = 0; j < count; j++) {
          scores[j] = pk_exp(scores[j] - next);
          lanes[j % 16] = lanes[j % 16] + scores[j];
        }
        sum = sum * correction + lanes_sum(lanes);
        maximum = next;
        for (size_t i = 0; i < d; i++) {
          float o = out[i] * correction;
          for (size_t j = 0; j < count; j++) {
            if (!sees(&job->rule, (size_t)query->position, first + j)) continue;
            const void *value = (const char *)query->pages[(first + j) / PK_PAGE] + layout->value_offset;
            ptrdiff_t at = (ptrdiff_t)((first + j) % PK_PAGE * layout->kv_stride + offset);
            o = fmaf(scores[j], typed(value, layout->type, at + (ptrdiff_t)i), o);
          }
          out[i] = o;
        }
      }
      for (size_t i = 0; i < d; i++) out[i] = out[i] / sum;
      if (job->lse) job->lse[t * job->heads + h] = maximum + pk_log(sum);
    }
}

void pk_reference_attention(int threads, const float *q, const pk_query *queries, size_t t, size_t heads, size_t d,
                            const pk_kv_layout *layout, const pk_attention_rule *rule, float *out, float *lse) {
  attention_job job = {.q = q, .queries = queries, .t = t, .heads = heads, .d = d, .layout = *layout,
                       .rule = *rule, .out = out, .lse = lse};
  parallel_for(threads, 1, reference_attention_run, &job);
}

static void reference_attention_backward_run(void *context, size_t task) {
  const attention_job *job = context;
  size_t d = job->d, group = job->heads / job->kv_heads, g = task % job->kv_heads, kv_row = job->kv_heads * d;
  size_t start = (size_t)job->starts[task / job->kv_heads], end = (size_t)job->starts[task / job->kv_heads + 1];
  for (size_t t = start; t < end; t++)
    for (size_t i = 0; i < d; i++) job->dk[t * kv_row + g * d + i] = job->dv[t * kv_row + g * d + i] = 0;
  for (size_t t = start; t < end; t++)
    for (size_t h = g * group; h < (g + 1) * group; h++) {
      size_t row = (t * job->heads + h) * d;
      const float *dout = job->dout + row;
      float q[MAX_D];
      memcpy(q, job->q + row, d * sizeof(float));
      reference_rotate(&job->rule, t - start, 1, q, d);
      float lanes[16] = {0}, *dq = job->dq + row;
      for (size_t i = 0; i < filled(d); i++)
        lanes[i % 16] = fmaf(at(dout, i, d, 0), at(job->out + row, i, d, 0), lanes[i % 16]);
      float delta = lanes_sum(lanes);
      for (size_t i = 0; i < d; i++) dq[i] = 0;
      for (size_t j = start; j <= t; j++) { /* keys */
        if (!sees(&job->rule, t, j)) continue;
        ptrdiff_t place = (ptrdiff_t)(j * kv_row + g * d);
        float score[16] = {0}, change[16] = {0};
        for (size_t i = 0; i < filled(d); i++) {
          float key = i < d ? typed(job->k, job->kv_type, place + (ptrdiff_t)i) : 0;
          float value = i < d ? typed(job->v, job->kv_type, place + (ptrdiff_t)i) : 0;
          score[i % 16] = fmaf(at(q, i, d, 0), key, score[i % 16]);
          change[i % 16] = fmaf(at(dout, i, d, 0), value, change[i % 16]);
        }
        float slope, p = pk_exp(score_of(&job->rule, lanes_sum(score), &slope) - job->lse[t * job->heads + h]);
        float ds = p * (lanes_sum(change) - delta) * job->rule.scale * slope;
        for (size_t i = 0; i < d; i++) {
          float *dk = job->dk + place + i, *dv = job->dv + place + i;
          *dk = fmaf(ds, q[i], *dk);
          *dv = fmaf(p, dout[i], *dv);
          dq[i] = fmaf(ds, typed(job->k, job->kv_type, place + (ptrdiff_t)i), dq[i]);
        }
      }
      reference_rotate(&job->rule, t - start, -1, dq, d);
    }
  for (size_t t = start; t < end; t++) reference_rotate(&job->rule, t - start, -1, job->dk + t * kv_row + g * d, d);
}

void pk_reference_attention_backward(int threads, const float *q, const void *k, const void *v, const float *out,
                                     const float *lse, const float *dout, const int32_t *starts,
                                     size_t sequences, size_t heads, size_t kv_heads, size_t d, pk_type kv_type,
                                     const pk_attention_rule *rule, float *dq, float *dk, float *dv) {
  attention_job job = {.q = q, .k = k, .v = v, .out = (float *)out, .lse = (float *)lse, .dout = dout,
                       .starts = starts, .heads = heads, .kv_heads = kv_heads, .d = d, .kv_type = kv_type,
                       .rule = *rule, .dq = dq, .dk = dk, .dv = dv};
  parallel_for(threads, sequences * kv_heads, reference_attention_backward_run, &job);
}
