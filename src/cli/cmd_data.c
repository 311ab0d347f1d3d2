/* cmd_data.c: vigil data check: a dataset looked at before anything is trained on it. */
#include <string.h>

#include "commands.h"
#include "rows.h"
#include "vigil/dataset.h"

typedef struct data_values {
    int act; /* check, the one there is */
    const char *data, *task;
    int threads, faults;
    size_t memory_limit;
    bool json;
} data_values;

enum { MOST_SIZES_TOLD = 3, DEFAULT_FAULTS = 100 };

static void data_defaults(void *values)
{
    *(data_values *)values = (data_values){.faults = DEFAULT_FAULTS};
}

/* ---- as a table ---- */

static void sizes_print(const vg_dataset_check *c, vg_split split, const vg_dataset_split *s)
{
    vg_dataset_size size;
    if (s->n_sizes == 0)
        return;
    printf("  %s sizes: ", s->name);
    for (size_t i = 0; i < MOST_SIZES_TOLD && vg_dataset_check_size(c, split, i, &size); i++)
        printf("%s%dx%d (%zu)", i > 0 ? ", " : "", size.w, size.h, size.n_pictures);
    if (s->n_sizes > MOST_SIZES_TOLD)
        printf("; %zu in all, from %d to %d wide, %d to %d high", s->n_sizes, s->least_w, s->most_w,
               s->least_h, s->most_h);
    putchar('\n');
}

static void splits_print(const vg_dataset_check *c)
{
    vg_dataset_split s;
    printf("%-8s%10s%10s%10s%10s%8s%10s\n", "split", "pictures", "objects", "polygons", "no label",
           "empty", "left out");
    for (vg_split i = VG_TRAIN; i < VG_N_SPLITS; i++)
        if (vg_dataset_check_split(c, i, &s))
            printf("%-8s%10zu%10zu%10zu%10zu%8zu%10zu\n", s.name, s.data.n_pictures,
                   s.data.n_objects, s.n_polygons, s.data.n_missing, s.data.n_empty,
                   s.data.n_corrupt + s.data.n_absent);
    for (vg_split i = VG_TRAIN; i < VG_N_SPLITS; i++)
        if (vg_dataset_check_split(c, i, &s)) {
            sizes_print(c, i, &s);
            if (s.data.n_duplicates > 0)
                printf("  %s: %zu rows stand twice in their file; training takes one of them\n",
                       s.name, s.data.n_duplicates);
        }
}

/* Objects, their share of the split's, and the pictures that hold them. */
static void classes_print(const vg_dataset_check *c)
{
    vg_dataset_split s;
    vg_dataset_class class;
    printf("%-20s", "class");
    for (vg_split i = VG_TRAIN; i < VG_N_SPLITS; i++)
        if (vg_dataset_check_split(c, i, &s))
            printf("%8s %-6s%10s", s.name, "", "pictures");
    putchar('\n');
    for (size_t k = 0; vg_dataset_check_class(c, k, &class); k++) {
        printf("%3zu %-16s", k, class.name);
        for (vg_split i = VG_TRAIN; i < VG_N_SPLITS; i++)
            if (vg_dataset_check_split(c, i, &s))
                printf("%8zu %5.1f%%%10zu", class.n_objects[i],
                       s.data.n_objects > 0
                           ? 100.0 * (double)class.n_objects[i] / (double)s.data.n_objects
                           : 0.0,
                       class.n_pictures[i]);
        putchar('\n');
    }
}

static void faults_print(const vg_dataset_check *c, const vg_dataset_total *t)
{
    vg_dataset_fault f;
    const char *notice;
    char count[64];
    for (size_t i = 0; (notice = vg_dataset_check_notice(c, i)) != NULL; i++)
        printf("note: %s\n", notice);
    for (size_t i = 0; vg_dataset_check_fault(c, i, &f); i++) {
        printf("fault: %s: %s\n", f.where, f.what);
        if (f.mend[0] != '\0')
            printf("  try: %s\n", f.mend);
    }
    if (t->n_faults > t->n_kept)
        printf("... and %zu more: --faults %zu lists them\n", t->n_faults - t->n_kept, t->n_faults);
    if (t->n_faults == 0)
        printf("%s is clean\n", t->source);
    else
        printf("%s: %s\n", t->source, vg_count_format(count, sizeof count, t->n_faults, "fault"));
}

/* ---- as JSON ---- */

static void text_json(const char *name, const char *text, const char *after)
{
    printf("\"%s\":", name);
    cli_json_string(stdout, text);
    fputs(after, stdout);
}

static void split_json(const vg_dataset_check *c, vg_split split, const vg_dataset_split *s)
{
    const vg_data_report *d = &s->data;
    vg_dataset_size size;
    printf("\"%s\":{\"pictures\":%zu,\"objects\":%zu,\"polygons\":%zu,\"labelled\":%zu,"
           "\"without_label\":%zu,\"empty\":%zu,\"corrupt\":%zu,\"missing\":%zu,"
           "\"duplicate_rows\":%zu,\"sizes\":[",
           s->name, d->n_pictures, d->n_objects, s->n_polygons, d->n_found, d->n_missing,
           d->n_empty, d->n_corrupt, d->n_absent, d->n_duplicates);
    for (size_t i = 0; vg_dataset_check_size(c, split, i, &size); i++)
        printf("%s{\"width\":%d,\"height\":%d,\"pictures\":%zu}", i > 0 ? "," : "", size.w, size.h,
               size.n_pictures);
    fputs("]}", stdout);
}

