/* faults.h: faults as texts in a room of fixed places. For this folder. */
#ifndef DATA_CHECK_FAULTS_H
#define DATA_CHECK_FAULTS_H

#include "base/base.h"
#include "vigil/types.h"

typedef struct faults {
    size_t n, n_kept, most;
    struct fault_at {
        const char *kind;         /* static text */
        size_t where, what, mend; /* in text */
    } * at;                       /* (most) */
    base_str text;
} faults;

vg_status faults_init(faults *f, size_t most, base_mem *mem, vg_error *err);
void faults_fini(faults *f);
/* Counts it, and keeps it while there is a place. Errors: VG_ERR_MEMORY. */
vg_status faults_add(faults *f, const char *kind, const vg_error *fault, base_mem *mem,
                     vg_error *err);
bool faults_get(const faults *f, size_t index, vg_dataset_fault *out);

#endif
