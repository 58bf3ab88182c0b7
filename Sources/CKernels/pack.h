/* Laying out B for the products: panels of 16 columns, pairs of reduction indices side by side. */

/* bf16 in the low halves of 16 words. */
#define half_words(v)                                              \
  ({                                                               \
    u32x16 w_ = bits16(v);                                         \
    u32x16 r_ = (w_ + 0x7fffu + ((w_ >> 16) & 1u)) >> 16;          \
    u32x16 nan_ = (u32x16)((w_ & 0x7fffffffu) > 0x7f800000u);      \
    (nan_ & ((w_ >> 16) | 0x40u)) | (~nan_ & r_);                  \
  })

/* Element (k, n) as it is stored, zero outside the matrix. */
INLINE uint32_t PK_FN(packed_word)(const pack_job *job, ptrdiff_t at, int there) {
  if (!there) return 0;
  if (!job->source_is_float) return ((const uint16_t *)job->source)[at];
  uint32_t bits;
  memcpy(&bits, (const float *)job->source + at, 4);
  if (job->type == PK_F32) return bits;
  if ((bits & 0x7fffffffu) > 0x7f800000u) return bits >> 16 | 0x40;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

static void PK_FN(pack_block)(const pack_job *job, size_t panel, pk_block block, size_t pair) {
  size_t first = panel * LANES, live = job->columns - first < LANES ? job->columns - first : LANES;
  size_t words = job->type == PK_F32 ? 2 * LANES : LANES; /* of one pair */
  uint32_t *out = (uint32_t *)job->packed + (panel * job->pairs + pair) * words;
  ptrdiff_t across = job->column_stride, down = job->reduction_stride;
  ptrdiff_t start = (ptrdiff_t)block.start * down + (ptrdiff_t)first * across;
  const float *f = (const float *)job->source + start;
  const uint16_t *h = (const uint16_t *)job->source + start;
  size_t k = 0;
  if (live == LANES && across == 1) { /* reduction indices are rows in memory */
    for (; k + 2 <= block.length; k += 2, out += words) {
      const float *even = f + (ptrdiff_t)k * down, *odd = even + down;
      if (job->type == PK_F32) {
        store16((float *)out, load16(even));
        store16((float *)out + LANES, load16(odd));
      } else if (job->source_is_float) {
        *(u32x16 *)out = half_words(load16(even)) | half_words(load16(odd)) << 16;
      } else {
        const uint16_t *e = h + (ptrdiff_t)k * down;
        *(u32x16 *)out = __builtin_convertvector(*(const u16x16 *)e, u32x16) |
                         __builtin_convertvector(*(const u16x16 *)(e + down), u32x16) << 16;
      }
    }
  } else if (live == LANES && down == 1 && job->source_is_float) { /* columns are rows in memory */
    size_t step = job->type == PK_F32 ? 8 : 16;
    for (; k + step <= block.length; k += step)
#pragma unroll
      for (int half = 0; half < 2; half++) {
        u32x8 in[8], turned[8];
#pragma unroll
        for (int n = 0; n < 8; n++) {
          const float *column = f + (ptrdiff_t)(half * 8 + n) * across + (ptrdiff_t)k;
          if (job->type == PK_F32) in[n] = *(const u32x8 *)column;
          else in[n] = (u32x8)round16(load16(column));
        }
        PK_FN(transpose8)(in, turned);
#pragma unroll
        for (int i = 0; i < 8; i++)
          *(u32x8 *)(out + (job->type == PK_F32 ? k + (size_t)i : k / 2 + (size_t)i) * LANES + half * 8) = turned[i];
      }
    out += k / 2 * words;
  }
  for (; k < block.length; k += 2, out += words)
    for (size_t n = 0; n < LANES; n++) {
      ptrdiff_t at = start + (ptrdiff_t)k * down + (ptrdiff_t)n * across;
      uint32_t even = PK_FN(packed_word)(job, at, n < live);
      uint32_t odd = PK_FN(packed_word)(job, at + down, n < live && k + 1 < block.length);
      if (job->type == PK_F32) out[n] = even, out[LANES + n] = odd;
      else out[n] = even | odd << 16;
    }
}
