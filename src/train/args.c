/* args.c: the table, and all arguments as text and back. Defaults are texts that go through the
 * same door as the user's. */
#include "args.h"

#include <assert.h>
#include <string.h>

/* Names are those of the fields. */
#define ROW(name_, kind_, field, preset_)                                                          \
    .name = name_, .kind = VG_OPTION_##kind_, .offset = offsetof(train_args, field),               \
    .preset = preset_
#define IN(least_, most_) .least = least_, .most = most_
#define IDLE(why_)        .stands = VG_OPTION_IDLE, .why = why_
#define HUGE_SIZE         1e18

/* clang-format off: a row a line or two reads as the table that it is. Spec 4.1; its defaults. */
static const vg_option rows[] = {
    {ROW("model", TEXT, model, ""), .value = "MODEL",
     .help = "model YAML or weights file, such as yolo11n.yaml"},
    {ROW("cfg", TEXT, cfg, ""), .value = "FILE",
     .help = "the same, or a file of arguments, such as a run's args.yaml, under those given here"},
    {ROW("task", TEXT, task, "any"), IN(0, 15), .choices = "any|detect|segment|pose|obb|classify",
     .help = "what the model must be made for; else it is an error"},
    {ROW("data", FILE, data, ""), .help = "dataset YAML"},
    {ROW("weights", FILE, weights, ""), .alias = "pretrained",
     .also = "true=|false=", .help = "weights file to start from, by matching names and shapes"},
    {ROW("epochs", INT, epochs, "100"), IN(1, TRAIN_MOST_EPOCHS),
     .help = "passes over the training pictures"},
    {ROW("time", REAL, hours, "0"), IN(0, 1e5), .value = "HOURS",
     .help = "hours of training, over all sessions of the run, instead of epochs: after each epoch "
             "their number is planned anew, so that the learning rate's schedule ends with the "
             "time; when it is over, the epoch ends where it is, with its validation; 0: none"},
    {ROW("patience", INT, patience, "100"), IN(0, 1000000),
     .help = "epochs without a better fitness before training stops; 0: never"},
    {ROW("batch", INT, batch, "16"), IN(-1, 65536), .alias = "batch_size",
     .help =
         "pictures of a batch; -1: the most that fit memory_limit, or 60 % of what is free, also "
         "on a GPU; 0.7: that part of it"},
    {ROW("imgsz", INT, imgsz, "640"), IN(32, 8192), .alias = "img_size",
     .single = "training pictures are fitted into a square",
     .help = "size of the training pictures, pixels"},
    {ROW("save", BOOL, save, "true"), .help = "write weights and checkpoints"},
    {ROW("save_period", INT, save_period, "-1"), IN(-1, 1000000),
     .help = "also keep the weights of every so many epochs; -1: none"},
    {ROW("save_minutes", REAL, save_minutes, "0"), IN(0, 1e6),
     .help = "also write a checkpoint every so many minutes; 0: once an epoch"},
    {ROW("cache", CHOICE, cache, "none"), .choices = "none|ram|disk",
     .also = "true=ram|false=none|=none", .help = "keep decoded pictures"},
    {ROW("cache_limit", BYTES, cache_limit, ""), IN(0, HUGE_SIZE),
     .help = "most memory or disk space for them: training's come before validation's, and those "
             "that are kept stay"},
    {ROW("workers", INT, workers, "8"), IN(0, 256), .help = "threads that load pictures"},
    {ROW("threads", INT, threads, "0"), IN(0, 1024),
     .help = "threads that compute; 0: every processor"},
    {ROW("memory_limit", BYTES, memory_limit, ""), IN(0, HUGE_SIZE),
     .help = "most memory the run may take, such as 400MB or 1.5G; it is planned before anything "
             "runs"},
    {ROW("device", TEXT, device, "auto"), .value = "NAME",
     .help = "where to train: auto (a GPU where there is one), cpu, gpu, or a name that vigil "
             "devices lists; a resumed run may change it"},
    {ROW("gpu_memory_limit", BYTES, gpu_memory_limit, ""), IN(0, HUGE_SIZE),
     .help = "most of the GPU's memory the run may take; it is planned before anything runs"},
    {ROW("device_lost", CHOICE, device_lost, "stop"), .choices = "stop|resume",
     .help = "when the GPU fails in the middle of a run: stop, with the last checkpoint named, or "
             "resume from it on what is left"},
    {ROW("rank_timeout", REAL, rank_timeout, "1800"), IN(0, 1e6), .value = "SECONDS",
     .help = "of several ranks: how long they wait for one that does not come before the run ends "
             "with its name; 0: for ever; a resumed run may change it"},
    {ROW("project", FOLDER, project, ""), .help = "folder of the runs"},
    {ROW("name", TEXT, name, ""), .value = "NAME", .help = "name of the run's folder"},
    {ROW("exist_ok", BOOL, exist_ok, "false"),
     .help = "write into the run's folder also when it exists"},
    {ROW("optimizer", CHOICE, optimizer, "auto"),
     .choices = "auto|SGD|Adam|AdamW|Adamax|NAdam|RAdam|RMSProp",
     .help = "optimizer; auto chooses it and its learning rate"},
    {ROW("seed", INT, seed, "0"), IN(0, 2147483647), .help = "seed of everything random"},
    {ROW("deterministic", BOOL, deterministic, "true"),
     .help = "the same numbers from the same seed"},
    {ROW("single_cls", BOOL, single_cls, "false"), .help = "all classes are one"},
    {ROW("rect", BOOL, rect, "false"), .help = "batches of similar aspect, without mosaic"},
    {ROW("cos_lr", BOOL, cos_lr, "false"),
     .help = "the learning rate falls as a cosine, not a line"},
    {ROW("close_mosaic", INT, close_mosaic, "10"), IN(0, 1000000),
     .help = "last epochs without mosaic, mixup and copy_paste; 0: none"},
    {ROW("resume", TEXT, resume, ""), .value = "RUN", .also = "false=", .may_stand_alone = true,
     .help = "checkpoint to go on from, or true for the newest run's"},
    {ROW("amp", BOOL, amp, "true"),
     .help = "mixed precision on a GPU: feature maps and their gradients in 16 bits, by a scaled "
             "loss; a CPU trains in float32"},
    {ROW("fraction", REAL, fraction, "1"), IN(1e-6, 1),
     .help = "part of the training pictures to use"},
    {ROW("freeze", LAYERS, freeze, ""), IN(0, 1000),
     .help = "layers that stay as they are: 10 for 0..9, or a list"},
    {ROW("classes", CLASSES, classes, ""), IN(0, 65535),
     .help = "use the objects of these classes alone, by number or name"},
    {ROW("multi_scale", REAL, multi_scale, "0"), IN(0, 0.9),
     .also = "true=0.5|yes=0.5|on=0.5|false=0|no=0|off=0", .may_stand_alone = true,
     .help =
         "another size for every batch, at most this part of imgsz smaller or larger; true: 0.5"},
    {ROW("val", BOOL, val, "true"), .help = "validate after every epoch"},
    {ROW("split", CHOICE, split, "val"), .choices = "train|val|test",
     .help = "the pictures to validate on"},
    {ROW("save_json", BOOL, save_json, "false"),
     .help = "write detections in COCO's form when validating"},
    {ROW("save_pt", BOOL, save_pt, "false"),
     .help = "also write best.pt and last.pt for the Python tool when training ends"},
    {ROW("conf", REAL, conf, "0.001"), IN(0, 1),
     .help = "least confidence of a detection in validation"},
    {ROW("iou", REAL, iou, "0.7"), IN(0, 1),
     .help = "overlap from which suppression takes two detections for one"},
    {ROW("max_det", INT, max_det, "300"), IN(1, 30000), .help = "most detections of a picture"},
    {ROW("half", BOOL, half, "false"), IDLE("a CPU validates in float32"),
     .help = "half precision in validation"},
    {ROW("plots", BOOL, plots, "true"), .help = "write curves and sample pictures"},
    {ROW("vid_stride", INT, vid_stride, "1"), IN(1, 1000000), IDLE("it belongs to prediction"),
     .help = "only every N-th frame of a video"},
    {ROW("agnostic_nms", BOOL, agnostic_nms, "false"), .help = "suppress across classes"},
    {ROW("lr0", REAL, lr0, "0.01"), IN(1e-12, 10), .help = "first learning rate"},
    {ROW("lrf", REAL, lrf, "0.01"), IN(0, 10), .help = "last learning rate, as a part of lr0"},
    {ROW("momentum", REAL, momentum, "0.937"), IN(0, 0.999999),
     .help = "SGD's momentum, Adam's beta1"},
    {ROW("weight_decay", REAL, weight_decay, "0.0005"), IN(0, 1),
     .help = "weight decay, for nbs pictures a step"},
    {ROW("warmup_epochs", REAL, warmup_epochs, "3"), IN(0, 1000),
     .help = "epochs of warm-up, at least 100 batches; 0: none"},
    {ROW("warmup_momentum", REAL, warmup_momentum, "0.8"), IN(0, 0.999999),
     .help = "momentum at the start of warm-up"},
    {ROW("warmup_bias_lr", REAL, warmup_bias_lr, "0.1"), IN(0, 10),
     .help = "learning rate of biases at the start of warm-up"},
    {ROW("box", REAL, box, "7.5"), IN(0, 1000),
     .help = "gain of the box loss, and of segment's masks"},
    {ROW("cls", REAL, cls, "0.5"), IN(0, 1000), .help = "gain of the class loss"},
    {ROW("dfl", REAL, dfl, "1.5"), IN(0, 1000), .help = "gain of the distribution focal loss"},
    {ROW("pose", REAL, pose, "12"), IN(0, 1000), .help = "gain of the keypoint loss, of pose"},
    {ROW("kobj", REAL, kobj, "1"), IN(0, 1000),
     .help = "gain of the loss of whether keypoints are seen, of pose"},
    {ROW("label_smoothing", REAL, label_smoothing, "0"), IN(0, 1),
     IDLE("YOLO11's recipe has no use for it"), .help = "softer targets of classes"},
    {ROW("overlap_mask", BOOL, overlap_mask, "true"),
     .help = "of segment: one map for the masks of a picture, smaller objects on top; else a mask "
             "each"},
    {ROW("mask_ratio", INT, mask_ratio, "4"), IN(1, 32),
     .help = "of segment: how many times smaller than the input its masks are"},
    {ROW("sync_bn", BOOL, sync_bn, "false"),
     .help = "with several ranks (mpirun): normalise by the statistics of the whole batch, not of "
             "each rank's pictures"},
    {ROW("nbs", INT, nbs, "64"), IN(1, 65536),
     .help = "pictures of an optimizer step, gathered over batches"},
    {ROW("hsv_h", REAL, hsv_h, "0.015"), IN(0, 1), .help = "largest change of hue"},
    {ROW("hsv_s", REAL, hsv_s, "0.7"), IN(0, 1), .help = "largest change of saturation"},
    {ROW("hsv_v", REAL, hsv_v, "0.4"), IN(0, 1), .help = "largest change of brightness"},
    {ROW("degrees", REAL, degrees, "0"), IN(0, 180), .help = "largest rotation"},
    {ROW("translate", REAL, translate, "0.1"), IN(0, 1),
     .help = "largest shift, as a part of the size"},
    {ROW("scale", REAL, scale, "0.5"), IN(0, 1), .help = "largest change of scale"},
    {ROW("shear", REAL, shear, "0"), IN(0, 89), .help = "largest shear, degrees"},
    {ROW("perspective", REAL, perspective, "0"), IN(0, 0.001), .help = "largest perspective"},
    {ROW("flipud", REAL, flipud, "0"), IN(0, 1), .help = "probability of a flip upside down"},
    {ROW("fliplr", REAL, fliplr, "0.5"), IN(0, 1), .help = "probability of a flip left to right"},
    {ROW("bgr", REAL, bgr, "0"), IN(0, 1), .help = "probability of swapped colour channels"},
    {ROW("mosaic", REAL, mosaic, "1"), IN(0, 1),
     .help = "probability of a mosaic of four pictures"},
    {ROW("mixup", REAL, mixup, "0"), IN(0, 1),
     .help = "probability of a second picture blended in"},
    {ROW("copy_paste", REAL, copy_paste, "0"), IN(0, 1),
     .help =
         "part of the objects that are pasted where there is room; needs outlines (segment, obb)"},
    {ROW("copy_paste_mode", CHOICE, copy_paste_mode, "flip"), .choices = "flip|mixup",
     .help = "where they come from: the same picture, mirrored, or another"},
    {ROW("auto_augment", CHOICE, auto_augment, "randaugment"), .choices = "none|randaugment",
     .also = "=none",
     .help = "of classify: operations drawn at random; none: colours by hsv_h, hsv_s, hsv_v"},
    {ROW("erasing", REAL, erasing, "0.4"), IN(0, 1),
     .help = "of classify: probability of an erased rectangle"},
};
/* clang-format on */

