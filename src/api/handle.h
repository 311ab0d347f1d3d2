/* handle.h: the detector handle, which a predict job lends out, too. Internal to api. */
#ifndef API_HANDLE_H
#define API_HANDLE_H

#include <sys/types.h>

#include "api.h"

enum { API_MOST_DET = 1000 }; /* boxes a picture of a detector, whatever max_det says */

struct vg_detector {
    stream_detector *detector;       /* of own, or of the job that lends it */
    const stream_accounts *accounts; /* likewise */
    bool is_lent;                    /* by a predict job: may be asked, not run */
    stream_accounts own;
    pid_t pid; /* of the process that opened it, whose threads compute */
    stream_batcher batcher;
    vg_predict_times times; /* of the last call */
    detect_nms_options nms; /* likewise */
    base_size *sizes;       /* (batch) of its pictures */
    size_t n_seen;          /* pictures of it; 0: it failed */
};

#endif
