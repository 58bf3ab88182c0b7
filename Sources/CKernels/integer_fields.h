/* Reading the integers and scales of packed panels: kernels.h says how they lie (`integer_format`). */

/* Both fields of a pair at the bottom of a word's halves, with whatever lies above them. w: the words of a block. */
#define pair_fields(bits, w, p)                                                                              \
  ((bits) == 4 ? (w)[(p) / 4] >> (uint32_t)((p) % 4 * 4)                                                     \
   : (bits) == 5 ? ((p) < 15 ? (w)[(p) / 3] >> (uint32_t)((p) % 3 * 5) : left_of_five(w))                    \
   : (p) < 6     ? (w)[(p) / 2] >> (uint32_t)((p) % 2 * 6)                                                   \
                 : left_of_six((w) + ((p) - 6) * 2, (w)[1] >> (uint32_t)(((p) - 6) * 2)))
/* Of three fields of 5 bits to a half its highest bit is left, of two of 6 bits its highest four. */
#define left_of_five(w)                                                                                      \
  (((w)[0] >> 15 & 0x00010001u) | ((w)[1] >> 14 & 0x00020002u) | ((w)[2] >> 13 & 0x00040004u) |              \
   ((w)[3] >> 12 & 0x00080008u) | ((w)[4] >> 11 & 0x00100010u))
#define left_of_six(w, shared) (((w)[0] >> 12 & 0x000f000fu) | ((shared) >> 8 & 0x00300030u))

/* The integers of bytes, and of fields at the bottom of words, as fp32. */
#define from_bytes(p) __builtin_convertvector(*(const i8x16 *)(p), f32x16)
#if PK_MASKS == 512
/* Numbers from `first` on. */
#define counted(first) ((f32x16){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} + splat((float)(first)))
/* A permutation looks at as many bits of its index as its table has; 6 bits become the last ones of 2^23 and more. */
#define from_fields(bits, offset, t)                                                                         \
  ((bits) == 4   ? (f32x16)_mm512_permutexvar_ps((__m512i)(t), (__m512)counted(-(offset)))                   \
   : (bits) == 5 ? (f32x16)_mm512_permutex2var_ps((__m512)counted(-(offset)), (__m512i)(t),                  \
                                                  (__m512)counted(16 - (offset)))                            \
                 : floats16(((t) & 63u) | 0x4b000000u) - splat(8388608.0f + (float)(offset)))
#define from_halves(p) ((f32x16)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(p))))
#else
#define from_fields(bits, offset, t)                                                                         \
  __builtin_convertvector((i32x16)((t) & ((1u << (bits)) - 1)) - (offset), f32x16)
/* The exponent's bias is 112 more in fp32; that of infinity and NaN is moved once more, to the largest. */
#define from_halves(p)                                                                                       \
  ({                                                                                                         \
    u32x16 half_ = __builtin_convertvector(*(const u16x16 *)(p), u32x16), size_ = half_ & 0x7fffu;           \
    u32x16 normal_ = (size_ << 13) + (112u << 23) + ((u32x16)(size_ >= 0x7c00u) & (112u << 23));             \
    u32x16 subnormal_ = bits16(__builtin_convertvector((i32x16)size_, f32x16) * splat(0x1p-24f));            \
    u32x16 small_ = (u32x16)(size_ < 0x400u);                                                                \
    floats16((half_ & 0x8000u) << 16 | (small_ & subnormal_) | (~small_ & normal_));                         \
  })
#endif

/* Sets even and odd to a pair of a block at b. */
#define widen_pair(f, b, p, even, odd)                                                                       \
  do {                                                                                                       \
    if ((f).bits == 8) {                                                                                     \
      even = from_bytes((b) + 32 * (p));                                                                     \
      odd = from_bytes((b) + 32 * (p) + 16);                                                                 \
    } else {                                                                                                 \
      u32x16 pair_ = pair_fields((f).bits, (const u32x16 *)(b), p);                                          \
      even = from_fields((f).bits, (f).offset, pair_);                                                       \
      odd = from_fields((f).bits, (f).offset, pair_ >> 16);                                                  \
    }                                                                                                        \
  } while (0)

/* What scales the integers, read on the way through a panel. */
typedef struct {
  f32x16 shared[2]; /* of a group of blocks */
  f32x16 scale, minimum;
} PK_FN(integer_scales);

/* Reads those of a block at b; returns where its integers begin. */
INLINE const char *PK_FN(read_scales)(integer_format f, const char *b, size_t block, PK_FN(integer_scales) *s) {
  if (f.halves == 0) {
    s->scale = load16((const float *)b);
    return b + PANEL * sizeof(float);
  }
  if (block % (size_t)f.group == 0)
    for (int i = 0; i < f.halves; i++, b += PANEL * sizeof(uint16_t)) s->shared[i] = from_halves(b);
  s->scale = s->shared[0];
  if (f.halves == 2) s->minimum = s->shared[1];
  if (f.bytes > 0) s->scale = s->shared[0] * from_bytes(b);
  if (f.bytes > 1) s->minimum = s->shared[1] * from_bytes(b + PANEL);
  return b + f.bytes * PANEL;
}

/* From a block's integers to what follows them. */
#define integers_bytes(f, pairs) ((f).bits == 8 ? (pairs) * 2 * PANEL : (size_t)((f).terms * (f).bits / 8 * PANEL))
/* Asks for a block of the panels that come next: the processor's own prefetching ends with a page. */
#define prefetch_block(b, bytes)                                                                             \
  for (size_t ahead_ = 0; ahead_ < (bytes); ahead_ += 64) __builtin_prefetch((b) + ahead_, 0, 2)
/* Rows of A as fp32 that a block has. */
#define integer_indices(f, pairs) ((pairs) * 2 + ((f).halves == 2))
