/* twins.h: pictures that several splits have, byte for byte. For this folder. */
#ifndef DATA_CHECK_TWINS_H
#define DATA_CHECK_TWINS_H

#include "../labels.h"

/* Of lists and tables of the splits (zeroed: none), for each picture of a later split that is in an
 * earlier one, or is the same file: found(ctx, its split, its path, the other's split, its path).
 * What cannot be read any more is passed over. Errors: those of found; VG_ERR_MEMORY. */
typedef vg_status (*twin_found)(void *ctx, data_split split, const char *path, data_split other,
                                const char *other_path, vg_error *err);
vg_status twins_find(const data_list lists[DATA_N_SPLITS], const label_table tables[DATA_N_SPLITS],
                     twin_found found, void *ctx, base_mem *mem, vg_error *err);

#endif
