/* columns.c: names of columns and the fields that they are of. */
#include "columns.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define AT(field) offsetof(vg_train_epoch, field)

/* Every metric that a task may have. */
static const struct metric {
    const char *name;
    size_t offset;
} metrics[] = {{"metrics/precision(B)", AT(precision)},
               {"metrics/recall(B)", AT(recall)},
               {"metrics/mAP50(B)", AT(map50)},
               {"metrics/mAP50-95(B)", AT(map)},
               {"metrics/precision(M)", AT(second.precision)},
               {"metrics/recall(M)", AT(second.recall)},
               {"metrics/mAP50(M)", AT(second.map50)},
               {"metrics/mAP50-95(M)", AT(second.map)},
               {"metrics/precision(P)", AT(second.precision)},
               {"metrics/recall(P)", AT(second.recall)},
               {"metrics/mAP50(P)", AT(second.map50)},
               {"metrics/mAP50-95(P)", AT(second.map)},
               {"metrics/accuracy_top1", AT(top1)},
               {"metrics/accuracy_top5", AT(top5)}};

static const char *const rates[] = {"lr/pg0", "lr/pg1", "lr/pg2"};

static bool add(report_columns *c, const char *name, size_t offset, bool is_rounded)
{
    if (c->n == REPORT_MOST_COLUMNS)
        return false;
    report_column *to = &c->at[c->n++];
    *to = (report_column){.offset = offset, .is_rounded = is_rounded};
    return base_format(to->name, sizeof to->name, "%s", name);
}

static bool add_loss(report_columns *c, const char *name, bool is_train, int k)
{
    char full[REPORT_COLUMN_BYTES];
    const size_t first = is_train ? AT(train_loss) : AT(val_loss);
    return base_format(full, sizeof full, "%s/%s", is_train ? "train" : "val", name) &&
           add(c, full, first + (size_t)k * sizeof(double), true);
}

static bool add_metric(report_columns *c, const char *name)
{
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        if (strcmp(metrics[i].name, name) == 0) {
            const size_t n = strlen(name);
            const char letter = name[n - 1] == ')' ? name[n - 2] : '\0';
            c->has_boxes |= letter == 'B';
            if (letter != '\0' && letter != 'B')
                c->second = letter;
            return add(c, name, metrics[i].offset, true);
        }
    return false;
}

static bool add_all(report_columns *c, const report_names *names)
{
    bool fits = add(c, "time", AT(seconds), false) && names->n_losses <= VG_MOST_LOSSES;
    c->n_losses = names->n_losses;
    for (int k = 0; k < names->n_losses && fits; k++)
        fits = add_loss(c, names->losses[k], true, k);
    for (int k = 0; k < names->n_metrics && fits; k++)
        fits = add_metric(c, names->metrics[k]);
    for (int k = 0; k < names->n_losses && fits; k++)
        fits = add_loss(c, names->losses[k], false, k);
    for (size_t k = 0; k < 3 && fits; k++)
        fits = add(c, rates[k], AT(lr) + k * sizeof(double), false);
    return fits;
}

void report_columns_make(report_columns *out, const report_names *names)
{
    *out = (report_columns){.n = 0};
    const bool fits = add_all(out, names);
    assert(fits);
}

/* The names in a file's first line, as the columns that they would make. */
bool report_columns_parse(report_columns *out, const char *text, size_t n)
{
    char line[REPORT_HEADER_BYTES], again[REPORT_HEADER_BYTES];
    const char *losses[VG_MOST_LOSSES], *found[8];
    report_names names = {.losses = losses, .metrics = found};
    *out = (report_columns){.n = 0};
    if (n + 2 > sizeof line || memchr(text, 0, n) != NULL)
        return false;
    memcpy(line, text, n);
    line[n] = '\0';
    for (char *field = line, *comma; field != NULL; field = comma != NULL ? comma + 1 : NULL) {
        comma = strchr(field, ',');
        if (comma != NULL)
            *comma = '\0';
        if (base_starts_with(field, "train/") && names.n_losses < VG_MOST_LOSSES)
            losses[names.n_losses++] = field + strlen("train/");
        else if (base_starts_with(field, "metrics/") && names.n_metrics < 8)
            found[names.n_metrics++] = field;
    }
    if (names.n_losses == 0 || names.n_metrics == 0 || !add_all(out, &names))
        return false;
    /* They are a file's columns where they make its line again: none is missing, in no other order.
     */
    report_columns_header(again, out);
    return strlen(again) == n + 1 && memcmp(again, text, n) == 0;
}

void report_columns_header(char out[REPORT_HEADER_BYTES], const report_columns *c)
{
    size_t n = 0;
    bool fits = base_format(out, REPORT_HEADER_BYTES, "epoch");
    for (int i = 0; i < c->n && fits; i++) {
        n += strlen(out + n);
        fits = base_format(out + n, REPORT_HEADER_BYTES - n, ",%s%s", c->at[i].name,
                           i + 1 == c->n ? "\n" : "");
    }
    assert(fits); /* 25 names of 48 bytes are more, but the longest that there are need 450 */
}

double report_column_get(const report_column *c, const vg_train_epoch *e)
{
    double value;
    memcpy(&value, (const char *)e + c->offset, sizeof value);
    return value;
}

void report_column_set(const report_column *c, vg_train_epoch *e, double value)
{
    memcpy((char *)e + c->offset, &value, sizeof value);
}

double report_epoch_fitness(const vg_train_epoch *e)
{
    return 0.1 * e->map50 + 0.9 * e->map + 0.1 * e->second.map50 + 0.9 * e->second.map +
           (e->top1 + e->top5) / 2;
}

const char *report_columns_loss(const report_columns *c, int k)
{
    return c->at[1 + k].name + strlen("train/");
}
