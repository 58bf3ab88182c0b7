/* The end of a row whose length is no multiple of sixteen: its last n < 16 elements, n even. Nothing past them is read or written:
   there lie elements of other heads, which other threads write, or no memory. */

/* Elements [i, i + n), zeros after them. */
#define load_part(p, type, i, n)                       \
  ({                                                   \
    f32x16 part_;                                      \
    PK_FN(read_part)((p), (type), (i), (n), &part_);   \
    part_;                                             \
  })
#define store_part(p, n, value)                        \
  ({                                                   \
    f32x16 part_ = (value);                            \
    PK_FN(write_part)((p), (n), &part_);               \
  })

#if PK_MASKS == 512
INLINE void PK_FN(read_part)(const void *p, pk_type type, size_t i, size_t n, f32x16 *out) {
  __mmask16 live = (__mmask16)((1u << n) - 1);
  if (type == PK_BF16) *out = widen16((u16x16)_mm256_maskz_loadu_epi16(live, (const uint16_t *)p + i));
  else *out = (f32x16)_mm512_maskz_loadu_ps(live, (const float *)p + i);
}
INLINE void PK_FN(write_part)(float *p, size_t n, const f32x16 *value) {
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)*value);
}
#elif PK_MASKS == 256
/* Words, of which those before the middle have all bits set. */
static const int32_t PK_FN(words)[2 * LANES] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
/* Eight of sixteen words from `from` on, all bits set in the first n of the sixteen. */
#define live_words(n, from) _mm256_loadu_si256((const __m256i *)(PK_FN(words) + LANES - (n) + (from)))

INLINE void PK_FN(read_part)(const void *p, pk_type type, size_t i, size_t n, f32x16 *out) {
  if (type == PK_BF16) { /* two to a word */
    *out = widen16((u16x16)_mm256_maskload_epi32((const int *)((const uint16_t *)p + i), live_words(n / 2, 0)));
    return;
  }
  const float *from = (const float *)p + i;
  __m256 halves[2] = {_mm256_maskload_ps(from, live_words(n, 0)), _mm256_maskload_ps(from + 8, live_words(n, 8))};
  memcpy(out, halves, sizeof *out);
}
INLINE void PK_FN(write_part)(float *p, size_t n, const f32x16 *value) {
  __m256 halves[2];
  memcpy(halves, value, sizeof halves);
  _mm256_maskstore_ps(p, live_words(n, 0), halves[0]);
  _mm256_maskstore_ps(p + 8, live_words(n, 8), halves[1]);
}
#undef live_words
#else
INLINE void PK_FN(read_part)(const void *p, pk_type type, size_t i, size_t n, f32x16 *out) {
  if (type == PK_BF16) {
    u16x16 half = {0};
    memcpy(&half, (const uint16_t *)p + i, n * sizeof(uint16_t));
    *out = widen16(half);
  } else {
    *out = load_tail((const float *)p + i, n, 0);
  }
}
INLINE void PK_FN(write_part)(float *p, size_t n, const f32x16 *value) { memcpy(p, value, n * sizeof(float)); }
#endif
