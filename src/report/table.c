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

/* Of a row of training: with a bar and its times beside it 120 places are used. */
static const uint8_t train_wide[] = {11, 11, 11, 11, 11, 11, 11},
                     train_narrow[] = {8, 8, 9, 9, 9, 10, 5};
static const uint8_t val_wide[] = {22, 11, 11, 11, 11, 11, 11},
                     val_narrow[] = {19, 7, 10, 10, 9, 10, 10};

static const uint8_t *train_columns(size_t n_columns)
{
    return n_columns != 0 && n_columns < 120 ? train_narrow : train_wide;
}

static const uint8_t *val_columns(size_t n_columns)
{
    return n_columns != 0 && n_columns < 88 ? val_narrow : val_wide;
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

bool report_table_train_header(char *buf, size_t n, size_t n_columns)
{
    static const char *const TITLES[] = {"Epoch",    "GPU_mem",   "box_loss", "cls_loss",
                                         "dfl_loss", "Instances", "Size"};
    const uint8_t *columns = train_columns(n_columns);
    line l = line_make(buf, n);
    for (size_t i = 0; i < sizeof TITLES / sizeof TITLES[0]; i++)
        add_right(&l, TITLES[i], columns[i]);
    return l.fits;
}

bool report_table_train_row(char *buf, size_t n, size_t n_columns, const vg_train_batch *b,
                            size_t resident_bytes)
{
    char epoch[32], memory[32];
    const uint8_t *columns = train_columns(n_columns);
    line l = line_make(buf, n);
    base_format(epoch, sizeof epoch, "%d/%d", b->epoch, b->n_epochs);
    base_format(memory, sizeof memory, "%.3gG", (double)resident_bytes / (1024.0 * 1024 * 1024));
    add_right(&l, epoch, columns[0]);
    add_right(&l, memory, columns[1]);
    for (size_t i = 0; i < REPORT_N_LOSSES; i++)
        add_number(&l, 4, b->loss[i], columns[2 + i]);
    add_number(&l, 4, (double)b->n_instances, columns[5]);
    add_number(&l, 4, b->width > b->height ? b->width : b->height, columns[6]);
    return l.fits;
}

bool report_table_val_header(char *buf, size_t n, size_t n_columns)
{
    static const char *const TITLES[] = {"Class", "Images", "Instances", "Box(P",
                                         "R",     "mAP50",  "mAP50-95)"};
    const uint8_t *columns = val_columns(n_columns);
    line l = line_make(buf, n);
    for (size_t i = 0; i < sizeof TITLES / sizeof TITLES[0]; i++)
        add_right(&l, TITLES[i], columns[i]);
    return l.fits;
}

bool report_table_val_row(char *buf, size_t n, size_t n_columns, const vg_val_class *row)
{
    const uint8_t *columns = val_columns(n_columns);
    line l = line_make(buf, n);
    add_right(&l, row->name, columns[0]);
    add_count(&l, row->n_pictures, columns[1]);
    add_count(&l, row->n_instances, columns[2]);
    add_number(&l, 3, row->precision, columns[3]);
    add_number(&l, 3, row->recall, columns[4]);
    add_number(&l, 3, row->map50, columns[5]);
    add_number(&l, 3, row->map, columns[6]);
    return l.fits;
}
