/* parser.h: the inside of the parser: a pass over the words of a command line (options.c), and over
 * a file of arguments before it (options_file.c). Internal to the two. */
#ifndef CLI_PARSER_H
#define CLI_PARSER_H

#include "cli.h"
#include "field.h"

/* One pass over the words. */
typedef struct cli_parser {
    const cli_command *command;
    cli_row rows[CLI_OPTIONS_MAX];
    size_t n_rows;
    unsigned char *values;
    int n, at; /* words, and the next one */
    char *const *words;
    cli_given given;
    const void *presets; /* the values as they are when nothing is given */
    cli_notes *notes;    /* NULL: not wanted */
    bool is_file;        /* what is read now is a file of arguments */
    vg_error *err;
} cli_parser;

/* The command's row of that name or alias; NULL: none. */
const cli_row *cli_parser_row(const cli_parser *p, const char *name);
/* false: err says what is wrong. */
bool cli_parser_set(cli_parser *p, const cli_row *row, const char *text);
bool cli_parser_refuse(cli_parser *p, const vg_option *o, const char *text, const char *word);
/* Another command's option, whether or not it asks for anything there; NULL: nobody has it. */
const cli_command *cli_parser_owner(const cli_parser *p, const char *name, const char *text,
                                    bool *is_idle);

/* ---- options_file.c ---- */

/* All of a file's arguments, as if they stood before the first word. */
bool cli_parser_take_file(cli_parser *p, const cli_arguments *file);

#endif
