/* The table of range kernels that each instruction-set path fills, and what runs them on threads.
   A range kernel computes outputs [begin, end) of an operation; which range a thread gets changes no bit. */
#ifndef KERNELS_H
#define KERNELS_H

#include "CKernels.h"

typedef struct {
  const void *a;
  ptrdiff_t row_stride, reduction_stride;
  const void *packed;
  pk_type type;        /* of A, and of B as packed */
  float *c;
  size_t c_stride, m, n;
  const pk_block *blocks;
  size_t block_count;
  size_t panel_bytes;  /* of all of a packed panel, of which `packed` points to the first of these blocks */
  int accumulate;
  size_t group_rows;   /* that meet a panel at one time: whole tiles, at most GROUP_ROWS, of dots DOT_GROUP_ROWS */
  size_t group_floats; /* from one group to the next in `expanded` */
  float *expanded;     /* A as fp32: [group][block][row tile][index][tile rows]; for dots as bf16: [group][block][row][32 terms] */
} gemm_job;

enum { GROUP_ROWS = 96, DOT_GROUP_ROWS = 144, PANEL = 16, MAX_BLOCK = 32 };
enum { MAX_D = PK_MAX_HEAD };
enum { LINE = 64 }; /* bytes of a cache's line */

/* How the integers of a type lie in a packed panel, and what scales them. A block is

     numbers of half precision, [number][column], where it is the first of its group
     numbers of 8 bits, [number][column]; of PK_I8 scales in binary32
     the integers

   Integers of 8 bits are bytes, [pair][even, odd][column]. Others are fields of words, [word][column]: each half of a word holds
   as many as it can, its lower one of even terms and its upper one of odd terms, in order. What is left of the words' halves
   holds the last terms: integers.h reads them, file_blocks.c writes them. */
typedef struct {
  int bits;
  int offset; /* subtracted from a field */
  int terms;  /* of a block */
  int group;  /* blocks that share numbers of half precision */
  int halves; /* numbers of half precision: the scale, and the minimum with the sign with which it is added */
  int bytes;  /* numbers of 8 bits, which a block multiplies those by */
} integer_format;

static inline __attribute__((always_inline)) integer_format format_of(pk_type type) {
  switch (type) {
  case PK_Q8_0: return (integer_format){8, 0, 32, 1, 1, 0};
  case PK_Q4_0: return (integer_format){4, 8, 32, 1, 1, 0};
  case PK_Q4_1: return (integer_format){4, 0, 32, 1, 2, 0};
  case PK_Q5_0: return (integer_format){5, 16, 32, 1, 1, 0};
  case PK_Q5_1: return (integer_format){5, 0, 32, 1, 2, 0};
  case PK_Q4_K: return (integer_format){4, 0, 32, 8, 2, 2};
  case PK_Q5_K: return (integer_format){5, 0, 32, 8, 2, 2};
  case PK_Q6_K: return (integer_format){6, 32, 16, 16, 1, 1};
  default: return (integer_format){8, 0, 32, 1, 0, 0};
  }
}

typedef struct {
  const uint16_t *a;
  ptrdiff_t row_stride, reduction_stride;
  const char *packed;
  pk_type type;
  float *c;
  size_t c_stride, m, n;
  const pk_block *blocks;
  size_t block_count;
  size_t panel_bytes;  /* of all of a packed panel, of which `packed` points to the first of these blocks */
  int accumulate;
  size_t tile_rows;    /* 1 where there is one row alone */
  size_t group_rows;   /* that meet a panel at one time: whole tiles, at most GROUP_ROWS */
  size_t group_floats; /* from one group to the next in `expanded` */
  float *expanded;     /* A as fp32: [group][block][row tile][index][tile rows], with minima their sums as one more index; for
                          dots as bf16, [group][block][row][terms], and then these sums; on tiles the sums alone */
} integer_job;

/* One block of a reduction on tiles. */
typedef struct {
  ptrdiff_t a;      /* elements from a row's start to the block, where A is read in place */
  size_t b;         /* bytes from a panel's start */
  size_t pairs;
  size_t copy;      /* which of the copied blocks of A */
  int a_in_place;   /* whole, and each row's terms side by side in memory */
} tile_step;

