/* AVX2 and FMA. */
#if defined(__x86_64__)
#include <immintrin.h>
#include "elements.h"
#include "kernels.h"

#define PK_FN(name) name##_avx2
#define PK_MR 4       /* rows of a product's tile */
#define PK_PANELS 1   /* and its panels of 16 columns */
#define PK_ONE_PASS_ROWS 2 /* of a tile whose two chains the registers hold at once */
#define PK_TILES_NOT_WIDENED 2 /* that read bf16 as it lies: each takes longer than over fp32 */
#define PK_DOT_VECTORS 1 /* of 16 keys that meet four rows of queries */
#define PK_SUM_VECTORS 1 /* of 16 elements that four rows of queries, or of keys, sum at one time */
#define PK_MASKS 256 /* bits of a vector whose loads and stores take a mask */

#pragma clang attribute push(__attribute__((target("avx2,fma,bmi2"))), apply_to = function)
#include "transpose.h"
#include "pack.h"
#include "sums.h"
#include "gemm.h"
#include "integer_fields.h"
#include "integer_sums.h"
#include "integers.h"
#include "store.h"
#include "norm.h"
#include "layer_norm.h"
#include "activation.h"
#include "map.h"
#include "rotary.h"
#include "part.h"
#include "attention.h"
#include "attention_rows.h"
#include "softmax.h"
#include "optimizer.h"
#pragma clang attribute pop

#include "table.h"
#endif
