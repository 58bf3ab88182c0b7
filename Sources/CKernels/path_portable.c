/* The path every machine has: baseline instructions; fused multiply-adds through the C library where the machine has none. */

#include "elements.h"
#include "kernels.h"

#define PK_FN(name) name##_portable
#define PK_MR 6       /* rows of a product's tile */
#define PK_PANELS 1   /* and its panels of 16 columns */
#define PK_ONE_PASS_ROWS 2 /* of a tile whose two chains the registers hold at once */
#define PK_TILES_NOT_WIDENED 1 /* that read bf16 as it lies: each takes longer than over fp32 */
#define PK_DOT_VECTORS 1 /* of 16 keys that meet four rows of queries */
#define PK_SUM_VECTORS 1 /* of 16 elements that four rows of queries, or of keys, sum at one time */
#define PK_MASKS 0 /* no loads and stores under a mask */

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

#include "table.h"

