/* convert_data.c: vigil convert --data: a dataset of another tool as YOLO's, and what of it was
 * left out. */
#include <signal.h>
#include <string.h>

#include "convert.h"

static void class_print(void *ctx, int class_index, const char *name, const char *id)
{
    size_t *n = ctx;
    if (*id != '\0')
        printf("%s %d %s (id %s)", (*n)++ == 0 ? "classes:" : ",", class_index, name, id);
    else
        printf("%s %d %s", (*n)++ == 0 ? "classes:" : ",", class_index, name);
}

static bool stop_wanted(void *ctx)
{
    (void)ctx;
    return cli_interrupt_signal() != 0;
}

static void pictures_print(const vg_dataset_converted *r)
{
    static const char *const names[] = {"train", "val", "test"};
    char pictures[64], objects[64];
    for (int i = 0; i < VG_N_SPLITS; i++)
        if (r->n_pictures[i] > 0)
            printf("%s: %s with %s\n", names[i],
                   vg_count_format(pictures, sizeof pictures, r->n_pictures[i], "picture"),
                   vg_count_format(objects, sizeof objects, r->n_objects[i], "object"));
    if (r->val_was_chosen)
        printf("val was chosen by names, as the source has no such split: --val says how much\n");
    else if (r->n_pictures[VG_VAL] == 0 || r->n_pictures[VG_TRAIN] == 0)
        printf("train and val are the same pictures: what is measured on them says little\n");
}

/* A line, if there is anything of it. */
static void count_print(size_t n, const char *noun, const char *what)
{
    char count[64];
    if (n > 0)
        printf("%s %s\n", vg_count_format(count, sizeof count, n, noun), what);
}

static void report_print(const vg_dataset_converted *r)
{
    char bytes[32];
    pictures_print(r);
    count_print(r->n_empty, "picture", "without objects, with an empty label file");
    count_print(r->n_polygons, "object", "as polygons");
    count_print(r->n_joined, "part", "of polygons joined to one outline");
    count_print(r->n_clipped, "object",
                "ended at the picture's edge, where they had reached beyond it");
    count_print(r->n_difficult, "object", "marked as difficult, kept");
    count_print(r->n_renamed, "picture", "renamed, as another one has its name");
    count_print(r->n_linked, "picture", "as hard links");
    count_print(r->n_symlinked, "picture", "as symbolic links");
    count_print(r->n_copied, "picture", "copied");
    for (int i = 0; i < VG_N_LEFT; i++)
        if (r->left[i].n > 0)
            printf("left out: %zu %s; the first: %s\n", r->left[i].n, r->left[i].what,
                   r->left[i].first);
    printf("wrote %s from %s; memory %s\n", r->data, r->format,
           cli_bytes(bytes, (double)r->peak_bytes));
}

int cli_convert_data(const convert_values *v)
{
    vg_dataset_convert_options o = vg_dataset_convert_options_default();
    vg_dataset_converted r;
    vg_error err;
    size_t n_named = 0;
    o.data = v->data;
    o.output = v->output;
    o.format = v->format;
    o.images = v->images;
    o.pictures = (vg_dataset_pictures)v->pictures;
    o.val = v->val;
    o.polygons = v->polygons;
    o.difficult = v->difficult;
    o.keypoints = v->keypoints;
    o.memory_limit_bytes = v->memory_limit;
    o.class_named = class_print;
    o.wants_stop = stop_wanted;
    o.ctx = &n_named;
    cli_interrupt_watch();
    signal(SIGXFSZ, SIG_IGN); /* a full quota is a failed write */
    const vg_status st = vg_dataset_convert(&r, &o, &err);
    if (st == VG_ERR_INTERRUPTED && cli_interrupt_signal() != 0)
        return cli_error_print(&err, 128 + cli_interrupt_signal());
    if (st != VG_OK)
        return cli_error_end(&err);
    putchar('\n');
    report_print(&r);
    return CLI_DONE;
}
