/* live_options.h: every option of a live job in one table: the command line, --config, help and docs
 * are drawn from it. To add one is a field here and a row in live_options.c. */
#ifndef STREAM_LIVE_OPTIONS_H
#define STREAM_LIVE_OPTIONS_H

#include "detect/detect.h"

enum { LIVE_TEXT_BYTES = 1024, LIVE_MOST_CLASSES = 256, LIVE_MOST_CHANNELS = 64 };

typedef enum live_policy { LIVE_POLICY_AUTO, LIVE_POLICY_EVERY, LIVE_POLICY_LATEST } live_policy;
typedef enum live_sink_policy { LIVE_SINK_AUTO, LIVE_SINK_BLOCK, LIVE_SINK_DROP } live_sink_policy;
typedef enum live_end { LIVE_END_AUTO, LIVE_END_EXIT, LIVE_END_STAY } live_end;

/* A plain value; made by live_options_default. Texts are "" where nothing is given. */
typedef struct live_options {
    /* what and where */
    char weights[LIVE_TEXT_BYTES];
    char source[LIVE_TEXT_BYTES]; /* a video source, a folder or list of videos, or a .streams list */
    char config[LIVE_TEXT_BYTES];
    /* detection */
    int imgsz;
    double conf, iou;
    int max_det;
    int classes[LIVE_MOST_CLASSES];
    int n_classes; /* 0: all */
    bool agnostic_nms;
    /* running */
    int batch;   /* most frames of several sources in one run of the network; 0: what is faster */
    int threads; /* 0: all */
    char device[32], isa[16];
    size_t memory_limit_bytes;
    /* reading */
    int policy;   /* live_policy */
    int vid_stride;
    int decode_threads;
    char rtsp_transport[8]; /* "tcp", "udp" */
    double connect_timeout_s, stall_timeout_s;
    double retry_first_s, retry_most_s; /* back-off: doubles from the first to the most, +-25 % */
    int max_retries;                    /* in a row, of one source; 0: for ever */
    int end;                            /* live_end: exit_on_end */
    int most_sources;                   /* places for sources that a reload adds; 0: as many as at start */
    char input_format[32], input_size[32], input_rate[32]; /* of cameras and raw pipes */
    double duration_s;                  /* stop after so long; 0: never */
    /* tracking and events */
    bool track;
    detect_track_options tracker;
    char zones[LIVE_TEXT_BYTES]; /* YAML */
    /* results */
    char project[LIVE_TEXT_BYTES], name[LIVE_TEXT_BYTES];
    bool exist_ok;
    bool save, save_txt, save_conf, save_crop, save_json;
    bool show;
    bool json; /* JSON lines on standard output */
    int line_width_px;
    bool hide_labels, hide_conf;
    double segment_s;
    size_t segment_bytes;
    int keep_segments;
    size_t keep_bytes;   /* of recordings of a source */
    size_t json_bytes;   /* predictions.jsonl is begun anew past it; 0: never */
    int keep_json;       /* old ones kept */
    int keep_crops;      /* newest crops kept; 0: all */
    char video_codec[16];
    int sink_policy;     /* live_sink_policy */
    /* telling others */
    char mqtt[LIVE_TEXT_BYTES], mqtt_ca[LIVE_TEXT_BYTES], mqtt_cert[LIVE_TEXT_BYTES],
        mqtt_key[LIVE_TEXT_BYTES];
    int mqtt_qos;
    char mqtt_what[16];  /* "events", "results", "all" */
    char webhook[LIVE_TEXT_BYTES];
    char webhook_what[16];
    int webhook_retries;
    char serve[LIVE_TEXT_BYTES], token[LIVE_TEXT_BYTES];
    double preview_fps;
    int preview_width;
} live_options;

#endif
