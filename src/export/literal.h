/* literal.h: values as Python writes them in source, which is how the Python tool keeps names and
 * arguments in a file's metadata. Internal to export. */
#ifndef EXPORT_LITERAL_H
#define EXPORT_LITERAL_H

#include "weights/weights.h"

enum { LITERAL_MOST_BYTES = 16 << 20 };

/* 'text', with what ends a literal or a line escaped. */
vg_status literal_add_text(base_str *s, const char *text, base_mem *mem, vg_error *err);
/* {0: 'person', 1: 'car'}; classes beyond the names that there are: class7. */
vg_status literal_add_names(base_str *s, const weights_meta *meta, int nc, base_mem *mem,
                            vg_error *err);

#endif
