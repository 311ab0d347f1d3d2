/* predict.h: a list of pictures through decode, letterbox, forward, suppression and saving,
 * overlapped and bounded. */
#ifndef STREAM_PREDICT_H
#define STREAM_PREDICT_H

#include "stream/shared/detector.h"

typedef struct stream_predict stream_predict;

typedef struct stream_predict_options {
    stream_detector_options detector;
    detect_nms_options nms;
    const int *classes;      /* NULL: all, but for class_names */
    const char *class_names; /* "person,car"; NULL, "": none */
    size_t n_classes;
    const char *source;
    bool save, save_txt, save_conf, save_crop, save_json;
    const char *project, *name;
    bool exist_ok;
    int line_width_px;
    bool hide_labels, hide_conf, hide_boxes;
    bool retina_masks;
} stream_predict_options;

/* Strings and lists in o are only read during the call. mem must stay until close and be this job's
 * alone. Errors: as picture_list_open and stream_detector_open; VG_ERR_ARGUMENT (classes),
 * VG_ERR_IO (run folder), VG_ERR_SYSTEM (threads). */
vg_status stream_predict_open(stream_predict **out, const stream_predict_options *o,
                              stream_accounts *mem, vg_error *err);
/* In the order of the list; *out NULL at the end. An error here is the job's (a full disk, no
 * memory for the network), and is told again by every further call. */
vg_status stream_predict_next(stream_predict *p, const vg_predict_result **out, vg_error *err);
/* At any moment: what is under way is given up. Errors: VG_ERR_IO (last writes). */
vg_status stream_predict_close(stream_predict **p, vg_error *err);
stream_detector *stream_predict_detector(const stream_predict *p);
const char *stream_predict_folder(const stream_predict *p);

#endif
