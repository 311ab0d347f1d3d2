/* options.c: the table of a live job's options; what they are made of is in values.c. */
#include "options.h"

#include <string.h>

#include "source_text.h"

#define AT(field) offsetof(stream_options, field)
#define DAYS      86400.0
#define YEARS     (3650 * DAYS)
#define HUGE_SIZE 1e18
#define WHAT      "events|results|all"

/* clang-format off: a row a line or two reads as the table that it is */
static const stream_option table[] = {
    {"weights", "model", STREAM_OPTION_FILE, AT(weights), 0, 0, NULL, "",
     ".pt (Ultralytics; nothing in it is executed) or .safetensors", "what and where", false},
    {"source", NULL, STREAM_OPTION_TEXT, AT(source), 0, 0, NULL, "",
     "video, folder, glob, .txt or .streams list, URL, camera (0, /dev/video0), - or lavfi:GRAPH",
     NULL, true},
    {"config", NULL, STREAM_OPTION_FILE, AT(config), 0, 0, NULL, "",
     "YAML with any of these options, and `sources`", NULL, false},

    {"imgsz", "img_size", STREAM_OPTION_IMGSZ, AT(imgsz), 32, 8192, NULL, "0",
     "longer side of what the network sees, or its height and width (480,640), pixels, each raised "
     "to a multiple of the stride; 0: as the weights were trained",
     "detection", false},
    {"conf", "conf_thres", STREAM_OPTION_REAL, AT(conf), 0, 1, NULL, "0.25",
     "boxes with a confidence above this are kept", NULL, false},
    {"iou", "iou_thres", STREAM_OPTION_REAL, AT(iou), 0, 1, NULL, "0.7",
     "of two boxes of a class that overlap by more than this, the weaker one goes", NULL, false},
    {"max_det", NULL, STREAM_OPTION_INT, AT(max_det), 1, 1000, NULL, "300",
     "most boxes in a picture", NULL, false},
    {"classes", NULL, STREAM_OPTION_CLASSES, AT(classes), 0, 0, NULL, "",
     "only these classes, by number: 0,2,5", NULL, false},
    {"agnostic_nms", NULL, STREAM_OPTION_BOOL, AT(agnostic_nms), 0, 0, NULL, "false",
     "boxes of different classes compete, too", NULL, false},

    {"batch", "batch_size", STREAM_OPTION_INT, AT(batch), 0, STREAM_MOST_CHANNELS, NULL, "0",
     "most frames of several sources in one run of the network; 0: what is faster", "running",
     false},
    {"threads", NULL, STREAM_OPTION_INT, AT(threads), 0, 1024, NULL, "0",
     "threads that compute; results do not depend on it; 0: one for each processor", NULL, false},
    {"device", NULL, STREAM_OPTION_TEXT, AT(device), 0, 31, NULL, "auto",
     "auto or cpu; this build has no GPU", NULL, false},
    {"isa", NULL, STREAM_OPTION_TEXT, AT(isa), 0, 15, NULL, "",
     "instructions for the network: plain, sse41, avx2, avx512", NULL, false},
    {"memory_limit", NULL, STREAM_OPTION_BYTES, AT(memory_limit_bytes), 0, HUGE_SIZE, NULL, "0",
     "refuse to start, with the sum shown, when the plan is larger; 0: none", NULL, false},
    {"duration", NULL, STREAM_OPTION_SECONDS, AT(duration_s), 0, YEARS, NULL, "0",
     "stop after so long; 0: when the sources end", NULL, false},

    {"policy", NULL, STREAM_OPTION_CHOICE, AT(policy), 0, 0, "auto|every|latest", "auto",
     "every: each frame, the source waits for the network; latest: the newest frame, older ones "
     "are dropped and counted; auto: latest for network and cameras",
     "reading", true},
    {"vid_stride", NULL, STREAM_OPTION_INT, AT(vid_stride), 1, 100000, NULL, "1",
     "only every N-th frame", NULL, true},
    {"decode_threads", NULL, STREAM_OPTION_INT, AT(decode_threads), 0, 64, NULL, "0",
     "threads that decode a source; 0: FFmpeg's choice", NULL, true},
    {"rtsp_transport", NULL, STREAM_OPTION_TEXT, AT(rtsp_transport), 0, 7, "tcp|udp", "tcp",
     "how an RTSP camera sends", NULL, true},
    {"connect_timeout", NULL, STREAM_OPTION_SECONDS, AT(connect_timeout_s), 0.1, DAYS, NULL, "10s",
     "most time to connect and find the video", NULL, true},
    {"stall_timeout", NULL, STREAM_OPTION_SECONDS, AT(stall_timeout_s), 0.1, DAYS, NULL, "10s",
     "no packet of a live source for so long is a fault", NULL, true},
    {"retry_first", NULL, STREAM_OPTION_SECONDS, AT(retry_first_s), 0.01, DAYS, NULL, "1s",
     "wait before the first try to connect again; doubles with each, +-25 %", NULL, true},
    {"retry_most", NULL, STREAM_OPTION_SECONDS, AT(retry_most_s), 0.01, DAYS, NULL, "60s",
     "longest wait between two tries", NULL, true},
    {"max_retries", NULL, STREAM_OPTION_INT, AT(max_retries), 0, 1000000000, NULL, "0",
     "tries in a row until a source is given up; 0: for ever", NULL, true},
    {"wait_for_source", NULL, STREAM_OPTION_BOOL, AT(wait_for_source), 0, 0, NULL, "false",
     "when no source is there at the start, try again until one is; else the job fails at once "
     "(max_retries says so, too)",
     NULL, false},
    {"exit_on_end", NULL, STREAM_OPTION_SWITCH, AT(end), 0, 0, "auto|true|false", "auto",
     "the end of a source is its end, else it begins again; auto: files end, live sources do not",
     NULL, true},
    {"most_sources", NULL, STREAM_OPTION_INT, AT(most_sources), 0, STREAM_MOST_CHANNELS, NULL, "0",
     "places for sources that a reload (SIGHUP) may add; 0: as many as at start", NULL, false},
    {"input_format", NULL, STREAM_OPTION_TEXT, AT(input_format), 0, 31, NULL, "",
     "of a camera or of - : mjpeg, rawvideo, yuyv422, ...", NULL, true},
    {"input_size", NULL, STREAM_OPTION_TEXT, AT(input_size), 0, 31, NULL, "",
     "of a camera or of raw video: 1280x720", NULL, true},
    {"input_rate", NULL, STREAM_OPTION_TEXT, AT(input_rate), 0, 31, NULL, "",
     "of a camera or of raw video: 30", NULL, true},

    {"track", NULL, STREAM_OPTION_BOOL, AT(track), 0, 0, NULL, "false",
     "number the objects: the same one keeps its id from frame to frame", "tracking and events",
     false},
    {"tracker", NULL, STREAM_OPTION_TEXT, AT(tracker_name), 0, 31, "bytetrack|bytetrack.yaml",
     "bytetrack", "how", NULL, false},
    {"track_high_thresh", NULL, STREAM_OPTION_FLOAT, AT(tracker.track_high_thresh), 0, 1, NULL,
     "0.25", "confidence for the first association", NULL, false},
    {"track_low_thresh", NULL, STREAM_OPTION_FLOAT, AT(tracker.track_low_thresh), 0, 1, NULL, "0.1",
     "confidence for the second one", NULL, false},
    {"new_track_thresh", NULL, STREAM_OPTION_FLOAT, AT(tracker.new_track_thresh), 0, 1, NULL,
     "0.25", "confidence that begins a track", NULL, false},
    {"track_buffer", NULL, STREAM_OPTION_INT, AT(tracker.track_buffer), 1, 100000, NULL, "30",
     "frames that a lost track is remembered", NULL, false},
    {"match_thresh", NULL, STREAM_OPTION_FLOAT, AT(tracker.match_thresh), 0, 1, NULL, "0.8",
     "most cost of a pair in the first association", NULL, false},
    {"fuse_score", NULL, STREAM_OPTION_BOOL, AT(tracker.fuse_score), 0, 0, NULL, "true",
     "confidence counts in it", NULL, false},
    {"most_tracks", NULL, STREAM_OPTION_INT, AT(tracker.most_tracks), 1, 100000, NULL, "1000",
     "tracks of a source at once; more are not begun, and counted", NULL, false},
    {"zones", NULL, STREAM_OPTION_FILE, AT(zones), 0, 0, NULL, "",
     "YAML with polygons: who comes, leaves, stays, is missing", NULL, false},

    {"save", NULL, STREAM_OPTION_SWITCH, AT(save_choice), 0, 0, "auto|true|false", "auto",
     "video with boxes drawn; auto: of files, not of live sources", "results", false},
    {"save_txt", NULL, STREAM_OPTION_BOOL, AT(save_txt), 0, 0, NULL, "false",
     "labels, a file for each frame with boxes: class xc yc w h, as shares of the picture", NULL,
     false},
    {"save_conf", NULL, STREAM_OPTION_BOOL, AT(save_conf), 0, 0, NULL, "false",
     "the confidence ends each such row", NULL, false},
    {"save_crop", NULL, STREAM_OPTION_BOOL, AT(save_crop), 0, 0, NULL, "false",
     "the boxes, cut out, by class", NULL, false},
    {"save_json", NULL, STREAM_OPTION_BOOL, AT(save_json), 0, 0, NULL, "false",
     "one JSON object for each frame", NULL, false},
    {"project", NULL, STREAM_OPTION_FOLDER, AT(project), 0, 0, NULL, "runs/predict",
     "folder of runs", NULL, false},
    {"name", NULL, STREAM_OPTION_TEXT, AT(name), 0, 0, NULL, "exp",
     "this run's folder in it; NAME2, NAME3 and so on when it is taken", NULL, false},
    {"exist_ok", NULL, STREAM_OPTION_BOOL, AT(exist_ok), 0, 0, NULL, "false",
     "use the folder even if it is taken", NULL, false},
    {"line_width", "line_thickness", STREAM_OPTION_INT, AT(line_width_px), 0, 1000, NULL, "0",
     "of drawn boxes, pixels; 0: by the picture's size", NULL, false},
    {"hide_labels", NULL, STREAM_OPTION_BOOL, AT(hide_labels), 0, 0, NULL, "false",
     "boxes without words", NULL, false},
    {"hide_conf", NULL, STREAM_OPTION_BOOL, AT(hide_conf), 0, 0, NULL, "false",
     "words without confidences", NULL, false},
    {"segment", NULL, STREAM_OPTION_SECONDS, AT(segment_s), 0, YEARS, NULL, "0",
     "a recording is a new file after so long; 0: 10m for live sources", NULL, false},
    {"segment_bytes", NULL, STREAM_OPTION_BYTES, AT(segment_bytes), 0, HUGE_SIZE, NULL, "0",
     "or when it is so large; 0: never", NULL, false},
    {"keep_segments", NULL, STREAM_OPTION_INT, AT(keep_segments), 0, 1000000000, NULL, "0",
     "recordings kept of a source, the newest; 0: as many as keep_bytes holds", NULL, false},
    {"keep_bytes", NULL, STREAM_OPTION_BYTES, AT(keep_bytes), 0, HUGE_SIZE, NULL, "0",
     "recordings kept of a source, bytes; 0: 10G for live sources, unless keep_segments is given",
     NULL, false},
    {"json_bytes", NULL, STREAM_OPTION_BYTES, AT(json_bytes), 0, HUGE_SIZE, NULL, "0",
     "predictions.jsonl is begun anew past so much; 0: 1G for live sources", NULL, false},
    {"keep_json", NULL, STREAM_OPTION_INT, AT(keep_json), 0, 1000000, NULL, "1",
     "old ones of it kept", NULL, false},
    {"keep_labels", NULL, STREAM_OPTION_INT, AT(keep_labels), 0, 1000000000, NULL, "0",
     "label files kept of a source, of its newest N frames; 0: 100000 for live sources", NULL,
     false},
    {"keep_crops", NULL, STREAM_OPTION_INT, AT(keep_crops), 0, 1000000000, NULL, "0",
     "crops kept, the newest; 0: 10000 for live sources", NULL, false},
    {"keep_snapshots", NULL, STREAM_OPTION_INT, AT(keep_snapshots), 0, 1000000000, NULL, "0",
     "snapshots of events kept, the newest; 0: 10000 for live sources", NULL, false},
    {"video_codec", NULL, STREAM_OPTION_TEXT, AT(video_codec), 0, 15, NULL, "h264", "of recordings",
     NULL, false},
    {"sink_policy", NULL, STREAM_OPTION_CHOICE, AT(sink_policy), 0, 0, "auto|block|drop", "auto",
     "a full queue of results: block: wait for the file; drop: the oldest gives way, counted; "
     "auto: block if all sources keep every frame",
     NULL, false},

    {"mqtt", NULL, STREAM_OPTION_TEXT, AT(mqtt), 0, 0, NULL, "",
     "mqtt[s]://[USER:PASSWORD@]HOST[:PORT]/TOPIC to publish to", "telling others", false},
    {"mqtt_what", NULL, STREAM_OPTION_TEXT, AT(mqtt_what), 0, 15, WHAT, "events",
     "what is published", NULL, false},
    {"mqtt_qos", NULL, STREAM_OPTION_INT, AT(mqtt_qos), 0, 2, NULL, "1",
     "0: at most once, 1: at least once, 2: once", NULL, false},
    {"mqtt_ca", NULL, STREAM_OPTION_FILE, AT(mqtt_ca), 0, 0, NULL, "",
     "certificates that mqtts trusts; else the system's", NULL, false},
    {"mqtt_cert", NULL, STREAM_OPTION_FILE, AT(mqtt_cert), 0, 0, NULL, "",
     "certificate that vigil shows", NULL, false},
    {"mqtt_key", NULL, STREAM_OPTION_FILE, AT(mqtt_key), 0, 0, NULL, "", "its key", NULL, false},
    {"webhook", NULL, STREAM_OPTION_TEXT, AT(webhook), 0, 0, NULL, "", "URL that JSON is posted to",
     NULL, false},
    {"webhook_what", NULL, STREAM_OPTION_TEXT, AT(webhook_what), 0, 15, WHAT, "events",
     "what is posted", NULL, false},
    {"webhook_retries", NULL, STREAM_OPTION_INT, AT(webhook_retries), 0, 100, NULL, "5",
     "tries of a post after the first", NULL, false},
    {"serve", NULL, STREAM_OPTION_TEXT, AT(serve), 0, 0, NULL, "",
     "ADDRESS:PORT of preview, /healthz and /metrics, such as 127.0.0.1:9300", NULL, false},
    {"token", NULL, STREAM_OPTION_TEXT, AT(token), 0, 0, NULL, "",
     "what a reader of them, but for /healthz, must know: Authorization: Bearer TOKEN", NULL,
     false},
    {"preview_fps", NULL, STREAM_OPTION_REAL, AT(preview_fps), 0.1, 60, NULL, "5",
     "most pictures a second of the preview", NULL, false},
    {"preview_width", NULL, STREAM_OPTION_INT, AT(preview_width), 16, 7680, NULL, "640",
     "of its pictures, pixels", NULL, false},

    {"show", NULL, STREAM_OPTION_BOOL, AT(show), 0, 0, NULL, "false", "a window", "on the screen",
     false},
    {"json", NULL, STREAM_OPTION_BOOL, AT(json), 0, 0, NULL, "false",
     "a JSON object for each frame on standard output; the rest goes to standard error", NULL,
     false},
    {"quiet", NULL, STREAM_OPTION_BOOL, AT(quiet), 0, 0, NULL, "false",
     "no line for each frame or event; warnings and errors are still told", NULL, false},
    {"verbose", NULL, STREAM_OPTION_BOOL, AT(verbose), 0, 0, NULL, "false",
     "a line for each frame of live sources, too", NULL, false},
    {"status_every", NULL, STREAM_OPTION_SECONDS, AT(status_every_s), 0, YEARS, NULL, "10s",
     "a line of status for each live source; 0: none", NULL, false},
};
/* clang-format on */
enum { N_OPTIONS = sizeof table / sizeof table[0] };
_Static_assert((int)N_OPTIONS <= (int)STREAM_MOST_OPTIONS, "each has its place in set_at");

