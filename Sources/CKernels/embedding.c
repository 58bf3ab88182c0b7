/* Rows of a table by token: reading them, and adding their gradients. */
#include <string.h>
#include "kernels.h"

enum { ROWS = 32, COLUMNS = 64 };

typedef struct {
  const void *table;
  pk_type type;
  const int32_t *ids;
  float *out, *sums;
  const float *rows;
  size_t t, c;
} embedding_run;

static void gather_rows(void *context, size_t begin, size_t end) {
  const embedding_run *run = context;
  for (size_t i = begin; i < end; i++) {
    size_t from = (size_t)run->ids[i] * run->c;
    if (run->type == PK_BF16) pk_widen_bf16((const uint16_t *)run->table + from, run->out + i * run->c, run->c);
    else memcpy(run->out + i * run->c, (const float *)run->table + from, run->c * sizeof(float));
  }
}
void pk_gather(int threads, const void *table, pk_type type, const int32_t *ids, float *out, size_t t, size_t c) {
  embedding_run run = {.table = table, .type = type, .ids = ids, .out = out, .c = c};
  parallel_ranges(threads, t, ROWS, gather_rows, &run);
}

/* Some columns of all tokens, so that the tokens of one row are added in order. */
static void scatter_columns(void *context, size_t begin, size_t end) {
  const embedding_run *run = context;
  for (size_t i = 0; i < run->t; i++) {
    float *sums = run->sums + (size_t)run->ids[i] * run->c;
    for (size_t j = begin; j < end; j++) sums[j] += run->rows[i * run->c + j];
  }
}
void pk_scatter_add(int threads, float *table, const int32_t *ids, const float *rows, size_t t, size_t c) {
  embedding_run run = {.ids = ids, .sums = table, .rows = rows, .t = t, .c = c};
  parallel_ranges(threads, c, COLUMNS, scatter_columns, &run);
}
