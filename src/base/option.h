/* option.h: a table of options: set by name from text, told with what is wrong and what to do,
 * and read from YAML. The rows, and how each kind is read and written, are in vigil/option.h. */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include "mem.h"
#include "tree.h"
#include "vigil/option.h"

typedef struct base_options {
    const vg_option *rows;
    size_t n;
    const char *noun;    /* in errors: "no NOUN is named ..." */
    const char *mend;    /* what to do about a name that nothing is near to */
    const char *where;   /* in errors, before an option's name: "option " */
    bool expands;        /* ${NAME} and ${file:PATH} in texts are replaced */
    bool is_utf8;        /* texts are kept in files of UTF-8, so that they must be */
    bool has_none;       /* "none" and "null" empty a text, a size or a list */
    const char *and_key; /* a key of configurations that is no option; NULL: none */
} base_options;

/* By name or alias; NULL: none. */
const vg_option *base_options_find(const base_options *t, const char *name);
/* What to try instead of a name that is none: the one that is near, or t->mend. */
const char *base_options_hint(const base_options *t, const char *name);

/* values: the struct that the rows' offsets are in, zeroed. */
void base_options_default(const base_options *t, void *values);
/* Errors: VG_ERR_ARGUMENT, with the nearest name, the range or the choices: values is as it was.
 * What ${NAME} stood for is in no error. */
vg_status base_options_set(const base_options *t, void *values, const char *name, const char *text,
                           vg_error *err);
/* A node of a map of YAML or JSON. source (NULL: the caller says where) names it in errors, with
 * its line. Errors: also VG_ERR_FORMAT. */
vg_status base_options_set_node(const base_options *t, void *values, const base_node *node,
                                const char *source, vg_error *err);
/* A scalar, or a list as its items with commas, into buf; null is "". Errors: VG_ERR_FORMAT. */
vg_status base_node_value(char *buf, size_t n, const base_node *node, const char *where,
                          vg_error *err);

/* ---- classes.c ---- */

/* Sets wanted (nc) of each class that names has, "person,traffic light"; in any case where that is
 * not ambiguous. name: of a class, borrowed. Errors: VG_ERR_ARGUMENT, with the nearest name. */
vg_status base_classes_choose(uint8_t *wanted, int nc, const char *names,
                              const char *(*name)(const void *context, int class_index),
                              const void *context, const char *where, vg_error *err);

/* ---- expand.c ---- */

/* text with ${NAME} replaced by that of the environment, ${file:PATH} by the first line of a file,
 * $${ by ${. Errors: VG_ERR_ARGUMENT (no such name, does not fit), VG_ERR_IO. */
vg_status base_text_expand(char *out, size_t n, const char *text, vg_error *err);

#endif
