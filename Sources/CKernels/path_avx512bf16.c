/* AVX-512 with VDPBF16PS: products of bf16. All else is AVX-512's. */
#if defined(__x86_64__)
#include <immintrin.h>
#include "kernels.h"
#include "lanes.h"

#define PK_FN(name) name##_avx512bf16
#define PK_MASKS 512
#pragma clang attribute push(__attribute__((target("prfchw,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,bmi2"), min_vector_width(512))), apply_to = function)
#include "transpose.h"
#include "strip.h"
#include "sums.h"
#include "dots.h"
#include "integer_fields.h"
#include "integer_words.h"
#include "integer_sums.h"
#include "integer_dots.h"

/* Sixteen numbers of which a third are near enough in size that the order of two additions shows, and a third so small that
   products and sums are below the least normal number. */
static f32x16 asked_numbers(uint64_t *state, int bf16) {
  u32x16 bits;
  for (int i = 0; i < LANES; i++) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    uint32_t random = (uint32_t)(*state >> 32), exponent = 120 + (random & 15);
    if (random % 3 == 1) exponent = 56 + (random >> 4 & 15);
    if (random % 3 == 2) exponent = random >> 4 & 1 ? random >> 5 & 3 : 127;
    bits[i] = (random & 0x80000000u) | exponent << 23 | (random >> 8 & 0x7fffff);
    if (bf16) bits[i] &= 0xffff0000u;
  }
  return floats16(bits);
}

static void ask_dots(void *context, size_t task) {
  int *agree = context;
  uint64_t state = task + 1;
  for (int i = 0; i < 64; i++) {
    f32x16 sum = asked_numbers(&state, 0), a[2], b[2];
    for (int k = 0; k < 2; k++) a[k] = asked_numbers(&state, 1), b[k] = asked_numbers(&state, 1);
    f32x16 expected = fma16(a[1], b[1], fma16(a[0], b[0], sum));
    f32x16 found = dot16(sum, bits16(a[0]) | bits16(a[1]) >> 16, bits16(b[0]) | bits16(b[1]) >> 16);
    for (int lane = 0; lane < LANES; lane++) *agree &= bits16(expected)[lane] == bits16(found)[lane];
  }
}

int dots_as_defined(void) {
  int agree = 1;
  parallel_for(1, 4, ask_dots, &agree);
  return agree;
}
#pragma clang attribute pop

const dot_kernels dots_avx512bf16 = {.expand = dot_expand, .panels = dot_panels, .integer_expand = integer_dot_expand,
                                       .integer_panels = integer_dot_panels};
#endif
