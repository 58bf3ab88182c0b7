/* AVX-512 (F, BW, DQ, VL). */
#if defined(__x86_64__)
#include "kernels.h"
#include "lanes.h"

#define PK_FN(name) name##_avx512
#define PK_MR 8       /* rows of a product's tile */
#define PK_ONE_PASS_ROWS PK_MR /* of a tile whose two chains the registers hold at once */

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi2"), min_vector_width(512))), apply_to = function)
#include "pack.h"
#include "gemm.h"
#include "rows.h"
#include "attention.h"
#include "softmax.h"
#pragma clang attribute pop

#include "table.h"
#endif
