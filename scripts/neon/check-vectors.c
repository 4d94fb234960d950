// Prints every vector's digest for every row of this machine and fails where one differs from the committed digest.
#include <inttypes.h>
#include <stdio.h>

#include "CKernels.h"

int main(void) {
    int wrong = 0;
    for (int id = 0; id < CK_ROW_COUNT; id++) {
        const ck_row *row = ck_row_get((ck_row_id)id);
        if (!row) continue;
        for (size_t i = 0; i < ck_vector_count(); i++) {
            uint64_t digest = ck_vector_digest(row, i);
            int equal = digest == ck_vector_expected(i);
            wrong += !equal;
            printf("%-10s %-16s %016" PRIx64 "%s\n", row->name, ck_vector_name(i), digest, equal ? "" : "  DIFFERS");
        }
    }
    return wrong != 0;
}
