/* Causal attention of many queries that see the same keys, forward and backward. A row is one head of one query, queries
   ascending and then the heads that share a key-value head; up to MOST_ROWS rows meet a block of keys, which is transposed once for
   all of them. What a row sees of a block is a range: a key that it does not see has no part in its sums, not even with weight zero. */

enum { DOT_ROWS = 4, SUM_ROWS = 4 };

typedef struct {
  size_t begin, end;
} range;

/* Numbers a[r][k] that lie `row` and `step` apart. */
typedef struct {
  const float *a;
  size_t row, step;
} factors;

/* What rows and a block of keys are made of on their way to attention; of the thread's memory, since it is much for a stack. */
typedef struct {
  _Alignas(64) float q[MOST_ROWS * MAX_D], output[MOST_ROWS * MAX_D], scores[MOST_ROWS][KEY_BLOCK];
  _Alignas(64) float transposed_keys[MAX_D * KEY_BLOCK]; /* [element][key] */
  _Alignas(64) float values[KEY_BLOCK * MAX_D];          /* [key][element] */
} forward_block;

/* The same on their way to gradients, of one sequence and key-value head. */
typedef struct {
  _Alignas(64) float keys[KEY_BLOCK * MAX_D];        /* [key][element] */
  _Alignas(64) float transposed_keys[MAX_D * KEY_BLOCK]; /* [element][key] */
  _Alignas(64) float transposed_values[MAX_D * KEY_BLOCK];
  _Alignas(64) float dk[KEY_BLOCK * MAX_D], dv[KEY_BLOCK * MAX_D];
  _Alignas(64) float q[MOST_ROWS * MAX_D], dout[MOST_ROWS * MAX_D], dq[MOST_ROWS * MAX_D];
  float p[MOST_ROWS][KEY_BLOCK], ds[MOST_ROWS][KEY_BLOCK], slopes[MOST_ROWS][KEY_BLOCK];
} gradient_block;

/* transposed[i][j] = element i of vectors[j], zeros past its end and where vectors[j] is NULL; for whole groups of 16 vectors from
   `first` on that reach `count`. */
static void PK_FN(transpose_vectors)(const void *const *vectors, size_t first, size_t count, size_t d, pk_type type, float *transposed) {
  for (size_t j = first; j < count; j += LANES)
    for (size_t i = 0; i < d; i += LANES) {
      f32x16 in[LANES];
      for (size_t l = 0; l < LANES; l++)
        in[l] = !vectors[j + l] ? splat(0)
                : d - i < LANES ? load_part(vectors[j + l], type, i, d - i)
                                : load_kv(type, vectors[j + l], i);
      for (size_t half = 0; half < 2; half++)
        for (size_t part = 0; part < 2; part++) {
          u32x8 from[8], to[8];
          for (size_t l = 0; l < 8; l++) memcpy(&from[l], (const char *)&in[8 * half + l] + 32 * part, sizeof from[l]);
          PK_FN(transpose8)(from, to);
          for (size_t l = 0; l < 8; l++) memcpy(transposed + (i + 8 * part + l) * KEY_BLOCK + j + 8 * half, &to[l], sizeof to[l]);
        }
    }
}

/* rows[j] = vectors[j] in binary32, zeros past its end. */
static void PK_FN(widen_vectors)(const void *const *vectors, size_t first, size_t count, size_t d, pk_type type, float *rows) {
  for (size_t j = first; j < count; j++)
    for (size_t i = 0; i < d; i += LANES)
      store16(rows + j * padded_length(d) + i,
              d - i < LANES ? load_part(vectors[j], type, i, d - i) : load_kv(type, vectors[j], i));
}

/* dots[r][j] = row r . transposed[..][j] of 16 * `vectors` keys: sixteen sums over elements, each over every sixteenth, folded by the
   one tree, whose leaves are taken in the order that folds them soonest. `rows` and `vectors` are constants. */
