/* args.c: the table, and values from text and back. Defaults are texts that go through the same
 * door as the user's. */
#include "args.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(train_args, field)
/* Names are those of the fields. */
#define BOOL(f, preset, help)                                                                      \
    {                                                                                              \
#f, NULL, TRAIN_ARG_BOOL, AT(f), 0, 1, NULL, preset, help, NULL, NULL                      \
    }
#define INT(f, preset, least, most, help)                                                          \
    {                                                                                              \
#f, NULL, TRAIN_ARG_INT, AT(f), least, most, NULL, preset, help, NULL, NULL                \
    }
#define REAL(f, preset, least, most, help)                                                         \
    {                                                                                              \
#f, NULL, TRAIN_ARG_REAL, AT(f), least, most, NULL, preset, help, NULL, NULL               \
    }
#define TEXT(f, alias, value, preset, help)                                                        \
    {                                                                                              \
#f, alias, TRAIN_ARG_TEXT, AT(f), 0, 0, NULL, preset, help, value, NULL                    \
    }
#define CHOICE(f, preset, choices, help)                                                           \
    {                                                                                              \
#f, NULL, TRAIN_ARG_CHOICE, AT(f), 0, 0, choices, preset, help, NULL, NULL                 \
    }

/* Spec 4.1; its defaults. */
static const train_arg table[] = {
    TEXT(model, "cfg", "MODEL", "", "model YAML or weights file, such as yolo11n.yaml"),
    TEXT(data, NULL, "FILE", "", "dataset YAML"),
    TEXT(weights, "pretrained", "FILE", "",
         "weights file to start from, by matching names and shapes"),
    INT(epochs, "100", 1, 1000000, "passes over the training pictures"),
    INT(patience, "100", 0, 1000000,
        "epochs without a better fitness before training stops; 0: never"),
    INT(batch, "16", -1, 65536,
        "pictures of a batch; -1: the most that fit memory_limit, or 60 % of what is free"),
    INT(imgsz, "640", 32, 8192, "size of the training pictures, pixels"),
    BOOL(save, "true", "write weights and checkpoints"),
    INT(save_period, "-1", -1, 1000000, "also keep the weights of every so many epochs; -1: none"),
    REAL(save_minutes, "0", 0, 1e6,
         "also write a checkpoint every so many minutes; 0: once an epoch"),
    CHOICE(cache, "none", "none|ram|disk", "keep decoded pictures"),
    {"cache_limit", NULL, TRAIN_ARG_BYTES, AT(cache_limit), 0, 0, NULL, "",
     "most memory or disk space for them: training's come before validation's, and those that are "
     "kept stay",
     "SIZE", NULL},
    INT(workers, "8", 0, 256, "threads that load pictures"),
    INT(threads, "0", 0, 1024, "threads that compute; 0: every processor"),
    {"memory_limit", NULL, TRAIN_ARG_BYTES, AT(memory_limit), 0, 0, NULL, "",
     "most memory the run may take, such as 400MB or 1.5G; it is planned before anything runs",
     "SIZE", NULL},
    TEXT(project, NULL, "DIR", "", "folder of the runs"),
    TEXT(name, NULL, "NAME", "", "name of the run's folder"),
    BOOL(exist_ok, "false", "write into the run's folder also when it exists"),
    CHOICE(optimizer, "auto", "auto|SGD|Adam|AdamW",
           "optimizer; auto chooses it and its learning rate"),
    INT(seed, "0", 0, 2147483647, "seed of everything random"),
    BOOL(deterministic, "true", "the same numbers from the same seed"),
    BOOL(single_cls, "false", "all classes are one"),
    BOOL(rect, "false", "batches of similar aspect, without mosaic"),
    BOOL(cos_lr, "false", "the learning rate falls as a cosine, not a line"),
    INT(close_mosaic, "10", 0, 1000000, "last epochs without mosaic and mixup; 0: none"),
    TEXT(resume, NULL, "RUN", "", "checkpoint to go on from, or true for the newest run's"),
    {"amp", NULL, TRAIN_ARG_BOOL, AT(amp), 0, 1, NULL, "true", "mixed precision", NULL,
     "a CPU trains in float32"},
    REAL(fraction, "1", 1e-6, 1, "part of the training pictures to use"),
    {"freeze", NULL, TRAIN_ARG_LAYERS, AT(freeze), 0, 1000, NULL, "",
     "layers that stay as they are: 10 for 0..9, or a list", NULL, NULL},
    {"classes", NULL, TRAIN_ARG_INTS, AT(classes), 0, 65535, NULL, "",
     "use the objects of these classes alone", NULL, NULL},
    BOOL(multi_scale, "false", "another size for every batch, half to one and a half imgsz"),
    BOOL(val, "true", "validate after every epoch"),
    CHOICE(split, "val", "train|val|test", "the pictures to validate on"),
    BOOL(save_json, "false", "write detections in COCO's form when validating"),
    REAL(conf, "0.001", 0, 1, "least confidence of a detection in validation"),
    REAL(iou, "0.7", 0, 1, "overlap from which suppression takes two detections for one"),
    INT(max_det, "300", 1, 30000, "most detections of a picture"),
    {"half", NULL, TRAIN_ARG_BOOL, AT(half), 0, 1, NULL, "false", "half precision in validation",
     NULL, "a CPU validates in float32"},
    BOOL(plots, "true", "write curves and sample pictures"),
    {"vid_stride", NULL, TRAIN_ARG_INT, AT(vid_stride), 1, 1000000, NULL, "1",
     "only every N-th frame of a video", NULL, "it is of prediction"},
    BOOL(agnostic_nms, "false", "suppress across classes"),
    REAL(lr0, "0.01", 1e-12, 10, "first learning rate"),
    REAL(lrf, "0.01", 0, 10, "last learning rate, as a part of lr0"),
    REAL(momentum, "0.937", 0, 0.999999, "SGD's momentum, Adam's beta1"),
    REAL(weight_decay, "0.0005", 0, 1, "weight decay, for nbs pictures a step"),
    REAL(warmup_epochs, "3", 0, 1000, "epochs of warm-up, at least 100 batches; 0: none"),
    REAL(warmup_momentum, "0.8", 0, 0.999999, "momentum at the start of warm-up"),
    REAL(warmup_bias_lr, "0.1", 0, 10, "learning rate of biases at the start of warm-up"),
    REAL(box, "7.5", 0, 1000, "gain of the box loss"),
    REAL(cls, "0.5", 0, 1000, "gain of the class loss"),
    REAL(dfl, "1.5", 0, 1000, "gain of the distribution focal loss"),
    {"label_smoothing", NULL, TRAIN_ARG_REAL, AT(label_smoothing), 0, 1, NULL, "0",
     "softer targets of classes", NULL, "YOLO11's recipe has no use for it"},
    INT(nbs, "64", 1, 65536, "pictures of an optimizer step, gathered over batches"),
    REAL(hsv_h, "0.015", 0, 1, "largest change of hue"),
    REAL(hsv_s, "0.7", 0, 1, "largest change of saturation"),
    REAL(hsv_v, "0.4", 0, 1, "largest change of brightness"),
    REAL(degrees, "0", 0, 180, "largest rotation"),
    REAL(translate, "0.1", 0, 1, "largest shift, as a part of the size"),
    REAL(scale, "0.5", 0, 1, "largest change of scale"),
    REAL(shear, "0", 0, 89, "largest shear, degrees"),
    REAL(perspective, "0", 0, 0.001, "largest perspective"),
    REAL(flipud, "0", 0, 1, "probability of a flip upside down"),
    REAL(fliplr, "0.5", 0, 1, "probability of a flip left to right"),
    REAL(bgr, "0", 0, 1, "probability of swapped colour channels"),
    REAL(mosaic, "1", 0, 1, "probability of a mosaic of four pictures"),
    REAL(mixup, "0", 0, 1, "probability of a second picture blended in"),
    {"copy_paste", NULL, TRAIN_ARG_REAL, AT(copy_paste), 0, 1, NULL, "0",
     "probability of objects pasted into other pictures", NULL,
     "it is of segmentation, and vigil detects"},
};
enum { N_ARGS = sizeof table / sizeof table[0] };

