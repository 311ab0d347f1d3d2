/* cmd_predict.c: vigil predict and vigil track: their options, which are those of vigil/stream.h's
 * table, and whether the source is for a job on pictures or for one on videos and streams. */
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "commands.h"
#include "field.h"
#include "predict.h"
#include "rows.h"

_Static_assert(sizeof(predict_values) <= CLI_VALUES_BYTES, "the parser's room");

#define AT(field) offsetof(predict_values, field)

static const vg_option predict_options[] = {
    {CLI_ROW_WEIGHTS, .unless = "config", .offset = AT(o.detector.weights)},
    {.name = "source",
     .kind = VG_OPTION_STRING,
     .offset = AT(o.source),
     .value = "SOURCE",
     .help = "picture or video, folder, glob pattern in quotes, .txt list; URL (rtsp://, http://, "
             "udp://, ...), camera (0, /dev/video0), .streams list of several; - for standard "
             "input; lavfi:testsrc2 for drawn pictures",
     .is_required = true,
     .unless = "config"},
    {CLI_ROW_CFG, .offset = AT(cfg)},
    {CLI_ROW_IMGSZ, .offset = AT(imgsz),
     .help = "longer side of what the network sees, or its height and width (480,640), pixels, "
             "each raised to a multiple of the stride"},
    {CLI_ROW_TASK, .offset = AT(o.detector.task)},
    {CLI_ROW_CONF, .offset = AT(o.detect.conf),
     .help = "boxes with a confidence above this are kept"},
    {CLI_ROW_IOU, .offset = AT(o.detect.iou)},
    {CLI_ROW_MAX_DET, .offset = AT(o.detect.max_det)},
    {.name = "classes",
     .kind = VG_OPTION_CLASSES,
     .offset = AT(classes),
     .value = "LIST",
     .least = 0,
     .most = INT_MAX,
     .help = "only these classes, by number or name: 0,2,person or 0 2 5",
     .zero = "all"},
    {CLI_ROW_AGNOSTIC_NMS, .offset = AT(o.detect.agnostic_nms)},
    {CLI_ROW_AUGMENT, .offset = AT(o.detector.augment)},
    {CLI_ROW_BATCH, .offset = AT(o.detector.batch),
     .help =
         "most pictures in one run of the network; of several videos or streams what is faster, "
         "unless given"},
    {CLI_ROW_THREADS, .offset = AT(o.detector.threads),
     .help = "threads that compute; results do not depend on it"},
    {CLI_ROW_DEVICE, .offset = AT(o.detector.device)},
    {CLI_ROW_HALF, .offset = AT(o.detector.half)},
    {.name = "isa",
     .kind = VG_OPTION_STRING,
     .offset = AT(o.detector.isa),
     .choices = "plain|sse41|avx2|avx512",
     .only = "there are no such kernels",
     .help = "instructions for the network",
     .zero = "the best of this processor"},
    {.name = "memory-limit",
     .kind = VG_OPTION_BYTES,
     .offset = AT(o.detector.memory_limit_bytes),
     .most = 1e18,
     .help = "refuse to start, with the sum shown, when the plan is larger: 512M, 2G",
     .zero = "none"},
    {CLI_ROW_GPU_MEMORY_LIMIT, .offset = AT(o.detector.gpu_memory_limit_bytes)},
    {.name = "save",
     .kind = VG_OPTION_BOOL,
     .offset = AT(o.save),
     .help = "pictures, and copies of video files, with boxes drawn; of live sources when given"},
    {.name = "save-txt",
     .kind = VG_OPTION_BOOL,
     .offset = AT(o.save_txt),
     .help = "labels/NAME.txt, a row for each box: class xc yc w h, as shares of the picture"},
    {.name = "save-conf",
     .kind = VG_OPTION_BOOL,
     .offset = AT(o.save_conf),
     .help = "the confidence ends each such row"},
    {.name = "save-crop",
     .kind = VG_OPTION_BOOL,
     .offset = AT(o.save_crop),
     .help = "the boxes, cut out, by class"},
    {.name = "save-json",
     .kind = VG_OPTION_BOOL,
     .offset = AT(o.save_json),
     .help = "one JSON object for each picture or frame"},
    {CLI_ROW_PROJECT, .offset = AT(o.project)},
    {CLI_ROW_NAME, .offset = AT(o.name)},
    {CLI_ROW_EXIST_OK, .offset = AT(o.exist_ok)},
    {.name = "line-width",
     .kind = VG_OPTION_INT,
     .offset = AT(o.line_width),
     .value = "N",
     .least = 0,
     .most = 1000,
     .help = "of drawn boxes, pixels",
     .zero = "by the picture's size"},
    {.name = "hide-labels",
     .kind = VG_OPTION_BOOL,
     .offset = AT(o.hide_labels),
     .help = "boxes without words"},
    {.name = "hide-conf",
     .kind = VG_OPTION_BOOL,
     .offset = AT(o.hide_conf),
     .help = "words without confidences"},
    {.name = "show-labels",
     .kind = VG_OPTION_BOOL,
     .offset = AT(show_labels),
     .help = "as YOLO's users spell --hide-labels"},
    {.name = "show-conf",
     .kind = VG_OPTION_BOOL,
     .offset = AT(show_conf),
     .help = "as they spell --hide-conf"},
    {.name = "show-boxes",
     .kind = VG_OPTION_BOOL,
     .offset = AT(show_boxes),
     .help = "without: pictures as they are, in what is saved and shown"},
    {.name = "quiet",
     .kind = VG_OPTION_BOOL,
     .offset = AT(quiet),
     .help = "no line for each picture, frame or event"},
    {.name = "json",
     .kind = VG_OPTION_BOOL,
     .offset = AT(json),
     .help = "a JSON object for each picture or frame on standard output; the rest goes to "
             "standard error"},
    {.name = "retina-masks",
     .kind = VG_OPTION_BOOL,
     .group = "pictures alone",
     .offset = AT(o.detector.retina_masks),
     .help = "of models that segment: masks in pixels of the picture, not of the network's input"},
    {.name = "prove-flat",
     .kind = VG_OPTION_INT,
     .offset = AT(prove_flat),
     .value = "N",
     .least = 1,
     .most = 1000000000,
     .help = "after N pictures of warm-up, count allocations and growth by owner; see below",
     .may_stand_alone = true,
     .alone_value = -1,
     .zero = "off; without N the larger of 10 and a tenth of the pictures, at most 100"},
};

