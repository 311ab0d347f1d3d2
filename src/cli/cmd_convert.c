/* cmd_convert.c: vigil convert: weights in one format in, .safetensors out; with --data a dataset
 * (convert_data.c). */
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "commands.h"
#include "convert.h"
#include "rows.h"

/* As vg_dataset_format has them, which a test compares. */
#define FORMATS "coco|voc|labelme|dota|yolo"

static void convert_defaults(void *values)
{
    const vg_dataset_convert_options o = vg_dataset_convert_options_default();
    *(convert_values *)values = (convert_values){.format = o.format,
                                                 .pictures = (int)o.pictures,
                                                 .val = o.val,
                                                 .polygons = o.polygons,
                                                 .difficult = o.difficult};
}

/* By what they are, not by their names: links and dots make two names of one file. */
static bool is_same_file(const char *a, const char *b)
{
    struct stat sa, sb;
    return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
           sa.st_ino == sb.st_ino;
}

static bool has_suffix(const char *path, const char *suffix)
{
    size_t n = strlen(path), m = strlen(suffix);
    return n > m && strcasecmp(path + n - m, suffix) == 0;
}

/* Reads back what was written: the report tells of the file, not of what was meant to be in it. */
static int convert_report(const char *output)
{
    vg_error err;
    vg_model *m = NULL;
    vg_model_info info;
    struct stat file;
    char bytes[32], params[32];
    if (vg_model_open(&m, output, vg_options_default().imgsz, 0, &err) != VG_OK)
        return cli_error_print(&err, CLI_FAILED);
    vg_model_info_get(m, &info);
    printf("wrote %s: %s, %s parameters, %d classes", output, info.name,
           cli_commas(params, info.n_params), info.n_classes);
    const char *key = NULL, *value = NULL;
    for (size_t i = 0; vg_model_fact(m, i, &key, &value); i++)
        if (strcmp(key, "tensors") == 0)
            printf(", %s tensors", value);
    if (stat(output, &file) == 0)
        printf(", %s", cli_bytes(bytes, (double)file.st_size));
    putchar('\n');
    vg_model_close(&m);
    return CLI_DONE;
}

static int convert_weights(const convert_values *v)
{
    vg_error err;
    if (!has_suffix(v->output, ".safetensors")) {
        cli_error_set(&err, VG_ERR_ARGUMENT,
                      "%s does not end in .safetensors, the one format written", v->output);
        cli_error_text(err.where, "option --output");
        cli_error_text(err.mend, "--output %.400s.safetensors", v->output);
        return cli_error_print(&err, CLI_USAGE);
    }
    if (is_same_file(v->weights, v->output)) {
        cli_error_set(&err, VG_ERR_ARGUMENT,
                      "%s is the file that is read: converting would overwrite it", v->output);
        cli_error_text(err.where, "option --output");
        cli_error_text(err.mend, "another name");
        return cli_error_print(&err, CLI_USAGE);
    }
    if (vg_convert(v->weights, v->output, &err) != VG_OK)
        return cli_error_print(&err, CLI_FAILED);
    return convert_report(v->output);
}

/* Weights or a dataset: an option of the one means nothing to the other. */
static int check_which(const convert_values *v);

static int convert_run(void *values)
{
    const convert_values *v = values;
    const int status = check_which(v);
    if (status != CLI_DONE)
        return status;
    return v->data != NULL ? cli_convert_data(v) : convert_weights(v);
}

#define AT(field) offsetof(convert_values, field)

