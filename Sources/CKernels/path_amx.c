/* AMX: the products of bf16 and of integers on tiles. All else is AVX-512's. */
#if defined(__x86_64__)
#include <immintrin.h>
#include "kernels.h"
#include "lanes.h"

#define PK_FN(name) name##_amx
#define TARGET_AMX __attribute__((target("amx-tile,amx-bf16,prfchw")))
#include "transpose.h"
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi2"))), apply_to = function)
#include "strip.h"
#pragma clang attribute pop
#include "gemm_tiles.h"

#define PK_MASKS 512
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi2,amx-tile,amx-bf16"), min_vector_width(512))), apply_to = function)
#include "integer_fields.h"
#include "integer_words.h"
#include "integer_tiles.h"
#pragma clang attribute pop

const tile_kernels tiles_amx = {.copy_strip = copy_strip, .panels = multiply_panels, .integer_sums = sum_rows,
                                .integer_panels = integer_panels_on_tiles};
#endif