const base_options train_arg_table = {.rows = rows,
                                      .n = sizeof rows / sizeof *rows,
                                      .noun = "argument of training",
                                      .mend =
                                          "leave it out; vigil train --help lists the arguments",
                                      .where = "",
                                      .is_utf8 = true,
                                      .has_none = true};

void train_args_default(train_args *out)
{
    *out = (train_args){0};
    base_options_default(&train_arg_table, out);
}

vg_status train_args_set(train_args *args, const char *name, const char *value, vg_error *err)
{
    const vg_option *row = base_options_find(&train_arg_table, name);
    int64_t none;
    double share = 0;
    const bool is_batch = row != NULL && strcmp(row->name, "batch") == 0;
    if (is_batch && base_parse_double(&share, value) && share > 0 && share < 1) {
        args->batch = -1;
        args->batch_share = share;
        return VG_OK;
    }
    if (row != NULL && strcmp(row->name, "device") == 0 && strcmp(value, "None") != 0 &&
        strcmp(value, "none") != 0 && strcmp(value, "null") != 0) {
        const vg_status st = nn_device_check(value, err);
        if (st != VG_OK)
            return st;
    }
    if (is_batch)
        args->batch_share = 0;
    if (is_batch && base_parse_i64(&none, value, 0, 0))
        return base_fail(err, VG_ERR_ARGUMENT, row->name,
                         "give 1 or more, or -1 for the most that fit", "a batch of 0 pictures");
    return base_options_set(&train_arg_table, args, name, value, err);
}

