/* progress.c: as much of a progress line as the terminal holds. The parts that help least go first.
 */
#include "progress.h"

#include <math.h>

#include "number.h"

enum {
    BAR_COLUMNS = 12,
    SHORT_BAR_COLUMNS = 6,
    PART_BYTES = 128,
};

/* In the order in which they stand in the line. */
enum { PERCENT, BAR, COUNT, RATE, TIME, MEMORY, N_PARTS };

static void format_time(char *buf, size_t n, double seconds)
{
    if (!(seconds >= 0) || seconds > 1e8) {
        base_format(buf, n, "--:--");
        return;
    }
    long s = lrint(seconds);
    if (s >= 100 * 3600)
        base_format(buf, n, "%ldd %02ldh", s / 86400, s / 3600 % 24);
    else if (s >= 3600)
        base_format(buf, n, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        base_format(buf, n, "%02ld:%02ld", s / 60, s % 60);
}

static void format_bar(char *buf, size_t n, double done_0_1, int n_columns, bool ascii)
{
    int n_full = (int)(done_0_1 * n_columns + 1e-9);
    buf[0] = '\0';
    for (int i = 0; i < n_columns; i++) {
        size_t length = strlen(buf);
        const char *full = ascii ? "#" : "━", *empty = ascii ? "-" : "─";
        base_format(buf + length, n - length, "%s", i < n_full ? full : empty);
    }
}

static void format_rate(char *buf, size_t n, double pictures_per_s)
{
    char number[REPORT_NUMBER_BYTES];
    buf[0] = '\0';
    if (!(pictures_per_s > 0) || pictures_per_s > 1e9)
        return;
    int decimals = pictures_per_s < 100 ? 1 : 0;
    base_format(buf, n, "%s img/s", report_number_f(number, decimals, pictures_per_s));
}

static void format_memory(char *buf, size_t n, size_t planned_bytes, size_t resident_bytes)
{
    char resident[64], planned[64];
    buf[0] = '\0';
    base_format_bytes(resident, sizeof resident, (double)resident_bytes);
    base_format_bytes(planned, sizeof planned, (double)planned_bytes);
    if (resident_bytes != 0 && planned_bytes != 0)
        base_format(buf, n, "mem %s of %s", resident, planned);
    else if (resident_bytes != 0 || planned_bytes != 0)
        base_format(buf, n, "mem %s", resident_bytes != 0 ? resident : planned);
}

/* Ends text after so many characters. */
static void cut(char *text, size_t n_columns)
{
    char *p = text;
    for (size_t i = 0; i < n_columns && *p != '\0'; i++) {
        size_t n = base_utf8_bytes(p);
        p += n != 0 ? n : 1;
    }
    *p = '\0';
}

static size_t columns_of(const char *prefix, char (*parts)[PART_BYTES])
{
    size_t n = report_utf8_length(prefix) + (prefix[0] != '\0' ? 1 : 0);
    for (size_t i = 0; i < N_PARTS; i++)
        if (parts[i][0] != '\0')
            n += report_utf8_length(parts[i]) + 1;
    return n - 1;
}

bool report_progress_format(char *buf, size_t n, const report_progress *p, size_t n_columns,
                            bool ascii)
{
    static const int DISPENSABLE[] = {MEMORY, RATE, TIME, BAR};
    char parts[N_PARTS][PART_BYTES], elapsed[32], left[32];
    double done_0_1 = p->n_total > 0 ? fmin((double)p->n_done / (double)p->n_total, 1) : 0;
    const char *prefix = p->prefix != NULL ? p->prefix : "";

    /* Not rounded: 100 % is when all is done. */
    base_format(parts[PERCENT], PART_BYTES, "%3d%%", (int)(done_0_1 * 100 + 1e-9));
    format_bar(parts[BAR], PART_BYTES, done_0_1, BAR_COLUMNS, ascii);
    base_format(parts[COUNT], PART_BYTES, "%zu/%zu", p->n_done, p->n_total);
    format_rate(parts[RATE], PART_BYTES, p->pace.pictures_per_s);
    format_time(elapsed, sizeof elapsed, p->pace.elapsed_s);
    format_time(left, sizeof left, p->pace.left_s);
    base_format(parts[TIME], PART_BYTES, "%s<%s", elapsed, left);
    format_memory(parts[MEMORY], PART_BYTES, p->pace.planned_bytes, p->pace.resident_bytes);

    for (size_t i = 0; n_columns != 0 && i < sizeof DISPENSABLE / sizeof DISPENSABLE[0]; i++)
        if (columns_of(prefix, parts) > n_columns) {
            const bool is_bar = DISPENSABLE[i] == BAR;
            if (is_bar)
                format_bar(parts[BAR], PART_BYTES, done_0_1, SHORT_BAR_COLUMNS, ascii);
            if (!is_bar || columns_of(prefix, parts) > n_columns)
                parts[DISPENSABLE[i]][0] = '\0';
        }
    bool fits = base_format(buf, n, "%s", prefix);
    for (size_t i = 0; i < N_PARTS && fits; i++) {
        size_t length = strlen(buf);
        if (parts[i][0] != '\0')
            fits = base_format(buf + length, n - length, "%s%s", length > 0 ? " " : "", parts[i]);
    }
    if (n_columns != 0)
        cut(buf, n_columns);
    return fits;
}

bool report_bar_format(char *buf, size_t n, const vg_bar *b, size_t n_columns, bool ascii)
{
    const double per_s = b->seconds > 0 ? (double)b->n_done / b->seconds : 0;
    const size_t n_left = b->n_total > b->n_done ? b->n_total - b->n_done : 0;
    const report_progress p = {.prefix = b->what,
                               .n_done = b->n_done,
                               .n_total = b->n_total,
                               .pace = {.pictures_per_s = per_s,
                                        .elapsed_s = b->seconds,
                                        .left_s = per_s > 0 ? (double)n_left / per_s : -1}};
    return report_progress_format(buf, n, &p, n_columns, ascii);
}
