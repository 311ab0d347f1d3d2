/* options.c: words -> values, by a command's table.
 *
 * A word is "--name", "--name=value", "name=value", "-h", "--" (the rest are no options) or, for
 * commands that take one, a value without a name. A name with "no-" in front turns a flag off.
 * "task=" and "mode=", which YOLO's own command line wants, are accepted when they say what is so
 * anyway. */
#include <assert.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "parser.h"

enum { NAME_BYTES = CLI_NAME_BYTES };

/* ---- names ---- */

typedef struct cli_rows {
    const cli_row *rows;
    size_t n;
} cli_rows;

static cli_rows rows_of(const cli_parser *p)
{
    return (cli_rows){.rows = p->rows, .n = p->n_rows};
}

/* Names at even places, aliases at odd ones. */
static const char *name_at(const void *context, size_t i)
{
    const vg_option *o = ((const cli_rows *)context)->rows[i / 2].o;
    return i % 2 == 0 ? o->name : o->alias;
}

static const cli_row *row_find(cli_rows r, const char *name)
{
    for (size_t i = 0; i < r.n; i++) {
        const vg_option *o = r.rows[i].o;
        if (vg_name_equal(name, o->name) || (o->alias != NULL && vg_name_equal(name, o->alias)))
            return &r.rows[i];
    }
    return NULL;
}

const cli_row *cli_parser_row(const cli_parser *p, const char *name)
{
    return row_find(rows_of(p), name);
}

/* "no-save" */
static bool is_negated(const char *name)
{
    return name[0] == 'n' && name[1] == 'o' && (name[2] == '-' || name[2] == '_') &&
           name[3] != '\0';
}

static bool is_flag(const vg_option *o)
{
    return o->kind == VG_OPTION_BOOL || o->kind == VG_OPTION_SWITCH;
}

static bool can_be_negated(const vg_option *o)
{
    return is_flag(o) ||
           (o->may_stand_alone && (o->kind == VG_OPTION_INT || o->kind == VG_OPTION_REAL));
}

/* ---- errors ---- */

/* A row that is refused, at a value that asks for something. */
bool cli_parser_refuse(cli_parser *p, const vg_option *o, const char *text, const char *word)
{
    cli_error_set(p->err, VG_ERR_ARGUMENT, "vigil %s has no %s=%s: %s", p->command->name, o->name,
                  text, o->why);
    cli_error_text(p->err->where, "argument %s", word);
    cli_error_text(p->err->mend, "%s", o->instead);
    return false;
}

/* Another command's option, whether or not it asks for anything there. */
const cli_command *cli_parser_owner(const cli_parser *p, const char *name, const char *text,
                                    bool *is_idle)
{
    const cli_command *const *c = p->command->siblings;
    for (; c != NULL && *c != NULL; c++) {
        cli_row room[CLI_OPTIONS_MAX];
        _Alignas(max_align_t) unsigned char presets[CLI_VALUES_BYTES] = {0};
        if ((*c)->speaks == 0 || (*c)->speaks == p->command->speaks)
            continue;
        const cli_rows rows = {.rows = room, .n = cli_command_rows(*c, room)};
        const cli_row *row = row_find(rows, name);
        if (row == NULL)
            continue;
        if ((*c)->defaults != NULL)
            (*c)->defaults(presets);
        *is_idle = cli_option_is_idle_at(row, presets, text);
        return *c;
    }
    return NULL;
}

static bool of_another(cli_parser *p, const char *name, const cli_command *owner, const char *word)
{
    cli_error_set(p->err, VG_ERR_ARGUMENT, "vigil %s has no option \"%s\"", p->command->name, name);
    cli_error_text(p->err->where, "argument %s", word);
    cli_error_text(p->err->mend, "leave it out: it belongs to vigil %s", owner->name);
    return false;
}

