/* cmd_convert.c: vigil convert: weights in one format in, .safetensors out. */
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "commands.h"
#include "rows.h"

typedef struct convert_values {
    const char *weights, *output;
} convert_values;

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

static int convert_run(void *values)
{
    const convert_values *v = values;
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

static const vg_option convert_options[] = {
    {CLI_ROW_WEIGHTS, .offset = offsetof(convert_values, weights)},
    {.name = "output",
     .kind = VG_OPTION_STRING,
     .offset = offsetof(convert_values, output),
     .value = "FILE",
     .help = "a .safetensors file, replaced whole or not at all; never the file that is read",
     .is_required = true},
};

const cli_command cli_command_convert = {
    .name = "convert",
    .help = "writes weights as .safetensors",
    .usage = "--weights FILE --output FILE",
    .options = convert_options,
    .n_options = sizeof convert_options / sizeof *convert_options,
    .values_bytes = sizeof(convert_values),
    .run = convert_run,
};
