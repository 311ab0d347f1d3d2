/* options.h: a command's options as rows of vigil/option.h, and the parser over them.
 *
 * `--imgsz 640`, `--imgsz=640` and `imgsz=640` are the same; so are '-' and '_' in a name;
 * `--save-txt`, `save_txt=True` and `--no-save-txt`, `save_txt=False`. Given twice, the last one
 * wins. The values of a command's own rows land in its struct, at the row's offset; of the rows of
 * a table of vigil.h, the texts are kept, and handed on by name. Texts are borrowed from argv.
 * Nothing here takes memory. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "vigil/error.h"
#include "vigil/option.h"

enum { CLI_OPTIONS_MAX = 160, CLI_NAME_BYTES = 48, CLI_NOTES_MAX = 32 };

/* Commands that YOLO's own program has, too: they know its words, and None. */
enum {
    CLI_AT_PREDICT = VG_AT_PREDICT,
    CLI_AT_VAL = VG_AT_VAL,
    CLI_AT_TRAIN = VG_AT_TRAIN,
    CLI_AT_EXPORT = VG_AT_EXPORT
};

/* Which options were given, by their place among the command's rows, and the last text of each: for
 * a command that hands them on. */
typedef struct cli_given {
    bool is[CLI_OPTIONS_MAX];
    const char *text[CLI_OPTIONS_MAX];
} cli_given;

/* Options that were given and do nothing: the last text of each. */
typedef struct cli_notes {
    size_t n;
    struct {
        char name[CLI_NAME_BYTES];
        const char *text, *why;
    } at[CLI_NOTES_MAX];
} cli_notes;

typedef struct cli_command cli_command;

/* A file of arguments, as cfg=FILE names one. */
enum { CLI_ARGUMENTS_MAX = 256, CLI_ARGUMENTS_BYTES = 32768 };
typedef struct cli_arguments {
    const char *path;
    int n;
    struct {
        const char *name, *text; /* in room */
        int line;
    } at[CLI_ARGUMENTS_MAX];
    size_t used;
    char room[CLI_ARGUMENTS_BYTES];
} cli_arguments;

/* ---- rows.c ---- */

/* An option of a command: a row of its own, or of the table of vigil.h that it has. */
typedef struct cli_row {
    const vg_option *o;
    const vg_option *handed; /* the table's row, to which the value is handed on; NULL: none */
    const char *group;       /* heading that starts with it; NULL: as above */
} cli_row;

/* The table's rows in its order, each in place of which the command may have one of its own; then
 * the command's other rows. Returns their number. */
size_t cli_command_rows(const cli_command *command, cli_row rows[CLI_OPTIONS_MAX]);
/* The text that was given of an option; NULL: none was. */
const char *cli_given_text(const cli_command *command, const cli_given *given, const char *name);
/* Sets an option by name, as vg_stream_set does. */
typedef vg_status (*cli_setter)(void *handle, const char *name, const char *text, vg_error *err);
/* What was given of the table, in its order; `config` first, so that the command line wins. A file
 * of options with a wrong one is no fault of the command line: VG_ERR_FORMAT. */
vg_status cli_hand_on(const cli_command *command, const void *values, const cli_given *given,
                      cli_setter set, void *handle, vg_error *err);

/* What a default is: " (0.25)", "" when there is nothing to say. values: the command's defaults. */
void cli_default_text(char *buf, size_t n, const cli_row *row, const void *values);
/* A name as it is typed, into buf: a row's may have '_'. Returns buf. */
const char *cli_name_typed(char buf[CLI_NAME_BYTES], const char *name);
/* True and False, in all their spellings; a number. */
bool cli_read_bool(bool *out, const char *text);
bool cli_read_real(double *out, const char *text);
/* True and False alone, in any case: what may follow a flag as a word of its own. */
bool cli_is_truth(bool *out, const char *text);
/* Whole numbers, whether or not they are in the range of an option. */
bool cli_is_ints(vg_ints *out, const char *text);
bool cli_is_int(const char *text);

/* ---- fault.c ---- */

/* Says in err what is wrong with a value, and what to do: false, but for VG_OPTION_GOOD. */
bool cli_fault(vg_error *err, const vg_option *o, const char *text, vg_option_fault fault);
bool cli_fault_missing(vg_error *err, const vg_option *o);

/* ---- options.c ---- */

typedef enum cli_parsed {
    CLI_PARSED,
    CLI_PARSED_HELP, /* --help was among the words; nothing was checked behind it */
    CLI_PARSED_WRONG
} cli_parsed;

/* words: what follows the command's name, n of them; where a row has the kind VG_OPTION_WORDS they
 * end with NULL. values: room of the command's values_bytes, set to its defaults here. notes:
 * zeroed, or NULL; gets what was given and does nothing. On CLI_PARSED_WRONG err says what, where
 * and how to mend it. */
cli_parsed cli_options_parse(const cli_command *command, void *values, int n, char *const *words,
                             cli_notes *notes, vg_error *err);

/* The same with a file of arguments (NULL: none) before the words, so that what is typed wins. What
 * the file has that another command is for is passed over. An error of it is VG_ERR_FORMAT at its
 * line. */
cli_parsed cli_options_parse_with(const cli_command *command, void *values,
                                  const cli_arguments *file, int n, char *const *words,
                                  cli_notes *notes, vg_error *err);

/* ---- arguments.c ---- */

/* The file that cfg= among the words names, into *out. False: there is none, or, with err set, it
 * cannot be read. A command that has no such option, or one of its own, reads none. */
bool cli_arguments_find(cli_arguments *out, const cli_command *command, int n, char *const *words,
                        vg_error *err);

/* detect, segment, pose, obb, classify. */
bool cli_is_task(const char *word);

#endif
