/* Causal attention, forward and backward, without storing scores. Keys come in blocks of 64 from position 0. */

enum { KEY_BLOCK = 64, MAX_D = 256 };

/* Sums the lanes of v[0 ..< 16], each by the one tree, into the 16 lanes of the result. */
#define transpose_sum(v)                                                                                     \
  ({                                                                                                         \
    f32x16 a_[8], b_[4], c_[2];                                                                              \
    _Pragma("unroll") for (int i_ = 0; i_ < 8; i_++) a_[i_] =                                                \
        __builtin_shufflevector((v)[2 * i_], (v)[2 * i_ + 1], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20,    \
                                21, 22, 23) +                                                                \
        __builtin_shufflevector((v)[2 * i_], (v)[2 * i_ + 1], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27,  \
                                28, 29, 30, 31);                                                             \
    _Pragma("unroll") for (int i_ = 0; i_ < 4; i_++) b_[i_] =                                                \
        __builtin_shufflevector(a_[2 * i_], a_[2 * i_ + 1], 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24,    \
                                25, 26, 27) +                                                                \
        __builtin_shufflevector(a_[2 * i_], a_[2 * i_ + 1], 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28,  \
                                29, 30, 31);                                                                 \
    _Pragma("unroll") for (int i_ = 0; i_ < 2; i_++) c_[i_] =                                                \
        __builtin_shufflevector(b_[2 * i_], b_[2 * i_ + 1], 0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24,    \
                                25, 28, 29) +                                                                \
        __builtin_shufflevector(b_[2 * i_], b_[2 * i_ + 1], 2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26,  \
                                27, 30, 31);                                                                 \
    __builtin_shufflevector(c_[0], c_[1], 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30) +       \
        __builtin_shufflevector(c_[0], c_[1], 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);    \
  })

#define load_kv(type, p, i)                                                                   \
  ((type) == PK_BF16 ? widen16(*(const u16x16 *)((const uint16_t *)(p) + (i)))                \
                     : load16((const float *)(p) + (i)))

/* dots[j] = row . vectors[j], 16 at a time; `count` pointers, d a multiple of 16. */
INLINE void PK_FN(dots)(const float *row, const void *const *vectors, size_t count, size_t d, pk_type type,
                        float *dots) {
  for (size_t j = 0; j < count; j += LANES) {
    f32x16 sums[LANES];
    size_t live = count - j < LANES ? count - j : LANES;
    for (size_t l = 0; l < LANES; l++) sums[l] = splat(0);
    for (size_t l = 0; l < live; l++) {
      f32x16 sum = splat(0);
      for (size_t i = 0; i < d; i += LANES) sum = fma16(load16(row + i), load_kv(type, vectors[j + l], i), sum);
      sums[l] = sum;
    }
    store16(dots + j, transpose_sum(sums));
  }
}

INLINE void PK_FN(attention_query)(const attention_job *job, size_t task, pk_type type) {
  size_t d = job->d, head = task % job->heads, t = task / job->heads;
  const pk_query *query = &job->queries[t];
  const pk_kv_layout *layout = &job->layout;
  size_t offset = head / (job->heads / layout->kv_heads) * d, element = type == PK_BF16 ? 2 : 4;
  const float *q = job->q + (t * job->heads + head) * d;
  float maximum = -__builtin_inff(), sum = 0;
  float output[MAX_D];
  memset(output, 0, d * sizeof(float));
  size_t visible = (size_t)query->position + 1;
  for (size_t first = 0; first < visible; first += KEY_BLOCK) {
    size_t count = visible - first < KEY_BLOCK ? visible - first : KEY_BLOCK;
    const void *keys[KEY_BLOCK], *values[KEY_BLOCK];
    for (size_t j = 0; j < count; j++) {
      size_t at = first + j, inside = (at % PK_PAGE * layout->kv_stride + offset) * element;
      const char *page = query->pages[at / PK_PAGE];
      keys[j] = page + layout->key_offset + inside;
      values[j] = page + layout->value_offset + inside;
    }
    float scores[KEY_BLOCK];
    PK_FN(dots)(q, keys, count, d, type, scores);
    for (size_t j = 0; j < KEY_BLOCK; j++)
      scores[j] = j < count ? scores[j] * job->scale : -__builtin_inff();
    f32x16 highest = load16(scores);
    for (size_t j = LANES; j < KEY_BLOCK; j += LANES) highest = max16(highest, load16(scores + j));
    float block_maximum = tree_max(highest);
    float new_maximum = block_maximum > maximum ? block_maximum : maximum;
    float correction = exp1(maximum - new_maximum);
    f32x16 total = splat(0);
    for (size_t j = 0; j < KEY_BLOCK; j += LANES) {
      f32x16 p = exp16(load16(scores + j) - splat(new_maximum));
      store16(scores + j, p);
      total = total + p;
    }
    sum = sum * correction + tree_sum(total);
    maximum = new_maximum;
    for (size_t i = 0; i < d; i += LANES) {
      f32x16 o = load16(output + i) * splat(correction);
      for (size_t j = 0; j < count; j++) o = fma16(splat(scores[j]), load_kv(type, values[j], i), o);
      store16(output + i, o);
    }
  }
  float *out = job->out + (t * job->heads + head) * d;
  for (size_t i = 0; i < d; i += LANES) store16(out + i, load16(output + i) / splat(sum));
  if (job->lse) job->lse[t * job->heads + head] = maximum + pk_log(sum);
}