/* Values written otherwise: cache=true is ram. */
typedef struct also {
    const char *name, *value, *means;
} also;
static const also others[] = {{"cache", "true", "ram"}, {"cache", "false", "none"},
                              {"cache", "", "none"},    {"resume", "false", ""},
                              {"weights", "true", ""},  {"weights", "false", ""}};

const train_arg *train_arg_table(size_t *n)
{
    *n = N_ARGS;
    return table;
}

const train_arg *train_arg_find(const char *name)
{
    for (size_t i = 0; i < N_ARGS; i++)
        if (strcmp(name, table[i].name) == 0 ||
            (table[i].alias != NULL && strcmp(name, table[i].alias) == 0))
            return &table[i];
    return NULL;
}

static void *field(train_args *args, const train_arg *arg)
{
    return (char *)args + arg->offset;
}

static const void *const_field(const train_args *args, const train_arg *arg)
{
    return (const char *)args + arg->offset;
}

/* ---- from text ---- */

static vg_status fail_range(const train_arg *arg, const char *value, const char *kind,
                            vg_error *err)
{
    return base_fail(err, VG_ERR_ARGUMENT, arg->name,
                     base_mend("give %s from %.10g to %.10g, such as %s", kind, arg->least,
                               arg->most, arg->preset[0] != '\0' ? arg->preset : "0,1"),
                     "%s=%.200s is not %s from %.10g to %.10g", arg->name, value, kind, arg->least,
                     arg->most);
}

