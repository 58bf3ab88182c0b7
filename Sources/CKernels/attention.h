/* Causal attention of one query, without storing scores, and what attention of many shares with it. Keys come in blocks of 64 from
   position 0. Blocks before a query's window are left out, and of its first one whole groups of 16. */

enum { KEY_BLOCK = 64 };

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

/* Heads that share a key-value head, computed side by side: each key and value is read and widened once for all of them. */
enum { MAX_HEADS = 4, CHAINS = MAX_HEADS * PK_SUM_VECTORS }; /* chains: sums of 16 elements that the registers hold */

/* Of D elements, zeros after them. */
static inline size_t padded_length(size_t d) { return (d + LANES - 1) / LANES * LANES; }

/* A row of D elements, zeros after them. */
INLINE void PK_FN(copy_row)(const float *x, size_t d, float *row) {
  for (size_t i = 0; i < d; i += LANES) store16(row + i, d - i < LANES ? load_part(x, PK_F32, i, d - i) : load16(x + i));
}

/* The query at `place` of all queries' heads, turned where the rule says so, zeros after it. */
INLINE void PK_FN(copy_query)(const attention_job *job, size_t position, size_t place, float *row) {
  size_t d = job->d, width = padded_length(d);
  const float *q = job->q + place * d;
  if (!job->rule.cosine) {
    PK_FN(copy_row)(q, d, row);
    return;
  }
  PK_FN(rotate)(&job->rule, position, 1, q, row, d);
  if (width > d) memset(row + d, 0, (width - d) * sizeof(float));
}

/* dots[r][j] = row r . vectors[j], 16 at a time, j from `first`, a multiple of 16; rows padded, `heads` a constant. */
INLINE void PK_FN(dots)(const float *rows, int heads, const void *const *vectors, size_t first, size_t count, size_t d,
                        pk_type type, float (*dots)[KEY_BLOCK]) {
  size_t width = padded_length(d), whole = d / LANES * LANES;
  for (size_t j = first; j < count; j += LANES) {
    f32x16 sums[MAX_HEADS][LANES];
    size_t live = count - j < LANES ? count - j : LANES;
    for (size_t l = live; l < LANES; l++)
#pragma unroll
      for (int r = 0; r < heads; r++) sums[r][l] = splat(0);
    for (size_t l = 0; l < live; l++) {
      f32x16 sum[MAX_HEADS];
#pragma unroll
      for (int r = 0; r < heads; r++) sum[r] = splat(0);
      for (size_t i = 0; i < whole; i += LANES) {
        f32x16 vector = load_kv(type, vectors[j + l], i);
#pragma unroll
        for (int r = 0; r < heads; r++) sum[r] = fma16(load16(rows + (size_t)r * width + i), vector, sum[r]);
      }
      if (whole < d) {
        f32x16 vector = load_part(vectors[j + l], type, whole, d - whole);
#pragma unroll
        for (int r = 0; r < heads; r++) sum[r] = fma16(load16(rows + (size_t)r * width + whole), vector, sum[r]);
      }
#pragma unroll
      for (int r = 0; r < heads; r++) sums[r][l] = sum[r];
    }
#pragma unroll
    for (int r = 0; r < heads; r++) store16(dots[r] + j, transpose_sum(sums[r]));
  }
}

/* The first key that the query at `position` sees, of a sequence that begins at `start`. */
static inline size_t first_seen(const pk_attention_rule *rule, size_t start, size_t position) {
  size_t window = (size_t)rule->window;
  return window && position - start >= window ? position + 1 - window : start;
}

/* dots[r][j], j from `first` on, become cap tanh(scale dot / cap); slopes, unless NULL, what that is in slope of scale dot. */
static void PK_FN(cap_scores)(const pk_attention_rule *rule, int heads, size_t first, size_t count, float (*dots)[KEY_BLOCK],
                              float (*slopes)[KEY_BLOCK]) {
  for (int r = 0; r < heads; r++)
    for (size_t j = first; j < count; j += LANES) {
      f32x16 bent = tanh16(load16(dots[r] + j) * splat(rule->scale) / splat(rule->cap));
      store16(dots[r] + j, bent * splat(rule->cap));
      if (slopes) store16(slopes[r] + j, fma16(-bent, bent, splat(1)));
    }
}

