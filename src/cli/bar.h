/* bar.h: the line that moves while something of known length is done, and goes when it is. */
#ifndef CLI_BAR_H
#define CLI_BAR_H

#include "cli.h"

typedef struct cli_bar {
    FILE *to;
    const char *what; /* "validating" */
    bool on;          /* it is a terminal */
    bool ascii;
    bool stands; /* there is one on the line */
    double began_s, next_s;
} cli_bar;
cli_bar cli_bar_make(FILE *to, const char *what);
/* Not more often than the eye can follow; nothing at all for what is done at once. */
void cli_bar_show(cli_bar *b, size_t n_done, size_t n_total);
void cli_bar_clear(cli_bar *b);

#endif
