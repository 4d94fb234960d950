// RMSNorm (rule 5): the 16 lanes of rule 4 are the register's lanes.

ALWAYS_INLINE lanes norm_scale(const float *x, float epsilon, size_t width) {
    lanes squares = lanes_set(0.0f);
    size_t i = 0;
    for (; i + 16 <= width; i += 16) {
        lanes v = lanes_load(x + i);
        squares = lanes_fma(v, v, squares);
    }
    if (i < width) {
        lanes v = lanes_load_part(x + i, width - i);
        squares = lanes_fma(v, v, squares);
    }
    float mean = f32_div(lanes_sum(squares), (float)width);
    return lanes_set(f32_div(1.0f, f32_sqrt(f32_add(mean, epsilon))));
}

ALWAYS_INLINE void norm_row(const float *x, const uint16_t *weight, float epsilon, size_t width, uint16_t *out) {
    lanes r = norm_scale(x, epsilon, width);
    size_t i = 0;
    for (; i + 16 <= width; i += 16) {
        lanes_store_rounded(out + i, lanes_mul(lanes_mul(lanes_load(x + i), r), lanes_widen(weight + i)));
    }
    if (i < width) {
        lanes v = lanes_mul(lanes_load_part(x + i, width - i), r);
        lanes_store_rounded_part(out + i, width - i, lanes_mul(v, lanes_widen_part(weight + i, width - i)));
    }
}

void ROW(rms_norm)(
    const float *x, size_t x_stride, const uint16_t *weight, float epsilon, size_t rows, size_t width, uint16_t *out,
    size_t out_stride
) {
    for (size_t m = 0; m < rows; m++) norm_row(x + m * x_stride, weight, epsilon, width, out + m * out_stride);
}
