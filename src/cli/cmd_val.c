/* cmd_val.c: vigil val: how good weights are on a split, as a table by class. */
#include <signal.h>
#include <string.h>

#include "bar.h"
#include "commands.h"
#include "rows.h"
#include "train.h"

typedef struct val_values {
    vg_val_options o;
    vg_size imgsz;
    const char *cfg;
    bool json;
    int kept; /* of train_json_begin; -1: none */
} val_values;

static void val_defaults(void *values)
{
    *(val_values *)values = (val_values){.o = vg_val_options_default()};
}

typedef struct val_talk {
    const vg_val *val;
    cli_bar bar;
} val_talk;

static bool stop_wanted(void *ctx)
{
    val_talk *k = ctx;
    size_t n_done, n_total;
    vg_val_progress(k->val, &n_done, &n_total);
    cli_bar_show(&k->bar, n_done, n_total);
    return cli_interrupt_signal() != 0;
}

/* The object, as soon as standard output is itself again. */
static void json_print(val_values *v, const char *folder, const vg_val_result *r)
{
    train_json_end(v->kept);
    v->kept = -1;
    printf("{");
    train_json_text("folder", folder);
    printf(", ");
    train_json_text("weights", v->o.weights);
    printf(", ");
    train_json_text("data", v->o.data);
    printf(", ");
    train_json_result(r);
    printf("}\n");
}

/* By vg_ap. */
#define AP_CHOICES "8.3|8.3.168|8.4.37|8.4"
static const char *const releases[] = {"8.3, up to 8.3.167 (later ones count otherwise: --ap)",
                                       "8.3.168 to 8.4.36", "8.4.37 to 8.4.175",
                                       "8.4.176 and later"};

/* Pictures with a class are counted; there is no precision by recall. */
static bool has_map(const vg_val_result *r)
{
    vg_number numbers[VG_MOST_NUMBERS];
    const size_t n = vg_val_numbers(r, numbers);
    for (size_t i = 0; i < n; i++)
        if (strstr(numbers[i].name, "mAP") != NULL)
            return true;
    return false;
}

static int run_open(vg_val *val, val_values *v)
{
    const vg_val_result *r;
    vg_memory m;
    vg_error err = {.status = VG_OK};
    vg_data_report data;
    vg_model_info model;
    char line[128];
    vg_val_model(val, &model);
    if (vg_imgsz_format(line, sizeof line, &model))
        printf("%s\n", line);
    if (model.gpu[0] != '\0')
        printf("device %s: %s\n", model.isa, model.gpu);
    else if (v->o.half)
        printf(CLI_HALF_NOTE);
    vg_val_data(val, &data);
    train_data_print(stdout, NULL, &data);
    const char *message;
    for (size_t n = 0; (message = vg_val_message(val, n)) != NULL; n++)
        cli_warning("%s", message);
    val_talk talk = {.val = val, .bar = cli_bar_make(stderr, "validating")};
    const vg_status st = vg_val_run(val, &r, stop_wanted, &talk, &err);
    cli_bar_clear(&talk.bar);
    if (st == VG_ERR_INTERRUPTED && cli_interrupt_signal() != 0)
        return cli_error_print(&err, 128 + cli_interrupt_signal());
    if (st != VG_OK)
        return cli_error_print(&err, CLI_FAILED);
    train_table_print(stdout, r);
    if (has_map(r))
        printf("mAP is the Python tool's of %s\n", releases[v->o.ap]);
    if (r->seconds > 0)
        printf("Speed: %.1f images/s, loading and suppression included\n",
               (double)r->n_pictures / r->seconds);
    vg_val_memory(val, &m);
    train_memory_held(stdout, &m);
    if (vg_val_folder(val)[0] != '\0')
        printf("Results saved to %s\n", vg_val_folder(val));
    if (v->kept >= 0)
        json_print(v, vg_val_folder(val), r);
    return CLI_DONE;
}

static int val_begin(val_values *v)
{
    vg_val *val = NULL;
    vg_error err = {.status = VG_OK};
    v->o.imgsz = v->imgsz.h > v->imgsz.w ? v->imgsz.h : v->imgsz.w;
    if (v->imgsz.h != v->imgsz.w)
        printf("imgsz %d,%d: the longer side, %d, is taken, and %s\n", v->imgsz.h, v->imgsz.w,
               v->o.imgsz,
               v->o.rect ? "each batch has the shape of its pictures" : "every input is a square");
    cli_interrupt_watch();
    if (vg_val_open(&val, &v->o, &err) != VG_OK)
        return cli_error_end(&err);
    const int status = run_open(val, v);
    vg_val_close(&val);
    return status;
}

