// The vectors: each runs one operation on deterministic inputs and digests what comes out.
#ifndef CK_VECTORS_H
#define CK_VECTORS_H

#include "inputs.h"

void vector_round(const ck_row *row, digest *d);
void vector_widen(const ck_row *row, digest *d);
void vector_embed(const ck_row *row, digest *d);
void vector_add(const ck_row *row, digest *d);
void vector_rms_norm(const ck_row *row, digest *d);
void vector_rotate(const ck_row *row, digest *d);
void vector_swiglu(const ck_row *row, digest *d);
void vector_matmul(const ck_row *row, digest *d);
void vector_matmul_bias(const ck_row *row, digest *d);
void vector_matmul_boundary(const ck_row *row, digest *d);
void vector_attention(const ck_row *row, digest *d);
void vector_attention_window(const ck_row *row, digest *d);
void vector_block_sum(const ck_row *row, digest *d);
void vector_choose(const ck_row *row, digest *d);
void vector_greedy(const ck_row *row, digest *d);
void vector_exp(const ck_row *row, digest *d);
void vector_log(const ck_row *row, digest *d);
void vector_log1p(const ck_row *row, digest *d);
void vector_merge(const ck_row *row, digest *d);
void vector_shared(const ck_row *row, digest *d);
void vector_rotary_scaling(const ck_row *row, digest *d);

#endif
