/* export.c: vg_export: which file from which weights; the formats themselves are the floor
 * export's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "export.h"
#include "handle.h"
#include "vigil/export.h"

typedef struct export_job export_job;

typedef struct export_format {
    const char *name, *suffix;
    vg_status (*write)(export_job *j, vg_error *err);
    size_t (*need)(const export_job *j); /* of memory */
    void (*describe)(const export_job *j, vg_export_result *out);
} export_format;

struct export_job {
    const vg_export_options *o;
    const export_format *format;
    stream_accounts accounts;
    stream_model model;
    char path[VG_EXPORT_PATH_BYTES];
};

vg_export_options vg_export_options_default(void)
{
    const vg_detect_options d = vg_detect_options_default();
    return (vg_export_options){.format = "onnx",
                               .opset = EXPORT_OPSET,
                               .batch = 1,
                               .conf = d.conf,
                               .iou = d.iou,
                               .max_det = d.max_det};
}

/* ---- what a file says of itself ---- */

typedef struct about_texts {
    char date[40], description[160];
} about_texts;

/* ISO 8601, in UTC. */
static void fill_date(char *buf, size_t n)
{
    const char *fixed = getenv("SOURCE_DATE_EPOCH");
    int64_t seconds = (int64_t)time(NULL);
    struct tm parts;
    if (fixed != NULL)
        base_parse_i64(&seconds, fixed, 0, INT64_C(253402300799)); /* the year 9999's last second */
    const time_t at = (time_t)seconds;
    if (gmtime_r(&at, &parts) == NULL || strftime(buf, n, "%Y-%m-%dT%H:%M:%S+00:00", &parts) == 0)
        base_format(buf, n, "unknown");
}

/* The texts live in room. */
static export_about make_about(about_texts *room, const nn_graph *g, const weights_file *w)
{
    const weights_meta *meta = weights_get_meta(w);
    nn_graph_info info;
    nn_graph_get_info(g, 32, &info);
    fill_date(room->date, sizeof room->date);
    base_format(room->description, sizeof room->description, "%s %s model of %d classes", info.name,
                export_task_name(g), info.nc);
    return (export_about){.description = room->description,
                          .author = "vigil",
                          .date = room->date,
                          .version = vg_version(),
                          .license = *meta->license ? meta->license : "as its weights",
                          .docs = "vigil help export"};
}

/* ---- formats ---- */

static export_onnx_options onnx_options(const export_job *j, about_texts *room)
{
    const vg_export_options *o = j->o;
    return (export_onnx_options){.opset = o->opset,
                                 .batch = o->batch,
                                 .imgsz = j->model.imgsz.used,
                                 .dynamic = o->dynamic,
                                 .half = o->half,
                                 .nms = o->nms,
                                 .conf = o->conf,
                                 .iou = o->iou,
                                 .max_det = o->max_det,
                                 .agnostic = o->agnostic_nms,
                                 .about = make_about(room, j->model.graph, j->model.file)};
}

static vg_status write_onnx(export_job *j, vg_error *err)
{
    about_texts room;
    const export_onnx_options o = onnx_options(j, &room);
    return export_onnx(j->path, j->model.graph, j->model.file, &o,
                       &j->accounts.owner[STREAM_OUTPUT], err);
}

/* Of models with masks a second output. */
static void describe_prototypes(const export_job *j, vg_export_result *out)
{
    const vg_export_options *o = j->o;
    const base_size imgsz = j->model.imgsz.used;
    const int id = nn_graph_result(j->model.graph, NN_PROTOTYPES);
    if (id == NN_NO_VALUE)
        return;
    const nn_value *v = nn_graph_value(j->model.graph, id);
    const size_t n = strlen(out->output);
    char batch[16], size[48];
    base_format(batch, sizeof batch, "%d", o->batch);
    base_format(size, sizeof size, "%d, %d", imgsz.h * NN_DOWN_ONE / v->down,
                imgsz.w * NN_DOWN_ONE / v->down);
    base_format(out->output + n, sizeof out->output - n, ", output1 (%s, %d, %s)",
                o->dynamic ? "batch" : batch, v->c, o->dynamic ? "mask_height, mask_width" : size);
}