static void PK_FN(attention)(const attention_job *job, size_t task) {
  if (job->layout.type == PK_BF16) PK_FN(attention_query)(job, task, PK_BF16);
  else PK_FN(attention_query)(job, task, PK_F32);
}

/* One sequence and key-value head: queries ascending, then the heads of the group, then keys ascending. */
INLINE void PK_FN(attention_gradient)(const attention_job *job, size_t task, pk_type type) {
  size_t d = job->d, group = job->heads / job->kv_heads, kv_head = task % job->kv_heads;
  size_t start = (size_t)job->starts[task / job->kv_heads], end = (size_t)job->starts[task / job->kv_heads + 1];
  size_t kv_row = job->kv_heads * d, element = type == PK_BF16 ? 2 : 4;
  for (size_t t = start; t < end; t++) {
    memset(job->dk + t * kv_row + kv_head * d, 0, d * sizeof(float));
    memset(job->dv + t * kv_row + kv_head * d, 0, d * sizeof(float));
  }
  for (size_t t = start; t < end; t++) {
    for (size_t head = kv_head * group; head < (kv_head + 1) * group; head++) {
      size_t row = (t * job->heads + head) * d;
      const float *q = job->q + row, *dout = job->dout + row, *out = job->out + row;
      float *dq = job->dq + row;
      f32x16 dot = splat(0);
      for (size_t i = 0; i < d; i += LANES) dot = fma16(load16(dout + i), load16(out + i), dot);
      float delta = tree_sum(dot), lse = job->lse[t * job->heads + head];
      memset(dq, 0, d * sizeof(float));
      for (size_t first = start; first <= t; first += KEY_BLOCK) {
        size_t count = t + 1 - first < KEY_BLOCK ? t + 1 - first : KEY_BLOCK;
        const void *keys[KEY_BLOCK], *values[KEY_BLOCK];
        for (size_t j = 0; j < count; j++) {
          size_t inside = ((first + j) * kv_row + kv_head * d) * element;
          keys[j] = (const char *)job->k + inside;
          values[j] = (const char *)job->v + inside;
        }
        float p[KEY_BLOCK], ds[KEY_BLOCK];
        PK_FN(dots)(q, keys, count, d, type, p);
        PK_FN(dots)(dout, values, count, d, type, ds);
        for (size_t j = 0; j < count; j += LANES) {
          f32x16 weight = exp16(load16(p + j) * splat(job->scale) - splat(lse));
          store16(p + j, weight);
          store16(ds + j, weight * (load16(ds + j) - splat(delta)) * splat(job->scale));
        }
        for (size_t i = 0; i < d; i += LANES) {
          f32x16 query = load16(q + i), gradient = load16(dout + i), sum = load16(dq + i);
          for (size_t j = 0; j < count; j++) {
            float *dk = job->dk + (first + j) * kv_row + kv_head * d + i;
            float *dv = job->dv + (first + j) * kv_row + kv_head * d + i;
            store16(dk, fma16(splat(ds[j]), query, load16(dk)));
            store16(dv, fma16(splat(p[j]), gradient, load16(dv)));
            sum = fma16(splat(ds[j]), load_kv(type, keys[j], i), sum);
          }
          store16(dq + i, sum);
        }
      }
    }
  }
}

static void PK_FN(attention_backward)(const attention_job *job, size_t task) {
  if (job->kv_type == PK_BF16) PK_FN(attention_gradient)(job, task, PK_BF16);
  else PK_FN(attention_gradient)(job, task, PK_F32);
}
