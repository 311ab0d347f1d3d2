/* options.h: a command's options as a table, and the parser over it.
 *
 * `--imgsz 640`, `--imgsz=640` and `imgsz=640` are the same; so are '-' and '_' in a name;
 * `--save-txt`, `save_txt=True` and `--no-save-txt`, `save_txt=False`. Given twice, the last one
 * wins. The values land in the command's struct, at the option's offset; texts are borrowed from
 * argv. Nothing here takes memory. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "vigil/error.h"

typedef enum cli_kind {
    CLI_BOOL,  /* bool */
    CLI_INT,   /* int in least..most */
    CLI_SIZE,  /* cli_size, each side in least..most: 640, or height and width: "480,640",
                  "[480, 640]", "480x640", and on the command line "480 640" */
    CLI_REAL,  /* float in least..most */
    CLI_TEXT,  /* const char *, NULL while not given */
    CLI_BYTES, /* size_t: 4096, 512M, 1.5G (units of 1024) */
    CLI_INTS,  /* cli_ints, each in least..most: "0,2,5" or "[0, 2, 5]", and on the
                  command line more words of numbers: "0 2 5" */
    CLI_WORDS  /* char *const *: all words behind "--", borrowed; NULL while there is none. The
                  words that are parsed must end with NULL */
} cli_kind;

enum { CLI_OPTIONS_MAX = 128, CLI_INTS_MAX = 1024, CLI_NAME_BYTES = 48, CLI_NOTES_MAX = 32 };

/* Commands that YOLO's own program has, too: they know its words, and None. */
enum { CLI_AT_PREDICT = 1, CLI_AT_VAL = 2, CLI_AT_TRAIN = 4 };

/* {0, 0}: not given. */
typedef struct cli_size {
    int h, w;
} cli_size;

typedef struct cli_ints {
    size_t n;
    int values[CLI_INTS_MAX];
} cli_ints;

/* Which options were given, by their place in the table, and the last text of each: for a command
 * that hands them on. */
typedef struct cli_given {
    bool is[CLI_OPTIONS_MAX];
    const char *text[CLI_OPTIONS_MAX];
} cli_given;

typedef struct cli_option {
    const char *name;  /* "max-det" */
    const char *alias; /* another name; NULL: none */
    cli_kind kind;
    size_t offset;      /* of the value in the command's struct */
    double least, most; /* CLI_INT, CLI_SIZE, CLI_REAL, CLI_INTS */
    const char *value;  /* in the help: "N", "FILE"; NULL for CLI_BOOL */
    const char *help;
    const char *zero;  /* in the help: what a default of 0 or NULL means; NULL: nothing to say */
    const char *group; /* heading that starts with this option; NULL: as above */
    const char *idle;  /* accepted, without effect here, and why; NULL: it has one */
    const char *only;  /* CLI_TEXT whose value is "a|b|c": said of any other; NULL: not looked at */
    const char *list;  /* one number: why a list of several is none; NULL: nothing to say */
    bool required;
    const char *unless; /* required: but not beside the option of this name; NULL: always */
    bool positional;    /* a word without a name may be its value, too */
    bool bare; /* CLI_INT: may stand without a value, which then is bare_value; `=True` and `=False`
                  do, too. CLI_TEXT: alone it is "true" */
    int bare_value;
} cli_option;

/* Options that were given and do nothing: the last text of each. */
typedef struct cli_notes {
    size_t n;
    struct {
        char name[CLI_NAME_BYTES];
        const char *text, *why;
    } at[CLI_NOTES_MAX];
} cli_notes;

typedef struct cli_command cli_command;

typedef enum cli_parsed {
    CLI_PARSED,
    CLI_PARSED_HELP, /* --help was among the words; nothing was checked behind it */
    CLI_PARSED_WRONG
} cli_parsed;

/* words: what follows the command's name, n of them. values: room of the command's values_bytes,
 * set to its defaults here. notes: zeroed, or NULL; gets what was given and does nothing. On
 * CLI_PARSED_WRONG err says what, where and how to mend it. */
cli_parsed cli_options_parse(const cli_command *command, void *values, int n, char *const *words,
                             cli_notes *notes, vg_error *err);

/* The command with its drawn options in room, or as it is. */
cli_command cli_command_whole(const cli_command *command, cli_option room[CLI_OPTIONS_MAX]);

/* detect, segment, pose, obb, classify. */
bool cli_is_task(const char *word);

/* ---- name.c ---- */

/* Names are equal when only '-' and '_' differ. */
bool cli_name_equal(const char *a, const char *b);
/* A name as it is typed, into buf: a drawn one may have '_'. Returns buf. */
const char *cli_name_typed(char buf[CLI_NAME_BYTES], const char *name);
/* Of the names `at(context, 0..n-1)` (NULLs are passed over) the one nearest to word, or NULL when
 * none is near. */
const char *cli_name_nearest(const char *word, const char *(*at)(const void *context, size_t i),
                             const void *context, size_t n);

/* ---- value.c: the whole of a text as a value (blanks around it allowed), or false and *out as it
 * was ---- */

bool cli_parse_int(long long *out, const char *text);
/* Decimal, finite. */
bool cli_parse_real(double *out, const char *text);
bool cli_parse_bytes(size_t *out, const char *text);
/* true, false, yes, no, on, off, 1, 0, in any case. */
bool cli_parse_bool(bool *out, const char *text);
/* True and False alone, in any case: what may follow a flag as a word of its own. */
bool cli_parse_truth(bool *out, const char *text);
/* An item that is no int, or an empty list: false. More than CLI_INTS_MAX items: false, too. */
bool cli_parse_ints(cli_ints *out, const char *text);
/* "640", "[640]": a square; "480,640", "[480, 640]", "(480, 640)", "480x640": height and width. */
bool cli_parse_size(cli_size *out, const char *text);

#endif