static const vg_option convert_options[] = {
    {CLI_ROW_WEIGHTS, .offset = AT(weights), .unless = "data", .group = "weights"},
    {.name = "output",
     .kind = VG_OPTION_STRING,
     .offset = AT(output),
     .value = "PATH",
     .help =
         "of weights: a .safetensors file, replaced whole or not at all, never the file that is "
         "read; of a dataset: a folder that is not there yet, made whole or not at all",
     .is_required = true},
    {.name = "data",
     .kind = VG_OPTION_STRING,
     .offset = AT(data),
     .value = "PATH",
     .help = "the dataset of another tool: its folder, or a file of annotations",
     .group = "a dataset"},
    {.name = "format",
     .kind = VG_OPTION_STRING,
     .offset = AT(format),
     .choices = "auto|" FORMATS,
     .only = "no such format of datasets is read",
     .help = "what it is; auto: by what is there"},
    {.name = "images",
     .kind = VG_OPTION_STRING,
     .offset = AT(images),
     .value = "DIR",
     .help = "where its pictures are, if not in the folder of --data"},
    {.name = "pictures",
     .kind = VG_OPTION_CHOICE,
     .offset = AT(pictures),
     .choices = "link|copy|symlink",
     .preset = "link",
     .help = "how they come into the new folder: as hard links (copies, where the file system has "
             "none), copies, or symbolic links (link)"},
    {.name = "val",
     .kind = VG_OPTION_RATIO,
     .offset = AT(val),
     .least = 0,
     .most = 0.9,
     .value = "P",
     .help = "part of the pictures for validation, where the source has no split of its own; 0: "
             "none (0.1)"},
    {.name = "polygons",
     .kind = VG_OPTION_BOOL,
     .offset = AT(polygons),
     .help = "keeps outlines as polygons; else the boxes around them"},
    {.name = "difficult",
     .kind = VG_OPTION_BOOL,
     .offset = AT(difficult),
     .help = "keeps objects that Pascal VOC's and DOTA's files mark as difficult"},
    {.name = "keypoints",
     .kind = VG_OPTION_BOOL,
     .offset = AT(keypoints),
     .help = "of COCO: boxes with keypoints, for task=pose; kpt_shape and flip_idx come from their "
             "names"},
    {.name = "memory-limit",
     .kind = VG_OPTION_BYTES,
     .offset = AT(memory_limit),
     .most = 1e18,
     .help = "such as 64M: it ends with an error rather than take more",
     .zero = "none"},
};

static int check_which(const convert_values *v)
{
    vg_error err;
    if (v->data != NULL && v->weights != NULL) {
        cli_error_set(&err, VG_ERR_ARGUMENT, "--weights and --data are two jobs");
        cli_error_text(err.where, "the command line");
        cli_error_text(err.mend, "one of them");
        return cli_error_print(&err, CLI_USAGE);
    }
    bool is_behind = false; /* rows from --data on are of datasets */
    for (size_t i = 0; v->data == NULL && i < sizeof convert_options / sizeof *convert_options;
         i++) {
        const char *name = convert_options[i].name;
        is_behind |= strcmp(name, "data") == 0;
        if (!is_behind || !v->given.is[i])
            continue;
        cli_error_set(&err, VG_ERR_ARGUMENT, "--%s without --data: weights have none", name);
        cli_error_text(err.where, "option --%s", name);
        cli_error_text(err.mend, "leave it out");
        return cli_error_print(&err, CLI_USAGE);
    }
    return CLI_DONE;
}

const cli_command cli_command_convert = {
    .name = "convert",
    .help = "writes weights as .safetensors, or other tools' datasets as YOLO's",
    .usage = "--weights FILE --output FILE | --data PATH --output FOLDER",
    .notes =
        "A dataset becomes a folder with images, labels and data.yaml; what was left out of it "
        "is told, by reason, with the first of each. Classes are numbered in the order of the "
        "source's ids, or of their names where it has none.\n"
        "Exit status: 0 written, 1 it could not be done and nothing is left of it, 2 the "
        "command line is wrong.",
    .options = convert_options,
    .n_options = sizeof convert_options / sizeof *convert_options,
    .values_bytes = sizeof(convert_values),
    .given_offset = offsetof(convert_values, given),
    .defaults = convert_defaults,
    .run = convert_run,
};
