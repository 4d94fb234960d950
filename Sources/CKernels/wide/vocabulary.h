// One block of the log-sum-exp (rule 8).

ck_block_sum ROW(block_sum)(const float *logits, size_t count, float temperature) {
    _Alignas(64) float z[CK_VOCABULARY_BLOCK];
    lanes divisor = lanes_set(temperature);
    lanes highest = lanes_set(-__builtin_inff());
    size_t whole = count / 16 * 16, rest = count - whole;
    for (size_t i = 0; i < whole; i += 16) {
        lanes v = lanes_div(lanes_load(logits + i), divisor);
        lanes_store(z + i, v);
        highest = lanes_max(highest, v);
    }
    if (rest) {
        lanes v = lanes_div(lanes_load_part(logits + whole, rest), divisor);
        v = lanes_select(mask_first(rest), v, lanes_set(-__builtin_inff()));
        lanes_store(z + whole, v);
        highest = lanes_max(highest, v);
    }
    float maximum = f32_add(lanes_maximum(highest), 0.0f);
    lanes subtracted = lanes_set(maximum);
    lanes sum = lanes_set(0.0f);
    // Lanes past the end hold minus infinity, whose exponential is an exact 0.
    for (size_t i = 0; i < count; i += 16) {
        sum = lanes_add(sum, lanes_exp(lanes_sub(lanes_load(z + i), subtracted)));
    }
    return (ck_block_sum){maximum, lanes_sum(sum)};
}
