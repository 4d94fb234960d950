// Optional per-head RMSNorm, then rotation by halves (rules 5 and 6).

ALWAYS_INLINE void rotate_lanes(
    lanes a, lanes b, lanes cosine, lanes sine, uint16_t *first, uint16_t *second, size_t count
) {
    lanes negated = lanes_of(words_xor(words_of(lanes_mul(b, sine)), words_set(0x80000000u)));
    lanes_store_rounded_part(first, count, lanes_fma(a, cosine, negated));
    lanes_store_rounded_part(second, count, lanes_fma(b, cosine, lanes_mul(a, sine)));
}

void ROW(rotate)(const ck_rotary_job *job) {
    size_t half = job->head_dimension / 2;
    for (size_t m = 0; m < job->rows; m++) {
        const float *cosine = job->cosines + (size_t)job->positions[m] * half;
        const float *sine = job->sines + (size_t)job->positions[m] * half;
        for (size_t h = 0; h < job->heads; h++) {
            const float *x = job->x + m * job->x_stride + h * job->head_dimension;
            uint16_t *out = job->out + m * job->out_stride + h * job->head_dimension;
            if (job->norm_weight) norm_row(x, job->norm_weight, job->epsilon, job->head_dimension, out);
            for (size_t i = 0; i < half; i += 16) {
                size_t count = half - i < 16 ? half - i : 16;
                lanes a = job->norm_weight ? lanes_widen_part(out + i, count) : lanes_load_part(x + i, count);
                lanes b = job->norm_weight ? lanes_widen_part(out + half + i, count)
                                           : lanes_load_part(x + half + i, count);
                rotate_lanes(
                    a, b, lanes_load_part(cosine + i, count), lanes_load_part(sine + i, count), out + i,
                    out + half + i, count);
            }
        }
    }
}
