/* cmd_info.c: vigil info FILE: what a weights file, or a built-in model, is. Nothing is run. */
#include <string.h>

#include "commands.h"
#include "train.h"

enum { WIDTH = 80, FACT_COLUMN = 13, CLASSES_SHOWN = 100 };

typedef struct info_values {
    const char *weights, *data, *memory_limit, *gpu_memory_limit, *device;
    int imgsz, batch, threads, nc;
    bool memory, train, json, augment;
} info_values;

static void info_defaults(void *values)
{
    vg_options o = vg_options_default();
    *(info_values *)values =
        (info_values){.imgsz = o.imgsz, .batch = o.batch, .threads = o.threads, .device = "cpu"};
}

/* ---- for people ---- */

static void fact_print(const char *key, const char *value)
{
    int column = printf("%-*s ", FACT_COLUMN - 1, key);
    cli_wrap(stdout, value, column, FACT_COLUMN, WIDTH);
}

static void classes_print(const vg_model *m, int n_classes)
{
    int column = printf("%-*s %d", FACT_COLUMN - 1, "classes", n_classes);
    if (vg_model_class_name(m, 0)[0] == '\0') { /* a built-in model has numbers only */
        putchar('\n');
        return;
    }
    column += printf(":");
    int shown = n_classes < CLASSES_SHOWN ? n_classes : CLASSES_SHOWN;
    for (int i = 0; i < shown; i++) {
        const char *name = vg_model_class_name(m, i);
        int n = (int)strlen(name) + 1 + (i + 1 < n_classes);
        if (column + n > WIDTH)
            column = printf("\n%*s", FACT_COLUMN, "") - 1;
        column += printf(" %s%s", name, i + 1 < n_classes ? "," : "");
    }
    if (shown < n_classes)
        printf("\n%*s and %d more (--json names them all)", FACT_COLUMN, "", n_classes - shown);
    putchar('\n');
}

static void model_print(const vg_model *m, const vg_model_info *info)
{
    char a[32], b[32];
    fact_print("model", info->name);
    fact_print("scale", info->scale);
    fact_print("task", vg_task_name(info->task));
    if (info->n_keypoints > 0)
        printf("%-*s %d of %d numbers\n", FACT_COLUMN - 1, "keypoints", info->n_keypoints,
               info->keypoint_dims);
    classes_print(m, info->n_classes);
    printf("%-*s %s (fused %s)\n", FACT_COLUMN - 1, "parameters", cli_commas(a, info->n_params),
           cli_commas(b, info->n_params_fused));
    printf("%-*s %.1f (fused %.1f) at %dx%d\n", FACT_COLUMN - 1, "GFLOPs", info->gflops,
           info->gflops_fused, info->imgsz, info->imgsz);
    printf("%-*s", FACT_COLUMN - 1, "strides");
    for (int i = 0; i < vg_model_n_levels(m); i++)
        printf(" %g", (double)vg_model_stride(m, i));
    putchar('\n');
    const char *key = NULL, *value = NULL;
    for (size_t i = 0; vg_model_fact(m, i, &key, &value); i++)
        fact_print(key, value);
}

static void layers_print(const vg_model *m, int n_layers)
{
    char params[32];
    printf("\n%5s %14s %3s %12s %8s  %-12s %s\n", "layer", "from", "n", "parameters", "GFLOPs",
           "module", "arguments");
    for (int i = 0; i < n_layers; i++) {
        vg_layer l;
        vg_model_layer(m, i, &l);
        printf("%5d %14s %3d %12s %8.3f  %-12s %s\n", l.index, l.from, l.repeats,
               cli_commas(params, l.n_params), l.gflops, l.module, l.args);
    }
}

