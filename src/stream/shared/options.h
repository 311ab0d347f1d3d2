/* options.h: every option of a stream job in one table: the command line, --config, help and
 * docs are drawn from it. To add one is a field here and a row in options.c. */
#ifndef STREAM_OPTIONS_H
#define STREAM_OPTIONS_H

#include "detect/detect.h"

enum { STREAM_TEXT_BYTES = VG_OPTION_TEXT_BYTES, STREAM_MOST_CHANNELS = 64 };
enum { STREAM_MOST_OPTIONS = 112, STREAM_SET_OTHERWISE = -1 };

typedef enum stream_policy {
    STREAM_POLICY_AUTO,
    STREAM_POLICY_EVERY,
    STREAM_POLICY_LATEST
} stream_policy;
typedef enum stream_sink_policy {
    STREAM_SINK_AUTO,
    STREAM_SINK_BLOCK,
    STREAM_SINK_DROP
} stream_sink_policy;
typedef enum stream_end { STREAM_END_AUTO, STREAM_END_EXIT, STREAM_END_STAY } stream_end;

/* A plain value; made by stream_options_default. Texts are "" where nothing is given. */
typedef struct stream_options {
    /* what and where */
    char weights[STREAM_TEXT_BYTES];
    char task[16]; /* of the weights; "any" */
    char
        source[STREAM_TEXT_BYTES]; /* a video source, a folder or list of videos, or a .streams list
                                    */
    char config[STREAM_TEXT_BYTES];
    /* detection */
    base_size imgsz; /* 0: as the weights were trained */
    double conf, iou;
    int max_det;
    vg_classes classes; /* none: all */
    bool agnostic_nms, augment;
    /* running */
    int batch;   /* most frames of several sources in one run of the network; 0: what is faster */
    int threads; /* 0: all */
    char device[32], isa[16];
    bool half; /* of a GPU's numbers */
    size_t memory_limit_bytes, gpu_memory_limit_bytes;
    /* reading */
    int policy;         /* stream_policy */
    bool stream_buffer; /* policy auto is every */
    int vid_stride;
    int decode_threads;
    char rtsp_transport[8]; /* "tcp", "udp" */
    double connect_timeout_s, stall_timeout_s;
    double retry_first_s, retry_most_s; /* back-off: doubles from the first to the most, +-25 % */
    int max_retries;                    /* in a row, of one source; 0: for ever */
    bool wait_for_source;               /* else a job fails when none is there at the start */
    int end;                            /* stream_end: exit_on_end */
    int most_sources; /* places for sources that a reload adds; 0: as many as at start */
    char input_format[32], input_size[32], input_rate[32]; /* of cameras and raw pipes */
    double duration_s;                                     /* stop after so long; 0: never */
    /* many machines */
    char shard[32]; /* I/N, auto/N; "": the whole list */
    char lease_dir[STREAM_TEXT_BYTES], lease_kubernetes[64], lease_account[STREAM_TEXT_BYTES];
    double lease_time_s;
    /* tracking and events */
    bool track;
    char tracker_name[STREAM_TEXT_BYTES]; /* see tracker.h */
    detect_track_options tracker;
    char zones[STREAM_TEXT_BYTES]; /* YAML */
    /* results */
    char project[STREAM_TEXT_BYTES], name[STREAM_TEXT_BYTES];
    bool exist_ok;
    int save_choice; /* 0: files only, 1: yes, 2: no; stream_options_settle makes `save` of it */
    bool save, save_txt, save_conf, save_crop, save_json;
    bool show;
    bool json; /* JSON lines on standard output */
    int line_width_px;
    bool hide_labels, hide_conf;
    bool show_labels, show_conf, show_boxes; /* the first two: settle makes hide_... of them */
    double segment_s;
    size_t segment_bytes;
    int keep_segments;
    size_t keep_bytes;  /* of recordings of a source */
    size_t json_bytes;  /* predictions.jsonl is begun anew past it; 0: never */
    int keep_json;      /* old ones kept */
    int keep_labels;    /* label files kept of a source: of its newest frames; 0: all */
    int keep_crops;     /* newest crops kept; 0: all */
    int keep_snapshots; /* likewise */
    char video_codec[16];
    int sink_policy; /* stream_sink_policy */
    /* telling others */
    char mqtt[STREAM_TEXT_BYTES], mqtt_ca[STREAM_TEXT_BYTES], mqtt_cert[STREAM_TEXT_BYTES],
        mqtt_key[STREAM_TEXT_BYTES];
    int mqtt_qos;
    char mqtt_what[16]; /* "events", "results", "all" */
    char kafka[STREAM_TEXT_BYTES], kafka_what[16];
    char webhook[STREAM_TEXT_BYTES];
    char webhook_what[16];
    int webhook_retries;
    char serve[STREAM_TEXT_BYTES], token[STREAM_TEXT_BYTES];
    double preview_fps;
    int preview_width;
    /* on the terminal */
    bool quiet, verbose;
    double status_every_s;      /* a line of status for each live source; 0: none */
    int assumed_w, assumed_h;   /* of frames that are not known before they come; 0: 1920 x 1080 */
    struct stream_ports *ports; /* of pushed sources: the program's; NULL: there are none */
    /* by place in the table: line of the configuration, STREAM_SET_OTHERWISE, 0: preset */
    int set_at[STREAM_MOST_OPTIONS];
} stream_options;

/* Which cameras are read is settled while the job runs. */
static inline bool stream_options_have_leases(const stream_options *o)
{
    return o->lease_dir[0] != '\0' || o->lease_kubernetes[0] != '\0';
}

extern const base_options stream_option_table;
/* The line of the configuration that said what it is; STREAM_SET_OTHERWISE, or 0: nobody did. */
int stream_option_set_at(const stream_options *o, const char *name);
void stream_options_default(stream_options *out);
/* Errors: VG_ERR_ARGUMENT, with the nearest name, the range or the choices: *o is as it was. What
 * ${NAME} stood for is in no error. */
vg_status stream_options_set(stream_options *o, const char *name, const char *value, vg_error *err);
/* All that a YAML file says, names with - or _; `sources` is left to stream_sources_open, which
 * reads it again at every reload. Sets config. All or nothing. Errors: VG_ERR_IO, VG_ERR_FORMAT and
 * VG_ERR_ARGUMENT (file:line). */
vg_status stream_options_read(stream_options *o, const char *path, base_mem *mem, vg_error *err);
/* What depends on the sources: whether to record, and, unless all are files, bounds for what would
 * grow on disk where none were given: segments of 10 min and 10 GiB of them a source, JSON lines of
 * 1 GiB begun anew with one old file kept, labels of 100,000 frames a source, 10,000 crops, 10,000
 * snapshots. */
void stream_options_settle(stream_options *o, bool is_of_files);

#endif
