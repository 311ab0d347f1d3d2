/* keep.h: bounds on what earlier runs left in a run folder that is gone on with (--exist-ok).
 * What this run writes is bounded by who writes it. Internal to stream. */
#ifndef STREAM_KEEP_H
#define STREAM_KEEP_H

#include "base/base.h"

/* Of the files of that suffix in folder and its own folders, all but the newest n by their time are
 * removed. No folder: nothing to do. Errors: VG_ERR_IO, VG_ERR_MEMORY (8 bytes a file, given back).
 */
vg_status stream_keep_newest(const char *folder, const char *suffix, size_t n, base_mem *mem,
                             vg_error *err);

#endif
