/* report.c: rows of text, and what they add up to. */
#include "report.h"

#include <math.h>

gold_diff gold_diff_make(double abs, double rel)
{
    return (gold_diff){.abs = abs, .rel = rel};
}

void gold_diff_add(gold_diff *d, double got, double want)
{
    double error = fabs(got - want), allowed = d->abs + d->rel * fabs(want);
    /* Not finite, on either side, is never right: no golden number is. */
    double used = isfinite(error) ? error == 0 ? 0 : error / allowed : INFINITY;
    if (!isfinite(error))
        error = INFINITY;
    if (error > d->largest)
        d->largest = error;
    if (used > d->used || d->n == 0) {
        d->used = used;
        d->worst_at = d->n;
        d->worst_got = got;
        d->worst_want = want;
    }
    d->n++;
}

void gold_diff_join(gold_diff *d, const gold_diff *other)
{
    if (other->n && (other->used > d->used || d->n == 0)) {
        d->used = other->used;
        d->worst_at = other->worst_at;
        d->worst_got = other->worst_got;
        d->worst_want = other->worst_want;
    }
    d->largest = fmax(d->largest, other->largest);
    d->n += other->n;
}

bool gold_diff_passes(const gold_diff *d)
{
    return d->n > 0 && d->used <= 1;
}

void gold_report_file(gold_report *r, const char *path, const char *kind)
{
    r->n_files++;
    r->file_failed = false;
    printf("%s: %s\n", base_path_name(path), kind ? kind : "unknown, skipped");
    r->n_unknown += !kind;
}

void gold_report_note(const gold_report *r, const char *format, ...)
{
    (void)r;
    va_list args;
    va_start(args, format);
    printf("  ");
    vprintf(format, args);
    printf("\n");
    va_end(args);
}

static void allowed_text(char *buf, size_t n, const gold_diff *d)
{
    if (d->abs == 0 && d->rel == 0)
        base_format(buf, n, "exact");
    else if (d->rel == 0)
        base_format(buf, n, "%.3g", d->abs);
    else if (d->abs == 0)
        base_format(buf, n, "%.3g |x|", d->rel);
    else
        base_format(buf, n, "%.3g + %.3g |x|", d->abs, d->rel);
}

static void print_row(gold_report *r, const gold_diff *d, const char *name)
{
    char allowed[48], used[24] = "";
    bool passes = gold_diff_passes(d);
    allowed_text(allowed, sizeof allowed, d);
    if (d->abs != 0 || d->rel != 0)
        base_format(used, sizeof used, "%.3g %% used", 100 * d->used);
    printf("  %-44s largest error %-10.3g allowed %-18s %-14s %s\n", name, d->largest, allowed,
           used, passes ? "pass" : "FAIL");
    if (!passes && d->n == 0)
        printf("    nothing was compared\n");
    else if (!passes)
        printf("    worst at element %zu of %zu: %.9g, golden %.9g\n", d->worst_at, d->n,
               d->worst_got, d->worst_want);
    r->n_rows++;
    r->n_rows_failed += !passes;
    r->file_failed = r->file_failed || !passes;
}

void gold_report_row(gold_report *r, const gold_diff *d, const char *format, ...)
{
    char name[128];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    print_row(r, d, name);
}

void gold_report_member(gold_report *r, const gold_diff *d, gold_diff *group, const char *format,
                        ...)
{
    char name[128];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    if (r->verbose || !gold_diff_passes(d))
        print_row(r, d, name);
    gold_diff_join(group, d);
}

void gold_report_error(gold_report *r, const vg_error *err)
{
    printf("  FAIL: %s\n", err->what);
    if (*err->where)
        printf("    at:  %s\n", err->where);
    if (*err->mend)
        printf("    try: %s\n", err->mend);
    r->n_rows++;
    r->n_rows_failed++;
    r->file_failed = true;
}

void gold_report_file_end(gold_report *r)
{
    r->n_failed += r->file_failed;
}

int gold_report_end(const gold_report *r)
{
    size_t n_checked = r->n_files - r->n_unknown;
    printf("%zu files: %zu checked (%zu comparisons), %zu of them failed (%zu comparisons); %zu "
           "unknown, skipped\n",
           r->n_files, n_checked, r->n_rows, r->n_failed, r->n_rows_failed, r->n_unknown);
    if (n_checked == 0)
        printf("nothing was checked\n");
    return r->n_failed > 0 || n_checked == 0;
}
