/* Element functions on sixteen lanes: the same operations on every path. Their errors over all floats stand in docs/arithmetic.md,
   as `make bounds` measures them. NaN gives NaN. */
#ifndef ELEMENTS_H
#define ELEMENTS_H

#include "lanes.h"

/* exp: x = n ln2 + r, a degree-6 polynomial on |r| <= ln2 / 2. Below -87.3 the result is 0; above 88.3 it is infinity. The
   constant 1.5 * 2^23 rounds to nearest. */
#define exp16(x)                                                                                \
  ({                                                                                            \
    f32x16 x_ = (x);                                                                            \
    f32x16 magic_ = splat(12582912.0f);                                                         \
    f32x16 shifted_ = fma16(x_, splat(1.44269504088896341f), magic_);                           \
    f32x16 n_ = shifted_ - magic_;                                                              \
    f32x16 r_ = fma16(n_, splat(-0.693359375f), x_);                                            \
    r_ = fma16(n_, splat(2.12194440e-4f), r_);                                                  \
    f32x16 p_ = splat(1.9875691500e-4f);                                                        \
    p_ = fma16(p_, r_, splat(1.3981999507e-3f));                                                \
    p_ = fma16(p_, r_, splat(8.3334519073e-3f));                                                \
    p_ = fma16(p_, r_, splat(4.1665795894e-2f));                                                \
    p_ = fma16(p_, r_, splat(1.6666665459e-1f));                                                \
    p_ = fma16(p_, r_, splat(5.0000001201e-1f));                                                \
    p_ = fma16(p_, r_ * r_, r_) + splat(1.0f);                                                  \
    f32x16 e_ = floats16(bits16(p_) + (bits16(shifted_) << 23));                                \
    e_ = choose16(x_ < splat(-87.3f), splat(0.0f), e_);                                         \
    e_ = choose16(x_ > splat(88.3f), splat(__builtin_inff()), e_);                              \
    choose16(x_ != x_, x_, e_);                                                                 \
  })

/* A scalar through the same instructions. */
#define exp1(x) (exp16(splat(x))[0])

#define magnitude16(x) floats16(bits16(x) & 0x7fffffffu)
#define at_most16(x, limit) ({ f32x16 any_ = (x), limit_ = splat(limit); choose16(any_ > limit_, limit_, any_); })
/* `size`, which is not negative, with the sign of x. */
#define signed16(size, x) floats16(bits16(size) | (bits16(x) & 0x80000000u))

/* tanh: x + x^3 P(x^2) below 0.55, else 1 - 2 / (exp 2x + 1). */
#define tanh16(x)                                                                               \
  ({                                                                                            \
    f32x16 signed_ = (x), size_ = magnitude16(signed_), square_ = size_ * size_;                \
    f32x16 small_ = splat(-6.24284893e-3f);                                                     \
    small_ = fma16(small_, square_, splat(2.1050714e-2f));                                      \
    small_ = fma16(small_, square_, splat(-5.38475476e-2f));                                    \
    small_ = fma16(small_, square_, splat(1.33325443e-1f));                                     \
    small_ = fma16(small_, square_, splat(-3.33333164e-1f));                                    \
    small_ = fma16(small_ * square_, size_, size_);                                             \
    f32x16 large_ = splat(1.0f) - splat(2.0f) / (exp16(size_ + size_) + splat(1.0f));           \
    signed16(choose16(size_ < splat(0.55f), small_, large_), signed_);                          \
  })

/* The upper tail of the normal distribution beyond t, 0 <= t <= 16, which is e * m: e = exp(-t^2 / 2), whose exponent keeps what
   rounding takes from the square, and m a degree-9 polynomial in 1 / (1 + t / 4), times that. 0 at 16. */
#define normal_tail16(t, e, m)                                                                  \
  ({                                                                                            \
    f32x16 size_ = (t);                                                                         \
    f32x16 half_ = splat(0.5f) * size_, square_ = half_ * size_;                                \
    f32x16 rest_ = fma16(half_, size_, -square_), tail_ = exp16(-square_);                      \
    (e) = fma16(tail_, -rest_, tail_);                                                          \
    f32x16 w_ = splat(1.0f) / fma16(splat(0.25f), size_, splat(1.0f));                          \
    f32x16 m_ = splat(1.65798366e-2f);                                                          \
    m_ = fma16(m_, w_, splat(-6.2793158e-2f));                                                  \
    m_ = fma16(m_, w_, splat(5.16545959e-2f));                                                  \
    m_ = fma16(m_, w_, splat(2.84330696e-2f));                                                  \
    m_ = fma16(m_, w_, splat(1.27138644e-2f));                                                  \
    m_ = fma16(m_, w_, splat(8.66559967e-2f));                                                  \
    m_ = fma16(m_, w_, splat(7.19996467e-2f));                                                  \
    m_ = fma16(m_, w_, splat(9.55156907e-2f));                                                  \
    m_ = fma16(m_, w_, splat(9.94925573e-2f));                                                  \
    m_ = fma16(m_, w_, splat(9.97479036e-2f));                                                  \
    (m) = m_ * w_;                                                                              \
  })

/* erf: x + x P(x^2) below 1, else 1 - 2 tail(sqrt 2 x). */
#define erf16(x)                                                                                \
  ({                                                                                            \
    f32x16 signed_ = (x), whole_ = magnitude16(signed_), z_ = whole_ * whole_;                  \
    f32x16 small_ = splat(7.80690316e-5f);                                                      \
    small_ = fma16(small_, z_, splat(-7.9978531e-4f));                                          \
    small_ = fma16(small_, z_, splat(5.1871622e-3f));                                           \
    small_ = fma16(small_, z_, splat(-2.68533472e-2f));                                         \
    small_ = fma16(small_, z_, splat(1.12835787e-1f));                                          \
    small_ = fma16(small_, z_, splat(-3.7612626e-1f));                                          \
    small_ = fma16(small_, z_, splat(1.28379166e-1f));                                          \
    small_ = fma16(small_, whole_, whole_);                                                     \
    f32x16 exponential_, mills_;                                                                \
    normal_tail16(at_most16(whole_, 11.0f) * splat(1.41421356f), exponential_, mills_);         \
    f32x16 large_ = fma16(exponential_ * splat(-2.0f), mills_, splat(1.0f));                    \
    signed16(choose16(whole_ < splat(1.0f), small_, large_), signed_);                          \
  })

#endif
