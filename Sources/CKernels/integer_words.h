/* A block's integers as bf16, in which they are exact, and the sums of A's blocks: for products of bf16 with what the integers are. */

/* A field's integer as bf16, of each half of a word. */
#define words_of(v) __builtin_convertvector(bits16(v) >> 16, u16x16)
#define table_of(first)                                                                                      \
  ((__m512i)__builtin_shufflevector(words_of(counted(first)), words_of(counted((first) + 16)), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, \
                                    11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31))
#define twice_of(first)                                                                                      \
  ((__m512i)__builtin_shufflevector(words_of(counted(first)), words_of(counted(first)), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, \
                                    12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31))

/* A pair of a block at b, [column][even, odd]. */
INLINE __m512i PK_FN(pair_words)(integer_format f, const char *b, int p) {
  if (f.bits == 8) {
    u32x16 even = bits16(from_bytes(b + 32 * p)), odd = bits16(from_bytes(b + 32 * p + 16));
    return (__m512i)(even >> 16 | (odd & 0xffff0000u));
  }
  __m512i pair = (__m512i)pair_fields(f.bits, (const u32x16 *)b, p);
  return f.bits == 4   ? _mm512_permutexvar_epi16(pair, twice_of(-f.offset))
         : f.bits == 5 ? _mm512_permutexvar_epi16(pair, table_of(-f.offset))
                       : _mm512_permutex2var_epi16(table_of(-f.offset), pair, table_of(32 - f.offset));
}

/* The sums of A's whole blocks in rows [first, end), [block][row], whole strips of rows. */
static void PK_FN(sum_blocks)(const integer_job *job, size_t first, size_t end, float *out) {
  size_t padded = ceil_div(end - first, TILE_ROWS) * TILE_ROWS;
  for (size_t block = 0; block < job->block_count; block++, out += padded)
    for (size_t row = first; row < first + padded; row += 8) {
      typedef float f32x8 __attribute__((vector_size(32), aligned(4)));
      f32x8 even = {0}, odd = {0};
      for (size_t k = 0; k < job->blocks[block].length; k += 16) {
        u32x8 in[8], turned[8];
        for (size_t r = 0; r < 8; r++) {
          in[r] = (u32x8){0};
          const uint16_t *a = job->a + (ptrdiff_t)(row + r) * job->row_stride + (ptrdiff_t)(job->blocks[block].start + k);
          if (row + r < end) memcpy(in + r, a, sizeof in[r]);
        }
        PK_FN(transpose8)(in, turned);
        for (size_t p = 0; p < 8; p++) {
          even = even + (f32x8)(turned[p] << 16);
          odd = odd + (f32x8)(turned[p] & 0xffff0000u);
        }
      }
      *(f32x8 *)(out + row - first) = even + odd;
    }
}
