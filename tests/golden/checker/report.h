/* report.h: what the checker prints: a heading a file, a row a tensor, a sum at the end.
 *
 * A row holds the largest error, what is allowed, how much of that the worst element uses, and pass
 * or FAIL. Nothing compared is no pass. */
#ifndef GOLDEN_REPORT_H
#define GOLDEN_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"

/* Compares element after element: |got - want| <= abs + rel * |want|. */
typedef struct gold_diff {
    double abs, rel; /* both 0: exact */
    size_t n;
    double largest; /* |got - want| */
    double used;    /* worst part of what is allowed; above 1: fail */
    size_t worst_at;
    double worst_got, worst_want;
} gold_diff;
gold_diff gold_diff_make(double abs, double rel);
void gold_diff_add(gold_diff *d, double got, double want);
/* Adds another's elements, of the same tolerance. */
void gold_diff_join(gold_diff *d, const gold_diff *other);
bool gold_diff_passes(const gold_diff *d);

typedef struct gold_report {
    bool verbose; /* also the passing tensors of a group, one by one */
    size_t n_rows, n_rows_failed;
    bool file_failed;
    size_t n_files, n_failed, n_unknown;
} gold_report;

/* Starts a file. kind NULL: unknown. */
void gold_report_file(gold_report *r, const char *path, const char *kind);
/* More about the file, in the heading's manner. */
void gold_report_note(const gold_report *r, const char *format, ...) VG_PRINTF(2, 3);
void gold_report_row(gold_report *r, const gold_diff *d, const char *format, ...) VG_PRINTF(3, 4);
/* One of many alike: printed when it fails, or verbose. Sums up in the group's own row. */
void gold_report_member(gold_report *r, const gold_diff *d, gold_diff *group, const char *format,
                        ...) VG_PRINTF(4, 5);
/* Something could not be computed: a failed row. */
void gold_report_error(gold_report *r, const vg_error *err);
/* A file ends: counted as failed when a row did. */
void gold_report_file_end(gold_report *r);
/* 0 or 1, the program's exit status: 1 also when no file was checked. */
int gold_report_end(const gold_report *r);

#endif