static void describe_onnx(const export_job *j, vg_export_result *out)
{
    const vg_export_options *o = j->o;
    const nn_graph_info *info = &j->model.info;
    const base_size imgsz = j->model.imgsz.used;
    char batch[16], size[48], cells[24];
    int64_t n = 0;
    for (int i = 0; i < info->n_levels; i++)
        n += (int64_t)(imgsz.h / (int)info->strides[i]) * (imgsz.w / (int)info->strides[i]);
    base_format(batch, sizeof batch, "%d", o->batch);
    base_format(size, sizeof size, "%d, %d", imgsz.h, imgsz.w);
    base_format(cells, sizeof cells, "%lld", (long long)n);
    base_format(out->input, sizeof out->input, "images (%s, 3, %s)", o->dynamic ? "batch" : batch,
                o->dynamic ? "height, width" : size);
    if (o->nms)
        base_format(out->output, sizeof out->output, "output0 (%s, %d, 6)",
                    o->dynamic ? "batch" : batch, o->max_det);
    else if (info->n_levels == 0)
        base_format(out->output, sizeof out->output, "output0 (%s, %d)",
                    o->dynamic ? "batch" : batch, info->nc);
    else
        base_format(out->output, sizeof out->output, "output0 (%s, %d, %s)",
                    o->dynamic ? "batch" : batch, 4 + info->nc + info->n_extra,
                    o->dynamic ? "anchors" : cells);
    describe_prototypes(j, out);
}

static size_t need_onnx(const export_job *j)
{
    return export_onnx_need(j->model.graph, j->model.file);
}

static vg_status put_pt(const char *path, const nn_graph *g, const weights_file *w, bool half,
                        base_mem *mem, vg_error *err)
{
    about_texts room;
    export_pt_options o = {.half = half, .data = "", .about = make_about(&room, g, w)};
    const char *text = weights_get_meta(w)->train_args;
    base_tree *args = NULL;
    vg_status st = VG_OK;
    if (*text != '\0')
        st = base_tree_from_json(&args, text, strlen(text), "train_args", mem, err);
    const base_node *data = args ? base_node_get(base_tree_root(args), "data") : NULL;
    if (data != NULL && data->kind == BASE_NODE_TEXT)
        o.data = data->text;
    if (st == VG_OK)
        st = export_pt(path, g, w, &o, mem, err);
    base_tree_destroy(&args);
    return st;
}

vg_status api_export_pt(const char *weights, const char *path, base_mem *mem, vg_error *err)
{
    weights_file *w = NULL;
    nn_graph *g = NULL;
    vg_status st = weights_open(&w, weights, mem, err);
    if (st == VG_OK)
        st = nn_graph_from_weights(&g, w, mem, err);
    if (st == VG_OK)
        st = put_pt(path, g, w, false, mem, err);
    nn_graph_destroy(&g);
    weights_close(&w);
    return st;
}

static vg_status write_pt(export_job *j, vg_error *err)
{
    if (j->o->dynamic || j->o->nms)
        return base_fail(
            err, VG_ERR_ARGUMENT, j->o->nms ? "nms" : "dynamic", "leave it out, or export to onnx",
            "a checkpoint takes any input and gives what the network does: it has no %s",
            j->o->nms ? "nms" : "dynamic");
    return put_pt(j->path, j->model.graph, j->model.file, j->o->half,
                  &j->accounts.owner[STREAM_OUTPUT], err);
}

static void describe_pt(const export_job *j, vg_export_result *out)
{
    base_format(out->output, sizeof out->output, "a checkpoint of %d classes", j->model.info.nc);
}

static size_t need_pt(const export_job *j)
{
    return export_pt_need(j->model.graph, j->model.file) +
           64 * strlen(weights_get_meta(j->model.file)->train_args);
}

static const export_format formats[] = {
    {.name = "onnx",
     .suffix = ".onnx",
     .write = write_onnx,
     .describe = describe_onnx,
     .need = need_onnx},
    {.name = "pt", .suffix = ".pt", .write = write_pt, .describe = describe_pt, .need = need_pt},
};

