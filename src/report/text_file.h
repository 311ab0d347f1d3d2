/* text_file.h: a file written as text, piece by piece, and put in place whole. */
#ifndef REPORT_TEXT_FILE_H
#define REPORT_TEXT_FILE_H

#include "base/base.h"

enum { REPORT_TEXT_BYTES = 64 * 1024 };

/* Pieces wait in the buffer; a zeroed one is valid and has no file. Nothing allocates. */
typedef struct report_text {
    base_file file;
    bool is_open;
    size_t n_waiting;
    char path[4096];
    char buffer[REPORT_TEXT_BYTES];
} report_text;

/* Errors: VG_ERR_LIMIT (the path), VG_ERR_IO. */
vg_status report_text_begin(report_text *t, const char *path, vg_error *err);
/* text: a report_text. A piece of more than the buffer is VG_ERR_LIMIT. As task_writer calls it. */
vg_status report_text_put(void *text, vg_error *err, const char *format, ...);
/* Puts the file in place; is_lasting: it is on the disk when this returns (base_file_commit). */
vg_status report_text_end(report_text *t, bool is_lasting, vg_error *err);
/* Removes what was not ended. */
void report_text_discard(report_text *t);

#endif