INLINE void PK_FN(tile_dots)(const float *q, size_t width, const float *transposed, float *dots, int rows, int vectors) {
  f32x16 folded[4][DOT_ROWS * PK_DOT_VECTORS], sums[DOT_ROWS * PK_DOT_VECTORS];
#pragma unroll
  for (int leaf = 0; leaf < LANES; leaf++) {
    size_t lane = (size_t)((leaf & 1) * 8 + (leaf & 2) * 2 + (leaf & 4) / 2 + (leaf & 8) / 8);
#pragma unroll
    for (int n = 0; n < rows * vectors; n++) sums[n] = splat(0);
    for (size_t i = lane; i < width; i += LANES) {
#pragma unroll
      for (int v = 0; v < vectors; v++) {
        f32x16 key = load16(transposed + i * KEY_BLOCK + v * LANES);
#pragma unroll
        for (int r = 0; r < rows; r++)
          sums[r * vectors + v] = fma16(splat(q[(size_t)r * width + i]), key, sums[r * vectors + v]);
      }
    }
    int level = 0;
#pragma unroll
    for (; leaf >> level & 1; level++) {
#pragma unroll
      for (int n = 0; n < rows * vectors; n++) sums[n] = folded[level][n] + sums[n];
    }
    if (level < 4) {
#pragma unroll
      for (int n = 0; n < rows * vectors; n++) folded[level][n] = sums[n];
    }
  }
#pragma unroll
  for (int r = 0; r < rows; r++)
#pragma unroll
    for (int v = 0; v < vectors; v++) store16(dots + r * KEY_BLOCK + v * LANES, sums[r * vectors + v]);
}

/* The range of the keys first ..< first + KEY_BLOCK that a query sees, of those oldest ..< end, counted from `first`. */
static inline range seen_of_block(size_t oldest, size_t end, size_t first) {
  if (end <= first || oldest >= first + KEY_BLOCK) return (range){0, 0};
  return (range){oldest > first ? oldest - first : 0, min_size(KEY_BLOCK, end - first)};
}

/* Where the ranges begin, down to a whole group of 16, and where they end; nothing where all are empty. */
static range whole_range(const range *seen, size_t rows) {
  range whole = {KEY_BLOCK, 0};
  for (size_t r = 0; r < rows; r++) {
    if (!seen[r].end) continue;
    whole.begin = min_size(whole.begin, seen[r].begin / LANES * LANES);
    whole.end = seen[r].end > whole.end ? seen[r].end : whole.end;
  }
  return whole;
}

/* dots[r][j] of what each row sees of a block, and of what its neighbours do. */
static void PK_FN(row_dots)(const float *q, size_t rows, size_t width, const float *transposed, const range *seen,
                            float (*dots)[KEY_BLOCK]) {
  for (size_t r = 0, many; r < rows; r += many) {
    many = rows - r < DOT_ROWS ? 1 : DOT_ROWS;
    range keys = whole_range(seen + r, many);
    for (size_t j = keys.begin, vectors; j < keys.end; j += vectors * LANES) {
      vectors = keys.end - j <= (PK_DOT_VECTORS - 1) * LANES ? 1 : PK_DOT_VECTORS;
      const float *row = q + r * width, *from = transposed + j;
      if (many == 1 && vectors == 1) PK_FN(tile_dots)(row, width, from, dots[r] + j, 1, 1);
      else if (many == 1) PK_FN(tile_dots)(row, width, from, dots[r] + j, 1, PK_DOT_VECTORS);
      else if (vectors == 1) PK_FN(tile_dots)(row, width, from, dots[r] + j, DOT_ROWS, 1);
      else PK_FN(tile_dots)(row, width, from, dots[r] + j, DOT_ROWS, PK_DOT_VECTORS);
    }
  }
}

/* c[r][i] += sum over k of a[r][k] b[k][i], k ascending; 16 * `vectors` elements of `rows` rows, both constants. */
INLINE void PK_FN(tile_sums)(float *c, size_t width, factors of, const float *b, range terms, int rows, int vectors) {
  f32x16 sums[SUM_ROWS * PK_SUM_VECTORS];
#pragma unroll
  for (int r = 0; r < rows; r++)
#pragma unroll
    for (int v = 0; v < vectors; v++) sums[r * vectors + v] = load16(c + (size_t)r * width + v * LANES);
  for (size_t k = terms.begin; k < terms.end; k++) {
    f32x16 row[PK_SUM_VECTORS];
#pragma unroll
    for (int v = 0; v < vectors; v++) row[v] = load16(b + k * width + v * LANES);
#pragma unroll
    for (int r = 0; r < rows; r++) {
      f32x16 factor = splat(of.a[(size_t)r * of.row + k * of.step]);
#pragma unroll
      for (int v = 0; v < vectors; v++) sums[r * vectors + v] = fma16(factor, row[v], sums[r * vectors + v]);
    }
  }
#pragma unroll
  for (int r = 0; r < rows; r++)
#pragma unroll
    for (int v = 0; v < vectors; v++) store16(c + (size_t)r * width + v * LANES, sums[r * vectors + v]);
}

