/* Matrix products: operand orders, types, ragged shapes, packed sequences with short blocks, sums that go on from C. */
#include <stdlib.h>
#include <string.h>
#include "harness.h"

enum { MAX_BLOCKS = 512 };

/* Whole blocks and a last one; or, as in the gradient of a weight, blocks that begin anew with sequences of these lengths. */
static size_t make_blocks(size_t k, int sequences, pk_block *blocks) {
  static const size_t lengths[] = {3, 32, 1, 45, 31, 64, 30, 2, 17, 33};
  size_t count = 0;
  for (size_t start = 0, turn = 0; start < k; turn++) {
    size_t end = sequences ? start + lengths[turn % 10] : k;
    if (end > k) end = k;
    for (; start < end && count < MAX_BLOCKS; count++) {
      blocks[count] = (pk_block){start, end - start < 32 ? end - start : 32};
      start += blocks[count].length;
    }
  }
  return count;
}

/* shape: M, N, K, type, operands + 10 * accumulate + 100 * sequences, order (bit 0: A by columns, bit 1: B by rows). With integers
   of 8 bits A is of bf16, and B is rounded as it is packed. */
static uint64_t either(const int *shape, int definition) {
  size_t m = (size_t)shape[0], n = (size_t)shape[1], k = (size_t)shape[2], stride = n + 3;
  pk_type type = (pk_type)shape[3];
  operands kind = (operands)(shape[4] % 10);
  int accumulate = shape[4] / 10 % 10, sequences = shape[4] / 100, a_turned = shape[5] & 1, b_turned = shape[5] & 2;
  pk_block blocks[MAX_BLOCKS];
  size_t count = make_blocks(k, sequences, blocks);
  float *a = filled(m * k, 1, kind), *b = filled(n * k, 2, kind), *c = filled(m * stride, 3, kind == SMALL ? LEAST : kind);
  void *a_stored = stored(a, m * k, type == PK_I8 ? PK_BF16 : type), *b_stored = stored(b, n * k, type == PK_I8 ? PK_F32 : type);
  ptrdiff_t ar = a_turned ? 1 : (ptrdiff_t)k, ak = a_turned ? (ptrdiff_t)m : 1;
  ptrdiff_t bk = b_turned ? (ptrdiff_t)n : 1, bn = b_turned ? 1 : (ptrdiff_t)k;
  if (definition && type == PK_I8) {
    pk_reference_gemm_int8(threads, a_stored, ar, ak, b, bk, bn, c, stride, m, n, blocks, count, accumulate);
  } else if (definition) {
    pk_reference_gemm(threads, a_stored, ar, ak, b_stored, bk, bn, type, c, stride, m, n, blocks, count, accumulate);
  } else {
    size_t elements = pk_packed_count(n, blocks, count);
    size_t bytes = type == PK_I8 ? pk_packed_int8_bytes(n, blocks, count) : elements * (type == PK_BF16 ? 2 : 4);
    void *packed = malloc(bytes + (bytes == 0));
    if (!packed) abort();
    if (type == PK_I8) pk_pack_int8(threads, b, bk, bn, n, blocks, count, packed);
    else if (m % 2) pk_pack_f32(threads, b, bk, bn, n, blocks, count, type, packed);
    else pk_pack(threads, b_stored, bk, bn, n, blocks, count, type, packed);
    pk_gemm(threads, a_stored, ar, ak, packed, type, c, stride, m, n, blocks, count, accumulate, NULL);
    free(packed);
  }
  uint64_t hash = hash_floats(HASH_START, c, m * stride); /* also what lies between the rows */
  free(a), free(b), free(c), free(a_stored), free(b_stored);
  return hash;
}

uint64_t product(const int *shape) { return either(shape, 0); }
static uint64_t definition(const int *shape) { return either(shape, 1); }

/* Rows of a file's blocks: any integers, and numbers of half precision of all sizes up to 1; with infinities and NaN where `kind`
   has them. */
static uint8_t *file_rows(pk_type type, size_t n, size_t k, operands kind) {
  size_t bytes = pk_file_bytes(type), count = n * (k / pk_file_terms(type)), halves = type == PK_Q6_K ? 208 : 0;
  int has_second = type == PK_Q4_1 || type == PK_Q5_1 || type == PK_Q4_K || type == PK_Q5_K;
  uint8_t *rows = malloc(count * bytes + (count == 0));
  if (!rows) abort();
  for (size_t i = 0; i < count * bytes; i++) rows[i] = (uint8_t)random_word(50, i);
  for (size_t block = 0; block < count; block++)
    for (int i = 0; i <= has_second; i++) {
      uint64_t r = random_word(51 + (uint64_t)i, block);
      uint16_t half = (uint16_t)((r & 0x83ff) | (r >> 32) % 16 << 10);
      if (kind == SPECIAL && (r >> 48) % 23 == 5) half = (uint16_t)(r & 0x8001) | 0x7c00;
      memcpy(rows + block * bytes + halves + 2 * (size_t)i, &half, 2);
    }
  return rows;
}

