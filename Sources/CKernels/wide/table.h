// The dispatch table of one wide row; ROW_SYMBOL and ROW_NAME say which.
const ck_row ROW_SYMBOL = {
    .name = ROW_NAME,
    .round = ROW(round),
    .widen = ROW(widen),
    .embed = ROW(embed),
    .add = ROW(add),
    .rms_norm = ROW(rms_norm),
    .rotate = ROW(rotate),
    .swiglu = ROW(swiglu),
    .matmul = PRODUCT(matmul),
    .attention = PRODUCT(attention),
    .block_sum = ROW(block_sum),
    .combine = ROW(combine),
    .sample = ROW(sample),
    .exp = ROW(exp),
    .log = ROW(log),
    .log1p = ROW(log1p),
};
