/* prove.h: what is wrong with a stream job's options, told before anything is started. */
#ifndef STREAM_PROVE_H
#define STREAM_PROVE_H

#include "stream/shared/options.h"

/* Options that contradict each other, or of which one does nothing without another. Errors:
 * VG_ERR_ARGUMENT. */
vg_status stream_options_check(const stream_options *o, vg_error *err);
/* stream_options_check, and what every output that is wanted says of its options: all that can be
 * known before anything is started, made or connected to. Where the configuration has the option
 * that is wrong, the error is VG_ERR_FORMAT instead of VG_ERR_ARGUMENT and tells file:line. Other
 * errors: VG_ERR_IO (a file is not there), VG_ERR_UNSUPPORTED (nor a library). */
vg_status stream_options_prove(const stream_options *o, base_mem *mem, vg_error *err);

#endif