/* `rows` rows, one or SUM_ROWS, over all `width` elements. */
INLINE void PK_FN(sums_of)(float *c, size_t width, factors of, const float *b, range terms, int rows) {
  if (terms.begin >= terms.end) return;
  size_t i = 0;
  for (; i + PK_SUM_VECTORS * LANES <= width; i += PK_SUM_VECTORS * LANES)
    PK_FN(tile_sums)(c + i, width, of, b + i, terms, rows, PK_SUM_VECTORS);
  for (; i < width; i += LANES) PK_FN(tile_sums)(c + i, width, of, b + i, terms, rows, 1);
}

/* c[r][i] += sum over k in terms[r], ascending, of a[r][k] b[k][i]. Rows side by side share most terms: those that all of them have
   are taken together, the others row by row before and after. */
static void PK_FN(add_sums)(float *c, size_t rows, size_t width, factors of, const float *b, const range *terms) {
  for (size_t r = 0; r < rows; r += SUM_ROWS) {
    size_t many = min_size(SUM_ROWS, rows - r);
    range shared = terms[r];
    for (size_t n = 1; n < many; n++) {
      shared.begin = terms[r + n].begin > shared.begin ? terms[r + n].begin : shared.begin;
      shared.end = min_size(shared.end, terms[r + n].end);
    }
    if (many < SUM_ROWS || shared.begin >= shared.end) shared = (range){0, 0};
    for (size_t n = 0; n < many; n++) {
      range before = {terms[r + n].begin, shared.end ? shared.begin : terms[r + n].end};
      PK_FN(sums_of)(c + (r + n) * width, width, (factors){of.a + (r + n) * of.row, of.row, of.step}, b, before, 1);
    }
    if (!shared.end) continue;
    PK_FN(sums_of)(c + r * width, width, (factors){of.a + r * of.row, of.row, of.step}, b, shared, SUM_ROWS);
    for (size_t n = 0; n < many; n++) {
      range after = {shared.end, terms[r + n].end};
      PK_FN(sums_of)(c + (r + n) * width, width, (factors){of.a + (r + n) * of.row, of.row, of.step}, b, after, 1);
    }
  }
}

/* Rows `row` to row + rows of queries from t on, of which all see the pages of the first. */
INLINE void PK_FN(attention_rows)(const attention_job *job, size_t t, size_t kv_head, size_t row, size_t rows, pk_type type) {
  size_t d = job->d, width = padded_length(d), group = job->heads / job->layout.kv_heads;
  forward_block *block = thread_memory(sizeof *block);
  float *q = block->q, *output = block->output, (*scores)[KEY_BLOCK] = block->scores;
  float maximum[MOST_ROWS], sum[MOST_ROWS];
  size_t oldest[MOST_ROWS], visible[MOST_ROWS], places[MOST_ROWS], begin = (size_t)-1, end = 0;
  for (size_t r = 0; r < rows; r++) {
    size_t query = t + (row + r) / group, position = (size_t)job->queries[query].position;
    places[r] = query * job->heads + kv_head * group + (row + r) % group;
    PK_FN(copy_query)(job, position, places[r], q + r * width);
    oldest[r] = first_seen(&job->rule, 0, position);
    visible[r] = position + 1;
    begin = min_size(begin, oldest[r] / KEY_BLOCK * KEY_BLOCK);
    end = visible[r] > end ? visible[r] : end;
    maximum[r] = -__builtin_inff();
    sum[r] = 0;
  }
  memset(output, 0, rows * width * sizeof(float));
  int capped = job->rule.cap > 0;
  float scale = capped ? 1 : job->rule.scale;
  for (size_t first = begin; first < end; first += KEY_BLOCK) {
    range seen[MOST_ROWS];
    for (size_t r = 0; r < rows; r++) seen[r] = seen_of_block(oldest[r], visible[r], first);
    range whole = whole_range(seen, rows);
    if (!whole.end) continue;
    const void *keys[KEY_BLOCK] = {0}, *values[KEY_BLOCK];
    PK_FN(locate_keys)(job, t, kv_head, first, whole.begin, whole.end, keys, values);
    PK_FN(transpose_vectors)(keys, whole.begin, whole.end, d, type, block->transposed_keys);
    PK_FN(row_dots)(q, rows, width, block->transposed_keys, seen, scores);
    PK_FN(widen_vectors)(values, whole.begin, whole.end, d, type, block->values);
    for (size_t r = 0; r < rows; r++) {
      if (!seen[r].end) continue;
      if (capped) PK_FN(cap_scores)(&job->rule, 1, seen[r].begin / LANES * LANES, seen[r].end, &scores[r], NULL);
      f32x16 correction = splat(PK_FN(weights_of)(scores[r], scale, seen[r].begin, seen[r].end, &maximum[r], &sum[r]));
      for (size_t i = 0; i < width; i += LANES) store16(output + r * width + i, load16(output + r * width + i) * correction);
    }
    PK_FN(add_sums)(output, rows, width, (factors){scores[0], KEY_BLOCK, 1}, block->values, seen);
  }
  for (size_t r = 0; r < rows; r++) {
    PK_FN(finish_row)(job, places[r], output + r * width, maximum[r], sum[r]);
  }
}