enum { N_TYPED = sizeof predict_options / sizeof *predict_options };

static bool is_of_pictures(const char *name)
{
    for (size_t i = 0; i < N_TYPED; i++)
        if (vg_name_equal(predict_options[i].name, name))
            return true;
    return false;
}

static void predict_defaults(void *values)
{
    predict_values *v = values;
    v->o = vg_predict_options_default();
    v->show_labels = v->show_conf = v->show_boxes = true;
}

/* ---- which job ---- */

/* One of the built-in names, or a file: a name that is neither is a slip, whatever the source. */
static bool is_tracker(const char *text)
{
    static const char *const names[] = {"bytetrack", "bytetrack.yaml", "botsort", "botsort.yaml"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(text, names[i]) == 0)
            return true;
    return access(text, R_OK) == 0;
}

static bool tracker_is_missing(const char *text)
{
    vg_error err;
    cli_error_set(&err, VG_ERR_ARGUMENT, "no such tracker: %s", text);
    cli_error_text(err.where, "option --tracker");
    cli_error_text(err.mend, "bytetrack.yaml, botsort.yaml, or a file of their keys");
    cli_error_print(&err, CLI_USAGE);
    return false;
}

/* What only videos and streams have a use for is said, not passed over, unless it asks for nothing.
 */