/* Scores [skipped, count) of a block become exp(score - maximum), with the running maximum and sum brought up to date; returns the
   factor of what was summed under the old maximum. */
static float PK_FN(weights_of)(float *scores, float scale, size_t skipped, size_t count, float *maximum, float *sum) {
  size_t first = skipped / LANES * LANES; /* whole groups before and after weigh zero, which no sum shows */
  f32x16 highest = splat(-__builtin_inff()), total = splat(0);
  for (size_t j = first; j < skipped; j++) scores[j] = -__builtin_inff();
  for (size_t j = first; j < count; j += LANES) {
    i32x16 at = (i32x16){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} + (int32_t)j;
    f32x16 scaled = choose16(at < (int32_t)count, load16(scores + j) * splat(scale), splat(-__builtin_inff()));
    store16(scores + j, scaled);
    highest = max16(highest, scaled);
  }
  float block_maximum = tree_max(highest), new_maximum = block_maximum > *maximum ? block_maximum : *maximum;
  float correction = exp1(*maximum - new_maximum);
  for (size_t j = first; j < count; j += LANES) {
    f32x16 weight = exp16(load16(scores + j) - splat(new_maximum));
    store16(scores + j, weight);
    total = total + weight;
  }
  *sum = *sum * correction + tree_sum(total);
  *maximum = new_maximum;
  return correction;
}

/* output[r] = output[r] * correction[r] + sum over j of weights[r][j] values[j], 16 * CHUNKS elements from i on, of the only chunk
   `live` alone; key by key. */
INLINE void PK_FN(weigh)(float (*output)[MAX_D], const float *correction, float (*weights)[KEY_BLOCK], int heads,
                         const void *const *values, size_t skipped, size_t count, size_t i, int chunks, size_t live,
                         pk_type type) {
  f32x16 o[MAX_HEADS * 4];
#pragma unroll
  for (int r = 0; r < heads; r++)
#pragma unroll
    for (int c = 0; c < chunks; c++) o[r * chunks + c] = load16(output[r] + i + c * LANES) * splat(correction[r]);
  for (size_t j = skipped; j < count; j++) {
#pragma unroll
    for (int c = 0; c < chunks; c++) {
      f32x16 value = live == LANES ? load_kv(type, values[j], i + (size_t)c * LANES)
                                   : load_part(values[j], type, i, live);
#pragma unroll
      for (int r = 0; r < heads; r++) o[r * chunks + c] = fma16(splat(weights[r][j]), value, o[r * chunks + c]);
    }
  }
#pragma unroll
  for (int r = 0; r < heads; r++)
#pragma unroll
    for (int c = 0; c < chunks; c++) store16(output[r] + i + c * LANES, o[r * chunks + c]);
}

/* Where the keys and values first + begin ..< first + end of the query at t lie. They are prefetched: no processor foresees which
   bytes of a position a head reads. */
static void PK_FN(locate_keys)(const attention_job *job, size_t t, size_t kv_head, size_t first, size_t begin, size_t end,
                               const void **keys, const void **values) {
  const pk_kv_layout *layout = &job->layout;
  size_t bytes = job->d * type_bytes(layout->type);
  for (size_t j = begin; j < end;) {
    const char *page = job->queries[t].pages[(first + j) / PK_PAGE];
    for (size_t last = min_size(end, j / PK_PAGE * PK_PAGE + PK_PAGE); j < last; j++) {
      size_t inside = (j % PK_PAGE * layout->kv_stride + kv_head * job->d) * type_bytes(layout->type);
      const char *key = page + layout->key_offset + inside, *value = page + layout->value_offset + inside;
      for (size_t line = 0; line < bytes; line += LINE) {
        __builtin_prefetch(key + line);
        __builtin_prefetch(value + line);
      }
      keys[j] = key, values[j] = value;
    }
  }
}