static bool unknown(cli_parser *p, const char *name, const char *word)
{
    const cli_command *c = p->command;
    const cli_rows rows = rows_of(p);
    bool no = is_negated(name);
    const char *nearest = vg_name_nearest(name + (no ? 3 : 0), name_at, &rows, 2 * rows.n);
    cli_error_set(p->err, VG_ERR_ARGUMENT, "vigil %s has no option \"%s\"", c->name, name);
    cli_error_text(p->err->where, "argument %s", word);
    char buf[NAME_BYTES];
    if (nearest != NULL)
        cli_error_text(p->err->mend, "--%s%s",
                       no && can_be_negated(row_find(rows, nearest)->o) ? "no-" : "",
                       cli_name_typed(buf, nearest));
    else
        cli_error_text(p->err->mend, "vigil %s --help, which lists the options", c->name);
    return false;
}

/* ---- values ---- */

/* Of the command's own rows. */
static bool read_value(cli_parser *p, const vg_option *o, const char *text)
{
    bool truth;
    if (o->may_stand_alone && o->kind == VG_OPTION_INT && cli_is_truth(&truth, text)) {
        *(int *)(void *)(p->values + o->offset) = truth ? o->alone_value : 0;
        return true;
    }
    return cli_fault(p->err, o, text, vg_option_read(o, p->values, text));
}

/* As if it had never been given. */
static void unset_value(cli_parser *p, const cli_row *row)
{
    const vg_option *o = row->o;
    if (o != row->handed)
        memcpy(p->values + o->offset, (const char *)p->presets + o->offset, vg_option_bytes(o));
    p->given.is[row - p->rows] = false;
    p->given.text[row - p->rows] = NULL;
    cli_note(p->notes, o->name, NULL, NULL);
}

/* "640,640" for one number is that number; "480,640" is not, for o->single. NULL: refused. */
static const char *one_of_list(cli_parser *p, const vg_option *o, const char *text)
{
    vg_ints ints;
    if (strpbrk(text, ",[(") == NULL || !cli_is_ints(&ints, text))
        return text;
    int most = ints.at[0];
    bool is_one = text[strspn(text, "[( ")] == text[0];
    for (int i = 1; i < ints.n; i++) {
        is_one = is_one && ints.at[i] == most;
        most = ints.at[i] > most ? ints.at[i] : most;
    }
    if (is_one && ints.n > 1)
        return strrchr(text, ',') + 1;
    cli_error_set(p->err, VG_ERR_ARGUMENT, "--%s is one number, not %s", o->name, text);
    cli_error_text(p->err->where, "option --%s", o->name);
    cli_error_text(p->err->mend, "--%s %d: %s", o->name, most, o->single);
    return NULL;
}

bool cli_parser_set(cli_parser *p, const cli_row *row, const char *text)
{
    const vg_option *o = row->o;
    bool yes = true;
    if (o->single != NULL && (text = one_of_list(p, o, text)) == NULL)
        return false;
    const char *none = cli_field_none(o, text);
    text = none != NULL ? none : text;
    if (p->command->speaks != 0 && none == NULL && cli_is_nothing(text) &&
        (*text != '\0' || !cli_field_must_be_said(o->name))) {
        unset_value(p, row);
        return true;
    }
    if (o->stands == VG_OPTION_REFUSED && !cli_option_is_idle_at(row, p->presets, text))
        return cli_parser_refuse(p, o, text, o->name);
    if (o->stands == VG_OPTION_IDLE && !p->is_file) {
        const bool asks =
            !cli_option_is_idle_at(row, p->presets, text) || o->kind == VG_OPTION_BOOL;
        const bool is_off = cli_read_bool(&yes, text) && !yes;
        cli_note(p->notes, o->name, text, asks && !is_off ? o->why : NULL);
    }
    p->given.is[row - p->rows] = true;
    p->given.text[row - p->rows] = text;
    if (*text == '\0')
        return cli_fault_missing(p->err, o);
    if (o != row->handed)
        return read_value(p, o, text);
    return !is_flag(o) || cli_read_bool(&yes, text) ||
           cli_fault(p->err, o, text, VG_OPTION_WRONG_KIND);
}

