/* list.h: the sorted list of a split's pictures. For this folder. */
#ifndef DATA_LIST_H
#define DATA_LIST_H

#include "data/data.h"

enum { DATA_MOST_PICTURES = 100000000, DATA_PATH_BYTES = 4096 };

typedef struct data_list {
    const char **paths; /* (n) sorted; into text */
    int32_t *classes;   /* (n) of a folder of classes: by the folder; else NULL */
    size_t n;
    base_str text;
    size_t n_others;     /* lines of lists that name no picture */
    base_text other;     /* the first of them: "list.txt:3, "x"" */
    size_t n_unread;     /* pictures that are left out, being of kinds that are not read */
    base_text unread;    /* the first of them */
    size_t n_classless;  /* pictures that are in no folder of a class: left out */
    base_text classless; /* the first of them */
    base_text outside;   /* "" or how a ../folder was found without its ../ */
} data_list;

/* A text of the split's list: a folder or a .txt, relative to the root. NULL past the last. */
const char *data_spec_place(const data_spec *s, data_split split, size_t i);

/* All pictures of the split. Errors: VG_ERR_IO, VG_ERR_FORMAT (none there), VG_ERR_LIMIT,
 * VG_ERR_MEMORY. On failure *out is zero. */
vg_status data_list_open(data_list *out, const data_spec *spec, data_split split, base_mem *mem,
                         vg_error *err);
void data_list_close(data_list *l);

/* ---- label_path.c ---- */

/* Where the labels of a picture are: the last /images/ becomes /labels/, the suffix .txt. False
 * when it does not fit. */
bool data_label_path(char *out, size_t n, const char *picture_path);
/* The same where that file is. Where it is not: the one that is there of these, else the same: with
 * .TXT; for folders named Images or IMAGES, in one named Labels, LABELS or labels; beside the
 * picture, if there is no folder where labels are looked for. */
bool data_label_find(char *out, size_t n, const char *picture_path);

#endif
