/* check.h: a whole dataset looked at: every split read and verified as training does it, classes
 * and sizes counted, pictures found that several splits have. What is wrong is a result, not an
 * error.
 *
 * Memory: while it runs, the paths and labels of all splits; afterwards what was found alone. */
#ifndef DATA_CHECK_CHECK_H
#define DATA_CHECK_CHECK_H

#include "data/data.h"

typedef struct data_check data_check;

/* Decodes in the pool (NULL: the caller alone). At most most_faults are kept, all are counted. The
 * spec is borrowed until destroy. kind: NULL: DATA_BOXES. Errors: VG_ERR_FORMAT (the spec does not
 * say what the kind needs), VG_ERR_LIMIT, VG_ERR_MEMORY. *out belongs to the caller.
 */
vg_status data_check_open(data_check **out, const data_spec *spec, const data_kind *kind,
                          size_t most_faults, base_pool *pool, base_mem *mem, vg_error *err);
void data_check_destroy(data_check **c);

/* As vigil/dataset.h says; strings are borrowed until destroy. */
void data_check_total(const data_check *c, vg_dataset_total *out);
bool data_check_split(const data_check *c, data_split split, vg_dataset_split *out);
bool data_check_class(const data_check *c, size_t index, vg_dataset_class *out);
bool data_check_size(const data_check *c, data_split split, size_t index, vg_dataset_size *out);
bool data_check_fault(const data_check *c, size_t index, vg_dataset_fault *out);
const char *data_check_notice(const data_check *c, size_t index);

#endif