/* ---- words ---- */

/* The next word when it can be a value: not an option. "-" is one (standard input), and so are "-5"
 * and "--resume {checkpoint}": no option's name has a blank in it. */
static const char *next_value(const cli_parser *p)
{
    if (p->at == p->n)
        return NULL;
    const char *word = p->words[p->at];
    bool option = word[0] == '-' && (word[1] == '-' || isalpha((unsigned char)word[1]));
    bool phrase = word[strcspn(word, "= ")] == ' ';
    return option && !phrase ? NULL : word;
}

/* "--save" and "--prove-flat" stand alone, unless the next word can be nothing but their value. */
static bool stands_alone(const cli_parser *p, const vg_option *o)
{
    bool truth;
    const char *next = next_value(p);
    double number;
    return next == NULL ||
           !(cli_is_truth(&truth, next) ||
             (o->may_stand_alone &&
              (o->kind == VG_OPTION_REAL ? cli_read_real(&number, next) : cli_is_int(next))));
}

static bool take_negated(cli_parser *p, const cli_row *row, const char *value, const char *word)
{
    const vg_option *o = row->o;
    if (value == NULL)
        return cli_parser_set(p, row, "false");
    cli_error_set(p->err, VG_ERR_ARGUMENT, "--no-%s takes no value", o->name);
    cli_error_text(p->err->where, "argument %s", word);
    cli_error_text(p->err->mend, "--no-%s, or %s=False", o->name, o->name);
    return false;
}

/* "--classes 0 1 2", as YOLO's scripts have it: the numbers that follow belong to the list, too. */
static bool take_more_ints(cli_parser *p, const vg_option *o)
{
    vg_ints more;
    vg_classes all; /* or a vg_ints, which it begins as */
    const char *next = next_value(p);
    memcpy(&all, p->values + o->offset, vg_option_bytes(o));
    for (; next != NULL && cli_is_ints(&more, next); next = next_value(p)) {
        if (more.n > VG_OPTION_MOST_INTS - all.n)
            return cli_fault(p->err, o, next, VG_OPTION_TOO_LONG);
        if (!read_value(p, o, next))
            return false;
        memcpy(all.at + all.n, more.at, (size_t)more.n * sizeof *more.at);
        all.n += more.n;
        p->at++;
    }
    memcpy(p->values + o->offset, &all, vg_option_bytes(o));
    return true;
}

/* "--imgsz 480 640", as YOLO's older scripts have it: the second number is the width. */
static bool take_width(cli_parser *p, const vg_option *o, const char *height)
{
    vg_size size, width;
    const char *next = next_value(p);
    memcpy(&size, p->values + o->offset, sizeof size);
    if (!cli_is_int(height) || next == NULL || !cli_is_int(next))
        return true;
    if (!read_value(p, o, next))
        return false;
    memcpy(&width, p->values + o->offset, sizeof width);
    size.w = width.w;
    memcpy(p->values + o->offset, &size, sizeof size);
    p->at++;
    return true;
}

/* The value of an option that this command has no use for: taken as take_option would. */
static const char *foreign_value(cli_parser *p, bool may_stand_alone, const char *value)
{
    const char *next = value != NULL ? NULL : next_value(p);
    bool truth = false;
    if (value != NULL)
        return value;
    if (next == NULL || (may_stand_alone && !cli_is_truth(&truth, next)))
        return may_stand_alone ? "True" : NULL;
    p->at++;
    return next;
}

