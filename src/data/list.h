/* list.h: the sorted list of a split's pictures. For this folder. */
#ifndef DATA_LIST_H
#define DATA_LIST_H

#include "data/data.h"

enum { DATA_MOST_PICTURES = 100000000, DATA_PATH_BYTES = 4096 };

typedef struct data_list {
    const char **paths; /* (n) sorted; into text */
    size_t n;
    base_str text;
} data_list;

/* A text of the split's list: a folder or a .txt, relative to the root. NULL past the last. */
const char *data_spec_place(const data_spec *s, data_split split, size_t i);

/* All pictures of the split. Errors: VG_ERR_IO, VG_ERR_FORMAT (none there), VG_ERR_LIMIT,
 * VG_ERR_MEMORY. On failure *out is zero. */
vg_status data_list_open(data_list *out, const data_spec *spec, data_split split, base_mem *mem,
                         vg_error *err);
void data_list_close(data_list *l);

/* Where the labels of a picture are: the last /images/ becomes /labels/, the suffix .txt. False
 * when it does not fit. */
bool data_label_path(char *out, size_t n, const char *picture_path);

#endif