/* ---- from YAML and JSON ---- */

enum { VALUE_BYTES = 16384 };

vg_status train_args_read_one(train_args *args, const base_node *node, const char *source,
                              vg_error *err)
{
    char value[VALUE_BYTES];
    const base_text where = base_text_make("%.400s:%d", source, node->line);
    vg_status st = base_node_value(value, sizeof value, node, where.text, err);
    if (st == VG_OK && (st = train_args_set(args, node->key, value, err)) != VG_OK)
        base_error_prefix_where(err, where.text);
    return st;
}

vg_status train_args_read(train_args *args, const base_node *map, const char *source, vg_error *err)
{
    if (map == NULL || map->kind != BASE_NODE_MAP)
        return base_fail(err, VG_ERR_FORMAT, source, "write one `name: value` a line",
                         "arguments that are not a map");
    vg_status st = VG_OK;
    for (const base_node *c = map->first; c != NULL && st == VG_OK; c = c->next)
        st = train_args_read_one(args, c, source, err);
    return st;
}

/* ---- to text ---- */

/* A real never looks like a whole number, and has a point where YAML 1.1 wants one: 1e-05 would be
 * a text. */
static vg_status add_real(base_str *out, const char *value, size_t most, base_mem *mem,
                          vg_error *err)
{
    const size_t mantissa = strcspn(value, "e");
    const bool is_whole = memchr(value, '.', mantissa) == NULL;
    return base_str_add(out, most, mem, err, "%.*s%s%s", (int)mantissa, value, is_whole ? ".0" : "",
                        value + mantissa);
}

