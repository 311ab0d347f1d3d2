/* args_yaml.h: args.yaml, the arguments that repeat a run. */
#ifndef REPORT_ARGS_YAML_H
#define REPORT_ARGS_YAML_H

#include <stdbool.h>

#include "base/base.h"

typedef enum report_arg_kind {
    REPORT_ARG_NULL,
    REPORT_ARG_BOOL, /* integer 0 or 1 */
    REPORT_ARG_INT,
    REPORT_ARG_REAL,
    REPORT_ARG_TEXT,
    REPORT_ARG_INTS, /* a list: freeze, classes */
    REPORT_ARG_TEXTS
} report_arg_kind;

/* One argument; everything in it is borrowed. */
typedef struct report_arg {
    const char *key;
    report_arg_kind kind;
    int64_t integer;
    double real;
    const char *text;         /* UTF-8 */
    const int *ints;          /* (n_items) */
    const char *const *texts; /* (n_items) */
    size_t n_items;
} report_arg;

/* Writes "key: value" lines in the order given and replaces the file whole or not at all. What a
 * YAML reader would take for something else is quoted: every text comes back as that text, every
 * real as the same double, from base_tree_read and from Python's yaml. Errors: VG_ERR_ARGUMENT (a
 * text that is not UTF-8), VG_ERR_IO, VG_ERR_LIMIT (1 MiB), VG_ERR_MEMORY. */
vg_status report_args_write(const char *path, const report_arg *args, size_t n_args, base_mem *mem,
                            vg_error *err);

#endif