/* An option of YOLO's own program: it passes, is noted, or is refused with what to do instead. */
static bool take_field(cli_parser *p, const vg_option *f, bool no, const char *value,
                       const char *word)
{
    const char *text = no ? "False" : foreign_value(p, f->kind == VG_OPTION_BOOL, value);
    if (text == NULL)
        text = "";
    if (cli_field_is_harmless(f, text)) {
        cli_note(p->notes, f->name, NULL, NULL);
        return true;
    }
    if (f->stands == VG_OPTION_REFUSED)
        return cli_parser_refuse(p, f, text, word);
    cli_note(p->notes, f->name, text, f->why);
    return true;
}

/* What no row of the command's own table is about. */
static bool take_foreign(cli_parser *p, const char *name, const char *value, const char *word)
{
    const unsigned speaks = p->command->speaks;
    const bool no = is_negated(name) && value == NULL;
    const vg_option *f = vg_option_of_yolo(name, speaks);
    if (f != NULL)
        return take_field(p, f, false, value, word);
    f = no ? vg_option_of_yolo(name + 3, speaks) : NULL;
    if (f != NULL && f->kind == VG_OPTION_BOOL)
        return take_field(p, f, true, NULL, word);
    f = vg_option_of_yolo(
        name, ~0U); /* of another command's; at its harmless value it passes here, too */
    if (speaks != 0 && f != NULL && value != NULL && cli_field_is_harmless(f, value))
        return true;
    bool is_idle = false;
    const cli_command *owner =
        speaks != 0 && value != NULL ? cli_parser_owner(p, name, value, &is_idle) : NULL;
    if (owner == NULL)
        return unknown(p, name, word);
    return is_idle || of_another(p, name, owner, word);
}

static bool take_option(cli_parser *p, const char *name, const char *value, const char *word)
{
    const cli_row *row = row_find(rows_of(p), name);
    if (row == NULL && is_negated(name)) {
        row = row_find(rows_of(p), name + 3);
        if (row != NULL && can_be_negated(row->o))
            return take_negated(p, row, value, word);
        row = NULL;
    }
    if (row == NULL)
        return take_foreign(p, name, value, word);
    const vg_option *o = row->o;
    if (value != NULL)
        return cli_parser_set(p, row, value);
    if (can_be_negated(o) && stands_alone(p, o))
        return cli_parser_set(p, row, "true");
    value = next_value(p);
    if (value == NULL && o->may_stand_alone)
        return cli_parser_set(p, row, "true");
    if (value == NULL)
        return cli_fault_missing(p->err, o);
    p->at++;
    const bool is_own = o != row->handed;
    return cli_parser_set(p, row, value) &&
           (!is_own || (o->kind != VG_OPTION_INTS && o->kind != VG_OPTION_CLASSES) ||
            take_more_ints(p, o)) &&
           (!is_own || o->kind != VG_OPTION_SIZE || take_width(p, o, value));
}

/* "detect" and its siblings, as words of their own: yolo detect predict, yolo predict detect. */
static bool take_task(cli_parser *p, const char *task)
{
    const cli_row *row = row_find(rows_of(p), "task");
    if (row != NULL)
        return cli_parser_set(p, row, task);
    if (strcmp(task, "detect") == 0)
        return true; /* as all commands are called by YOLO's users */
    cli_error_set(p->err, VG_ERR_ARGUMENT, "vigil %s has no tasks", p->command->name);
    cli_error_text(p->err->where, "argument %s", task);
    cli_error_text(p->err->mend, "leave it out");
    return false;
}

bool cli_is_task(const char *word)
{
    static const char *const tasks[] = {"detect", "segment", "pose", "obb", "classify"};
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
        if (strcmp(word, tasks[i]) == 0)
            return true;
    return false;
}

/* A flag as a word of its own, as YOLO's own program takes it: yolo predict save_txt. */
static bool is_flag_word(const cli_parser *p, const char *word)
{
    const unsigned speaks = p->command->speaks;
    const cli_row *row = speaks != 0 ? row_find(rows_of(p), word) : NULL;
    const vg_option *f = speaks != 0 ? vg_option_of_yolo(word, speaks) : NULL;
    return row != NULL ? can_be_negated(row->o) : f != NULL && f->kind == VG_OPTION_BOOL;
}