/* A single layer comes as [5], for 5 would be the first five. */
static vg_status add_list(base_str *out, const char *value, size_t most, base_mem *mem,
                          vg_error *err)
{
    const char *at = value + (value[0] == '[');
    vg_status st = base_str_add(out, most, mem, err, "[");
    while (st == VG_OK && *at != '\0') {
        const size_t n = strcspn(at, ",]");
        st = base_str_add(out, most, mem, err, "%.*s%s", (int)n, at, at[n] == ',' ? ", " : "");
        at += n + (at[n] != '\0');
    }
    return st == VG_OK ? base_str_add(out, most, mem, err, "]") : st;
}

/* In YAML a JSON text is a quoted text; null is null in both. */
static vg_status add_value(base_str *out, const train_args *args, const vg_option *row,
                           base_mem *mem, vg_error *err)
{
    enum { MOST = 1 << 20 };
    char value[VALUE_BYTES], quoted[VALUE_BYTES];
    const bool fits = vg_option_write(value, sizeof value, row, args);
    assert(fits);
    (void)fits;
    if (value[0] == '\0')
        return base_str_add(out, MOST, mem, err, "null");
    switch (row->kind) {
    case VG_OPTION_REAL:
        return add_real(out, value, MOST, mem, err);
    case VG_OPTION_CLASSES:
        if (((const vg_classes *)(const void *)((const char *)args + row->offset))->names[0] !=
            '\0') {
            base_json_escape(quoted, sizeof quoted, value);
            return base_str_add(out, MOST, mem, err, "\"%s\"", quoted);
        }
        return add_list(out, value, MOST, mem, err);
    case VG_OPTION_INTS:
    case VG_OPTION_LAYERS:
        return add_list(out, value, MOST, mem, err);
    case VG_OPTION_TEXT:
    case VG_OPTION_FILE:
    case VG_OPTION_FOLDER:
    case VG_OPTION_CHOICE:
        base_json_escape(quoted, sizeof quoted, value);
        return base_str_add(out, MOST, mem, err, "\"%s\"", quoted);
    default:
        return base_str_add(out, MOST, mem, err, "%s", value);
    }
}

vg_status train_args_add_text(base_str *out, const train_args *args, train_args_form form,
                              base_mem *mem, vg_error *err)
{
    enum { MOST = 1 << 20 };
    const bool json = form == TRAIN_ARGS_JSON;
    vg_status st = json ? base_str_add(out, MOST, mem, err, "{") : VG_OK;
    for (size_t i = 0; i < train_arg_table.n && st == VG_OK; i++) {
        st = base_str_add(out, MOST, mem, err,
                          json ? "%s\"%s\": " : "%s%s: ", json && i > 0 ? ", " : "", rows[i].name);
        if (st == VG_OK)
            st = add_value(out, args, &rows[i], mem, err);
        if (st == VG_OK && !json)
            st = base_str_add(out, MOST, mem, err, "\n");
    }
    return st == VG_OK && json ? base_str_add(out, MOST, mem, err, "}") : st;
}