static int val_run(void *values)
{
    val_values *v = values;
    vg_error err = {.status = VG_OK};
    v->kept = -1;
    if (v->json && (v->kept = train_json_begin(&err)) < 0)
        return cli_error_print(&err, CLI_FAILED);
    const int status = val_begin(v);
    if (v->kept >= 0)
        train_json_end(v->kept);
    return status;
}

#define AT(field) offsetof(val_values, field)

static const vg_option val_options[] = {
    {.name = "data",
     .kind = VG_OPTION_STRING,
     .offset = AT(o.data),
     .value = "FILE",
     .help = "dataset YAML",
     .is_required = true,
     .group = "what and where"},
    {CLI_ROW_WEIGHTS, .offset = AT(o.weights)},
    {CLI_ROW_CFG, .offset = AT(cfg)},
    {CLI_ROW_TASK, .offset = AT(o.task)},
    {.name = "split",
     .kind = VG_OPTION_STRING,
     .offset = AT(o.split),
     .choices = "train|val|test",
     .only = "a dataset has no such split",
     .help = "the pictures to validate on"},
    {CLI_ROW_IMGSZ, .offset = AT(imgsz),
     .help =
         "longer side of what the network sees, pixels; of height,width the longer one is taken",
     .group = "detection"},
    {CLI_ROW_CONF, .offset = AT(o.conf), .help = "boxes with a confidence above this count"},
    {CLI_ROW_IOU, .offset = AT(o.iou)},
    {CLI_ROW_MAX_DET, .offset = AT(o.max_det)},
    {CLI_ROW_AGNOSTIC_NMS, .offset = AT(o.agnostic_nms)},
    {CLI_ROW_AUGMENT, .offset = AT(o.augment)},
    {.name = "rect",
     .kind = VG_OPTION_BOOL,
     .offset = AT(o.rect),
     .help = "batches of pictures of alike shapes have their shape; without, every input is a "
             "square"},
    {.name = "ap",
     .kind = VG_OPTION_CHOICE,
     .offset = AT(o.ap),
     .choices = AP_CHOICES,
     .only = "8.3 is that of releases up to 8.3.167, 8.3.168 up to 8.4.36, 8.4.37 up to 8.4.175, "
             "8.4 from "
             "8.4.176 on",
     .help = "measure as the Python tool does from this release on; 8.4 is the newest way"},
    {.name = "single-cls",
     .kind = VG_OPTION_BOOL,
     .offset = AT(o.single_cls),
     .help = "take the dataset's classes as one, for weights that were trained that way"},
    {CLI_ROW_BATCH, .offset = AT(o.batch), .help = "pictures in one run of the network",
     .group = "running"},
    {.name = "workers",
     .kind = VG_OPTION_INT,
     .offset = AT(o.workers),
     .value = "N",
     .least = 0,
     .most = 256,
     .help = "most threads that load pictures, at most one for each processor"},
    {CLI_ROW_THREADS, .offset = AT(o.threads), .help = "threads that compute"},
    {CLI_ROW_DEVICE, .offset = AT(o.device)},
    {CLI_ROW_HALF, .offset = AT(o.half)},
    {CLI_ROW_GPU_MEMORY_LIMIT, .offset = AT(o.gpu_memory_limit_bytes)},
    {.name = "plots",
     .kind = VG_OPTION_BOOL,
     .offset = AT(o.plots),
     .help = "curves, confusion matrices and sample pictures into the run's folder",
     .group = "results"},
    {.name = "save-json",
     .kind = VG_OPTION_BOOL,
     .offset = AT(o.save_json),
     .help = "predictions.json into the run's folder, as COCO's evaluation reads it"},
    {.name = "save-txt",
     .kind = VG_OPTION_BOOL,
     .offset = AT(o.save_txt),
     .help = "labels/NAME.txt into the run's folder, with what was found in each picture"},
    {.name = "save-conf",
     .kind = VG_OPTION_BOOL,
     .offset = AT(o.save_conf),
     .help = "the confidence ends each such row"},
    {.name = "json",
     .kind = VG_OPTION_BOOL,
     .offset = AT(json),
     .help = "one JSON object on standard output; the table goes to standard error"},
    {CLI_ROW_PROJECT, .offset = AT(o.project)},
    {CLI_ROW_NAME, .offset = AT(o.name)},
    {CLI_ROW_EXIST_OK, .offset = AT(o.exist_ok)},
};

const cli_command cli_command_val = {
    .name = "val",
    .help = "validates weights on a dataset",
    .usage = "--data YAML --weights FILE [OPTIONS]",
    .options = val_options,
    .n_options = sizeof val_options / sizeof *val_options,
    .values_bytes = sizeof(val_values),
    .speaks = CLI_AT_VAL,
    .siblings = cli_commands,
    .defaults = val_defaults,
    .run = val_run,
};
