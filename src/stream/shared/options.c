/* options.c: the table of a live job's options; what they are made of is in values.c. */
#include "options.h"

#include <string.h>

#define ROW(name_, kind_, field, preset_)                                                          \
    .name = name_, .kind = VG_OPTION_##kind_, .offset = offsetof(stream_options, field),           \
    .preset = preset_
#define IN(least_, most_) .least = least_, .most = most_
#define DAYS              86400.0
#define YEARS             (3650 * DAYS)
#define HUGE_SIZE         1e18
#define TASKS             "any|detect|segment|pose|obb|classify"
#define WHAT              "events|results|all"

/* clang-format off: a row a line or two reads as the table that it is */
static const vg_option rows[] = {
    {ROW("weights", FILE, weights, ""), .alias = "model", .group = "what and where",
     .help = ".pt (Ultralytics; nothing in it is executed) or .safetensors"},
    {ROW("source", TEXT, source, ""), .value = "SOURCE", .is_per_source = true,
     .help = "video, folder, glob, .txt or .streams list, URL, camera (0, /dev/video0), - or "
             "lavfi:GRAPH"},
    {ROW("task", TEXT, task, "any"), IN(0, 15), .choices = TASKS,
     .help = "what the weights must be made for; else it is an error"},
    {ROW("config", FILE, config, ""), .help = "YAML with any of these options, and `sources`"},

    {ROW("imgsz", SIZE, imgsz, "0"), IN(32, 8192), .alias = "img_size", .group = "detection",
     .help = "longer side of what the network sees, or its height and width (480,640), pixels, "
             "each raised to a multiple of the stride; 0: as the weights were trained"},
    {ROW("conf", REAL, conf, "0.25"), IN(0, 1), .alias = "conf_thres", .value = "P",
     .help = "boxes with a confidence above this are kept"},
    {ROW("iou", REAL, iou, "0.7"), IN(0, 1), .alias = "iou_thres", .value = "P",
     .help = "of two boxes of a class that overlap by more than this, the weaker one goes"},
    {ROW("max_det", INT, max_det, "300"), IN(1, 1000), .help = "most boxes in a picture"},
    {ROW("classes", CLASSES, classes, ""), IN(0, INT32_MAX),
     .help = "only these classes, by number or name: 0,2,person"},
    {ROW("agnostic_nms", BOOL, agnostic_nms, "false"),
     .help = "boxes of different classes compete, too"},
    {ROW("augment", BOOL, augment, "false"),
     .help = "test-time augmentation: each frame is seen three times, at scales 1, 0.83 (mirrored) "
             "and 0.67"},

    {ROW("batch", INT, batch, "0"), IN(0, STREAM_MOST_CHANNELS), .alias = "batch_size",
     .group = "running",
     .help = "most frames of several sources in one run of the network; 0: what is faster"},
    {ROW("threads", INT, threads, "0"), IN(0, 1024),
     .help = "threads that compute; results do not depend on it; 0: one for each processor"},
    {ROW("device", TEXT, device, "auto"), IN(0, 31),
     .help =
         "where the network computes: auto (a GPU where there is one), cpu, gpu, or a name that "
         "vigil devices lists"},
    {ROW("half", BOOL, half, "false"),
     .help = "on a GPU: weights and feature maps of 16 bits, in half its memory, and sums of "
             "floats; a CPU computes in floats"},
    {ROW("isa", TEXT, isa, ""), IN(0, 15),
     .help = "instructions for the network: plain, sse41, avx2, avx512"},
    {ROW("memory_limit", BYTES, memory_limit_bytes, "0"), IN(0, HUGE_SIZE),
     .help = "refuse to start, with the sum shown, when the plan is larger; 0: none"},
    {ROW("gpu_memory_limit", BYTES, gpu_memory_limit_bytes, "0"), IN(0, HUGE_SIZE),
     .help = "the same of the GPU's memory; 0: none"},
    {ROW("duration", SECONDS, duration_s, "0"), IN(0, YEARS),
     .help = "stop after so long; 0: when the sources end"},

    {ROW("policy", CHOICE, policy, "auto"), .choices = "auto|every|latest", .is_per_source = true,
     .group = "reading",
     .help = "every: each frame, the source waits for the network; latest: the newest frame, "
             "older ones are dropped and counted; auto: latest for network and cameras"},
    {ROW("stream_buffer", BOOL, stream_buffer, "false"), .is_per_source = true,
     .help = "policy auto keeps every frame of live sources, too"},
    {ROW("vid_stride", INT, vid_stride, "1"), IN(1, 100000), .is_per_source = true,
     .help = "only every N-th frame"},
    {ROW("decode_threads", INT, decode_threads, "0"), IN(0, 64), .is_per_source = true,
     .help = "threads that decode a source; 0: FFmpeg's choice"},
    {ROW("rtsp_transport", TEXT, rtsp_transport, "tcp"), IN(0, 7), .choices = "tcp|udp",
     .is_per_source = true, .help = "how an RTSP camera sends"},
    {ROW("connect_timeout", SECONDS, connect_timeout_s, "10s"), IN(0.1, DAYS),
     .is_per_source = true, .help = "most time to connect and find the video"},
    {ROW("stall_timeout", SECONDS, stall_timeout_s, "10s"), IN(0.1, DAYS), .is_per_source = true,
     .help = "no packet of a live source for so long is a fault"},
    {ROW("retry_first", SECONDS, retry_first_s, "1s"), IN(0.01, DAYS), .is_per_source = true,
     .help = "wait before the first try to connect again; doubles with each, +-25 %"},
    {ROW("retry_most", SECONDS, retry_most_s, "60s"), IN(0.01, DAYS), .is_per_source = true,
     .help = "longest wait between two tries"},
    {ROW("max_retries", INT, max_retries, "0"), IN(0, 1000000000), .is_per_source = true,
     .help = "tries in a row until a source is given up; 0: for ever"},
    {ROW("wait_for_source", BOOL, wait_for_source, "false"),
     .help = "when no source is there at the start, try again until one is; else the job fails at "
             "once (max_retries says so, too)"},
    {ROW("exit_on_end", SWITCH, end, "auto"), .choices = "auto|true|false", .is_per_source = true,
     .help = "the end of a source is its end, else it begins again; auto: files end, live sources "
             "do not"},
    {ROW("most_sources", INT, most_sources, "0"), IN(0, STREAM_MOST_CHANNELS),
     .help = "places for sources that a reload (SIGHUP) or a lease may add; 0: as many as at "
             "start, with "
             "leases half as many again as the shard's share"},
    {ROW("input_format", TEXT, input_format, ""), IN(0, 31), .is_per_source = true,
     .help = "of a camera or of - : mjpeg, rawvideo, yuyv422, ..."},
    {ROW("input_size", TEXT, input_size, ""), IN(0, 31), .is_per_source = true,
     .help = "of a camera or of raw video: 1280x720"},
    {ROW("input_rate", TEXT, input_rate, ""), IN(0, 31), .is_per_source = true,
     .help = "of a camera or of raw video: 30"},

    {ROW("shard", TEXT, shard, ""), IN(0, 31), .value = "I/N", .group = "many machines",
     .help =
         "read the list's cameras that are this process's, I of 0..N-1, by their names; auto/N: "
         "I is the number that ends $POD_NAME"},
    {ROW("lease_dir", FOLDER, lease_dir, ""),
     .help = "folder that all shards see: each camera is read by one of them at a time, and by "
             "another when that one is gone"},
    {ROW("lease_kubernetes", TEXT, lease_kubernetes, ""), IN(0, 63), .value = "NAME",
     .help = "the same by Kubernetes' leases, in a pod; NAME: what theirs begin with"},
    {ROW("lease_account", FOLDER, lease_account, "/var/run/secrets/kubernetes.io/serviceaccount"),
     .help = "folder of the pod's token, ca.crt and namespace"},
    {ROW("lease_time", SECONDS, lease_time_s, "10s"), IN(1, 3600),
     .help = "who was not heard for so long is dead; its cameras are read again within 1.6 of it"},

    {ROW("track", BOOL, track, "false"), .group = "tracking and events",
     .help = "number the objects: the same one keeps its id from frame to frame"},
    {ROW("tracker", FILE, tracker_name, "bytetrack.yaml"),
     .help =
         "how: bytetrack.yaml; botsort.yaml, for cameras that move; or your file of their keys"},
    {ROW("track_high_thresh", FLOAT, tracker.track_high_thresh, "0.25"), IN(0, 1), .value = "P",
     .help = "confidence for the first association"},
    {ROW("track_low_thresh", FLOAT, tracker.track_low_thresh, "0.1"), IN(0, 1), .value = "P",
     .help = "confidence for the second one"},
    {ROW("new_track_thresh", FLOAT, tracker.new_track_thresh, "0.25"), IN(0, 1), .value = "P",
     .help = "confidence that begins a track"},
    {ROW("track_buffer", INT, tracker.track_buffer, "30"), IN(1, 100000),
     .help = "frames that a lost track is remembered"},
    {ROW("match_thresh", FLOAT, tracker.match_thresh, "0.8"), IN(0, 1), .value = "P",
     .help = "most cost of a pair in the first association"},
    {ROW("fuse_score", BOOL, tracker.fuse_score, "true"), .help = "confidence counts in it"},
    {ROW("most_tracks", INT, tracker.most_tracks, "1000"), IN(1, 100000),
     .help = "tracks of a source at once; more are not begun, and counted"},
    {ROW("zones", FILE, zones, ""),
     .help = "YAML with polygons: who comes, leaves, stays, is missing"},

    {ROW("save", SWITCH, save_choice, "auto"), .choices = "auto|true|false", .group = "results",
     .help = "video with boxes drawn; auto: of files, not of live sources"},
    {ROW("save_txt", BOOL, save_txt, "false"),
     .help = "labels, a file for each frame with boxes: class xc yc w h, as shares of the picture"},
    {ROW("save_conf", BOOL, save_conf, "false"), .help = "the confidence ends each such row"},
    {ROW("save_crop", BOOL, save_crop, "false"), .help = "the boxes, cut out, by class"},
    {ROW("save_json", BOOL, save_json, "false"), .help = "one JSON object for each frame"},
    {ROW("project", FOLDER, project, "runs/predict"), .help = "folder of runs"},
    {ROW("name", TEXT, name, "exp"), .value = "NAME",
     .help = "this run's folder in it; NAME2, NAME3 and so on when it is taken"},
    {ROW("exist_ok", BOOL, exist_ok, "false"), .help = "use the folder even if it is taken"},
    {ROW("line_width", INT, line_width_px, "0"), IN(0, 1000), .alias = "line_thickness",
     .help = "of drawn boxes, pixels; 0: by the picture's size"},
    {ROW("hide_labels", BOOL, hide_labels, "false"), .help = "boxes without words"},
    {ROW("hide_conf", BOOL, hide_conf, "false"), .help = "words without confidences"},
    {ROW("show_labels", BOOL, show_labels, "true"), .help = "as YOLO's users spell hide_labels"},
    {ROW("show_conf", BOOL, show_conf, "true"), .help = "as they spell hide_conf"},
    {ROW("show_boxes", BOOL, show_boxes, "true"),
     .help = "without: frames as they are, and zones, in what is saved and shown"},
    {ROW("segment", SECONDS, segment_s, "0"), IN(0, YEARS),
     .help = "a recording is a new file after so long; 0: 10m for live sources"},
    {ROW("segment_bytes", BYTES, segment_bytes, "0"), IN(0, HUGE_SIZE),
     .help = "or when it is so large; 0: never"},
    {ROW("keep_segments", INT, keep_segments, "0"), IN(0, 1000000000),
     .help = "recordings kept of a source, the newest; 0: as many as keep_bytes holds"},
    {ROW("keep_bytes", BYTES, keep_bytes, "0"), IN(0, HUGE_SIZE),
     .help = "recordings kept of a source, bytes; 0: 10G for live sources, unless keep_segments "
             "is given"},
    {ROW("json_bytes", BYTES, json_bytes, "0"), IN(0, HUGE_SIZE),
     .help = "predictions.jsonl is begun anew past so much; 0: 1G for live sources"},
    {ROW("keep_json", INT, keep_json, "1"), IN(0, 1000000), .help = "old ones of it kept"},
    {ROW("keep_labels", INT, keep_labels, "0"), IN(0, 1000000000),
     .help = "label files kept of a source, of its newest N frames; 0: 100000 for live sources"},
    {ROW("keep_crops", INT, keep_crops, "0"), IN(0, 1000000000),
     .help = "crops kept, the newest; 0: 10000 for live sources"},
    {ROW("keep_snapshots", INT, keep_snapshots, "0"), IN(0, 1000000000),
     .help = "snapshots of events kept, the newest; 0: 10000 for live sources"},
    {ROW("video_codec", TEXT, video_codec, "h264"), IN(0, 15), .help = "of recordings"},
    {ROW("sink_policy", CHOICE, sink_policy, "auto"), .choices = "auto|block|drop",
     .help = "a full queue of results: block: wait for the file; drop: the oldest gives way, "
             "counted; auto: block if all sources keep every frame"},

    {ROW("mqtt", TEXT, mqtt, ""), .value = "URL", .group = "telling others",
     .help = "mqtt[s]://[USER:PASSWORD@]HOST[:PORT]/TOPIC to publish to"},
    {ROW("mqtt_what", TEXT, mqtt_what, "events"), IN(0, 15), .choices = WHAT,
     .help = "what is published"},
    {ROW("mqtt_qos", INT, mqtt_qos, "1"), IN(0, 2),
     .help = "0: at most once, 1: at least once, 2: once"},
    {ROW("mqtt_ca", FILE, mqtt_ca, ""),
     .help = "certificates that mqtts trusts; else the system's"},
    {ROW("mqtt_cert", FILE, mqtt_cert, ""), .help = "certificate that vigil shows"},
    {ROW("mqtt_key", FILE, mqtt_key, ""), .help = "its key"},
    {ROW("kafka", TEXT, kafka, ""), .value = "URL",
     .help = "kafka://HOST[:PORT][,HOST...]/TOPIC to publish to; the key is the source's name"},
    {ROW("kafka_what", TEXT, kafka_what, "events"), IN(0, 15), .choices = WHAT,
     .help = "what is published there"},
    {ROW("webhook", TEXT, webhook, ""), .value = "URL", .help = "URL that JSON is posted to"},
    {ROW("webhook_what", TEXT, webhook_what, "events"), IN(0, 15), .choices = WHAT,
     .help = "what is posted"},
    {ROW("webhook_retries", INT, webhook_retries, "5"), IN(0, 100),
     .help = "tries of a post after the first"},
    {ROW("serve", TEXT, serve, ""), .value = "ADDRESS:PORT",
     .help = "ADDRESS:PORT of preview, /healthz and /metrics, such as 127.0.0.1:9300"},
    {ROW("token", TEXT, token, ""),
     .help = "what a reader of them, but for /healthz, must know: Authorization: Bearer TOKEN"},
    {ROW("preview_fps", REAL, preview_fps, "5"), IN(0.1, 60), .value = "P",
     .help = "most pictures a second of the preview"},
    {ROW("preview_width", INT, preview_width, "640"), IN(16, 7680),
     .help = "of its pictures, pixels"},

    {ROW("show", BOOL, show, "false"), .group = "on the screen", .help = "a window"},
    {ROW("json", BOOL, json, "false"),
     .help = "a JSON object for each frame on standard output; the rest goes to standard error"},
    {ROW("quiet", BOOL, quiet, "false"),
     .help = "no line for each frame or event; warnings and errors are still told"},
    {ROW("verbose", BOOL, verbose, "false"), .help = "a line for each frame of live sources, too"},
    {ROW("status_every", SECONDS, status_every_s, "10s"), IN(0, YEARS),
     .help = "a line of status for each live source; 0: none"},
};
/* clang-format on */
enum { N_ROWS = sizeof rows / sizeof *rows };
_Static_assert((int)N_ROWS <= (int)STREAM_MOST_OPTIONS, "each has its place in set_at");

