/* This path's table; another one with tiles or dots where PK_TABLE, PK_TILES and PK_DOTS say so. */
#ifndef PK_TABLE
#define PK_TABLE PK_FN(kernels)
#endif
#ifndef PK_TILES
#define PK_TILES NULL
#endif
#ifndef PK_DOTS
#define PK_DOTS NULL
#endif
const kernel_table PK_TABLE = {
    .tile_rows = PK_MR,
    .pack_block = PK_FN(pack_block),
    .gemm_expand = PK_FN(gemm_expand),
    .gemm_panels = PK_FN(gemm_panels),
    .integer_expand = PK_FN(integer_expand),
    .integer_panels = PK_FN(integer_panels),
    .tiles = PK_TILES,
    .dots = PK_DOTS,
    .store = PK_FN(store),
    .add = PK_FN(add),
    .rms_norm = PK_FN(rms_norm),
    .rms_norm_dx = PK_FN(rms_norm_dx),
    .rms_norm_dw = PK_FN(rms_norm_dw),
    .layer_norm = PK_FN(layer_norm),
    .layer_norm_dx = PK_FN(layer_norm_dx),
    .layer_norm_dw = PK_FN(layer_norm_dw),
    .activation = PK_FN(activation),
    .activation_backward = PK_FN(activation_backward),
    .map = PK_FN(map),
    .rotate = PK_FN(rotate),
    .attention = PK_FN(attention),
    .attention_backward = PK_FN(attention_backward),
    .log_sum_exp = PK_FN(log_sum_exp),
    .token_statistics = PK_FN(token_statistics),
    .cross_entropy = PK_FN(cross_entropy),
    .conditional_loss = PK_FN(conditional_loss),
    .exponentials = PK_FN(exponentials),
    .adamw = PK_FN(adamw),
    .rmsprop = PK_FN(rmsprop),
    .sum_of_squares = PK_FN(sum_of_squares),
};
#undef PK_TABLE
#undef PK_TILES
#undef PK_DOTS