static void memory_print(const vg_memory *memory, const info_values *v, int imgsz)
{
    char bytes[32], exact[32];
    printf("\nmemory plan at %dx%d, batch %d:\n", imgsz, imgsz, v->batch);
    for (int i = 0; i < memory->n_items; i++)
        printf("  %-14s %12s %16s bytes\n", memory->items[i].owner,
               cli_bytes(bytes, (double)memory->items[i].planned_bytes),
               cli_commas(exact, (long long)memory->items[i].planned_bytes));
    if (memory->gpu_planned_bytes > 0)
        printf("  %-14s %12s %16s bytes\n", "sum of GPU",
               cli_bytes(bytes, (double)memory->gpu_planned_bytes),
               cli_commas(exact, (long long)memory->gpu_planned_bytes));
    printf("  %-14s %12s %16s bytes\n", "sum", cli_bytes(bytes, (double)memory->planned_bytes),
           cli_commas(exact, (long long)memory->planned_bytes));
}

/* ---- for programs ---- */

static void json_text(const char *key, const char *text)
{
    printf(", \"%s\": ", key);
    cli_json_string(stdout, text);
}

static void layers_json(const vg_model *m, int n_layers)
{
    fputs(", \"layers\": [", stdout);
    for (int i = 0; i < n_layers; i++) {
        vg_layer l;
        vg_model_layer(m, i, &l);
        printf("%s{\"index\": %d, \"repeats\": %d, \"parameters\": %lld, \"gflops\": %.6g",
               i > 0 ? ", " : "", l.index, l.repeats, (long long)l.n_params, l.gflops);
        json_text("from", l.from);
        json_text("module", l.module);
        json_text("arguments", l.args);
        putchar('}');
    }
    putchar(']');
}

static void memory_json(const vg_memory *memory)
{
    fputs(", \"memory\": {", stdout);
    for (int i = 0; i < memory->n_items; i++) {
        cli_json_string(stdout, memory->items[i].owner);
        printf(": %zu, ", memory->items[i].planned_bytes);
    }
    if (memory->gpu_planned_bytes > 0)
        printf("\"GPU sum\": %zu, ", memory->gpu_planned_bytes);
    printf("\"sum\": %zu}", memory->planned_bytes);
}

static void plan_json(const vg_plan *plan)
{
    printf(", \"training\": {\"batch\": %d, \"width\": %d, \"height\": %d, \"items\": [",
           plan->batch, plan->width, plan->height);
    for (int i = 0; i < plan->n_items; i++) {
        fputs(i > 0 ? ", {\"owner\": " : "{\"owner\": ", stdout);
        cli_json_string(stdout, plan->items[i].owner);
        json_text("what", plan->items[i].what);
        printf(", \"bytes\": %zu, \"held\": %s, \"gpu\": %s}", plan->items[i].bytes,
               plan->items[i].is_held ? "true" : "false",
               plan->items[i].is_on_gpu ? "true" : "false");
    }
    printf("], \"held\": %zu, \"sum\": %zu, \"without_sharing\": %zu, \"limit\": %zu, "
           "\"gpu\": %zu, \"gpu_limit\": %zu}",
           plan->held_bytes, plan->total_bytes, plan->naive_bytes, plan->limit_bytes,
           plan->gpu_bytes, plan->gpu_limit_bytes);
}