const stream_option *stream_option_table(size_t *n)
{
    *n = N_OPTIONS;
    return table;
}

static bool same_name(const char *a, const char *b)
{
    for (; *a != '\0' && (*a == *b || (*a == '_' && *b == '-')); a++)
        b++;
    return *a == *b;
}

const stream_option *stream_option_find(const char *name)
{
    for (size_t i = 0; i < N_OPTIONS; i++)
        if (same_name(table[i].name, name) ||
            (table[i].alias != NULL && same_name(table[i].alias, name)))
            return &table[i];
    return NULL;
}

size_t stream_option_place(const stream_option *o)
{
    return (size_t)(o - table);
}

static const char *name_at(const void *table_of, size_t i)
{
    return ((const stream_option *)table_of)[i].name;
}

const char *stream_option_hint(const char *name)
{
    const char *nearest = vg_name_nearest(name, name_at, table, N_OPTIONS);
    /* It is a key of configurations and no option. */
    if (vg_name_is_near(name, "sources") &&
        (nearest == NULL ||
         base_edit_distance(name, "sources") < base_edit_distance(name, nearest)))
        return "sources";
    return nearest != NULL ? nearest : "leave it out; vigil predict --help lists the options";
}

bool stream_option_is_configured(const stream_options *o, const char *name)
{
    const stream_option *option = stream_option_find(name);
    return option != NULL && o->set_at[stream_option_place(option)] > 0;
}