/* The first option that must be given and was not; NULL: none. */
static const vg_option *missing_option(const cli_parser *p)
{
    for (size_t i = 0; i < p->n_rows; i++)
        if (p->rows[i].o->is_required && !p->given.is[i])
            return p->rows[i].o;
    return NULL;
}

/* What to do about a word that nobody asked for. */
static void mend_positional(const cli_parser *p, const char *word)
{
    const cli_command *c = p->command;
    const cli_row *named = row_find(rows_of(p), word), *source = row_find(rows_of(p), "source");
    const vg_option *missing = missing_option(p);
    char buf[NAME_BYTES];
    if (named != NULL)
        cli_error_text(p->err->mend, "--%s VALUE, or %s=VALUE without blanks",
                       cli_name_typed(buf, named->o->name), named->o->name);
    else if (source != NULL && p->given.is[source - p->rows])
        cli_error_text(p->err->mend,
                       "one source: a folder, or a pattern in quotes, which the shell "
                       "leaves alone: --source 'photos/*.jpg'");
    else if (missing != NULL && !missing->is_positional)
        cli_error_text(p->err->mend, "name it: --%s %s (vigil %s --help lists the options)",
                       missing->name, word, c->name);
    else
        cli_error_text(p->err->mend, "leave it out");
}

static bool take_positional(cli_parser *p, const char *word)
{
    const cli_command *c = p->command;
    if (c->speaks != 0 && cli_is_task(word))
        return take_task(p, word);
    for (size_t i = 0; i < p->n_rows; i++)
        if (p->rows[i].o->is_positional && !p->given.is[i])
            return cli_parser_set(p, &p->rows[i], word);
    if (is_flag_word(p, word))
        return take_option(p, word, NULL, word);
    cli_error_set(p->err, VG_ERR_ARGUMENT, "vigil %s has no use for \"%s\"", c->name, word);
    cli_error_text(p->err->where, "argument %s", word);
    mend_positional(p, word);
    return false;
}

/* What YOLO's command line begins with: mode=predict. */
static bool take_mode(cli_parser *p, const char *value)
{
    const cli_command *c = p->command;
    if (strcmp(value, c->name) == 0 || (c->alias != NULL && strcmp(value, c->alias) == 0))
        return true;
    cli_error_set(p->err, VG_ERR_ARGUMENT, "mode \"%s\" in vigil %s", value, c->name);
    cli_error_text(p->err->mend, "vigil %s ..., or leave mode= out", value);
    cli_error_text(p->err->where, "argument mode=%s", value);
    return false;
}

/* The length of "name" in "name=value", 0 when the word is not of that form (a path with a '=' in
 * it, say). */
static size_t name_length(const char *word)
{
    size_t n = 0;
    if (!isalpha((unsigned char)word[0]))
        return 0;
    while (isalnum((unsigned char)word[n]) || word[n] == '_' || word[n] == '-')
        n++;
    return word[n] == '=' || word[n] == '\0' ? n : 0;
}

/* A word that names an option, behind so many dashes. */
static bool take_named(cli_parser *p, const char *word, size_t dashes)
{
    char name[NAME_BYTES];
    const char *start = word + dashes, *equals = strchr(start, '=');
    size_t n = equals == NULL ? strlen(start) : (size_t)(equals - start);
    /* One dash is for single letters, of which -h is the only one: -imgsz is told of --imgsz. */
    bool good = dashes != 1 && n < sizeof name && n > 0 && name_length(start) == n;
    n = n < sizeof name ? n : sizeof name - 1;
    memcpy(name, start, n);
    name[n] = '\0';
    if (!good)
        return unknown(p, name, word);
    const char *value = equals == NULL ? NULL : equals + 1;
    if (value != NULL && row_find(rows_of(p), name) == NULL) {
        if (strcmp(name, "task") == 0)
            return take_task(p, value);
        if (strcmp(name, "mode") == 0)
            return take_mode(p, value);
    }
    return take_option(p, name, value, word);
}