static void model_json(const vg_model *m, const vg_model_info *info, const vg_memory *memory,
                       const vg_plan *plan)
{
    fputs("{\"name\": ", stdout);
    cli_json_string(stdout, info->name);
    json_text("scale", info->scale);
    json_text("task", vg_task_name(info->task));
    if (info->n_keypoints > 0)
        printf(", \"keypoints\": [%d, %d]", info->n_keypoints, info->keypoint_dims);
    json_text("format", info->format);
    json_text("chosen", info->chosen);
    printf(", \"imgsz\": %d, \"parameters\": %lld, \"parameters_fused\": %lld, \"gflops\": %.6g, "
           "\"gflops_fused\": %.6g",
           info->imgsz, (long long)info->n_params, (long long)info->n_params_fused, info->gflops,
           info->gflops_fused);
    fputs(", \"classes\": [", stdout);
    for (int i = 0; i < info->n_classes; i++) {
        fputs(i > 0 ? ", " : "", stdout);
        cli_json_string(stdout, vg_model_class_name(m, i));
    }
    fputs("], \"strides\": [", stdout);
    for (int i = 0; i < vg_model_n_levels(m); i++)
        printf("%s%g", i > 0 ? ", " : "", (double)vg_model_stride(m, i));
    fputs("], \"facts\": {", stdout);
    const char *key = NULL, *value = NULL;
    for (size_t i = 0; vg_model_fact(m, i, &key, &value); i++) {
        fputs(i > 0 ? ", " : "", stdout);
        cli_json_string(stdout, key);
        fputs(": ", stdout);
        cli_json_string(stdout, value);
    }
    putchar('}');
    layers_json(m, info->n_layers);
    if (memory != NULL)
        memory_json(memory);
    if (plan != NULL)
        plan_json(plan);
    fputs("}\n", stdout);
}

/* The plan of a run as `vigil train` would make it with these arguments and its defaults. */
static vg_status plan_make(vg_plan *out, const info_values *v, vg_error *err)
{
    char imgsz[16], batch[16], threads[16];
    snprintf(imgsz, sizeof imgsz, "%d", v->imgsz);
    snprintf(batch, sizeof batch, "%d", v->batch);
    snprintf(threads, sizeof threads, "%d", v->threads);
    const char *const settings[][2] = {{"model", v->weights},
                                       {"data", v->data},
                                       {"memory_limit", v->memory_limit},
                                       {"gpu_memory_limit", v->gpu_memory_limit},
                                       {"imgsz", v->imgsz > 0 ? imgsz : NULL},
                                       {"batch", batch},
                                       {"threads", threads},
                                       {"device", v->device}};
    vg_train *t = NULL;
    vg_status st = vg_train_create(&t, err);
    for (size_t i = 0; st == VG_OK && i < sizeof settings / sizeof *settings; i++)
        if (settings[i][1] != NULL)
            st = vg_train_set(t, settings[i][0], settings[i][1], err);
    if (st == VG_OK)
        st = vg_train_plan(t, v->nc, out, err);
    vg_train_destroy(&t);
    return st;
}

static int usage_print(const char *what, const char *mend)
{
    vg_error err;
    cli_error_set(&err, VG_ERR_ARGUMENT, "%s", what);
    cli_error_text(err.mend, "%s", mend);
    return cli_error_print(&err, CLI_USAGE);
}

static int info_run(void *values)
{
    const info_values *v = values;
    vg_error err;
    vg_model *m = NULL;
    vg_model_info info;
    vg_memory memory;
    vg_plan plan;
    int status = CLI_FAILED;
    const bool plans = v->memory && v->train;
    if (!plans && (v->train || v->data != NULL || v->memory_limit != NULL ||
                   v->gpu_memory_limit != NULL || v->batch == -1))
        return usage_print(
            "--train, --data, --memory-limit, --gpu-memory-limit and --batch -1 belong to a "
            "training plan",
            "give --memory and --train with them");
    if (v->augment && (!v->memory || v->train))
        return usage_print("--augment belongs to the memory of a detector",
                           "give --memory with it, and no --train");
    if (v->batch == 0)
        return usage_print("a batch of 0 pictures", "give 1 or more, or -1 with --train");
    vg_status st = vg_model_open(&m, v->weights, v->imgsz, v->nc, &err);
    if (st == VG_OK && plans)
        st = plan_make(&plan, v, &err);
    if (st == VG_OK && v->memory && !plans)
        st = vg_model_memory(m, v->batch, v->threads, v->device, v->augment, &memory, &err);
    if (st != VG_OK) {
        status = cli_error_end(&err);
        goto done;
    }
    vg_model_info_get(m, &info);
    if (v->json) {
        model_json(m, &info, v->memory && !plans ? &memory : NULL, plans ? &plan : NULL);
    } else {
        model_print(m, &info);
        layers_print(m, info.n_layers);
        if (plans)
            train_plan_print(stdout, &plan);
        else if (v->memory)
            memory_print(&memory, v, info.imgsz);
    }
    status = CLI_DONE;
done:
    vg_model_close(&m);
    return status;
}

