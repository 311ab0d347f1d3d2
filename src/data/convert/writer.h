/* writer.h: a dataset's folder in the making: pictures and label files go into a folder beside it,
 * which gets its name when all is there. For this folder. */
#ifndef DATA_CONVERT_WRITER_H
#define DATA_CONVERT_WRITER_H

#include "catalogue.h"

typedef struct writer {
    const char *output;                 /* without a / at its end */
    char folder[VG_DATASET_PATH_BYTES]; /* "" none: the temporary one */
    bool has_split[VG_N_SPLITS];        /* its folders are made */
    base_str text;                      /* of a label file */
    vg_dataset_converted *out;          /* counts what is done */
    vg_dataset_pictures how;
    base_mem *mem;
} writer;

/* VG_ERR_IO: there is something at output already, or it cannot be made. */
vg_status writer_check(const char *output, vg_error *err);
vg_status writer_open(writer *w, const char *output, vg_dataset_pictures how,
                      vg_dataset_converted *out, base_mem *mem, vg_error *err);
/* A picture (path) with the label file that w->text holds; both get one name, which nobody has. */
vg_status writer_add(writer *w, int split, const char *path, vg_error *err);
vg_status writer_finish(writer *w, const catalogue *c, const char *format, vg_error *err);
/* Removes what was not finished. */
void writer_close(writer *w);

#endif