/* out[place] = output / sum, and lse[place]. */
static void PK_FN(finish_row)(const attention_job *job, size_t place, const float *output, float maximum, float sum) {
  size_t d = job->d, i = 0;
  float *out = job->out + place * d;
  for (; i + LANES <= d; i += LANES) store16(out + i, load16(output + i) / splat(sum));
  if (i < d) store_part(out + i, d - i, load16(output + i) / splat(sum));
  if (job->lse) job->lse[place] = maximum + pk_log(sum);
}

/* `heads` heads (a constant) of one query, from `head` on, of one key-value head. */
INLINE void PK_FN(attention_heads)(const attention_job *job, size_t t, size_t head, int heads, pk_type type) {
  size_t d = job->d;
  const pk_query *query = &job->queries[t];
  float q[MAX_HEADS * MAX_D];
  for (size_t r = 0; r < (size_t)heads; r++)
    PK_FN(copy_query)(job, (size_t)query->position, t * job->heads + head + r, q + r * padded_length(d));
  float maximum[MAX_HEADS], sum[MAX_HEADS], correction[MAX_HEADS], output[MAX_HEADS][MAX_D];
  for (int r = 0; r < heads; r++) {
    maximum[r] = -__builtin_inff();
    sum[r] = 0;
    memset(output[r], 0, padded_length(d) * sizeof(float));
  }
  size_t visible = (size_t)query->position + 1, oldest = first_seen(&job->rule, 0, (size_t)query->position);
  int capped = job->rule.cap > 0;
  float scale = capped ? 1 : job->rule.scale;
  for (size_t first = oldest / KEY_BLOCK * KEY_BLOCK; first < visible; first += KEY_BLOCK) {
    size_t count = visible - first < KEY_BLOCK ? visible - first : KEY_BLOCK;
    size_t skipped = oldest > first ? oldest - first : 0, aligned = skipped / LANES * LANES;
    const void *keys[KEY_BLOCK], *values[KEY_BLOCK];
    PK_FN(locate_keys)(job, t, head / (job->heads / job->layout.kv_heads), first, aligned, count, keys, values);
    float scores[MAX_HEADS][KEY_BLOCK];
    PK_FN(dots)(q, heads, keys, aligned, count, d, type, scores);
    if (capped) PK_FN(cap_scores)(&job->rule, heads, aligned, count, scores, NULL);
    for (int r = 0; r < heads; r++) correction[r] = PK_FN(weights_of)(scores[r], scale, skipped, count, &maximum[r], &sum[r]);
    size_t i = 0;
    if (heads * 4 <= CHAINS)
      for (; i + 4 * LANES <= d; i += 4 * LANES)
        PK_FN(weigh)(output, correction, scores, heads, values, skipped, count, i, 4, LANES, type);
    if (heads * 2 <= CHAINS)
      for (; i + 2 * LANES <= d; i += 2 * LANES)
        PK_FN(weigh)(output, correction, scores, heads, values, skipped, count, i, 2, LANES, type);
    for (; i + LANES <= d; i += LANES)
      PK_FN(weigh)(output, correction, scores, heads, values, skipped, count, i, 1, LANES, type);
    if (i < d) PK_FN(weigh)(output, correction, scores, heads, values, skipped, count, i, 1, d - i, type);
  }
  for (int r = 0; r < heads; r++)
    PK_FN(finish_row)(job, t * job->heads + head + (size_t)r, output[r], maximum[r], sum[r]);
}

/* All heads of a query that share a key-value head. */
INLINE void PK_FN(attention_query)(const attention_job *job, size_t t, size_t kv_head, pk_type type) {
  size_t group = job->heads / job->layout.kv_heads, head = kv_head * group;
  for (size_t end = head + group; head < end; head += MAX_HEADS)
    switch (end - head) {
    case 1: PK_FN(attention_heads)(job, t, head, 1, type); break;
    case 2: PK_FN(attention_heads)(job, t, head, 2, type); break;
    case 3: PK_FN(attention_heads)(job, t, head, 3, type); break;
    default: PK_FN(attention_heads)(job, t, head, MAX_HEADS, type);
    }
}