/* shape: M, N, K, type, operands + 10 * accumulate, order (1: A by columns; 2: columns of B from other rows of the file) */
static uint64_t file_either(const int *shape, int definition) {
  size_t m = (size_t)shape[0], n = (size_t)shape[1], k = (size_t)shape[2], stride = n + 3;
  pk_type type = (pk_type)shape[3];
  operands kind = (operands)(shape[4] % 10);
  int accumulate = shape[4] / 10, a_turned = shape[5] & 1, is_moved = shape[5] & 2;
  float *a = filled(m * k, 60, kind), *c = filled(m * stride, 61, kind);
  uint16_t *a_stored = stored(a, m * k, PK_BF16);
  uint8_t *rows = file_rows(type, n, k, kind);
  ptrdiff_t ar = a_turned ? 1 : (ptrdiff_t)k, ak = a_turned ? (ptrdiff_t)m : 1;
  if (definition) {
    pk_reference_gemm_file(threads, a_stored, ar, ak, type, rows, c, stride, m, n, k, accumulate);
  } else {
    size_t bytes = pk_packed_file_bytes(type, n, k), row_bytes = k / pk_file_terms(type) * pk_file_bytes(type);
    size_t terms = pk_reduction_terms(type), count = k / terms, middle = n / 2 / 16 * 16;
    char *packed = malloc(bytes + 1);
    uint32_t *order = malloc(n * sizeof *order + 1);
    uint8_t *moved = malloc(n * row_bytes + 1);
    pk_block *blocks = malloc(count * sizeof *blocks + 1);
    if (!packed || !order || !moved || !blocks) abort();
    for (size_t i = 0; i < n; i++) {
      order[i] = (uint32_t)(n - 1 - i);
      memcpy(moved + (n - 1 - i) * row_bytes, rows + i * row_bytes, row_bytes);
    }
    for (size_t i = 0; i < count; i++) blocks[i] = (pk_block){i * terms, terms};
    const uint8_t *from = is_moved ? moved : rows;
    pk_pack_file(threads, type, from, is_moved ? order : NULL, 0, middle, k, packed);
    pk_pack_file(threads, type, from, is_moved ? order : NULL, middle, n, k, packed + pk_packed_file_bytes(type, middle, k));
    pk_gemm(threads, a_stored, ar, ak, packed, type, c, stride, m, n, blocks, count, accumulate, NULL);
    free(packed), free(order), free(moved), free(blocks);
  }
  uint64_t hash = hash_floats(HASH_START, c, m * stride);
  free(a), free(c), free(a_stored), free(rows);
  return hash;
}
static uint64_t file_product(const int *shape) { return file_either(shape, 0); }
static uint64_t file_definition(const int *shape) { return file_either(shape, 1); }

/* shape: M, N, K, type, the output's type, function + 10 * without the other factor + 100 * without a bias */
static uint64_t epilogue_either(const int *shape, int plain) {
  size_t m = (size_t)shape[0], n = (size_t)shape[1], k = (size_t)shape[2], stride = n + 3;
  pk_type type = (pk_type)shape[3], out_type = (pk_type)shape[4];
  pk_block blocks[MAX_BLOCKS];
  size_t count = make_blocks(k, 0, blocks);
  float *a = filled(m * k, 40, ORDINARY), *b = filled(n * k, 41, ORDINARY), *c = filled(m * stride, 42, ORDINARY);
  float *up = filled(m * stride, 43, ORDINARY), *bias = filled(n, 44, ORDINARY);
  void *a_stored = stored(a, m * k, type), *b_stored = stored(b, n * k, type), *out = stored(c, m * stride, out_type);
  pk_epilogue then = {.bias = shape[5] < 100 ? bias : NULL, .out = out, .up = shape[5] / 10 % 10 ? NULL : up,
                      .f = (pk_activation)(shape[5] % 10), .type = out_type};
  if (plain) {
    pk_reference_gemm(threads, a_stored, (ptrdiff_t)k, 1, b_stored, 1, (ptrdiff_t)k, type, c, stride, m, n, blocks, count, 1);
    for (size_t row = 0; row < m; row++) {
      for (size_t i = 0; then.bias && i < n; i++) c[row * stride + i] += bias[i];
      pk_reference_activation_forward(threads, then.f, c + row * stride, then.up ? up + row * stride : NULL,
                                      (char *)out + row * stride * (out_type == PK_BF16 ? 2 : 4), out_type, n);
    }
  } else {
    void *packed = malloc(pk_packed_count(n, blocks, count) * sizeof(float));
    if (!packed) abort();
    pk_pack_f32(threads, b, 1, (ptrdiff_t)k, n, blocks, count, type, packed);
    pk_gemm(threads, a_stored, (ptrdiff_t)k, 1, packed, type, c, stride, m, n, blocks, count, 1, &then);
    free(packed);
  }
  uint64_t hash = hash_typed(hash_floats(HASH_START, c, m * stride), out, out_type, m * stride);
  free(a), free(b), free(c), free(up), free(bias), free(a_stored), free(b_stored), free(out);
  return hash;
}
static uint64_t epilogue(const int *shape) { return epilogue_either(shape, 0); }
static uint64_t epilogue_definition(const int *shape) { return epilogue_either(shape, 1); }