#define AT(field) offsetof(info_values, field)

static const vg_option info_options[] = {
    {.name = "weights",
     .alias = "model",
     .kind = VG_OPTION_STRING,
     .offset = AT(weights),
     .value = "FILE",
     .help = "a .pt, .safetensors or model .yaml, or a built-in model's name: yolo11n, yolov8s, "
             "yolov8n-p2, yolov5nu; "
             "may stand without "
             "--weights",
     .is_required = true,
     .is_positional = true},
    {.name = "imgsz",
     .alias = "img-size",
     .kind = VG_OPTION_INT,
     .offset = AT(imgsz),
     .value = "N",
     .least = 32,
     .most = 8192,
     .zero = "as the weights were trained, else 640",
     .help = "side of the square input that GFLOPs and memory are for"},
    {.name = "nc",
     .kind = VG_OPTION_INT,
     .offset = AT(nc),
     .value = "N",
     .least = 0,
     .most = 100000,
     .help = "classes of a model without weights",
     .zero = "as the model says"},
    {.name = "memory",
     .kind = VG_OPTION_BOOL,
     .offset = AT(memory),
     .help = "memory of a detector of it, by owner; with --train of a training"},
    {.name = "augment",
     .kind = VG_OPTION_BOOL,
     .offset = AT(augment),
     .help = "with --memory: of a detector with test-time augmentation"},
    {.name = "train",
     .kind = VG_OPTION_BOOL,
     .offset = AT(train),
     .help = "with --memory: the plan of vigil train with its defaults, before anything is taken"},
    {.name = "data",
     .kind = VG_OPTION_STRING,
     .offset = AT(data),
     .value = "YAML",
     .help = "with --train: the dataset; without it the plan has no batches, labels and loss"},
    {.name = "memory-limit",
     .kind = VG_OPTION_STRING,
     .offset = AT(memory_limit),
     .value = "SIZE",
     .help = "with --train: a limit such as 400MB or 1.5G to hold the plan against"},
    {.name = "gpu-memory-limit",
     .kind = VG_OPTION_STRING,
     .offset = AT(gpu_memory_limit),
     .value = "SIZE",
     .help = "with --train and a GPU's --device: the same of the GPU's memory"},
    {.name = "batch",
     .alias = "batch-size",
     .kind = VG_OPTION_INT,
     .offset = AT(batch),
     .value = "N",
     .least = -1,
     .most = 65536,
     .help =
         "for --memory: pictures in one run of the network; with --train also -1: the most that "
         "fit"},
    {.name = "threads",
     .kind = VG_OPTION_INT,
     .offset = AT(threads),
     .value = "N",
     .least = 0,
     .most = 1024,
     .help = "for --memory: threads that compute",
     .zero = "one for each processor"},
    {.name = "device",
     .kind = VG_OPTION_STRING,
     .offset = AT(device),
     .value = "NAME",
     .help = "for --memory: where the network computes: cpu, auto, gpu, or a name that vigil "
             "devices lists"},
    {.name = "json",
     .kind = VG_OPTION_BOOL,
     .offset = AT(json),
     .help = "all of it as one JSON object"},
};

const cli_command cli_command_info = {
    .name = "info",
    .help = "describes a weights file or model: classes, layers, memory",
    .usage = "FILE [OPTIONS]",
    .options = info_options,
    .n_options = sizeof info_options / sizeof *info_options,
    .values_bytes = sizeof(info_values),
    .defaults = info_defaults,
    .run = info_run,
};
