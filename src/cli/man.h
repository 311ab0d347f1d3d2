/* man.h: manual pages and completion, drawn from the descriptors. */
#ifndef CLI_MAN_H
#define CLI_MAN_H

#include "cli.h"

/* The longest text before a page's first section. */
enum { CLI_MAN_BYTES = 4096 };

/* A page in roff; of the program itself, with its commands. */
void cli_man_program(FILE *to);
void cli_man_command(FILE *to, const cli_command *command);

/* For completion, a line each: the commands' names; of a command "--NAME KIND", and "- KIND" for a
 * word without a name. KIND is flag, file, folder, value, alone, or "words A B C". */
void cli_completion_program(FILE *to);
void cli_completion_command(FILE *to, const cli_command *command);

/* ---- markdown.c ---- */

/* Its options as tables of the docs, with a heading for each group. */
void cli_markdown_command(FILE *to, const cli_command *command);

/* ---- man_text.c ---- */

/* What no table says of a command, marked up as man.c reads it: its description, then sections. ""
 * is the program, "EXIT STATUS" what all have in common; NULL: nothing. */
const char *cli_man_text(const char *name);

#endif
