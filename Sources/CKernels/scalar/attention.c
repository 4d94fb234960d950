// Attention of one query and head at a time over paged keys and values (rule 7).
#include "row.h"
#include "transcendental.h"

static float score(
    const ck_attention_job *job, const ck_attention_segment *segment, const uint16_t *query, size_t position
) {
    const uint16_t *key = segment->pages[position / CK_PAGE_POSITIONS] + job->key_offset
        + (position % CK_PAGE_POSITIONS) * 2;
    float acc = 0.0f;
    for (size_t p = 0; p < job->head_dimension / 2; p++, key += 2 * CK_PAGE_POSITIONS) {
        acc = f32_fma(widen_bf16(query[2 * p + 1]), widen_bf16(key[1]), acc);
        acc = f32_fma(widen_bf16(query[2 * p]), widen_bf16(key[0]), acc);
    }
    return f32_mul(f32_add(acc, 0.0f), job->scale);
}

static uint16_t value_at(
    const ck_attention_job *job, const ck_attention_segment *segment, size_t position, size_t d
) {
    const uint16_t *panel = segment->pages[position / CK_PAGE_POSITIONS] + job->value_offset;
    size_t slot = position % CK_PAGE_POSITIONS;
    return panel[(slot / 2) * 2 * job->head_dimension + 2 * d + slot % 2];
}

static void attend(
    const ck_attention_job *job, const ck_attention_segment *segment, size_t position, const uint16_t *query,
    uint16_t *out
) {
    size_t first = job->window && position + 1 > job->window ? position + 1 - job->window : 0;
    float *weights = job->scratch;
    float maximum = -__builtin_inff();
    for (size_t j = first; j <= position; j++) {
        weights[j] = score(job, segment, query, j);
        if (weights[j] > maximum) maximum = weights[j];
    }
    maximum = f32_add(maximum, 0.0f);
    float lanes[16] = {0};
    for (size_t j = first; j <= position; j++) {
        float e = exp_of(f32_sub(weights[j], maximum));
        lanes[j % 16] = f32_add(lanes[j % 16], e);
        weights[j] = widen_bf16(round_to_bf16(e));
    }
    float denominator = sum_of_lanes(lanes);
    for (size_t d = 0; d < job->head_dimension; d++) {
        float acc = 0.0f;
        for (size_t even = first & ~(size_t)1; even <= position; even += 2) {
            size_t odd = even + 1;
            if (odd <= position) acc = f32_fma(weights[odd], widen_bf16(value_at(job, segment, odd, d)), acc);
            if (even >= first) acc = f32_fma(weights[even], widen_bf16(value_at(job, segment, even, d)), acc);
        }
        out[d] = round_to_bf16(f32_div(f32_add(acc, 0.0f), denominator));
    }
}

void scalar_attention(const ck_attention_job *job) {
    for (size_t s = 0; s < job->segment_count; s++) {
        const ck_attention_segment *segment = &job->segments[s];
        for (size_t m = 0; m < segment->rows; m++) {
            const uint16_t *query = job->query + (segment->first_row + m) * job->query_stride;
            uint16_t *out = job->out + (segment->first_row + m) * job->out_stride;
            for (size_t h = 0; h < job->group; h++) {
                size_t head = h * job->head_dimension;
                attend(job, segment, segment->first_position + m, query + head, out + head);
            }
        }
    }
}