/* What others make, mostly of the ONNX file. */
static const vg_export_other others[] = {
    {"torchscript", "the Python tool", "yolo export model=MODEL.pt format=torchscript"},
    {"openvino", "OpenVINO", "ovc MODEL.onnx"},
    {"engine", "TensorRT, on the GPU's machine",
     "trtexec --onnx=MODEL.onnx --saveEngine=MODEL.engine"},
    {"coreml", "the Python tool, on a Mac", "yolo export model=MODEL.pt format=coreml"},
    {"saved_model", "onnx2tf", "onnx2tf -i MODEL.onnx -o MODEL_saved_model"},
    {"pb", "onnx2tf", "onnx2tf -i MODEL.onnx -o MODEL_pb -otfv1pb"},
    {"tflite", "onnx2tf", "onnx2tf -i MODEL.onnx -o MODEL_tflite"},
    {"edgetpu", "onnx2tf and the Edge TPU's compiler",
     "onnx2tf -i MODEL.onnx -o MODEL_tflite -oiqt; edgetpu_compiler "
     "MODEL_tflite/MODEL_full_integer_quant.tflite"},
    {"tfjs", "onnx2tf and TensorFlow.js",
     "onnx2tf -i MODEL.onnx -o MODEL_saved_model -osd; tensorflowjs_converter MODEL_saved_model "
     "MODEL_web_model"},
    {"paddle", "X2Paddle",
     "x2paddle --framework=onnx --model=MODEL.onnx --save_dir=MODEL_paddle_model"},
    {"mnn", "MNN", "MNNConvert -f ONNX --modelFile MODEL.onnx --MNNModel MODEL.mnn --bizCode biz"},
    {"ncnn", "pnnx", "pnnx MODEL.onnx"},
    {"imx", "the Python tool", "yolo export model=MODEL.pt format=imx data=DATA.yaml"},
    {"rknn", "Rockchip's RKNN Toolkit 2, in Python",
     "python3 -m rknn.api.rknn_convert -t rk3588 -i MODEL.onnx -o MODEL_rknn_model"},
    {"executorch", "the Python tool", "yolo export model=MODEL.pt format=executorch"},
    {"axelera", "the Python tool", "yolo export model=MODEL.pt format=axelera data=DATA.yaml"},
};

bool vg_export_other_get(size_t index, vg_export_other *out)
{
    if (index >= sizeof others / sizeof *others)
        return false;
    *out = others[index];
    return true;
}

/* A command with the model's name in it. */
static void fill_command(char *buf, size_t n, const char *command, const char *model)
{
    size_t used = 0;
    for (const char *c = command; *c != '\0' && used + 1 < n;) {
        if (base_starts_with(c, "MODEL")) {
            base_format(buf + used, n - used, "%s", model);
            c += strlen("MODEL");
        } else {
            base_format(buf + used, n - used, "%c", *c++);
        }
        used += strlen(buf + used);
    }
}

static const char *format_at(const void *context, size_t i)
{
    (void)context;
    const size_t n = sizeof formats / sizeof *formats;
    return i < n ? formats[i].name : others[i - n].format;
}

static void list_formats(char *buf, size_t n)
{
    buf[0] = '\0';
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const size_t used = strlen(buf);
        base_format(buf + used, n - used, "%s%s", i > 0 ? ", " : "", formats[i].name);
    }
}

static vg_status find_format(export_job *j, vg_error *err)
{
    const char *name = j->o->format;
    char command[400], stem[200], ours[80];
    if (name == NULL || *name == '\0')
        name = "onnx";
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (base_equal_nocase(name, formats[i].name)) {
            j->format = &formats[i];
            return VG_OK;
        }
    if (!base_path_stem(stem, sizeof stem, j->o->weights))
        base_format(stem, sizeof stem, "MODEL");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (!base_equal_nocase(name, others[i].format))
            continue;
        const bool wants_pt = strstr(others[i].command, "MODEL.pt") != NULL;
        fill_command(command, sizeof command, others[i].command, stem);
        return base_fail(
            err, VG_ERR_ARGUMENT, "format",
            base_mend("%s; then %s", wants_pt ? "give it a .pt" : "vigil export to onnx", command),
            "vigil does not write %s: %s makes it", others[i].format, others[i].tool);
    }
    list_formats(ours, sizeof ours);
    const char *near = vg_name_nearest(
        name, format_at, NULL, sizeof formats / sizeof *formats + sizeof others / sizeof *others);
    return base_fail(err, VG_ERR_ARGUMENT, "format",
                     near != NULL ? base_mend("did you mean %s? vigil writes %s", near, ours)
                                  : base_mend("vigil writes %s", ours),
                     "no format \"%s\"", name);
}

/* ---- the job ---- */

