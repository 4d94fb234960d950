// Seeded choice of a token (rule 10): the full scan, without the exact skip of the fast rows.
#include "row.h"
#include "transcendental.h"

void scalar_choose(
    const float *logits, size_t first_id, size_t count, float temperature, const ck_noise_key *key, uint32_t position,
    ck_choice *choice
) {
    uint32_t words[4] = {0};
    for (size_t i = 0; i < count; i++) {
        uint32_t id = (uint32_t)(first_id + i);
        if (id % 4 == 0) {
            uint32_t counter[4] = {position, id / 4, key->counter[0], key->counter[1]};
            ck_philox4x32_10(counter, key->key, words);
        }
        float z = f32_div(logits[i], temperature);
        float score = f32_sub(z, log_of(exponential_of(words[id % 4])));
        if (score > choice->score) {
            choice->score = score;
            choice->logit = logits[i];
            choice->token = (int32_t)id;
        }
    }
}

void scalar_greedy(const float *logits, size_t first_id, size_t count, ck_choice *choice) {
    for (size_t i = 0; i < count; i++) {
        if (logits[i] > choice->score) {
            choice->score = logits[i];
            choice->logit = logits[i];
            choice->token = (int32_t)(first_id + i);
        }
    }
}