typedef struct {
  const uint16_t *a;
  ptrdiff_t row_stride, reduction_stride;
  const char *packed;    /* from the first of these blocks */
  size_t panel_bytes;    /* from one packed panel to the next */
  float *c;
  size_t c_stride, m, n;
  const pk_block *blocks;
  const tile_step *steps;
  size_t block_count, copies;
  int whole;             /* no block is short */
  int accumulate;
  size_t group_rows;     /* rows that meet a panel at one time; a multiple of 32 */
  char *tiles;           /* copies of A's blocks, zeros past their ends: [strip of 16 rows][copied block] */
} tile_job;

enum { TILE_ROWS = 16, TILE_BYTES = 1024 };

typedef struct {
  void (*copy_strip)(const tile_job *, size_t strip);
  void (*panels)(const tile_job *, size_t panel_begin, size_t panel_end, size_t group);
  /* Into `expanded`, for types with minima. */
  void (*integer_sums)(const integer_job *, size_t group);
  void (*integer_panels)(const integer_job *, size_t panel_begin, size_t panel_end, size_t group);
} tile_kernels;

/* Products of bf16, and with integers, where the processor multiplies terms by twos (dots.h, integer_dots.h). */
typedef struct {
  void (*expand)(const gemm_job *, size_t group);
  void (*panels)(const gemm_job *, size_t panel_begin, size_t panel_end, size_t group);
  void (*integer_expand)(const integer_job *, size_t group);
  void (*integer_panels)(const integer_job *, size_t panel_begin, size_t panel_end, size_t group);
} dot_kernels;

typedef struct {
  const void *source;
  int source_is_float;
  ptrdiff_t reduction_stride, column_stride;
  size_t columns, pairs, block_count;
  const pk_block *blocks;
  pk_type type;
  void *packed;
} pack_job;

enum { MOST_ROWS = 48 }; /* heads of queries that meet a block of keys at one time */

typedef struct {
  const float *q;
  const void *k, *v;
  const pk_query *queries;
  const int32_t *starts;
  size_t t, tile_queries, heads, kv_heads, d; /* queries, and how many a forward task has */
  pk_type kv_type;
  pk_kv_layout layout;
  pk_attention_rule rule;
  float *out, *lse;
  const float *dout;
  float *dq, *dk, *dv;
} attention_job;

typedef struct {
  const float *x, *w, *b, *mean, *rstd, *dy; /* b, mean, mean_out, db: of layer norm */
  float eps;
  void *out;
  pk_type type;
  float *mean_out, *rstd_out, *dx, *dw, *db;
  size_t t, c;
} norm_job;

typedef struct {
  float *logits;
  const float *reference;
  size_t stride, rows, v, reference_v, columns;
  const int32_t *labels;
  pk_kl direction;
  float beta, alpha, scale;
  float *lse, *lm, *kl, *entropy, *log_probability;
} loss_job;

typedef struct {
  size_t tile_rows;
  /* One block of one 16-column panel, to where `pair` of the panel lies. */
  void (*pack_block)(const pack_job *, size_t panel, pk_block block, size_t pair);
  void (*gemm_expand)(const gemm_job *, size_t group);
  void (*gemm_panels)(const gemm_job *, size_t panel_begin, size_t panel_end, size_t group);
  void (*integer_expand)(const integer_job *, size_t group);
  void (*integer_panels)(const integer_job *, size_t panel_begin, size_t panel_end, size_t group);
  const tile_kernels *tiles; /* for products of bf16, where the machine has a matrix unit */
  const dot_kernels *dots;   /* for the same, where it has VDPBF16PS */
  void (*store)(const float *x, void *out, pk_type type, size_t begin, size_t end);
  void (*add)(float *x, const float *y, size_t begin, size_t end);
  void (*rms_norm)(const norm_job *, size_t begin, size_t end);
  void (*rms_norm_dx)(const norm_job *, size_t begin, size_t end);
  void (*rms_norm_dw)(const norm_job *, size_t begin_column, size_t end_column);
  void (*layer_norm)(const norm_job *, size_t begin, size_t end);
  void (*layer_norm_dx)(const norm_job *, size_t begin, size_t end);
  void (*layer_norm_dw)(const norm_job *, size_t begin_column, size_t end_column);
  void (*activation)(pk_activation, const float *gate, const float *up, void *out, pk_type type, size_t begin, size_t end);
  void (*activation_backward)(pk_activation, float *gate, float *up, const float *dout, size_t begin, size_t end);
  void (*map)(pk_function, const float *x, float *out, size_t begin, size_t end);
  void (*rotate)(const pk_attention_rule *, size_t position, float sign, const float *x, float *out, size_t d);
  void (*attention)(const attention_job *, size_t task);          /* task = tile of queries * kv_heads + kv head */
  void (*attention_backward)(const attention_job *, size_t task); /* task = sequence * kv_heads + kv head */
  void (*log_sum_exp)(const loss_job *, size_t row);
  void (*token_statistics)(const loss_job *, size_t row);
  void (*cross_entropy)(const loss_job *, size_t row);
  void (*conditional_loss)(const loss_job *, size_t row);
  void (*exponentials)(const float *x, float divisor, float *e, size_t n, float *maximum, float *sum);
  void (*adamw)(float *p, float *m, float *v, const float *g, size_t begin, size_t end, const pk_adamw_step *);
  void (*rmsprop)(float *p, float *v, const float *g, size_t begin, size_t end, const pk_rmsprop_step *);
  double (*sum_of_squares)(const float *x, size_t n);
} kernel_table;

