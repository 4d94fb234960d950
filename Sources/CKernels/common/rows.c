// The one dispatch table: which rows this build contains and this machine can run.
#include "../include/CKernels.h"

extern const ck_row ck_scalar_row;

const ck_row *_Nullable ck_row_get(ck_row_id id) {
    switch (id) {
    case CK_SCALAR: return &ck_scalar_row;
    default: return NULL;
    }
}