void products(void) {
  static const int sizes[][3] = {
      {0, 5, 7},    {3, 0, 7},   {2, 3, 0},    {1, 1, 1},    {1, 16, 32},  {1, 33, 64},  {1, 100, 97}, {2, 17, 33},
      {5, 15, 31},  {6, 16, 64}, {7, 48, 65},  {8, 64, 30},  {9, 31, 62},  {13, 33, 7},  {15, 80, 63}, {16, 64, 96},
      {17, 65, 33}, {29, 70, 100}, {31, 32, 128}, {32, 32, 32}, {33, 49, 160}, {48, 16, 95}, {64, 5, 96}, {3, 200, 2},
      {33, 20, 0},
  };
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (int type = PK_F32; type <= PK_I8; type++)
      for (int order = 0; order < 4; order++) {
        int shape[6] = {sizes[i][0], sizes[i][1], sizes[i][2], type, 0, order};
        int variants[] = {ORDINARY, ORDINARY + 110, SMALL + 10, SMALL + 110, SPECIAL + 10};
        if (type == PK_I8) variants[3] = LEAST + 110; /* scales that are flushed */
        for (int v = 0; v < 5; v++) {
          if (v != (int)(i + (size_t)order) % 5 && v != 2 + order % 2) continue;
          shape[4] = variants[v];
          on_every_path("product", shape, 6, product, definition);
        }
      }
  static const int finished[][3] = {{1, 16, 32}, {1, 49, 40}, {6, 33, 64}, {29, 70, 100}, {130, 40, 200}, {97, 18, 2500},
                                    {1, 1, 1}, {3, 5, 1}, {2, 1, 33}};
  for (size_t i = 0; i < sizeof finished / sizeof *finished; i++)
    for (int type = PK_F32; type <= PK_BF16; type++) {
      int shape[6] = {finished[i][0], finished[i][1], finished[i][2], type, ((int)i + type) % 2, 0};
      int steps[] = {PK_SILU, PK_GELU + 10, PK_GELU_TANH + 110, PK_SILU + 100};
      shape[5] = steps[((int)i + 2 * type) % 4];
      on_every_path("epilogue", shape, 6, epilogue, epilogue_definition);
    }
  /* Groups of rows, cut reductions, many panels. */
  static const int large[][6] = {
      {130, 40, 200, PK_BF16, ORDINARY + 10, 0}, {130, 40, 200, PK_F32, ORDINARY + 10, 0},
      {280, 20, 64, PK_BF16, SMALL + 110, 1},    {20, 33, 2500, PK_BF16, ORDINARY + 100, 1},
      {4, 700, 70, PK_BF16, ORDINARY, 2},        {17, 34, 2300, PK_F32, SMALL + 110, 3},
      {300, 17, 2100, PK_BF16, SMALL + 10, 0},   {130, 40, 200, PK_I8, ORDINARY + 10, 0},
      {4, 700, 70, PK_I8, ORDINARY, 2},          {300, 17, 2100, PK_I8, ORDINARY + 110, 1},
  };
  for (size_t i = 0; i < sizeof large / sizeof *large; i++) on_every_path("product", large[i], 6, product, definition);
  /* Blocks of files: K in whole blocks. */
  static const int of_files[][3] = {{1, 1, 1}, {1, 33, 2}, {2, 16, 1}, {3, 49, 3}, {5, 15, 2}, {6, 64, 1}, {8, 31, 2}, {9, 80, 1},
                                    {16, 32, 3}, {17, 65, 1}, {33, 20, 2}, {50, 100, 1}, {100, 17, 9}, {1, 200, 5}};
  for (int type = PK_Q8_0; type <= PK_Q6_K; type++)
    for (size_t i = 0; i < sizeof of_files / sizeof *of_files; i++) {
      int variants[] = {ORDINARY, ORDINARY + 10, LEAST + 10, SPECIAL + 10};
      int shape[6] = {of_files[i][0], of_files[i][1], of_files[i][2] * (int)pk_file_terms((pk_type)type), type,
                      variants[(i + (size_t)type) % 4], (int)i % 4};
      on_every_path("file-product", shape, 6, file_product, file_definition);
    }
  static const int cut[][6] = {{70, 20, 8192, PK_Q4_0, ORDINARY + 10, 0}, {70, 20, 8192, PK_Q5_K, ORDINARY + 10, 1},
                               {70, 20, 8192, PK_Q6_K, ORDINARY, 2}};
  for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) on_every_path("file-product", cut[i], 6, file_product, file_definition);
}