extern const kernel_table kernels_portable;
#if defined(__x86_64__)
extern const kernel_table kernels_avx2;
extern const kernel_table kernels_avx512;
extern const kernel_table kernels_avx512bf16;
extern const kernel_table kernels_amx;
extern const tile_kernels tiles_amx;
extern const dot_kernels dots_avx512bf16;
/* Whether this processor's VDPBF16PS gives the bits of two fused multiply-adds, the upper terms' first. */
int dots_as_defined(void);
#endif

/* Memory of the calling thread, at a cache line's start, until it asks again: for one task at a time. */
void *thread_memory(size_t bytes);

/* The table of the selected path. */
const kernel_table *selected_kernels(void);

static inline size_t ceil_div(size_t a, size_t b) { return (a + b - 1) / b; }
static inline size_t min_size(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t type_bytes(pk_type type) { return type == PK_F32 ? 4 : type == PK_BF16 ? 2 : 1; }
static inline size_t max_size(size_t a, size_t b) { return a > b ? a : b; }
/* Elements of a head that turn. */
static inline size_t turned_length(const pk_attention_rule *rule, size_t d) { return rule->turned ? (size_t)rule->turned : d; }

/* Pairs of reduction indices in these blocks. */
size_t pair_count(const pk_block *blocks, size_t block_count);
/* Bytes of these blocks in one packed panel. */
size_t panel_bytes(const pk_block *blocks, size_t block_count, pk_type type);
/* The same of integers. */
size_t integer_bytes(pk_type type, const pk_block *blocks, size_t block_count);
/* A product with integers. Inside an operation. */
void multiply_integers(int threads, const kernel_table *kernels, const integer_job *job, const pk_epilogue *epilogue);
/* A product of bf16 on the machine's matrix unit. Inside an operation. */
void multiply_on_tiles(int threads, const kernel_table *kernels, const gemm_job *job, const pk_epilogue *epilogue);

/* An epilogue that passes over less of a row at a time loses more than it saves. */
enum { FINISHED_PANELS = 16 };
/* Rows and columns of a product. */
typedef struct { size_t row, end_row, column, end_column; } product_part;
/* The epilogue, unless NULL, of a part whose sums are complete. */
void finish_product(const kernel_table *kernels, const pk_epilogue *epilogue, float *c, size_t c_stride, product_part part);

/* Runs body(context, task) for task in 0 ..< tasks on this thread and threads - 1 of the pool's, each with subnormals off.
   One operation at a time; a call from inside a task runs on that thread. */
void parallel_for(int threads, size_t tasks, void (*body)(void *context, size_t task), void *context);

/* Runs body(context, begin, end) over 0 ..< n in ranges of `chunk`. */
void parallel_ranges(int threads, size_t n, size_t chunk, void (*body)(void *context, size_t begin, size_t end), void *context);

/* Scratch memory that lives until the next call; only inside a begin/end pair, and not inside a task. */
void operation_begin(void);
void *operation_scratch(size_t bytes);
void operation_end(void);

#endif