static void classes_json(const vg_dataset_check *c)
{
    vg_dataset_class class;
    vg_dataset_split s;
    fputs("\"classes\":[", stdout);
    for (size_t k = 0; vg_dataset_check_class(c, k, &class); k++) {
        fputs(k > 0 ? ",{" : "{", stdout);
        text_json("name", class.name, "");
        for (vg_split i = VG_TRAIN; i < VG_N_SPLITS; i++)
            if (vg_dataset_check_split(c, i, &s))
                printf(",\"%s\":{\"objects\":%zu,\"pictures\":%zu}", s.name, class.n_objects[i],
                       class.n_pictures[i]);
        putchar('}');
    }
    putchar(']');
}

static void check_json(const vg_dataset_check *c, const vg_dataset_total *t)
{
    vg_dataset_split s;
    vg_dataset_fault f;
    const char *notice, *comma = "";
    putchar('{');
    text_json("data", t->source, ",");
    text_json("root", t->root, ",\"splits\":{");
    for (vg_split i = VG_TRAIN; i < VG_N_SPLITS; i++)
        if (vg_dataset_check_split(c, i, &s)) {
            fputs(comma, stdout);
            split_json(c, i, &s);
            comma = ",";
        }
    fputs("},", stdout);
    classes_json(c);
    printf(",\"n_faults\":%zu,\"n_duplicates\":%zu,\"faults\":[", t->n_faults, t->n_duplicates);
    for (size_t i = 0; vg_dataset_check_fault(c, i, &f); i++) {
        fputs(i > 0 ? ",{" : "{", stdout);
        text_json("kind", f.kind, ",");
        text_json("where", f.where, ",");
        text_json("what", f.what, ",");
        text_json("try", f.mend, "}");
    }
    fputs("],\"notes\":[", stdout);
    for (size_t i = 0; (notice = vg_dataset_check_notice(c, i)) != NULL; i++) {
        fputs(i > 0 ? "," : "", stdout);
        cli_json_string(stdout, notice);
    }
    printf("],\"peak_bytes\":%zu}\n", t->peak_bytes);
}

/* ---- the command ---- */

static int data_run(void *values)
{
    const data_values *v = values;
    vg_dataset_check_options o = vg_dataset_check_options_default();
    vg_dataset_check *c = NULL;
    vg_dataset_total t;
    vg_error err;
    o.data = v->data;
    o.task = v->task;
    o.threads = v->threads;
    o.most_faults = (size_t)v->faults;
    o.memory_limit_bytes = v->memory_limit;
    if (vg_dataset_check_open(&c, &o, &err) != VG_OK)
        return cli_error_end(&err);
    vg_dataset_check_total(c, &t);
    if (v->json) {
        check_json(c, &t);
    } else {
        splits_print(c);
        classes_print(c);
        faults_print(c, &t);
    }
    const int status = t.n_faults == 0 ? CLI_DONE : CLI_FAILED;
    vg_dataset_check_close(&c);
    return status;
}

#define AT(field) offsetof(data_values, field)

static const vg_option data_options[] = {
    {.name = "act",
     .kind = VG_OPTION_CHOICE,
     .offset = AT(act),
     .choices = "check",
     .only = "vigil data can check a dataset, and nothing else",
     .help = "what to do",
     .is_required = true,
     .is_positional = true},
    {.name = "data",
     .kind = VG_OPTION_STRING,
     .offset = AT(data),
     .value = "YAML",
     .help = "the dataset, as vigil train takes it: a YAML, or a folder of classes",
     .is_required = true,
     .is_positional = true},
    {.name = "task",
     .kind = VG_OPTION_STRING,
     .offset = AT(task),
     .choices = "detect|segment|pose|obb|classify",
     .only = "there is no such task",
     .help =
         "whose labels they are (a folder: classify; a YAML with kpt_shape: pose; else detect)"},
    {.name = "json",
     .kind = VG_OPTION_BOOL,
     .offset = AT(json),
     .help = "one JSON object on standard output, for scripts"},
    {.name = "faults",
     .kind = VG_OPTION_INT,
     .offset = AT(faults),
     .value = "N",
     .least = 0,
     .most = 1000000,
     .help = "most faults that are listed; all of them are counted"},
    {CLI_ROW_THREADS, .offset = AT(threads), .help = "threads that decode pictures"},
    {.name = "memory-limit",
     .kind = VG_OPTION_BYTES,
     .offset = AT(memory_limit),
     .most = 1e18,
     .help = "such as 64M: it ends with an error rather than take more",
     .zero = "none"},
};

const cli_command cli_command_data = {
    .name = "data",
    .help = "looks at a dataset before it is trained on",
    .usage = "check YAML [--json]",
    .notes =
        "Every picture is decoded and every label file read, as training does it; pictures of "
        "different splits are compared byte by byte. Nothing is written.\n"
        "Exit status: 0 the dataset is clean, 1 it has faults (a picture that cannot be read, a "
        "label file with an error, a picture that is named and not there, a picture in two "
        "splits, a split without objects), 2 the command line is wrong.",
    .options = data_options,
    .n_options = sizeof data_options / sizeof *data_options,
    .values_bytes = sizeof(data_values),
    .defaults = data_defaults,
    .run = data_run,
};
