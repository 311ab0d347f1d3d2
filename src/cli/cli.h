/* cli.h: what the commands of `vigil` share.
 *
 * A command is one file cmd_*.c that ends in a const descriptor, and one line in commands.c. Help
 * and the option parser are drawn from descriptors, so neither can be out of date. This floor sees
 * vigil.h and the C library, nothing else: whatever a command does, a user's own program can do.
 * Nothing here takes memory. stdout is the product, stderr the talk. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "options.h"
#include "vigil/vigil.h"

/* Exit statuses. One stopped by a signal ends with 128 + its number, as the shell would say it. */
enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

/* The parser's zeroed room for a command's values. */
enum { CLI_VALUES_BYTES = 16384 };

struct cli_command {
    const char *name;
    const char *alias; /* NULL: none */
    const char *help;  /* one line for the list of commands */
    const char *usage; /* what follows "vigil NAME " */
    const char *notes; /* paragraphs below the options, each line to be wrapped; NULL: none */
    const vg_option *options; /* (n_options) of its own */
    size_t n_options;
    const vg_option *(*table)(size_t *n); /* of vigil.h, whose options it has, too; NULL: none. Both
                                             together at most CLI_OPTIONS_MAX */
    unsigned speaks; /* CLI_AT_PREDICT and so on: a command of YOLO's program, whose words it knows;
                        0: not one */
    const cli_command *const *siblings; /* of those: all commands, ended by NULL, so that an option
                                           of another one is known for what it is; or NULL */
    size_t values_bytes;                /* the struct that the options' offsets point into; at most
                                           CLI_VALUES_BYTES */
    size_t given_offset;                /* in it, of a cli_given that the parser fills; 0: none */
    void (*defaults)(void *values);     /* into zeroed room; NULL: zeroes are the defaults */
    int (*run)(void *values); /* values are the command's own to change; the exit status */
};

/* ---- commands.c ---- */

extern const cli_command *const cli_commands[]; /* ends with NULL */
/* By name or alias; NULL when there is none. */
const cli_command *cli_command_find(const char *name);
/* The name that is most like word; NULL when none is. */
const char *cli_command_nearest(const char *word);
/* A command of YOLO's own program that there is none of here. */
typedef struct cli_other {
    const char *name, *why, *instead;
} cli_other;
/* NULL: word is none. */
const cli_other *cli_other_find(const char *word);

/* ---- help.c ---- */

void cli_help_program(FILE *to);
/* Defaults come from the command's own defaults function. */
void cli_help_command(FILE *to, const cli_command *command);
enum { CLI_HELP_BYTES = 640 };
/* What is said of an option: its help, its other name (with_alias), whether it must be given, its
 * default among values. Cut at n. */
void cli_option_text(char *buf, size_t n, const cli_row *row, bool with_alias, const void *values);

/* ---- print.c ---- */

/* printf for the commands. What a %s brings may be the words of others (names of files, classes,
 * processes, an error): it is made fit for a line (vigil/text.h) and padded by characters, while
 * the format is the program's own, with its line ends. Knows what C17's printf knows, but for %n,
 * %p, long double and wide characters. Returns the columns written. */
int cli_print(FILE *to, const char *format, ...) VG_PRINTF(2, 3);
/* The first n bytes of text, whose line ends are the program's own (a report, a log). */
void cli_text_lines(FILE *to, const char *text, size_t n);
/* So that no command can forget it. Words of the program alone may go through fputs. */
#ifndef CLI_PRINT_IMPLEMENTATION
#undef printf /* macros already, with clang and _FORTIFY_SOURCE */
#undef fprintf
#define printf(...)  cli_print(stdout, __VA_ARGS__)
#define fprintf(...) cli_print(__VA_ARGS__)
#endif

/* ---- output.c ---- */

/* cli_print of a text alone. */
void cli_text(FILE *to, const char *text);
/* The three fields, as error.h shows them; returns status, so that a command can end with it. */
int cli_error_print(const vg_error *err, int status);
/* The same, with the one rule for statuses: CLI_USAGE when what was asked for is wrong
 * (VG_ERR_ARGUMENT), CLI_FAILED when it could not be done. */
int cli_error_end(const vg_error *err);
/* Fills what (where and mend empty, to be set by cli_error_text). */
void cli_error_set(vg_error *err, vg_status status, const char *format, ...) VG_PRINTF(3, 4);
/* One of the error's fields; longer text is cut. */
void cli_error_text(char field[VG_WHAT_BYTES], const char *format, ...) VG_PRINTF(2, 3);
/* "12.3 MB" (units of 1024) into buf; returns buf. */
const char *cli_bytes(char buf[32], double bytes);
/* A line of a GPU's memory: planned, by owner, in use; nothing where there is none. */
void cli_gpu_print(FILE *to, const vg_memory *m);
/* A whole number with commas, 2624080 -> "2,624,080". */
const char *cli_commas(char buf[32], long long value);
/* "warning: ..." on stderr; the text may hold names from outside. */
void cli_warning(const char *format, ...) VG_PRINTF(1, 2);
/* A JSON string, quotes included. What is not UTF-8 becomes U+FFFD. */
void cli_json_string(FILE *to, const char *text);
/* Text in lines of at most `width` columns, broken at blanks, each but the first indented. `column`
 * is where the cursor is. Ends with a newline. */
void cli_wrap(FILE *to, const char *text, int column, int indent, int width);
/* Flushes stdout. CLI_FAILED when anything written there was lost (said on stderr, unless the
 * reader merely went away), else status. */
int cli_output_finish(int status);
/* False once something written to stdout was lost: no use going on. */
bool cli_output_good(void);

/* ---- screen.c ---- */

typedef struct cli_screen {
    bool terminal; /* lines may be written over one another; not of TERM=dumb */
    bool ascii;    /* it shows no other letters */
    bool colour;   /* unless NO_COLOR says otherwise */
} cli_screen;
cli_screen cli_screen_of(FILE *to);
/* 0: no terminal, lines may be as long as they get. */
size_t cli_columns(FILE *to);
typedef enum cli_colour { CLI_RED, CLI_YELLOW, CLI_GREEN, CLI_BOLD } cli_colour;
/* Our own text, in colour where the terminal has it. */
void cli_paint(FILE *to, cli_colour colour, const char *text);

/* ---- interrupt.c ---- */

/* From now on SIGINT and SIGTERM are noted; a second one ends the program as if it had not been
 * caught, unless it was queued (sigqueue, `vigil stop`). */
void cli_interrupt_watch(void);
/* The same, and SIGQUIT, for a command that has to end something else first: further ones are
 * counted, and only the MOST_IMPATIENT-th ends the program, saying that it leaves something
 * behind. */
void cli_interrupt_count(void);
/* How often it was asked again. Several within a moment are one: `timeout` signals a program and
 * its group. */
int cli_interrupt_impatience(void);
/* SIGHUP, too, unless whoever started the program (nohup) has it ignored. */
void cli_interrupt_watch_hangup(void);
/* From now on a signal also breaks off a call that waits for another program (a pipe). */
void cli_interrupt_waits(void);
/* From now on SIGHUP is a wish to read the configuration again, unless whoever started the program
 * has it ignored. When it came because the terminal is gone, it ends the work as SIGTERM does. */
void cli_interrupt_watch_reload(void);
/* True once for each such wish. */
bool cli_interrupt_wants_reload(void);
/* The noted signal; 0: none. */
int cli_interrupt_signal(void);

#endif
