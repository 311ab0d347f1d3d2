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

/* Of a row of training: epoch, memory, each loss, objects, size. Wide where a bar and its times fit
 * beside it, in 43 places more. */
typedef struct train_widths {
    size_t epoch, memory, loss, objects, size;
} train_widths;

static train_widths train_columns(size_t n_columns, int n_losses)
{
    const bool is_wide = n_columns == 0 || n_columns >= 43 + 11 * (4 + (size_t)n_losses);
    return is_wide ? (train_widths){11, 11, 11, 11, 11} : (train_widths){8, 8, 9, 10, 5};
}

/* Of validation: name, pictures, objects, and four numbers for each row of metrics. */
static const uint8_t val_wide[] = {22, 11, 11, 11, 11, 11, 11},
                     val_narrow[] = {19, 7, 10, 10, 9, 10, 10};

static const uint8_t *val_columns(size_t n_columns, bool has_second)
{
    return n_columns != 0 && n_columns < (has_second ? 132 : 88) ? val_narrow : val_wide;
}

/* With fewer digits where they would touch the column before. */
static void add_number(line *l, int digits, double value, size_t n_columns)
{
    char number[REPORT_NUMBER_BYTES];
    report_number_g(number, digits, value);
    while (digits > 1 && strlen(number) >= n_columns)
        report_number_g(number, --digits, value);
    add_right(l, number, n_columns);
}

static void add_count(line *l, size_t count, size_t n_columns)
{
    char number[32];
    base_format(number, sizeof number, "%zu", count);
    add_right(l, number, n_columns);
}

bool report_table_train_header(char *buf, size_t n, size_t n_columns, const report_names *names)
{
    const train_widths w = train_columns(n_columns, names->n_losses);
    line l = line_make(buf, n);
    add_right(&l, "Epoch", w.epoch);
    add_right(&l, "GPU_mem", w.memory);
    for (int i = 0; i < names->n_losses; i++)
        add_right(&l, names->losses[i], w.loss);
    add_right(&l, "Instances", w.objects);
    add_right(&l, "Size", w.size);
    return l.fits;
}

bool report_table_train_row(char *buf, size_t n, size_t n_columns, const vg_train_batch *b,
                            size_t resident_bytes)
{
    char epoch[32], memory[32];
    const train_widths w = train_columns(n_columns, b->n_losses);
    line l = line_make(buf, n);
    base_format(epoch, sizeof epoch, "%d/%d", b->epoch, b->n_epochs);
    base_format(memory, sizeof memory, "%.3gG", (double)resident_bytes / (1024.0 * 1024 * 1024));
    add_right(&l, epoch, w.epoch);
    add_right(&l, memory, w.memory);
    for (int i = 0; i < b->n_losses && i < VG_MOST_LOSSES; i++)
        add_number(&l, 4, b->loss[i], w.loss);
    add_number(&l, 4, (double)b->n_instances, w.objects);
    add_number(&l, 4, b->width > b->height ? b->width : b->height, w.size);
    return l.fits;
}

/* "Box(P", and the other three of a row of metrics. */
static void add_titles(line *l, const char *of, const uint8_t columns[4])
{
    static const char *const rest[] = {"R", "mAP50", "mAP50-95)"};
    char first[32];
    base_format(first, sizeof first, "%s(P", of);
    add_right(l, first, columns[0]);
    for (size_t i = 0; i < 3; i++)
        add_right(l, rest[i], columns[i + 1]);
}

bool report_table_val_header(char *buf, size_t n, size_t n_columns, const report_names *names)
{
    const uint8_t *columns = val_columns(n_columns, names->second != NULL);
    line l = line_make(buf, n);
    if (!names->has_boxes) {
        add_right(&l, "classes", columns[0]);
        add_right(&l, "top1_acc", columns[3]);
        add_right(&l, "top5_acc", columns[5]);
        return l.fits;
    }
    add_right(&l, "Class", columns[0]);
    add_right(&l, "Images", columns[1]);
    add_right(&l, "Instances", columns[2]);
    add_titles(&l, "Box", columns + 3);
    if (names->second != NULL)
        add_titles(&l, names->second, columns + 3);
    return l.fits;
}

static void add_metrics(line *l, const double values[4], const uint8_t columns[4])
{
    for (size_t i = 0; i < 4; i++)
        add_number(l, 3, values[i], columns[i]);
}

bool report_table_val_row(char *buf, size_t n, size_t n_columns, const report_names *names,
                          const vg_val_class *row)
{
    const uint8_t *columns = val_columns(n_columns, names->second != NULL);
    line l = line_make(buf, n);
    add_right(&l, row->name, columns[0]);
    if (!names->has_boxes) {
        add_number(&l, 3, row->top1, columns[3]);
        add_number(&l, 3, row->top5, columns[5]);
        return l.fits;
    }
    const vg_figures *second = &row->second;
    add_count(&l, row->n_pictures, columns[1]);
    add_count(&l, row->n_instances, columns[2]);
    add_metrics(&l, (double[]){row->precision, row->recall, row->map50, row->map}, columns + 3);
    if (names->second != NULL)
        add_metrics(&l, (double[]){second->precision, second->recall, second->map50, second->map},
                    columns + 3);
    return l.fits;
}