const base_options stream_option_table = {
    .rows = rows,
    .n = N_ROWS,
    .noun = "option",
    .mend = "leave it out; vigil predict --help lists the options",
    .where = "option ",
    .expands = true,
    .and_key = "sources"};

static int *place_of(stream_options *o, const vg_option *row)
{
    return &o->set_at[row - rows];
}

int stream_option_set_at(const stream_options *o, const char *name)
{
    const vg_option *row = base_options_find(&stream_option_table, name);
    return row != NULL ? o->set_at[row - rows] : 0;
}

void stream_options_default(stream_options *out)
{
    *out = (stream_options){.tracker = DETECT_TRACK_DEFAULT};
    base_options_default(&stream_option_table, out);
}

vg_status stream_options_set(stream_options *o, const char *name, const char *value, vg_error *err)
{
    const vg_status st = base_options_set(&stream_option_table, o, name, value, err);
    if (st == VG_OK)
        *place_of(o, base_options_find(&stream_option_table, name)) = STREAM_SET_OTHERWISE;
    return st;
}

/* ---- from YAML ---- */

static vg_status read_one(stream_options *to, const base_node *c, const char *path, vg_error *err)
{
    const vg_option *row = base_options_find(&stream_option_table, c->key);
    if (row != NULL && strcmp(row->name, "config") == 0)
        return base_fail(err, VG_ERR_ARGUMENT, base_where("%.400s:%d", path, c->line),
                         "leave it out; write the options themselves",
                         "a configuration that names another");
    const vg_status st = base_options_set_node(&stream_option_table, to, c, path, err);
    if (st == VG_OK)
        *place_of(to, row) = c->line;
    return st;
}