/* ---- together ---- */

static vg_status needs(const char *name, const char *other, vg_error *err)
{
    return base_fail(err, VG_ERR_ARGUMENT, base_where("option %s", name),
                     base_mend("give %s as well, or leave %s out", other, name),
                     "%s without %s does nothing", name, other);
}

/* 1280x720, or one of FFmpeg's names (hd720). */
static bool is_size(const char *text)
{
    char w[8];
    int64_t n;
    const size_t k = strcspn(text, "x");
    const bool is_name = (text[0] >= 'a' && text[0] <= 'z') || text[0] == '\0';
    return is_name ||
           (text[k] == 'x' && base_format(w, sizeof w, "%.*s", (int)k, text) &&
            base_parse_i64(&n, w, 1, 32768) && base_parse_i64(&n, text + k + 1, 1, 32768));
}

/* Of one source by itself. */
static vg_status check_input(const stream_options *o, vg_error *err)
{
    video_kind kind = VIDEO_NONE;
    if (!is_size(o->input_size))
        return base_fail(err, VG_ERR_ARGUMENT, "option input_size", "give WIDTHxHEIGHT: 1280x720",
                         "input_size=%s", o->input_size);
    const bool is_known =
        o->source[0] != '\0' && stream_source_meaning(o->source, &kind) == STREAM_MEANS_ONE;
    if (is_known && kind != VIDEO_CAMERA && kind != VIDEO_PIPE &&
        (o->input_format[0] || o->input_size[0] || o->input_rate[0]))
        return base_fail(err, VG_ERR_ARGUMENT, "options input_format, input_size, input_rate",
                         "leave them out",
                         "the source is no camera nor standard input, which they are for");
    return VG_OK;
}