/* The queries of a tile that share pages, together; one alone reads each key for its few heads as it lies. */
INLINE void PK_FN(attention_tile)(const attention_job *job, size_t task, pk_type type) {
  size_t kv_heads = job->layout.kv_heads, kv_head = task % kv_heads, group = job->heads / kv_heads;
  size_t begin = task / kv_heads * job->tile_queries, end = min_size(job->t, begin + job->tile_queries);
  for (size_t t = begin, next; t < end; t = next) {
    for (next = t + 1; next < end && job->queries[next].pages == job->queries[t].pages;) next++;
    size_t rows = (next - t) * group;
    if (next - t == 1) PK_FN(attention_query)(job, t, kv_head, type);
    else
      for (size_t row = 0; row < rows; row += MOST_ROWS)
        PK_FN(attention_rows)(job, t, kv_head, row, min_size(MOST_ROWS, rows - row), type);
  }
}

static void PK_FN(attention)(const attention_job *job, size_t task) {
  if (job->layout.type == PK_BF16) PK_FN(attention_tile)(job, task, PK_BF16);
  else PK_FN(attention_tile)(job, task, PK_F32);
}

/* What `rows` rows from `row` on of a sequence and the keys from `first` on, `count` of them, add to each other's gradients. */
INLINE void PK_FN(gradient_rows)(const attention_job *job, gradient_block *block, size_t start, size_t kv_head, size_t row,
                                 size_t rows, size_t first, size_t count) {
  size_t d = job->d, width = padded_length(d), whole = d / LANES * LANES, group = job->heads / job->kv_heads;
  size_t places[MOST_ROWS];
  float delta[MOST_ROWS], lse[MOST_ROWS];
  range seen[MOST_ROWS], seeing[KEY_BLOCK];
  for (size_t r = 0; r < rows; r++) {
    size_t t = start + (row + r) / group;
    places[r] = t * job->heads + kv_head * group + (row + r) % group;
    const float *out = job->out + places[r] * d;
    float *dout = block->dout + r * width;
    PK_FN(copy_query)(job, t - start, places[r], block->q + r * width);
    PK_FN(copy_row)(job->dout + places[r] * d, d, dout);
    PK_FN(copy_row)(job->dq + places[r] * d, d, block->dq + r * width);
    f32x16 dot = splat(0);
    for (size_t i = 0; i < whole; i += LANES) dot = fma16(load16(dout + i), load16(out + i), dot);
    if (whole < d) dot = fma16(load16(dout + whole), load_part(out, PK_F32, whole, d - whole), dot);
    delta[r] = tree_sum(dot);
    lse[r] = job->lse[places[r]];
    seen[r] = seen_of_block(first_seen(&job->rule, start, t), min_size(t + 1, first + count), first);
  }
  PK_FN(row_dots)(block->q, rows, width, block->transposed_keys, seen, block->p);
  PK_FN(row_dots)(block->dout, rows, width, block->transposed_values, seen, block->ds);
  int capped = job->rule.cap > 0;
  f32x16 scale = splat(job->rule.scale), score_scale = splat(capped ? 1 : job->rule.scale);
  for (size_t r = 0; r < rows; r++) {
    float *p = block->p[r], *ds = block->ds[r], *slopes = block->slopes[r];
    size_t begin = seen[r].begin / LANES * LANES;
    if (capped) PK_FN(cap_scores)(&job->rule, 1, begin, seen[r].end, &block->p[r], &block->slopes[r]);
    for (size_t j = begin; j < seen[r].end; j += LANES) {
      f32x16 weight = exp16(load16(p + j) * score_scale - splat(lse[r]));
      f32x16 change = weight * (load16(ds + j) - splat(delta[r])) * scale;
      store16(p + j, weight);
      store16(ds + j, capped ? change * load16(slopes + j) : change);
    }
  }
  size_t window = job->rule.window ? (size_t)job->rule.window : (size_t)-1 / 2 / group;
  for (size_t j = 0; j < count; j++) { /* rows of the queries from the key's own on, as far as its window reaches */
    size_t from = (first + j - start) * group, to = (first + j - start + window) * group;
    seeing[j].begin = from > row ? min_size(rows, from - row) : 0;
    seeing[j].end = to > row ? min_size(rows, to - row) : 0;
  }
  PK_FN(add_sums)(block->dq, rows, width, (factors){block->ds[0], KEY_BLOCK, 1}, block->keys, seen);
  PK_FN(add_sums)(block->dk, count, width, (factors){block->ds[0], 1, KEY_BLOCK}, block->q, seeing);
  PK_FN(add_sums)(block->dv, count, width, (factors){block->p[0], 1, KEY_BLOCK}, block->dout, seeing);
  for (size_t r = 0; r < rows; r++) memcpy(job->dq + places[r] * d, block->dq + r * width, d * sizeof(float));
}

