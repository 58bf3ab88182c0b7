/* Sixteen lanes: the vector every path computes with, whatever its registers hold.
   Included by each instruction-set file under its own target attribute. */
#ifndef LANES_H
#define LANES_H

#include <math.h>
#include <stdint.h>
#include <string.h>
#include "CKernels.h"

#pragma STDC FP_CONTRACT OFF

typedef float f32x16 __attribute__((vector_size(64), aligned(4)));
typedef uint32_t u32x16 __attribute__((vector_size(64), aligned(4)));
typedef int32_t i32x16 __attribute__((vector_size(64), aligned(4)));
typedef uint16_t u16x16 __attribute__((vector_size(32), aligned(2)));
typedef int8_t i8x16 __attribute__((vector_size(16), aligned(1)));

#define LANES 16
#define INLINE static inline __attribute__((always_inline))

#define splat(x)                                                                                \
  ({                                                                                            \
    float s_ = (x);                                                                             \
    (f32x16){s_, s_, s_, s_, s_, s_, s_, s_, s_, s_, s_, s_, s_, s_, s_, s_};                   \
  })
#define fma16(a, b, c) __builtin_elementwise_fma((a), (b), (c))
#define load16(p) (*(const f32x16 *)(p))
#define store16(p, v) (*(f32x16 *)(p) = (v))
#define bits16(v) ((u32x16)(v))
#define floats16(u) ((f32x16)(u))
#define choose16(mask, a, b) floats16(((u32x16)(mask) & bits16(a)) | (~(u32x16)(mask) & bits16(b)))
#define widen16(u) floats16(__builtin_convertvector((u), u32x16) << 16)

/* fp32 to bf16, round to nearest even, NaN kept quiet. */
#define round16(v)                                                                              \
  ({                                                                                            \
    u32x16 u_ = bits16(v);                                                                      \
    u32x16 r_ = (u_ + 0x7fffu + ((u_ >> 16) & 1u)) >> 16;                                       \
    u32x16 nan_ = (u32x16)((u_ & 0x7fffffffu) > 0x7f800000u);                                   \
    __builtin_convertvector((nan_ & ((u_ >> 16) | 0x40u)) | (~nan_ & r_), u16x16);              \
  })

/* The one tree: 16 to 8 to 4 to 2 to 1, each time lane i plus lane i + half. */
#define tree_sum(v)                                                                             \
  ({                                                                                            \
    f32x16 t_ = (v);                                                                            \
    float s8_[8], s4_[4];                                                                       \
    for (int i_ = 0; i_ < 8; i_++) s8_[i_] = t_[i_] + t_[i_ + 8];                               \
    for (int i_ = 0; i_ < 4; i_++) s4_[i_] = s8_[i_] + s8_[i_ + 4];                             \
    (s4_[0] + s4_[2]) + (s4_[1] + s4_[3]);                                                      \
  })

/* Maximum of lanes; exact, so order is free. */
#define tree_max(v)                                                                             \
  ({                                                                                            \
    f32x16 t_ = (v);                                                                            \
    float m_ = t_[0];                                                                           \
    for (int i_ = 1; i_ < 16; i_++) m_ = t_[i_] > m_ ? t_[i_] : m_;                             \
    m_;                                                                                         \
  })

#define max16(a, b) ({ f32x16 a_ = (a), b_ = (b); choose16(a_ > b_, a_, b_); })

/* The first n < 16 lanes of p, `fill` after. */
#define load_tail(p, n, fill)                                                                   \
  ({                                                                                            \
    f32x16 t_ = splat(fill);                                                                    \
    memcpy(&t_, (p), (n) * sizeof(float));                                                      \
    t_;                                                                                         \
  })
#define store_tail(p, n, v)                                                                     \
  ({                                                                                            \
    f32x16 t_ = (v);                                                                            \
    memcpy((p), &t_, (n) * sizeof(float));                                                      \
  })

/* Stores a vector of 16 numbers, or its first n. */
#define store_some(p, vector, n, v)                                                             \
  do {                                                                                          \
    vector some_ = (v);                                                                         \
    if ((n) == LANES) *(vector *)(p) = some_;                                                   \
    else memcpy((p), &some_, (n) * (sizeof some_ / LANES));                                     \
  } while (0)
/* Stores 16 lanes, or n of them, as `type`. */
#define store_lanes(out, index, type, n, value)                                                 \
  ({                                                                                            \
    f32x16 value_ = (value);                                                                    \
    if ((type) == PK_BF16) store_some((uint16_t *)(out) + (index), u16x16, n, round16(value_)); \
    else store_some((float *)(out) + (index), f32x16, n, value_);                               \
  })

#define for_lanes(i, n, count) \
  for (size_t i = 0, count; i < (n) && (count = (n) - i < LANES ? (n) - i : LANES, 1); i += LANES)
#define load_lanes(p, count) ((count) == LANES ? load16(p) : load_tail(p, count, 0))

#endif
