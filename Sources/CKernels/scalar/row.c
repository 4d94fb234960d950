#include "row.h"

const ck_row ck_scalar_row = {
    .name = "scalar",
    .round = scalar_round,
    .widen = scalar_widen,
    .embed = scalar_embed,
    .add = scalar_add,
    .rms_norm = scalar_rms_norm,
    .rotate = scalar_rotate,
    .swiglu = scalar_swiglu,
    .matmul = scalar_matmul,
    .attention = scalar_attention,
    .block_sum = scalar_block_sum,
    .combine = scalar_combine,
    .sample = scalar_sample,
    .exp = scalar_exp,
    .log = scalar_log,
    .log1p = scalar_log1p,
};