vg_status stream_options_read(stream_options *o, const char *path, base_mem *mem, vg_error *err)
{
    base_tree *tree = NULL;
    stream_options *read = base_alloc(mem, sizeof *read, err); /* all or nothing */
    vg_status st = read != NULL ? base_tree_read(&tree, path, mem, err) : VG_ERR_MEMORY;
    if (st != VG_OK)
        goto done;
    *read = *o;
    const base_node *root = base_tree_root(tree);
    if (root->kind != BASE_NODE_MAP)
        st = base_fail(err, VG_ERR_FORMAT, path, "write one `option: value` a line",
                       "options that are not a map");
    for (const base_node *c = root->first; c != NULL && st == VG_OK; c = c->next)
        if (strcmp(c->key, "sources") != 0)
            st = read_one(read, c, path, err);
    const base_node *list = base_node_get(root, "sources");
    if (st == VG_OK && list != NULL && base_node_get(root, "source") != NULL)
        st = base_fail(err, VG_ERR_ARGUMENT, base_where("%.400s:%d", path, list->line),
                       "put the one among the others", "both source and sources");
    if (st == VG_OK && !base_format(read->config, sizeof read->config, "%s", path))
        st = base_fail(err, VG_ERR_ARGUMENT, path, "use a shorter path",
                       "a path of more than %d characters", STREAM_TEXT_BYTES - 1);
    if (st == VG_OK)
        *o = *read;
done:
    base_tree_destroy(&tree);
    base_free(read);
    return st;
}

/* ---- what the sources decide ---- */

void stream_options_settle(stream_options *o, bool is_of_files)
{
    o->save = o->save_choice == 1 || (o->save_choice == 0 && is_of_files);
    o->save_choice = o->save ? 1 : 2; /* settled once, it stays */
    o->hide_labels = o->hide_labels || !o->show_labels;
    o->hide_conf = o->hide_conf || !o->show_conf;
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