vg_status stream_options_check(const stream_options *o, vg_error *err)
{
    const struct {
        bool is_given;
        const char *name;
        bool is_there;
        const char *other;
    } pairs[] = {
        {o->token[0] != '\0', "token", o->serve[0] != '\0', "serve"},
        {o->mqtt_ca[0] != '\0', "mqtt_ca", o->mqtt[0] != '\0', "mqtt"},
        {o->mqtt_cert[0] != '\0', "mqtt_cert", o->mqtt_key[0] != '\0', "mqtt_key"},
        {o->mqtt_key[0] != '\0', "mqtt_key", o->mqtt_cert[0] != '\0', "mqtt_cert"},
        {o->mqtt_cert[0] != '\0', "mqtt_cert", o->mqtt[0] != '\0', "mqtt"},
        {o->save_conf, "save_conf", o->save_txt, "save_txt"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i].is_given && !pairs[i].is_there)
            return needs(pairs[i].name, pairs[i].other, err);
    if (o->weights[0] == '\0')
        return base_fail(err, VG_ERR_ARGUMENT, "option weights", "give a .pt or .safetensors file",
                         "no weights given");
    if (o->project[0] == '\0' || o->name[0] == '\0')
        return base_fail(err, VG_ERR_ARGUMENT, "options project, name",
                         "leave them at their defaults", "an empty project or name");
    if (!base_equal_nocase(o->device, "auto") && !base_equal_nocase(o->device, "cpu"))
        return base_fail(err, VG_ERR_ARGUMENT, "option device", "use device cpu, or leave it out",
                         "the device \"%s\": this build of vigil runs on the CPU alone", o->device);
    vg_status st = check_input(o, err);
    if (st == VG_OK)
        st = video_check_address(o->source, err);
    if (st != VG_OK && err != NULL && err->where[0] == '\0')
        base_error_prefix_where(err, "option source");
    if (st != VG_OK)
        return st;
    if (o->retry_most_s < o->retry_first_s)
        return base_fail(err, VG_ERR_ARGUMENT, "options retry_first, retry_most",
                         "make retry_most the larger one",
                         "a longest wait of %g s, and a first one of %g s", o->retry_most_s,
                         o->retry_first_s);
    if (o->tracker.track_low_thresh > o->tracker.track_high_thresh)
        return base_fail(err, VG_ERR_ARGUMENT, "options track_low_thresh, track_high_thresh",
                         "make track_low_thresh the smaller one",
                         "track_low_thresh %g above track_high_thresh %g",
                         (double)o->tracker.track_low_thresh, (double)o->tracker.track_high_thresh);
    return VG_OK;
}

void stream_options_settle(stream_options *o, bool is_of_files)
{
    o->save = o->save_choice == 1 || (o->save_choice == 0 && is_of_files);
    o->save_choice = o->save ? 1 : 2; /* settled once, it stays */
    o->tracker.most_detections = o->max_det;
    if (is_of_files)
        return;
    if (o->segment_s <= 0 && o->segment_bytes == 0)
        o->segment_s = 600;
    if (o->keep_segments == 0 && o->keep_bytes == 0)
        o->keep_bytes = (size_t)10 << 30;
    if (o->json_bytes == 0)
        o->json_bytes = (size_t)1 << 30;
    if (o->keep_labels == 0)
        o->keep_labels = 100000;
    if (o->keep_crops == 0)
        o->keep_crops = 10000;
    if (o->keep_snapshots == 0)
        o->keep_snapshots = 10000;
}
