/* handle.h: the detector handle, which a predict job lends out, too. Internal to api. */
#ifndef API_HANDLE_H
#define API_HANDLE_H

#include "api.h"

enum { API_MOST_DET = 1000 }; /* boxes a picture of a detector, whatever max_det says */

/* Plans what a detector takes beside its network, and returns the bytes of its input. The decoder's
 * part, a few hundred bytes, is known when it is there. */
size_t api_detector_plan(stream_accounts *mem, const nn_graph_info *info, base_size imgsz,
                         int batch);

struct vg_detector {
    stream_detector *detector;
    const stream_accounts *accounts; /* own, or the job's */
    bool is_lent;                    /* by a predict job: may be asked, not run */
    int batch;
    stream_accounts own;
    float *input;           /* (batch, height, width, 3) */
    uint8_t *wanted;        /* (nc) */
    vg_detection *rows;     /* (API_MOST_DET) */
    image_decoder *decoder; /* vg_detect_file */
    picture_bytes bytes;
    image_buffer picture;
    image_scratch scratch;
};

#endif