static bool are_for_pictures(const predict_values *v, const cli_command *command)
{
    vg_error err;
    cli_notes notes = {0};
    cli_row rows[CLI_OPTIONS_MAX];
    const size_t n = cli_command_rows(command, rows);
    for (size_t i = 0; i < n; i++) {
        char name[CLI_NAME_BYTES];
        const char *text = v->given.text[i];
        if (!v->given.is[i] || is_of_pictures(rows[i].o->name) ||
            cli_option_is_idle_at(&rows[i], NULL, text))
            continue;
        if (strcmp(rows[i].o->name, "tracker") == 0 && !is_tracker(text))
            return tracker_is_missing(text);
        const vg_option *f = vg_option_of_yolo(rows[i].o->name, CLI_AT_PREDICT);
        if (f != NULL && cli_field_is_harmless(f, text))
            continue;
        if (f != NULL && f->stands == VG_OPTION_IDLE) {
            cli_note(&notes, rows[i].o->name, text, f->why);
            continue;
        }
        cli_name_typed(name, rows[i].o->name);
        cli_error_set(&err, VG_ERR_ARGUMENT, "--%s is for videos, streams and cameras", name);
        cli_error_text(err.where, "source %s", v->o.source);
        cli_error_text(err.mend, "leave --%s out, or give such a source", name);
        cli_error_print(&err, CLI_USAGE);
        return false;
    }
    cli_notes_print(stderr, &notes);
    return true;
}

static int job_run(predict_values *v, const cli_command *command, bool tracks)
{
    const bool has_config = cli_given_text(command, &v->given, "config") != NULL;
    if (has_config ||
        vg_stream_takes(v->o.source, cli_given_text(command, &v->given, "input_format")))
        return predict_stream_run(v, command, tracks);
    if (tracks) {
        vg_error err;
        const bool is_there = access(v->o.source, F_OK) == 0 || strpbrk(v->o.source, "*?[") != NULL;
        cli_error_set(&err, is_there ? VG_ERR_ARGUMENT : VG_ERR_IO,
                      is_there ? "no video, stream or camera: %s" : "no such file or folder: %s",
                      v->o.source);
        cli_error_text(err.where, "option --source");
        cli_error_text(err.mend, "vigil predict, which takes pictures, or another source");
        return cli_error_end(&err);
    }
    return are_for_pictures(v, command) ? predict_pictures_run(v) : CLI_USAGE;
}

static int predict_run(void *values)
{
    return job_run(values, &cli_command_predict, false);
}

static int track_run(void *values)
{
    return job_run(values, &cli_command_track, true);
}

static const char notes[] =
    "--prove-flat compares memory after the warm-up with memory at the end. The run is flat, and "
    "the exit status 0, when no owner in the table holds a byte more than after the warm-up; when "
    "none allocated anything since, unless network shapes changed so that plans had to be made "
    "again; and when the heap of libraries and the resident memory have grown by at most 1 MB "
    "each.\n"
    "\n"
    "A picture that cannot be read is reported, counted and skipped; the exit status is then 1. "
    "SIGINT and SIGTERM stop the work after the current picture or frame, with all files closed; "
    "the exit status is then 130 or 143.\n"
    "\n"
    "Videos, streams and cameras: a line for each frame of files, a line of status for live "
    "sources. ${NAME} in a text is taken from the environment, ${file:PATH} from a file. SIGHUP "
    "reads a .streams list, or the sources of --config, again. Standard input is a picture when it "
    "begins like one, unless --input-format says what it is. TIME: 500ms, 10s, 5m, 2h, 1d. vigil "
    "check looks at a configuration without starting it.";

#define COMMAND                                                                                    \
    .usage = "--weights FILE --source SOURCE [OPTIONS]", .notes = notes,                           \
    .table = vg_stream_options, .options = predict_options, .n_options = N_TYPED,                  \
    .values_bytes = sizeof(predict_values), .given_offset = offsetof(predict_values, given),       \
    .speaks = CLI_AT_PREDICT, .siblings = cli_commands, .defaults = predict_defaults

const cli_command cli_command_predict = {COMMAND, .name = "predict", .alias = "detect",
                                         .help = "detects objects in pictures, videos and streams",
                                         .run = predict_run};

const cli_command cli_command_track = {COMMAND, .name = "track",
                                       .help = "the same with --track: objects keep their ids",
                                       .run = track_run};
