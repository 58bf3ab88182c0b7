/* Blocks of at most 16 rows of A in bf16 as rows of 64 bytes, zeros where there is no row or no term. */

enum { STRIP_ROWS = 16, STRIP_BYTES = 1024 };

/* One block of 16 rows whose terms lie a row's length apart: as in the gradient of a weight, where A comes by columns. */
static void turn_block(const uint16_t *a, ptrdiff_t across, size_t length, char *out) {
  u32x16 words[16];
  for (size_t p = 0; p < 16; p++) {
    words[p] = (u32x16){0};
    if (2 * p < length) words[p] = __builtin_convertvector(*(const u16x16 *)(a + (ptrdiff_t)(2 * p) * across), u32x16);
    if (2 * p + 1 < length)
      words[p] |= __builtin_convertvector(*(const u16x16 *)(a + (ptrdiff_t)(2 * p + 1) * across), u32x16) << 16;
  }
  for (size_t pairs = 0; pairs < 16; pairs += 8)
    for (size_t rows = 0; rows < 16; rows += 8) {
      u32x8 in[8], turned[8];
      for (size_t p = 0; p < 8; p++) memcpy(in + p, (const uint32_t *)(words + pairs + p) + rows, sizeof in[p]);
      PK_FN(transpose8)(in, turned);
      for (size_t r = 0; r < 8; r++) memcpy(out + (rows + r) * 64 + pairs * 4, turned + r, sizeof turned[r]);
    }
}

/* One block of so many rows, wherever its terms lie. */
static void copy_block(const uint16_t *a, ptrdiff_t row_stride, ptrdiff_t reduction_stride, size_t rows, size_t length, char *out) {
  if (row_stride == 1 && rows == STRIP_ROWS) {
    turn_block(a, reduction_stride, length, out);
    return;
  }
  memset(out, 0, STRIP_BYTES);
  for (size_t r = 0; r < rows; r++)
    for (size_t k = 0; k < length; k++)
      memcpy(out + r * 64 + k * 2, a + (ptrdiff_t)r * row_stride + (ptrdiff_t)k * reduction_stride, 2);
}
