// The dispatch table of one wide row; ROW_SYMBOL and ROW_NAME say which, PRODUCT and ROUNDING where products and what
// rounds to bf16 come from.
const ck_row ROW_SYMBOL = {
    .name = ROW_NAME,
    .round = ROUNDING(round),
    .widen = ROW(widen),
    .embed = ROW(embed),
    .add = ROW(add),
    .rms_norm = ROUNDING(rms_norm),
    .rotate = ROUNDING(rotate),
    .swiglu = ROUNDING(swiglu),
    .matmul = PRODUCT(matmul),
    .attention = PRODUCT(attention),
    .block_sum = ROW(block_sum),
    .combine = ROW(combine),
    .sample = ROW(sample),
    .exp = ROW(exp),
    .log = ROW(log),
    .log1p = ROW(log1p),
};
