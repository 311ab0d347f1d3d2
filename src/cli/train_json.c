/* train_json.c: what came of a training or a validation, as one object for scripts. While it runs
 * standard output is standard error, so that whatever is told on the way is not in the object's
 * way. */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "train.h"

int train_json_begin(vg_error *err)
{
    fflush(stdout);
    const int kept = dup(STDOUT_FILENO);
    if (kept >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
        return kept;
    cli_error_set(err, VG_ERR_SYSTEM, "standard output cannot be kept: %s", strerror(errno));
    cli_error_text(err->where, "option --json");
    cli_error_text(err->mend, "start with fewer open files");
    if (kept >= 0)
        close(kept);
    return -1;
}

void train_json_end(int kept)
{
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
}

/* JSON has no word for what is no number. */
static void number_print(const char *key, double x)
{
    if (isfinite(x))
        printf(", \"%s\": %.9g", key, x);
    else
        printf(", \"%s\": null", key);
}

static void means_print(double precision, double recall, double map50, double map)
{
    number_print("precision", precision);
    number_print("recall", recall);
    number_print("map50", map50);
    number_print("map", map);
}

/* What the task has beside boxes as "metrics/mAP50(M)", losses as "box_loss", and fitness. */
static void numbers_print(const vg_val_result *r)
{
    vg_number all[VG_MOST_NUMBERS];
    const size_t n = vg_val_numbers(r, all);
    number_print("fitness", r->fitness);
    for (size_t i = 0; i < n; i++)
        if (strncmp(all[i].name, "val/", 4) == 0)
            number_print(all[i].name + 4, all[i].value);
    for (size_t i = 0; i < n; i++)
        if (strncmp(all[i].name, "metrics/", 8) == 0 && strstr(all[i].name, "(B)") == NULL)
            number_print(all[i].name, all[i].value);
}

void train_json_text(const char *key, const char *text)
{
    printf("\"%s\": ", key);
    cli_json_string(stdout, text);
}

/* What the task has beside boxes, of a class: under the names of the whole. */
static void class_numbers_print(const vg_val_result *r, const vg_val_class *c)
{
    const struct part {
        const char *name;
        double value;
    } parts[] = {{"precision(", c->second.precision},
                 {"recall(", c->second.recall},
                 {"mAP50(", c->second.map50},
                 {"mAP50-95(", c->second.map}};
    vg_number all[VG_MOST_NUMBERS];
    const size_t n = vg_val_numbers(r, all);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
            if (strncmp(all[i].name, "metrics/", 8) == 0 && strstr(all[i].name, "(B)") == NULL &&
                strstr(all[i].name, parts[k].name) != NULL)
                number_print(all[i].name, parts[k].value);
}

void train_json_result(const vg_val_result *r)
{
    if (r == NULL) {
        printf("\"validation\": null");
        return;
    }
    printf("\"validation\": {\"pictures\": %zu, \"instances\": %zu, \"detections\": %zu",
           r->n_pictures, r->n_instances, r->n_detections);
    means_print(r->precision, r->recall, r->map50, r->map);
    numbers_print(r);
    number_print("seconds", r->seconds);
    printf(", \"classes\": [");
    for (size_t i = 0; i < r->n_classes; i++) {
        const vg_val_class *c = &r->classes[i];
        printf("%s{\"class\": %d, ", i > 0 ? ", " : "", c->class_index);
        train_json_text("name", c->name);
        printf(", \"pictures\": %zu, \"instances\": %zu", c->n_pictures, c->n_instances);
        means_print(c->precision, c->recall, c->map50, c->map);
        class_numbers_print(r, c);
        printf("}");
    }
    printf("]}");
}
