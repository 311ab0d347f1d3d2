/* field.h: options of YOLO's own command line that a command here has no use for.
 *
 * People's command lines have them, mostly at values that ask for nothing (show=False, nms=False,
 * time=None): those pass. Of the others, one whose effect would be missed is refused with what to
 * do instead, and one that changes no result is accepted and said once to do nothing. All of them
 * are rows, as every option is, whose `stands` says which: vg_option_of_yolo has them. */
#ifndef CLI_FIELD_H
#define CLI_FIELD_H

#include "options.h"

/* text is a value of it that asks for nothing: none, false (but of a flag that is on), the preset.
 */
bool cli_field_is_harmless(const vg_option *o, const char *text);

/* No value, None or null: what asks for nothing whatever the option. */
bool cli_is_nothing(const char *text);
/* "none", where none (None, null) is one of the option's own choices and may not be its preset;
 * else NULL. */
const char *cli_field_none(const vg_option *o, const char *text);
/* An empty value of this option must not pass for none: it would take a protection away without a
 * word. */
bool cli_field_must_be_said(const char *name);

/* text is no more than what the option does without it: its default, in presets when the row is the
 * command's own, or a flag that is off. */
bool cli_option_is_idle_at(const cli_row *row, const void *presets, const char *text);

/* Adds a note, or replaces that of the same option; why NULL: takes it away. */
void cli_note(cli_notes *notes, const char *name, const char *text, const char *why);
/* "note: half=True does nothing here: ..." a line. */
void cli_notes_print(FILE *to, const cli_notes *notes);

#endif
