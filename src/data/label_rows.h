/* label_rows.h: rows of a label file by what stands in them: boxes, polygons, keypoints. For this
 * folder. */
#ifndef DATA_LABEL_ROWS_H
#define DATA_LABEL_ROWS_H

#include "labels.h"

/* A file under way. */
typedef struct label_reader {
    label_sink *sink; /* with room for all numbers of the file */
    const char *name;
    const label_form *form;
    int line;
    bool polygons;      /* what the file's rows are, where the kind knows them */
    size_t n_boxes;     /* in a file of polygons */
    int first_box_line; /* 0: none */
} label_reader;

/* Reads a row behind its class; *at comes to stand on the line's end. row: its beginning. Errors:
 * VG_ERR_FORMAT with name:line. */
typedef vg_status label_row_reader(label_reader *r, data_label *l, char **at, const char *row,
                                   vg_error *err);
label_row_reader label_row_box, label_row_outline, label_row_keypoints;

/* ---- what the splitting of lines and the readers share ---- */

/* Bytes of the field at or behind *at in this line, which *at comes to stand behind; 0: the line
 * ends there. */
size_t label_skip_field(const char **at);
/* The next number of the line. 1: read; 0: the line ends; -1: not a number, *bad is its text. */
int label_next_number(double *out, char **at, const char **bad);
vg_status label_bad_row(const label_reader *r, vg_error *err, const char *mend, const char *what);
vg_status label_bad_number(const label_reader *r, vg_error *err, const char *text);

#endif
