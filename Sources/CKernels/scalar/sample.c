// A block of logits on its way to a token: finite check, log-sum-exp (rule 8) and the seeded choice (rule 10) as a full
// scan, without the exact skip of the fast rows.
#include "row.h"
#include "transcendental.h"

static void take(ck_choice *choice, float score, float logit, size_t id) {
    int32_t token = (int32_t)id;
    if (score > choice->score || (score == choice->score && token < choice->token)) {
        *choice = (ck_choice){score, logit, token};
    }
}

bool scalar_sample(const ck_sample_job *job, ck_block_sum *sum, ck_choice *choice) {
    uint32_t words[4] = {0};
    for (size_t i = 0; i < job->count; i++) {
        size_t id = job->first_id + i;
        float score = job->logits[i];
        if (job->noise) {
            if (id % 4 == 0) {
                uint32_t block = (uint32_t)(id / 4);
                uint32_t counter[4] = {job->position, block, job->noise->counter[0], job->noise->counter[1]};
                ck_philox4x32_10(counter, job->noise->key, words);
            }
            float z = f32_div(job->logits[i], job->temperature);
            score = f32_sub(z, log_of(exponential_of(words[id % 4])));
        }
        take(choice, score, job->logits[i], id);
    }
    *sum = scalar_block_sum(job->logits, job->count, job->temperature);
    return ck_is_finite_f32(job->logits, job->count);
}
