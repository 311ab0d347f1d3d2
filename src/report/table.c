/* table.c: console rows in the columns that users know. Names are padded by characters, where
 * printf would count bytes. */
#include "table.h"

#include "number.h"

/* A line that grows inside the caller's buffer. */
typedef struct line {
    char *text;
    size_t n, length;
    bool fits;
} line;

static line line_make(char *buf, size_t n)
{
    buf[0] = '\0';
    return (line){.text = buf, .n = n, .fits = true};
}

/* text, right aligned in so many columns. */
static void add_right(line *l, const char *text, size_t n_columns)
{
    char shown[256];
    base_line_escape(shown, sizeof shown, text); /* a name must not break the table */
    size_t n_characters = report_utf8_length(shown);
    int pad = n_characters < n_columns ? (int)(n_columns - n_characters) : 0;
    if (!l->fits)
        return;
    char *start = l->text + l->length;
    l->fits = base_format(start, l->n - l->length, "%*s%s", pad, "", shown);
    l->length += strlen(start);
}

static void add_number(line *l, int digits, double value)
{
    char number[REPORT_NUMBER_BYTES];
    add_right(l, report_number_g(number, digits, value), 11);
}

static void add_count(line *l, size_t count)
{
    char number[32];
    base_format(number, sizeof number, "%zu", count);
    add_right(l, number, 11);
}

bool report_table_train_header(char *buf, size_t n)
{
    static const char *const TITLES[] = {"Epoch",    "GPU_mem",   "box_loss", "cls_loss",
                                         "dfl_loss", "Instances", "Size"};
    line l = line_make(buf, n);
    for (size_t i = 0; i < sizeof TITLES / sizeof TITLES[0]; i++)
        add_right(&l, TITLES[i], 11);
    return l.fits;
}

bool report_table_train_row(char *buf, size_t n, const report_train_row *row)
{
    char epoch[32];
    line l = line_make(buf, n);
    base_format(epoch, sizeof epoch, "%d/%d", row->epoch, row->n_epochs);
    add_right(&l, epoch, 11);
    add_right(&l, row->memory, 11);
    for (size_t i = 0; i < REPORT_N_LOSSES; i++)
        add_number(&l, 4, row->loss[i]);
    add_number(&l, 4, row->n_instances);
    add_number(&l, 4, row->size_px);
    return l.fits;
}

bool report_table_val_header(char *buf, size_t n)
{
    static const char *const TITLES[] = {"Images", "Instances", "Box(P", "R", "mAP50", "mAP50-95)"};
    line l = line_make(buf, n);
    add_right(&l, "Class", 22);
    for (size_t i = 0; i < sizeof TITLES / sizeof TITLES[0]; i++)
        add_right(&l, TITLES[i], 11);
    return l.fits;
}

bool report_table_val_row(char *buf, size_t n, const char *name, size_t n_pictures,
                          size_t n_instances, double p, double r, double map50, double map)
{
    line l = line_make(buf, n);
    add_right(&l, name, 22);
    add_count(&l, n_pictures);
    add_count(&l, n_instances);
    add_number(&l, 3, p);
    add_number(&l, 3, r);
    add_number(&l, 3, map50);
    add_number(&l, 3, map);
    return l.fits;
}

bool report_table_val_all(char *buf, size_t n, const detect_metrics_result *result)
{
    return report_table_val_row(buf, n, "all", result->n_pictures, result->n_truths, result->mean_p,
                                result->mean_r, result->map50, result->map);
}

bool report_table_val_class(char *buf, size_t n, const detect_metrics_result *result, size_t i,
                            const char *const *names)
{
    const double *ap = result->ap + i * DETECT_N_IOU;
    double sum = 0;
    for (size_t t = 0; t < DETECT_N_IOU; t++)
        sum += ap[t];
    int c = result->classes[i];
    return report_table_val_row(buf, n, names[c], result->pictures_by_class[c],
                                result->truths_by_class[c], result->p[i], result->r[i], ap[0],
                                sum / DETECT_N_IOU);
}
