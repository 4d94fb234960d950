// The list of vectors with their committed digests. A digest changes only together with CK_ARITHMETIC_VERSION.
#include "vectors.h"

typedef struct vector {
    const char *name;
    void (*run)(const ck_row *row, digest *d);
    uint64_t expected;
} vector;

static const vector vectors[] = {
    {"round", vector_round, 0xf3e37522604b1e64u},
    {"widen", vector_widen, 0x8d3be444d8dea27fu},
    {"embed", vector_embed, 0xaa167ab2a2292024u},
    {"add", vector_add, 0xf6da0be0876830dfu},
    {"rms-norm", vector_rms_norm, 0x4fe6a882118b53b2u},
    {"rotate", vector_rotate, 0xebc8e33f1cbb649bu},
    {"swiglu", vector_swiglu, 0xc7060be322994c0cu},
    {"matmul", vector_matmul, 0xee504e742b651bccu},
    {"matmul-boundary", vector_matmul_boundary, 0xabf2802857211965u},
    {"attention", vector_attention, 0x2536e468a0d166ecu},
    {"block-sum", vector_block_sum, 0xb7b3fe1c3fc40f4eu},
    {"choose", vector_choose, 0x2a0c75c688c299f2u},
    {"greedy", vector_greedy, 0xd33a91de1cd29ef6u},
    {"exp", vector_exp, 0xb85fa843cec94d96u},
    {"log", vector_log, 0x1d827b22cdb3a74fu},
    {"log1p", vector_log1p, 0xa340768f23b7c1f5u},
    {"merge", vector_merge, 0x9323e4129673e900u},
    {"shared", vector_shared, 0xf4cce8cd46411c54u},
    {"matmul-bias", vector_matmul_bias, 0x5e966e4601bc6da2u},
    {"attention-window", vector_attention_window, 0x7a681fad76c4016du},
    {"rotary-scaling", vector_rotary_scaling, 0x5f7f8231a6335d60u},
};

size_t ck_vector_count(void) { return sizeof vectors / sizeof vectors[0]; }

const char *ck_vector_name(size_t index) { return vectors[index].name; }

uint64_t ck_vector_expected(size_t index) { return vectors[index].expected; }

uint64_t ck_vector_digest(const ck_row *row, size_t index) {
    uint64_t state = ck_environment_enter();
    digest d = digest_start();
    vectors[index].run(row, &d);
    ck_environment_leave(state);
    return d.state;
}
