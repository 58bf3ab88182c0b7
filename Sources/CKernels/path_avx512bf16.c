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

/* Sixteen numbers of both signs and any fraction, with exponents from `least` to `least` + 7. */
static f32x16 asked_numbers(uint64_t *state, uint32_t least) {
  u32x16 bits;
  for (int i = 0; i < LANES; i++) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    uint32_t random = (uint32_t)(*state >> 32);
    bits[i] = (random & 0x807fffffu) | (least + (random >> 23 & 7)) << 23;
  }
  return floats16(bits);
}

/* Numbers so near in size that it shows which product is added first and what is rounded, in turn with products and sums about the least
   normal number. */
static void ask_dots(void *context, size_t task) {
  int *agree = context;
  uint64_t state = task + 1;
  for (int i = 0; i < 64; i++) {
    uint32_t of_terms = i % 2 ? 60 : 124, of_sum = i % 2 ? 0 : 124;
    f32x16 sum = asked_numbers(&state, of_sum), a[2], b[2];
    for (int k = 0; k < 2; k++) {
      a[k] = floats16(bits16(asked_numbers(&state, of_terms)) & 0xffff0000u);
      b[k] = floats16(bits16(asked_numbers(&state, of_terms)) & 0xffff0000u);
    }
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