static vg_status set_int(train_args *args, const train_arg *arg, const char *value, vg_error *err)
{
    int64_t n;
    if (!base_parse_i64(&n, value, (int64_t)arg->least, (int64_t)arg->most))
        return fail_range(arg, value, "a whole number", err);
    if (n == 0 && arg->offset == AT(batch))
        return base_fail(err, VG_ERR_ARGUMENT, arg->name,
                         "give 1 or more, or -1 for the most that fit", "a batch of 0 pictures");
    *(int *)field(args, arg) = (int)n;
    return VG_OK;
}

static vg_status set_real(train_args *args, const train_arg *arg, const char *value, vg_error *err)
{
    double x;
    if (!base_parse_double(&x, value) || !(x >= arg->least && x <= arg->most))
        return fail_range(arg, value, "a number", err);
    *(double *)field(args, arg) = x;
    return VG_OK;
}

static vg_status set_bytes(train_args *args, const train_arg *arg, const char *value, vg_error *err)
{
    size_t bytes = 0;
    if (value[0] != '\0' && !base_parse_bytes(&bytes, value))
        return base_fail(err, VG_ERR_ARGUMENT, arg->name, "give a size such as 400MB or 1.5G",
                         "%s=%.200s is not a size", arg->name, value);
    *(size_t *)field(args, arg) = bytes;
    return VG_OK;
}

static vg_status set_text(train_args *args, const train_arg *arg, const char *value, vg_error *err)
{
    if (strlen(value) >= TRAIN_ARG_TEXT_BYTES)
        return base_fail(err, VG_ERR_ARGUMENT, arg->name, "use a shorter path or name",
                         "a text of %zu bytes for %s", strlen(value), arg->name);
    char escaped[6 * TRAIN_ARG_TEXT_BYTES]; /* how it will be kept: what is not UTF-8 would come
                                               back as U+FFFD */
    base_json_escape(escaped, sizeof escaped, value);
    if (strstr(escaped, "\xef\xbf\xbd") != NULL)
        return base_fail(err, VG_ERR_ARGUMENT, arg->name, "use a name in UTF-8",
                         "a text for %s that is not UTF-8", arg->name);
    memcpy(field(args, arg), value, strlen(value) + 1);
    return VG_OK;
}

/* The place of value among "a|b|c"; -1: none. */
static int find_choice(const char *choices, const char *value)
{
    char word[16];
    for (int place = 0;; place++) {
        const size_t n = strcspn(choices, "|");
        base_format(word, sizeof word, "%.*s", (int)n, choices);
        if (base_equal_nocase(word, value))
            return place;
        if (choices[n] == '\0')
            return -1;
        choices += n + 1;
    }
}

static vg_status set_choice(train_args *args, const train_arg *arg, const char *value,
                            vg_error *err)
{
    const int place = find_choice(arg->choices, value);
    if (place < 0)
        return base_fail(err, VG_ERR_ARGUMENT, arg->name, base_mend("give one of %s", arg->choices),
                         "%s=%.200s is not one of %s", arg->name, value, arg->choices);
    *(int *)field(args, arg) = place;
    return VG_OK;
}

static vg_status set_ints(train_args *args, const train_arg *arg, const char *value, vg_error *err)
{
    train_ints list = {0};
    int64_t n;
    if (arg->kind == TRAIN_ARG_LAYERS && base_parse_i64(&n, value, 0, (int64_t)arg->most)) {
        for (; list.n < (int)n; list.n++)
            list.at[list.n] = list.n;
        *(train_ints *)field(args, arg) = list;
        return VG_OK;
    }
    const char *at = value + strspn(value, " [");
    while (*at != '\0' && *at != ']') {
        char item[32];
        const size_t length = strcspn(at, ",]");
        if (list.n == TRAIN_ARG_MOST_INTS ||
            !base_format(item, sizeof item, "%.*s", (int)length, at) ||
            !base_parse_i64(&n, item, (int64_t)arg->least, (int64_t)arg->most))
            return fail_range(arg, value, "a list of whole numbers", err);
        list.at[list.n++] = (int)n;
        at += length + (at[length] == ',');
    }
    if (*at == ']' && at[1 + strspn(at + 1, " ")] != '\0')
        return fail_range(arg, value, "a list of whole numbers", err);
    *(train_ints *)field(args, arg) = list;
    return VG_OK;
}

