/* SPDX-License-Identifier: Apache-2.0 */
/* option.h: one row for every option: those of a live job, of the guard and of training, whose
 * tables the library has (vg_stream_options, vg_watch_options, vg_train_options), and those of a
 * program that has a table of its own.
 *
 * A row says all of an option, once: the parser, help, manual page, completion, configurations and
 * the tables of the docs are drawn from it. Strings are constants. */
#ifndef VIGIL_OPTION_H
#define VIGIL_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { VG_OPTION_TEXT_BYTES = 1024, VG_OPTION_MOST_INTS = 1024 };

typedef struct vg_ints {
    int n;
    int at[VG_OPTION_MOST_INTS];
} vg_ints;

/* Classes: those that were given by number, and those by name. It begins as a vg_ints does. */
typedef struct vg_classes {
    int n;
    int at[VG_OPTION_MOST_INTS];
    char names[VG_OPTION_TEXT_BYTES]; /* "person,traffic light" */
} vg_classes;

/* Height and width, in the field's order. {0, 0}: not given. */
typedef struct vg_size {
    int h, w;
} vg_size;

/* What a value is in C, and how people write it. */
typedef enum vg_option_kind {
    VG_OPTION_BOOL,    /* bool: true, false, yes, no, on, off, 1, 0, in any case */
    VG_OPTION_SWITCH,  /* int: 0 auto, 1 true, 2 false */
    VG_OPTION_INT,     /* int */
    VG_OPTION_REAL,    /* double */
    VG_OPTION_FLOAT,   /* float */
    VG_OPTION_RATIO,   /* double: 0.95 or 95% */
    VG_OPTION_SECONDS, /* double: 5, 5s, 10m, 2h, 1d, 250ms */
    VG_OPTION_BYTES,   /* size_t: 4096, 512M, 1.5G (units of 1024) */
    VG_OPTION_SIZE,    /* vg_size: 640, or height and width: "480,640", "[480, 640]", "480x640" */
    VG_OPTION_TEXT,    /* char[most + 1]; most 0: char[VG_OPTION_TEXT_BYTES] */
    VG_OPTION_FILE,    /* such a text that names a file */
    VG_OPTION_FOLDER,  /* or a folder */
    VG_OPTION_STRING,  /* const char *, borrowed from who gave it; NULL: not given */
    VG_OPTION_CHOICE,  /* int: the place of the word in choices */
    VG_OPTION_BITS,    /* int: "notify,restart", of choices, whose first word is no bit */
    VG_OPTION_INTS,    /* vg_ints: "0,2,5", "[0, 2, 5]", "0 2 5" */
    VG_OPTION_CLASSES, /* vg_classes: such lists, and names: "0,person", "['traffic light', 2]" */
    VG_OPTION_LAYERS,  /* vg_ints: also "10" for 0..9 */
    VG_OPTION_WORDS    /* char *const *: all words behind "--" of a command line; never a text */
} vg_option_kind;

typedef enum vg_option_stand {
    VG_OPTION_ACTS,
    VG_OPTION_IDLE,   /* accepted, without effect: why is said once when it is used */
    VG_OPTION_REFUSED /* its effect would be missed: refused, with why and what to do instead */
} vg_option_stand;

typedef struct vg_option {
    const char *name;  /* "max_det"; '-' and '_' are the same */
    const char *alias; /* another name; NULL: none */
    vg_option_kind kind;
    size_t offset;       /* of the value in its struct */
    double least, most;  /* of numbers and of the items of lists; of texts the most bytes */
    const char *choices; /* "a|b|c", in any case; NULL: any */
    const char *preset;  /* the default, as text, also where it is outside of least..most; "": none;
                            NULL: the struct has it */
    const char *also;    /* other words for a value: "true=ram|false=none"; NULL: none */

    /* help */
    const char *help;
    const char *value; /* "FILE"; NULL: as vg_option_value says */
    const char *zero;  /* what a default of 0 or none means; NULL: help says it, or nothing does */
    const char *group; /* heading that starts with this option; NULL: as above */

    vg_option_stand stands;
    const char *why;     /* VG_OPTION_IDLE, VG_OPTION_REFUSED: the reason */
    const char *instead; /* VG_OPTION_REFUSED: what to do */

    bool is_per_source; /* of a live job: may stand in an entry of a configuration's `sources` */

    /* a command line */
    const char *only;   /* said of a word that is none of choices */
    const char *single; /* one number: why a list of several is refused; NULL: nothing to say */
    bool is_required;
    const char *unless;   /* required, but not beside the option of this name; NULL: always */
    bool is_positional;   /* a word without a name may be its value, too */
    bool may_stand_alone; /* without a value, which then is "true"; of an int alone_value */
    int alone_value;
} vg_option;

typedef enum vg_option_fault {
    VG_OPTION_GOOD,
    VG_OPTION_WRONG_KIND,
    VG_OPTION_OUTSIDE,  /* of least..most */
    VG_OPTION_TOO_LONG, /* a text, or a list */
    VG_OPTION_NO_CHOICE /* no word of choices */
} vg_option_fault;

/* text as the option's value into the struct values, which stays as it was on a fault. */
VG_API vg_option_fault vg_option_read(const vg_option *o, void *values, const char *text);
/* The value as vg_option_read takes it, into buf (n); false: cut. 16 KiB are room for any. */
VG_API bool vg_option_write(char *buf, size_t n, const vg_option *o, const void *values);
/* Of the value in its struct. */
VG_API size_t vg_option_bytes(const vg_option *o);
/* What a value is, in help: "N", "TIME", the choices; NULL: it needs none, as a flag. */
VG_API const char *vg_option_value(const vg_option *o);

/* Commands that YOLO's own program has, too. */
enum { VG_AT_PREDICT = 1, VG_AT_VAL = 2, VG_AT_TRAIN = 4, VG_AT_EXPORT = 8 };
/* The row of an option of YOLO's own that the command here has no use for: `stands` says whether it
 * is accepted without effect or refused, and its preset asks for nothing. NULL: there is none of
 * that name. */
VG_API const vg_option *vg_option_of_yolo(const char *name, unsigned at);

/* One argument of a file: text as vg_option_read takes it. */
typedef vg_status (*vg_argument_seen)(void *ctx, const char *name, const char *text, int line,
                                      vg_error *err);
/* A file of arguments, a `name: value` a line, such as the args.yaml that every training leaves,
 * also one of the Python tool's: calls `seen` for each but nulls, in their order. Errors:
 * VG_ERR_IO, VG_ERR_FORMAT (no such file of text; file:line), VG_ERR_ARGUMENT (a model's or a
 * dataset's YAML), those of seen. */
VG_API vg_status vg_arguments_read(const char *path, vg_argument_seen seen, void *ctx,
                                   vg_error *err);

/* Equal but for '-' and '_'. */
VG_API bool vg_name_equal(const char *a, const char *b);
/* word is name but for a slip of the fingers. */
VG_API bool vg_name_is_near(const char *word, const char *name);
/* Of the names at(context, 0..n-1), NULLs passed over, the one nearest to word; NULL: none is near,
 * since a hint that is wrong costs more than none. */
VG_API const char *vg_name_nearest(const char *word,
                                   const char *(*at)(const void *context, size_t i),
                                   const void *context, size_t n);

#ifdef __cplusplus
}
#endif
#endif
