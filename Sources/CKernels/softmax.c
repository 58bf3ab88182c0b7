/* Rows over the vocabulary, one a task. */
#include "kernels.h"

typedef struct {
  const kernel_table *kernels;
  loss_job job;
} loss_run;

static void log_sum_exp_row(void *context, size_t row) {
  const loss_run *run = context;
  run->kernels->log_sum_exp(&run->job, row);
}
void pk_log_sum_exp(int threads, const float *logits, size_t stride, size_t rows, size_t columns, float *lse) {
  loss_run run = {selected_kernels(),
                  {.logits = (float *)logits, .stride = stride, .columns = columns, .lse = lse}};
  parallel_for(threads, rows, log_sum_exp_row, &run);
}

static void token_statistics_row(void *context, size_t row) {
  const loss_run *run = context;
  run->kernels->token_statistics(&run->job, row);
}
void pk_token_statistics(int threads, const float *logits, size_t rows, size_t v, const int32_t *labels, float *log_probability,
                         float *entropy) {
  loss_run run = {selected_kernels(),
                  {.logits = (float *)logits, .rows = rows, .v = v, .labels = labels,
                   .log_probability = log_probability, .entropy = entropy}};
  parallel_for(threads, rows, token_statistics_row, &run);
}

static void cross_entropy_row(void *context, size_t row) {
  const loss_run *run = context;
  run->kernels->cross_entropy(&run->job, row);
}
void pk_cross_entropy(int threads, float *logits, size_t rows, size_t v, const int32_t *labels, float scale, float *lm) {
  loss_run run = {selected_kernels(),
                  {.logits = logits, .rows = rows, .v = v, .labels = labels, .scale = scale, .lm = lm}};
  parallel_for(threads, rows, cross_entropy_row, &run);
}

static void conditional_loss_row(void *context, size_t row) {
  const loss_run *run = context;
  run->kernels->conditional_loss(&run->job, row);
}
void pk_conditional_loss(int threads, float *logits, const float *reference, size_t rows, size_t v, size_t reference_v,
                         size_t kl_columns, const int32_t *labels, pk_kl direction, float beta, float alpha,
                         float scale, float *lm, float *kl, float *entropy) {
  loss_run run = {selected_kernels(),
                  {.logits = logits, .reference = reference, .rows = rows, .v = v, .reference_v = reference_v,
                   .columns = kl_columns, .labels = labels, .direction = direction, .beta = beta,
                   .alpha = alpha, .scale = scale, .lm = lm, .kl = kl, .entropy = entropy}};
  parallel_for(threads, rows, conditional_loss_row, &run);
}
