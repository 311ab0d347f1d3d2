/* dota.h: turned boxes as DOTA's evaluation reads them (J. Ding et al., arXiv 2102.12219; "Task
 * 1"): a text file a class; of tiles that were cut from large pictures, those of the pictures, too.
 */
#ifndef REPORT_DOTA_H
#define REPORT_DOTA_H

#include "detect/detect.h"

/* Rows are kept until commit: 44 bytes each, and its picture's name. One owner; not thread-safe. */
typedef struct report_dota report_dota;

/* folder, names (nc): borrowed until destroy. Nothing is written yet. Errors:
 * VG_ERR_ARGUMENT (two classes whose files would have one name), VG_ERR_MEMORY. */
vg_status report_dota_create(report_dota **out, const char *folder, const char *const *names,
                             int nc, base_mem *mem, vg_error *err);
/* A picture's boxes, in its own pixels; boxes (n) have their classes and scores, rotated (n) their
 * places. Errors: VG_ERR_ARGUMENT (a class out of range), VG_ERR_LIMIT (a name), VG_ERR_MEMORY. */
vg_status report_dota_add(report_dota *d, const char *picture, const vg_detection *boxes,
                          const vg_rotated *rotated, size_t n, vg_error *err);
/* FOLDER/predictions_txt/Task1_CLASS.txt for every class, blanks in its name being "-": a row
 * "PICTURE SCORE x1 y1 x2 y2 x3 y3 x4 y4" for each box, in the order in which they came, scores
 * to 5 decimals, corners to 3. Where
 * pictures are tiles, named PICTURE__SCALE__X___Y, also FOLDER/predictions_merged_txt: rows are
 * moved to where the tile was, and of boxes of a class and picture whose probIoU is 0.3 or more the
 * best stays (rotated suppression, as in prediction). Errors: VG_ERR_IO, VG_ERR_LIMIT. */
vg_status report_dota_commit(report_dota *d, vg_error *err);
void report_dota_destroy(report_dota **d);

#endif