static vg_status check_options(const export_job *j, vg_error *err)
{
    const vg_export_options *o = j->o;
    const vg_detect_options d = {.conf = o->conf, .iou = o->iou, .max_det = o->max_det};
    detect_nms_options unused;
    vg_status st = api_check_imgsz(o->imgsz, o->imgsz_w, err);
    if (st == VG_OK)
        st = api_check_range("batch", o->batch, 1, API_MOST_BATCH, err);
    if (st == VG_OK)
        st = api_check_range("opset", o->opset, EXPORT_LEAST_OPSET, EXPORT_MOST_OPSET, err);
    return st == VG_OK ? api_nms_options(&unused, &d, err) : st;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat sa, sb;
    return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
           sa.st_ino == sb.st_ino;
}

/* The weights' name with another suffix, unless the caller names the file. */
static vg_status choose_path(export_job *j, vg_error *err)
{
    const char *weights = j->o->weights, *suffix = base_path_suffix(weights);
    const bool is_given = j->o->output != NULL && *j->o->output != '\0';
    const bool fits =
        is_given ? base_format(j->path, sizeof j->path, "%s", j->o->output)
                 : base_format(j->path, sizeof j->path, "%.*s%s",
                               (int)(strlen(weights) - strlen(suffix)), weights, j->format->suffix);
    if (!fits)
        return base_fail(err, VG_ERR_ARGUMENT, "output", "give a shorter path",
                         "a path longer than %d bytes", VG_EXPORT_PATH_BYTES - 1);
    if (!base_equal_nocase(base_path_suffix(j->path), j->format->suffix))
        return base_fail(
            err, VG_ERR_ARGUMENT, "output", base_mend("%.400s%s", j->path, j->format->suffix),
            "%s does not end in %s, as %s files do", j->path, j->format->suffix, j->format->name);
    if (is_same_file(weights, j->path))
        return base_fail(err, VG_ERR_ARGUMENT, "output", "give another name for the output",
                         "%s is the file that is read: exporting would overwrite it", j->path);
    return VG_OK;
}

static vg_status run_job(export_job *j, vg_error *err)
{
    stream_accounts *a = &j->accounts;
    vg_status st = stream_model_open(
        &j->model, j->o->weights, j->o->task,
        (base_size){.h = j->o->imgsz, .w = j->o->imgsz_w > 0 ? j->o->imgsz_w : j->o->imgsz}, a,
        err);
    if (st != VG_OK)
        return st;
    a->planned_bytes[STREAM_LOADING] = a->owner[STREAM_LOADING].in_use_bytes;
    a->planned_bytes[STREAM_PLANS] = a->owner[STREAM_PLANS].in_use_bytes;
    a->planned_bytes[STREAM_OUTPUT] = j->format->need(j);
    st = stream_accounts_check(a, err);
    if (st == VG_OK)
        st = j->format->write(j, err);
    if (st != VG_OK && err != NULL && st == VG_ERR_FORMAT)
        base_error_prefix_where(err, j->o->weights);
    return st;
}

static void fill_result(vg_export_result *out, const export_job *j)
{
    struct stat file;
    vg_model_info info;
    *out = (vg_export_result){.planned_bytes = stream_accounts_planned(&j->accounts),
                              .peak_bytes = j->accounts.root.peak_bytes};
    base_format(out->path, sizeof out->path, "%s", j->path);
    base_format(out->name, sizeof out->name, "%s", j->model.info.name);
    j->format->describe(j, out);
    nn_model_info(&info, &j->model.info, &j->model.imgsz);
    if (out->input[0] != '\0')
        vg_imgsz_format(out->imgsz_note, sizeof out->imgsz_note, &info);
    if (stat(j->path, &file) == 0)
        out->file_bytes = (size_t)file.st_size;
}

vg_status vg_export(vg_export_result *out, const vg_export_options *o, vg_error *err)
{
    export_job j = {.o = o};
    if (o == NULL || o->weights == NULL || *o->weights == '\0')
        return base_fail(err, VG_ERR_ARGUMENT, "weights", "give a .pt or .safetensors file",
                         "no weights given");
    stream_accounts_init(&j.accounts, o->memory_limit_bytes);
    vg_status st = find_format(&j, err);
    if (st == VG_OK)
        st = check_options(&j, err);
    if (st == VG_OK)
        st = choose_path(&j, err);
    if (st == VG_OK)
        st = run_job(&j, err);
    if (st == VG_OK && out != NULL)
        fill_result(out, &j);
    stream_model_close(&j.model);
    return st;
}
