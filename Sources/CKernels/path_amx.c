/* AMX: the products of bf16 on tiles. All else is AVX-512's. */
#if defined(__x86_64__)
#include <immintrin.h>
#include "kernels.h"
#include "lanes.h"

#define PK_FN(name) name##_amx
#define TARGET_AMX __attribute__((target("amx-tile,amx-bf16")))
#define TARGET_WIDE __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi2")))
#include "transpose.h"
#include "gemm_tiles.h"

const tile_kernels tiles_amx = {.copy_strip = copy_strip, .panels = multiply_panels};
#endif
