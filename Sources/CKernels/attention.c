/* Attention. A forward task is one key-value head of some consecutive queries; a backward task is one of a sequence. */
#include "kernels.h"

enum { STORED_ROWS = 16, TASKS_A_THREAD = 8 };

typedef struct {
  const kernel_table *kernels;
  attention_job job;
} attention_run;

static void attention_task(void *context, size_t task) {
  const attention_run *run = context;
  run->kernels->attention(&run->job, task);
}
void pk_attention(int threads, const float *q, const pk_query *queries, size_t t, size_t heads, size_t d,
                  const pk_kv_layout *layout, const pk_attention_rule *rule, float *out, float *lse) {
  size_t group = heads / layout->kv_heads, most = group < MOST_ROWS ? MOST_ROWS / group : 1;
  size_t tasks = (threads > 1 ? (size_t)threads : 1) * TASKS_A_THREAD;
  size_t tile = max_size(1, min_size(most, ceil_div(t * layout->kv_heads, tasks)));
  attention_run run = {selected_kernels(),
                       {.q = q, .queries = queries, .t = t, .tile_queries = tile, .heads = heads, .d = d, .layout = *layout,
                        .rule = *rule, .out = out, .lse = lse}};
  parallel_for(threads, ceil_div(t, tile) * layout->kv_heads, attention_task, &run);
}

typedef struct {
  const kernel_table *kernels;
  const float *keys, *values;
  const pk_query *queries;
  const pk_kv_layout *layout;
  const pk_attention_rule *rule;
  size_t d;
} store_run;

static void store_rows(void *context, size_t begin, size_t end) {
  const store_run *run = context;
  const pk_kv_layout *layout = run->layout;
  size_t d = run->d, row = layout->kv_heads * d, element = type_bytes(layout->type);
  for (size_t i = begin; i < end; i++) {
    size_t at = (size_t)run->queries[i].position;
    char *page = (char *)run->queries[i].pages[at / PK_PAGE] + at % PK_PAGE * layout->kv_stride * element;
    for (size_t head = 0; head < layout->kv_heads; head++) {
      float turned[MAX_D];
      const float *key = run->keys + i * row + head * d;
      if (run->rule->cosine) run->kernels->rotate(run->rule, at, 1, key, turned, d);
      run->kernels->store(run->rule->cosine ? turned : key, page + layout->key_offset + head * d * element, layout->type, 0, d);
    }
    run->kernels->store(run->values + i * row, page + layout->value_offset, layout->type, 0, row);
  }
}
void pk_store_kv(int threads, const float *keys, const float *values, const pk_query *queries, size_t t, size_t d,
                 const pk_kv_layout *layout, const pk_attention_rule *rule) {
  store_run run = {selected_kernels(), keys, values, queries, layout, rule, d};
  parallel_ranges(threads, t, STORED_ROWS, store_rows, &run);
}

static void backward_task(void *context, size_t task) {
  const attention_run *run = context;
  run->kernels->attention_backward(&run->job, task);
}
void pk_attention_backward(int threads, const float *q, const void *k, const void *v, const float *out, const float *lse,
                           const float *dout, const int32_t *starts, size_t sequences, size_t heads,
                           size_t kv_heads, size_t d, pk_type kv_type, const pk_attention_rule *rule, float *dq,
                           float *dk, float *dv) {
  attention_run run = {selected_kernels(),
                       {.q = q, .k = k, .v = v, .out = (float *)out, .lse = (float *)lse, .dout = dout,
                        .starts = starts, .heads = heads, .kv_heads = kv_heads, .d = d, .kv_type = kv_type,
                        .rule = *rule, .dq = dq, .dk = dk, .dv = dv}};
  parallel_for(threads, sequences * kv_heads, backward_task, &run);
}
