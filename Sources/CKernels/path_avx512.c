/* AVX-512 (F, BW, DQ, VL); with the dots of path_avx512bf16.c and the tiles of path_amx.c also the paths of these. */
#if defined(__x86_64__)
#include <immintrin.h>
#include "elements.h"
#include "kernels.h"

#define PK_FN(name) name##_avx512
#define PK_MR 6       /* rows of a product's tile */
#define PK_PANELS 2   /* and its panels of 16 columns */
#define PK_ONE_PASS_ROWS PK_MR /* of a tile whose two chains the registers hold at once */
#define PK_TILES_NOT_WIDENED 1 /* that read bf16 as it lies: each takes longer than over fp32 */
#define PK_DOT_VECTORS 2 /* of 16 keys that meet four rows of queries */
#define PK_SUM_VECTORS 4 /* of 16 elements that four rows of queries, or of keys, sum at one time */
#define PK_MASKS 512 /* bits of a vector whose loads and stores take a mask */

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi2"), min_vector_width(512))), apply_to = function)
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

/* The same, and dots: path_avx512bf16.c. */
#define PK_TABLE kernels_avx512bf16
#define PK_DOTS &dots_avx512bf16
#include "table.h"

/* The same, and tiles: path_amx.c. */
#define PK_TABLE kernels_amx
#define PK_TILES &tiles_amx
#include "table.h"
#endif
