// SwiGLU (rule 5).

ALWAYS_INLINE lanes swiglu_lanes(lanes gate, lanes up) {
    lanes inverse = lanes_add(lanes_set(1.0f), lanes_exp(lanes_sub(lanes_set(0.0f), gate)));
    return lanes_mul(lanes_div(gate, inverse), up);
}

void ROW(swiglu)(
    const float *gate, const float *up, size_t in_stride, size_t rows, size_t width, uint16_t *out, size_t out_stride
) {
    for (size_t m = 0; m < rows; m++, gate += in_stride, up += in_stride, out += out_stride) {
        size_t i = 0;
        for (; i + 16 <= width; i += 16) {
            lanes_store_rounded(out + i, swiglu_lanes(lanes_load(gate + i), lanes_load(up + i)));
        }
        if (i < width) {
            lanes y = swiglu_lanes(lanes_load_part(gate + i, width - i), lanes_load_part(up + i, width - i));
            lanes_store_rounded_part(out + i, width - i, y);
        }
    }
}