static bool is_none(const char *value)
{
    return base_equal_nocase(value, "none") || base_equal_nocase(value, "null");
}

static vg_status set_value(train_args *args, const train_arg *arg, const char *value, vg_error *err)
{
    const bool can_be_empty = arg->kind == TRAIN_ARG_TEXT || arg->kind == TRAIN_ARG_BYTES ||
                              arg->kind == TRAIN_ARG_INTS || arg->kind == TRAIN_ARG_LAYERS;
    if (can_be_empty && is_none(value))
        value = "";
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(arg->name, others[i].name) == 0 && base_equal_nocase(value, others[i].value)) {
            value = others[i].means;
            break;
        }
    switch (arg->kind) {
    case TRAIN_ARG_BOOL:
        if (base_parse_bool(field(args, arg), value))
            return VG_OK;
        return base_fail(err, VG_ERR_ARGUMENT, arg->name, "give true or false",
                         "%s=%.200s is neither true nor false", arg->name, value);
    case TRAIN_ARG_INT:
        return set_int(args, arg, value, err);
    case TRAIN_ARG_REAL:
        return set_real(args, arg, value, err);
    case TRAIN_ARG_BYTES:
        return set_bytes(args, arg, value, err);
    case TRAIN_ARG_TEXT:
        return set_text(args, arg, value, err);
    case TRAIN_ARG_CHOICE:
        return set_choice(args, arg, value, err);
    case TRAIN_ARG_INTS:
    case TRAIN_ARG_LAYERS:
        return set_ints(args, arg, value, err);
    }
    assert(false && "a kind of argument without a reader");
    return VG_ERR_ARGUMENT;
}

static const char *name_at(const void *rows, size_t i)
{
    return ((const train_arg *)rows)[i].name;
}

static vg_status fail_unknown(const char *name, vg_error *err)
{
    const char *nearest = vg_name_nearest(name, name_at, table, N_ARGS);
    return base_fail(err, VG_ERR_ARGUMENT, base_where("argument %.100s", name),
                     nearest != NULL ? nearest
                                     : "leave it out; vigil train --help lists the arguments",
                     "no argument of training is named %.100s", name);
}

vg_status train_args_set(train_args *args, const char *name, const char *value, vg_error *err)
{
    const train_arg *arg = train_arg_find(name);
    return arg != NULL ? set_value(args, arg, value, err) : fail_unknown(name, err);
}

void train_args_default(train_args *out)
{
    *out = (train_args){0};
    for (size_t i = 0; i < N_ARGS; i++) {
        const vg_status st = set_value(out, &table[i], table[i].preset, NULL);
        assert(st == VG_OK);
        (void)st;
    }
}

/* ---- from YAML and JSON ---- */

/* The shortest of 15 to 17 digits that reads back the same, never looking like an integer, and with
 * a point in every locale: YAML 1.1 takes 1e-05 for a text. */
static void format_real(char *buf, size_t n, double x)
{
    char digits[40];
    for (int precision = 15; precision <= 17; precision++) {
        base_format(digits, sizeof digits, "%.*g", precision, x);
        double back;
        for (char *c = digits; *c != '\0'; c++)
            if (*c == ',')
                *c = '.';
        if (base_parse_double(&back, digits) && back == x)
            break;
    }
    const size_t mantissa = strcspn(digits, "e");
    const bool whole = memchr(digits, '.', mantissa) == NULL;
    base_format(buf, n, "%.*s%s%s", (int)mantissa, digits, whole ? ".0" : "", digits + mantissa);
}

static bool scalar_text(char *buf, size_t n, const base_node *node)
{
    switch (node->kind) {
    case BASE_NODE_NULL:
        return base_format(buf, n, "none");
    case BASE_NODE_BOOL:
        return base_format(buf, n, "%s", node->i != 0 ? "true" : "false");
    case BASE_NODE_INT:
        return base_format(buf, n, "%" PRId64, node->i);
    case BASE_NODE_REAL:
        format_real(buf, n, node->real);
        return true;
    case BASE_NODE_TEXT:
        return base_format(buf, n, "%s", node->text);
    case BASE_NODE_LIST:
    case BASE_NODE_MAP:
        break;
    }
    return false;
}