/* One sequence and key-value head. Keys and values sum over queries ascending and the heads of the group, queries over keys
   ascending. */
INLINE void PK_FN(attention_gradient)(const attention_job *job, size_t task, pk_type type) {
  size_t d = job->d, width = padded_length(d), group = job->heads / job->kv_heads, kv_head = task % job->kv_heads;
  size_t start = (size_t)job->starts[task / job->kv_heads], end = (size_t)job->starts[task / job->kv_heads + 1];
  size_t kv_row = job->kv_heads * d, element = type_bytes(type);
  gradient_block *block = thread_memory(sizeof *block);
  for (size_t t = start; t < end; t++)
    memset(job->dq + (t * job->heads + kv_head * group) * d, 0, group * d * sizeof(float));
  for (size_t first = start; first < end; first += KEY_BLOCK) {
    size_t count = min_size(KEY_BLOCK, end - first);
    const void *keys[KEY_BLOCK] = {0}, *values[KEY_BLOCK] = {0};
    for (size_t j = 0; j < count; j++) {
      size_t inside = ((first + j) * kv_row + kv_head * d) * element;
      keys[j] = (const char *)job->k + inside;
      values[j] = (const char *)job->v + inside;
    }
    PK_FN(widen_vectors)(keys, 0, count, d, type, block->keys);
    PK_FN(transpose_vectors)(keys, 0, count, d, type, block->transposed_keys);
    PK_FN(transpose_vectors)(values, 0, count, d, type, block->transposed_values);
    memset(block->dk, 0, count * width * sizeof(float));
    memset(block->dv, 0, count * width * sizeof(float));
    size_t last = job->rule.window ? min_size(end, first + count - 1 + (size_t)job->rule.window) : end;
    size_t rows = (last - start) * group;
    for (size_t row = (first - start) * group; row < rows; row += MOST_ROWS)
      PK_FN(gradient_rows)(job, block, start, kv_head, row, min_size(MOST_ROWS, rows - row), first, count);
    for (size_t j = 0; j < count; j++) {
      float *dk = job->dk + (first + j) * kv_row + kv_head * d, *dv = job->dv + (first + j) * kv_row + kv_head * d;
      memcpy(dk, block->dk + j * width, d * sizeof(float));
      memcpy(dv, block->dv + j * width, d * sizeof(float));
      if (job->rule.cosine) PK_FN(rotate)(&job->rule, first + j - start, -1, dk, dk, d);
    }
  }
  for (size_t t = start; job->rule.cosine && t < end; t++)
    for (size_t r = 0; r < group; r++) {
      float *dq = job->dq + (t * job->heads + kv_head * group + r) * d;
      PK_FN(rotate)(&job->rule, t - start, -1, dq, dq, d);
    }
}

static void PK_FN(attention_backward)(const attention_job *job, size_t task) {
  if (job->kv_type == PK_BF16) PK_FN(attention_gradient)(job, task, PK_BF16);
  else PK_FN(attention_gradient)(job, task, PK_F32);
}
