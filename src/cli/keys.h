/* keys.h: every key of YOLO's own configuration, and what a command here answers to it. */
#ifndef CLI_KEYS_H
#define CLI_KEYS_H

#include "cli.h"

typedef struct cli_answer {
    bool is_known;
    const cli_command *owner; /* another command has it: here it passes at its default, else it is
                                 refused with that command's name; NULL: the rest says */
    vg_option_stand stands;
    const char *why, *instead; /* NULL: nothing to say */
} cli_answer;

cli_answer cli_key_answer(const cli_command *c, const char *name);
/* All keys as tables of Markdown. */
void cli_keys_markdown(FILE *to);

#endif
