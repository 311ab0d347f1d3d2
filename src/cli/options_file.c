/* options_file.c: a file of arguments through the parser. Such a file has all keys of all commands,
 * mostly at their defaults: what another command is for, and what has no effect, is passed over
 * without a word. */
#include <string.h>
#include <strings.h>

#include "parser.h"

/* What says nothing of this command's work: the command is typed, where a training's results went
 * is behind us, and the processor was another machine's. */
static bool is_past(const char *name)
{
    static const char *const names[] = {"mode", "save_dir", "device", "cfg", "resume"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (vg_name_equal(names[i], name))
            return true;
    return false;
}

/* Every configuration says format: torchscript, which nobody has asked for. */
static bool is_unasked(const char *name, const char *text)
{
    return vg_name_equal(name, "format") && strcasecmp(text, "torchscript") == 0;
}

/* Nor, in 8.4's, for the tracker that is its default. */
static bool is_default_tracker(const char *name, const char *text)
{
    return vg_name_equal(name, "tracker") && strcasecmp(text, "tracktrack.yaml") == 0;
}

static bool take_foreign(cli_parser *p, const char *name, const char *text)
{
    bool is_idle = false;
    const vg_option *o = vg_option_of_yolo(name, p->command->speaks);
    if (o == NULL) {
        if (vg_option_of_yolo(name, ~0U) == NULL &&
            cli_parser_owner(p, name, text, &is_idle) == NULL)
            cli_note(p->notes, name, text, "vigil has no such option");
        return true;
    }
    return o->stands != VG_OPTION_REFUSED || cli_field_is_harmless(o, text) ||
           cli_parser_refuse(p, o, text, name);
}

static bool take(cli_parser *p, const char *name, const char *text)
{
    const cli_row *row = cli_parser_row(p, name);
    const bool is_none = row != NULL && cli_field_none(row->o, text) != NULL;
    if (is_past(name) || is_unasked(name, text) || (cli_is_nothing(text) && !is_none))
        return true;
    if (is_default_tracker(name, text)) {
        if (strcmp(p->command->name, "track") == 0)
            cli_note(p->notes, name, text,
                     "bytetrack.yaml is taken; tracker=botsort.yaml is the other");
        return true;
    }
    return row != NULL ? cli_parser_set(p, row, text) : take_foreign(p, name, text);
}

bool cli_parser_take_file(cli_parser *p, const cli_arguments *file)
{
    p->is_file = true;
    for (int i = 0; i < file->n; i++) {
        if (take(p, file->at[i].name, file->at[i].text))
            continue;
        p->err->status = VG_ERR_FORMAT;
        cli_error_text(p->err->where, "%s:%d, %s", file->path, file->at[i].line, file->at[i].name);
        return false;
    }
    p->is_file = false;
    return true;
}