/* The rest is a command line of another program, if this command has a use for one. */
static bool take_words(cli_parser *p)
{
    for (size_t i = 0; i < p->n_rows; i++) {
        const vg_option *o = p->rows[i].o;
        if (o->kind != VG_OPTION_WORDS)
            continue;
        char *const *rest = p->at < p->n ? p->words + p->at : NULL;
        memcpy(p->values + o->offset, &rest, sizeof rest);
        p->given.is[i] = rest != NULL;
        p->at = p->n;
        return true;
    }
    return false;
}

/* The option is beside another that stands for it. */
static bool is_excused(const cli_parser *p, const vg_option *o)
{
    const cli_row *other = o->unless != NULL ? row_find(rows_of(p), o->unless) : NULL;
    return other != NULL && p->given.is[other - p->rows];
}

static bool check_required(cli_parser *p)
{
    const cli_command *c = p->command;
    for (size_t i = 0; i < p->n_rows; i++) {
        const vg_option *o = p->rows[i].o;
        if (!o->is_required || p->given.is[i] || is_excused(p, o))
            continue;
        if (o->is_positional) /* its name is seldom typed */
            cli_error_set(p->err, VG_ERR_ARGUMENT, "vigil %s needs %s", c->name,
                          vg_option_value(o));
        else
            cli_error_set(p->err, VG_ERR_ARGUMENT, "vigil %s needs --%s", c->name, o->name);
        cli_error_text(p->err->where, "the command line");
        cli_error_text(p->err->mend, "vigil %s %s", c->name, c->usage);
        return false;
    }
    return true;
}

static bool is_help(const char *word)
{
    return strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0;
}

cli_parsed cli_options_parse(const cli_command *command, void *values, int n, char *const *words,
                             cli_notes *notes, vg_error *err)
{
    return cli_options_parse_with(command, values, NULL, n, words, notes, err);
}

cli_parsed cli_options_parse_with(const cli_command *command, void *values,
                                  const cli_arguments *file, int n, char *const *words,
                                  cli_notes *notes, vg_error *err)
{
    _Alignas(max_align_t) unsigned char presets[CLI_VALUES_BYTES];
    assert(command->values_bytes <= CLI_VALUES_BYTES);
    cli_parser p = {.command = command,
                    .values = values,
                    .n = n,
                    .words = words,
                    .presets = presets,
                    .notes = notes,
                    .err = err};
    p.n_rows = cli_command_rows(command, p.rows);
    memset(values, 0, command->values_bytes);
    if (command->defaults != NULL)
        command->defaults(values);
    memcpy(presets, values, command->values_bytes);
    bool only_values = false;
    if (file != NULL && !cli_parser_take_file(&p, file))
        return CLI_PARSED_WRONG;
    while (p.at < n) {
        const char *word = words[p.at++];
        bool good = true;
        if (only_values || strcmp(word, "-") == 0)
            good = take_positional(&p, word);
        else if (is_help(word))
            return CLI_PARSED_HELP;
        else if (strcmp(word, "--") == 0 && take_words(&p))
            break;
        else if (strcmp(word, "--") == 0)
            only_values = true;
        else if (word[0] == '-')
            good = take_named(&p, word, word[1] == '-' ? 2 : 1);
        else if (name_length(word) > 0 && word[name_length(word)] == '=')
            good = take_named(&p, word, 0);
        else
            good = take_positional(&p, word);
        if (!good)
            return CLI_PARSED_WRONG;
    }
    if (command->given_offset > 0)
        memcpy((char *)values + command->given_offset, &p.given, sizeof p.given);
    return check_required(&p) ? CLI_PARSED : CLI_PARSED_WRONG;
}