static bool node_text(char *buf, size_t n, const base_node *node)
{
    if (node->kind != BASE_NODE_LIST)
        return scalar_text(buf, n, node);
    size_t length = 0;
    buf[length++] = '[';
    for (const base_node *c = node->first; c != NULL; c = c->next) {
        if (!scalar_text(buf + length, n - length - 2, c))
            return false;
        length += strlen(buf + length);
        buf[length++] = c->next != NULL ? ',' : ' ';
        if (n - length < 64)
            return false;
    }
    memcpy(buf + length, "]", 2);
    return true;
}

enum { VALUE_BYTES = 16384 };

vg_status train_args_read_one(train_args *args, const base_node *node, const char *source,
                              vg_error *err)
{
    char value[VALUE_BYTES];
    const base_text where = base_text_make("%.400s:%d", source, node->line);
    if (!node_text(value, sizeof value, node))
        return base_fail(err, VG_ERR_FORMAT, where.text, "give a single value or a short list",
                         "a value of %.100s that is neither", node->key);
    const vg_status st = train_args_set(args, node->key, value, err);
    if (st != VG_OK)
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

static bool format_choice(char *buf, size_t n, const char *choices, int place)
{
    for (; place > 0; place--)
        choices += strcspn(choices, "|") + 1;
    return base_format(buf, n, "%.*s", (int)strcspn(choices, "|"), choices);
}

static bool format_ints(char *buf, size_t n, const train_ints *list)
{
    size_t length = 0;
    for (int i = 0; i < list->n; i++) {
        if (!base_format(buf + length, n - length, "%s%d", i > 0 ? ", " : "[", list->at[i]))
            return false;
        length += strlen(buf + length);
    }
    return base_format(buf + length, n - length, "%s", list->n > 0 ? "]" : "none");
}

bool train_arg_format(char *buf, size_t n, const train_args *args, const train_arg *arg)
{
    const void *at = const_field(args, arg);
    switch (arg->kind) {
    case TRAIN_ARG_BOOL:
        return base_format(buf, n, "%s", *(const bool *)at ? "true" : "false");
    case TRAIN_ARG_INT:
        return base_format(buf, n, "%d", *(const int *)at);
    case TRAIN_ARG_REAL:
        format_real(buf, n, *(const double *)at);
        return true;
    case TRAIN_ARG_BYTES: /* in bytes, and none is empty */
        return *(const size_t *)at > 0 ? base_format(buf, n, "%zu", *(const size_t *)at)
                                       : base_format(buf, n, "%s", "");
    case TRAIN_ARG_TEXT:
        return base_format(buf, n, "%s", (const char *)at);
    case TRAIN_ARG_CHOICE:
        return format_choice(buf, n, arg->choices, *(const int *)at);
    case TRAIN_ARG_INTS:
    case TRAIN_ARG_LAYERS:
        return format_ints(buf, n, at);
    }
    return false;
}

/* In YAML a JSON text is a quoted text; null is null in both. */
static vg_status add_value(base_str *out, const train_args *args, const train_arg *arg,
                           base_mem *mem, vg_error *err)
{
    enum { MOST = 1 << 20 };
    char value[VALUE_BYTES], quoted[VALUE_BYTES];
    const bool fits = train_arg_format(value, sizeof value, args, arg);
    assert(fits);
    (void)fits;
    const bool is_text = arg->kind == TRAIN_ARG_TEXT || arg->kind == TRAIN_ARG_CHOICE;
    const bool is_list = arg->kind == TRAIN_ARG_INTS || arg->kind == TRAIN_ARG_LAYERS;
    if (value[0] == '\0' || (is_list && value[0] == 'n'))
        return base_str_add(out, MOST, mem, err, "null");
    if (!is_text)
        return base_str_add(out, MOST, mem, err, "%s", value);
    base_json_escape(quoted, sizeof quoted, value);
    return base_str_add(out, MOST, mem, err, "\"%s\"", quoted);
}

vg_status train_args_add_text(base_str *out, const train_args *args, train_args_form form,
                              base_mem *mem, vg_error *err)
{
    enum { MOST = 1 << 20 };
    const bool json = form == TRAIN_ARGS_JSON;
    vg_status st = json ? base_str_add(out, MOST, mem, err, "{") : VG_OK;
    for (size_t i = 0; i < N_ARGS && st == VG_OK; i++) {
        st = base_str_add(out, MOST, mem, err,
                          json ? "%s\"%s\": " : "%s%s: ", json && i > 0 ? ", " : "", table[i].name);
        if (st == VG_OK)
            st = add_value(out, args, &table[i], mem, err);
        if (st == VG_OK && !json)
            st = base_str_add(out, MOST, mem, err, "\n");
    }
    return st == VG_OK && json ? base_str_add(out, MOST, mem, err, "}") : st;
}
