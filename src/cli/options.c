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

#include "cli.h"
#include "field.h"

enum { NAME_BYTES = CLI_NAME_BYTES };

/* One pass over the words. */
typedef struct parser {
    const cli_command *command;
    unsigned char *values;
    int n, at; /* words, and the next one */
    char *const *words;
    cli_given given;
    const void *presets; /* the values as they are when nothing is given */
    cli_notes *notes;    /* NULL: not wanted */
    vg_error *err;
} parser;

/* ---- names ---- */

/* Names at even places, aliases at odd ones. */
static const char *option_name_at(const void *context, size_t i)
{
    const cli_option *o = &((const cli_command *)context)->options[i / 2];
    return i % 2 == 0 ? o->name : o->alias;
}

static const cli_option *option_find(const cli_command *command, const char *name)
{
    for (size_t i = 0; i < command->n_options; i++) {
        const cli_option *o = &command->options[i];
        if (cli_name_equal(name, o->name) || (o->alias != NULL && cli_name_equal(name, o->alias)))
            return o;
    }
    return NULL;
}

/* "no-save" */
static bool is_negated(const char *name)
{
    return name[0] == 'n' && name[1] == 'o' && (name[2] == '-' || name[2] == '_') &&
           name[3] != '\0';
}

static bool can_be_negated(const cli_option *o)
{
    return o->kind == CLI_BOOL || (o->bare && o->kind == CLI_INT);
}

/* ---- errors ---- */

/* Another command's option, whether or not it asks for anything there. */
static const cli_command *owner_of(const parser *p, const char *name, const char *text,
                                   bool *is_idle)
{
    const cli_command *const *c = p->command->siblings;
    for (; c != NULL && *c != NULL; c++) {
        cli_option room[CLI_OPTIONS_MAX] = {0};
        _Alignas(max_align_t) unsigned char presets[CLI_VALUES_BYTES] = {0};
        if ((*c)->speaks == 0 || (*c)->speaks == p->command->speaks)
            continue;
        const cli_command whole = cli_command_whole(*c, room);
        const cli_option *o = option_find(&whole, name);
        if (o == NULL)
            continue;
        if ((*c)->defaults != NULL)
            (*c)->defaults(presets);
        *is_idle = cli_option_is_idle_at(o, presets, text);
        return *c;
    }
    return NULL;
}

static bool of_another(parser *p, const char *name, const cli_command *owner, const char *word)
{
    cli_error_set(p->err, VG_ERR_ARGUMENT, "vigil %s has no option \"%s\"", p->command->name, name);
    cli_error_text(p->err->where, "argument %s", word);
    cli_error_text(p->err->mend, "leave it out: it is of vigil %s", owner->name);
    return false;
}

static bool unknown(parser *p, const char *name, const char *word)
{
    const cli_command *c = p->command;
    bool no = is_negated(name);
    const char *nearest =
        cli_name_nearest(name + (no ? 3 : 0), option_name_at, c, 2 * c->n_options);
    const cli_option *o = nearest == NULL ? NULL : option_find(c, nearest);
    cli_error_set(p->err, VG_ERR_ARGUMENT, "vigil %s has no option \"%s\"", c->name, name);
    cli_error_text(p->err->where, "argument %s", word);
    char buf[NAME_BYTES];
    if (nearest != NULL)
        cli_error_text(p->err->mend, "--%s%s", no && can_be_negated(o) ? "no-" : "",
                       cli_name_typed(buf, nearest));
    else
        cli_error_text(p->err->mend, "vigil %s --help, which lists the options", c->name);
    return false;
}

static bool bad_value(parser *p, const cli_option *o, const char *text)
{
    static const char *const wanted[] = {[CLI_BOOL] = "True or False",
                                         [CLI_INT] = "a whole number",
                                         [CLI_SIZE] = "one or two whole numbers",
                                         [CLI_REAL] = "a number",
                                         [CLI_TEXT] = "a text",
                                         [CLI_BYTES] = "a size such as 512M or 1.5G",
                                         [CLI_INTS] = "whole numbers such as 0,2,5",
                                         [CLI_WORDS] = "a command: that stands behind --"};
    cli_error_set(p->err, VG_ERR_ARGUMENT, "\"%s\" is not %s", text, wanted[o->kind]);
    cli_error_text(p->err->where, "option --%s", o->name);
    if (o->kind == CLI_BOOL)
        cli_error_text(p->err->mend, "--%s, or --no-%s", o->name, o->name);
    else if (o->kind == CLI_BYTES)
        cli_error_text(p->err->mend, "--%s 512M", o->name);
    else if (o->kind == CLI_SIZE)
        cli_error_text(p->err->mend, "--%s 640, or --%s 480,640 (height, width), %g to %g", o->name,
                       o->name, o->least, o->most);
    else if (o->kind == CLI_INTS)
        cli_error_text(p->err->mend, "--%s 0,2,5 (at most %d of them)", o->name, (int)CLI_INTS_MAX);
    else
        cli_error_text(p->err->mend, "a number from %g to %g", o->least, o->most);
    return false;
}

static bool out_of_range(parser *p, const cli_option *o, const char *text)
{
    cli_error_set(p->err, VG_ERR_ARGUMENT, "%s is outside %.10g..%.10g", text, o->least, o->most);
    cli_error_text(p->err->where, "option --%s", o->name);
    cli_error_text(p->err->mend, "a number from %.10g to %.10g", o->least, o->most);
    return false;
}

static bool missing_value(parser *p, const cli_option *o)
{
    char name[NAME_BYTES];
    cli_name_typed(name, o->name);
    cli_error_set(p->err, VG_ERR_ARGUMENT, "--%s has no value", name);
    cli_error_text(p->err->where, "option --%s", name);
    cli_error_text(p->err->mend, "--%s %s", name, o->value);
    return false;
}

/* ---- values ---- */

static bool in_range(const cli_option *o, double v)
{
    return v >= o->least && v <= o->most;
}

static bool set_int(parser *p, const cli_option *o, const char *text)
{
    long long v = 0;
    bool truth = false;
    if (o->bare && cli_parse_truth(&truth, text))
        v = truth ? o->bare_value : 0;
    else if (!cli_parse_int(&v, text))
        return bad_value(p, o, text);
    else if (!in_range(o, (double)v))
        return out_of_range(p, o, text);
    *(int *)(void *)(p->values + o->offset) = (int)v;
    return true;
}

static bool set_ints(parser *p, const cli_option *o, const char *text)
{
    cli_ints *ints = (cli_ints *)(void *)(p->values + o->offset);
    if (!cli_parse_ints(ints, text))
        return bad_value(p, o, text);
    for (size_t i = 0; i < ints->n; i++)
        if (!in_range(o, ints->values[i]))
            return out_of_range(p, o, text);
    return true;
}

static bool set_size(parser *p, const cli_option *o, const char *text)
{
    long long side = 0;
    cli_size size = {0};
    if (cli_parse_int(&side, text) && !in_range(o, (double)side))
        return out_of_range(p, o, text); /* also of numbers that no int can hold */
    if (!cli_parse_size(&size, text))
        return bad_value(p, o, text);
    if (!in_range(o, size.h) || !in_range(o, size.w))
        return out_of_range(p, o, text);
    memcpy(p->values + o->offset, &size, sizeof size);
    return true;
}

static bool set_real(parser *p, const cli_option *o, const char *text)
{
    double v = 0;
    if (!cli_parse_real(&v, text))
        return bad_value(p, o, text);
    if (!in_range(o, v))
        return out_of_range(p, o, text);
    *(float *)(void *)(p->values + o->offset) = (float)v;
    return true;
}

/* text is a word of "a|b|c", in any case. */
static bool is_among(const char *choices, const char *text)
{
    const size_t n = strlen(text);
    for (;; choices++) {
        const size_t k = strcspn(choices, "|");
        if (k == n && strncasecmp(choices, text, n) == 0)
            return true;
        choices += k;
        if (*choices == '\0')
            return false;
    }
}

static bool not_among(parser *p, const cli_option *o, const char *text)
{
    cli_error_set(p->err, VG_ERR_ARGUMENT, "--%s %s: %s", o->name, text, o->only);
    cli_error_text(p->err->where, "option --%s", o->name);
    cli_error_text(p->err->mend, "--%s with one of %s", o->name, o->value);
    return false;
}

/* As if it had never been given. */
static void unset_value(parser *p, const cli_option *o)
{
    static const size_t bytes[] = {
        [CLI_BOOL] = sizeof(bool),           [CLI_INT] = sizeof(int),
        [CLI_REAL] = sizeof(float),          [CLI_TEXT] = sizeof(char *),
        [CLI_BYTES] = sizeof(size_t),        [CLI_INTS] = sizeof(cli_ints),
        [CLI_WORDS] = sizeof(char *const *), [CLI_SIZE] = sizeof(cli_size)};
    memcpy(p->values + o->offset, (const char *)p->presets + o->offset, bytes[o->kind]);
    p->given.is[o - p->command->options] = false;
    p->given.text[o - p->command->options] = NULL;
    cli_note(p->notes, o->name, NULL, NULL);
}

/* "640,640" for one number is that number; "480,640" is not, for o->list. NULL: refused. */
static const char *one_of_list(parser *p, const cli_option *o, const char *text)
{
    cli_ints ints;
    if (strpbrk(text, ",[(") == NULL || !cli_parse_ints(&ints, text))
        return text;
    int most = ints.values[0];
    bool is_one = text[strspn(text, "[( ")] == text[0];
    for (size_t i = 1; i < ints.n; i++) {
        is_one = is_one && ints.values[i] == most;
        most = ints.values[i] > most ? ints.values[i] : most;
    }
    if (is_one && ints.n > 1)
        return strrchr(text, ',') + 1;
    cli_error_set(p->err, VG_ERR_ARGUMENT, "--%s is one number, not %s", o->name, text);
    cli_error_text(p->err->where, "option --%s", o->name);
    cli_error_text(p->err->mend, "--%s %d: %s", o->name, most, o->list);
    return NULL;
}

static bool set_value(parser *p, const cli_option *o, const char *text)
{
    if (o->list != NULL && (text = one_of_list(p, o, text)) == NULL)
        return false;
    void *room = p->values + o->offset;
    if (p->command->speaks != 0 && cli_is_nothing(text) &&
        (*text != '\0' || !cli_field_must_be_said(o->name))) {
        unset_value(p, o);
        return true;
    }
    if (o->idle != NULL) {
        const bool asks = !cli_option_is_idle_at(o, p->presets, text) || o->kind == CLI_BOOL;
        bool yes = true;
        const bool is_off = cli_parse_bool(&yes, text) && !yes;
        cli_note(p->notes, o->name, text, asks && !is_off ? o->idle : NULL);
    }
    p->given.is[o - p->command->options] = true;
    p->given.text[o - p->command->options] = text;
    if (*text == '\0')
        return missing_value(p, o);
    switch (o->kind) {
    case CLI_BOOL:
        return cli_parse_bool(room, text) || bad_value(p, o, text);
    case CLI_INT:
        return set_int(p, o, text);
    case CLI_SIZE:
        return set_size(p, o, text);
    case CLI_REAL:
        return set_real(p, o, text);
    case CLI_TEXT:
        *(const char **)room = text;
        return o->only == NULL || is_among(o->value, text) || not_among(p, o, text);
    case CLI_BYTES:
        return cli_parse_bytes(room, text) || bad_value(p, o, text);
    case CLI_INTS:
        return set_ints(p, o, text);
    case CLI_WORDS:
        return bad_value(p, o, text);
    }
    return false;
}

/* ---- words ---- */

/* The next word when it can be a value: not an option. "-" is one (standard input), and so are "-5"
 * and "--resume {checkpoint}": no option's name has a blank in it. */
static const char *next_value(const parser *p)
{
    if (p->at == p->n)
        return NULL;
    const char *word = p->words[p->at];
    bool option = word[0] == '-' && (word[1] == '-' || isalpha((unsigned char)word[1]));
    bool phrase = word[strcspn(word, "= ")] == ' ';
    return option && !phrase ? NULL : word;
}

/* "--save" and "--prove-flat" stand alone, unless the next word can be nothing but their value. */
static bool stands_alone(const parser *p, const cli_option *o)
{
    bool truth = false;
    long long number = 0;
    const char *next = next_value(p);
    return next == NULL ||
           !(cli_parse_truth(&truth, next) || (o->bare && cli_parse_int(&number, next)));
}

static bool take_negated(parser *p, const cli_option *o, const char *value, const char *word)
{
    if (value == NULL)
        return set_value(p, o, "false");
    cli_error_set(p->err, VG_ERR_ARGUMENT, "--no-%s takes no value", o->name);
    cli_error_text(p->err->where, "argument %s", word);
    cli_error_text(p->err->mend, "--no-%s, or %s=False", o->name, o->name);
    return false;
}

/* "--classes 0 1 2", as YOLO's scripts have it: the numbers that follow belong to the list, too. */
static bool take_more_ints(parser *p, const cli_option *o)
{
    cli_ints more, all = *(const cli_ints *)(const void *)(p->values + o->offset);
    const char *next = next_value(p);
    for (; next != NULL && cli_parse_ints(&more, next); next = next_value(p)) {
        if (more.n > CLI_INTS_MAX - all.n)
            return bad_value(p, o, next);
        if (!set_ints(p, o, next))
            return false;
        memcpy(all.values + all.n, more.values, more.n * sizeof *more.values);
        all.n += more.n;
        p->at++;
    }
    memcpy(p->values + o->offset, &all, sizeof all);
    return true;
}

/* "--imgsz 480 640", as YOLO's older scripts have it: the second number is the width. */
static bool take_width(parser *p, const cli_option *o, const char *height)
{
    long long side = 0;
    cli_size size, width;
    const char *next = next_value(p);
    memcpy(&size, p->values + o->offset, sizeof size);
    if (!cli_parse_int(&side, height) || next == NULL || !cli_parse_int(&side, next))
        return true;
    if (!set_size(p, o, next))
        return false;
    memcpy(&width, p->values + o->offset, sizeof width);
    size.w = width.w;
    memcpy(p->values + o->offset, &size, sizeof size);
    p->at++;
    return true;
}

/* The value of an option that this command has no use for: taken as take_option would. */
static const char *foreign_value(parser *p, bool is_flag, const char *value)
{
    const char *next = value != NULL ? NULL : next_value(p);
    bool truth = false;
    if (value != NULL)
        return value;
    if (next == NULL || (is_flag && !cli_parse_truth(&truth, next)))
        return is_flag ? "True" : NULL;
    p->at++;
    return next;
}

/* An option of YOLO's own program: it passes, is noted, or is refused with what to do instead. */
static bool take_field(parser *p, const cli_field_option *f, bool no, const char *value,
                       const char *word)
{
    const char *text = no ? "False" : foreign_value(p, f->is_flag, value);
    if (text == NULL)
        text = "";
    if (cli_field_is_harmless(f, text)) {
        cli_note(p->notes, f->name, NULL, NULL);
        return true;
    }
    if (f->instead == NULL) {
        cli_note(p->notes, f->name, text, f->why);
        return true;
    }
    cli_error_set(p->err, VG_ERR_ARGUMENT, "vigil %s has no %s=%s: %s", p->command->name, f->name,
                  text, f->why);
    cli_error_text(p->err->where, "argument %s", word);
    cli_error_text(p->err->mend, "%s", f->instead);
    return false;
}

/* What no row of the command's own table is about. */
static bool take_foreign(parser *p, const char *name, const char *value, const char *word)
{
    const unsigned speaks = p->command->speaks;
    const bool no = is_negated(name) && value == NULL;
    const cli_field_option *f = cli_field_find(name, speaks);
    if (f != NULL)
        return take_field(p, f, false, value, word);
    f = no ? cli_field_find(name + 3, speaks) : NULL;
    if (f != NULL && f->is_flag)
        return take_field(p, f, true, NULL, word);
    f = cli_field_find(name,
                       ~0U); /* of another command's; at its harmless value it passes here, too */
    if (speaks != 0 && f != NULL && value != NULL && cli_field_is_harmless(f, value))
        return true;
    bool is_idle = false;
    const cli_command *owner =
        speaks != 0 && value != NULL ? owner_of(p, name, value, &is_idle) : NULL;
    if (owner == NULL)
        return unknown(p, name, word);
    return is_idle || of_another(p, name, owner, word);
}

static bool take_option(parser *p, const char *name, const char *value, const char *word)
{
    const cli_option *o = option_find(p->command, name);
    if (o == NULL && is_negated(name)) {
        o = option_find(p->command, name + 3);
        if (o != NULL && can_be_negated(o))
            return take_negated(p, o, value, word);
        o = NULL;
    }
    if (o == NULL)
        return take_foreign(p, name, value, word);
    if (value != NULL)
        return set_value(p, o, value);
    if (can_be_negated(o) && stands_alone(p, o))
        return set_value(p, o, "true");
    value = next_value(p);
    if (value == NULL && o->bare)
        return set_value(p, o, "true");
    if (value == NULL)
        return missing_value(p, o);
    p->at++;
    return set_value(p, o, value) && (o->kind != CLI_INTS || take_more_ints(p, o)) &&
           (o->kind != CLI_SIZE || take_width(p, o, value));
}

/* "detect" and its siblings, as words of their own: yolo detect predict, yolo predict detect. */
static bool take_task(parser *p, const char *task)
{
    if (strcmp(task, "detect") == 0)
        return true;
    cli_error_set(p->err, VG_ERR_ARGUMENT, "this build has no task \"%s\"", task);
    cli_error_text(p->err->where, "argument %s", task);
    cli_error_text(p->err->mend, "detect, which is what vigil does");
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
static bool is_flag_word(const parser *p, const char *word)
{
    const unsigned speaks = p->command->speaks;
    const cli_option *o = speaks != 0 ? option_find(p->command, word) : NULL;
    const cli_field_option *f = speaks != 0 ? cli_field_find(word, speaks) : NULL;
    return o != NULL ? can_be_negated(o) : f != NULL && f->is_flag;
}

/* The first option that must be given and was not; NULL: none. */
static const cli_option *missing_option(const parser *p)
{
    for (size_t i = 0; i < p->command->n_options; i++)
        if (p->command->options[i].required && !p->given.is[i])
            return &p->command->options[i];
    return NULL;
}

/* What to do about a word that nobody asked for. */
static void mend_positional(const parser *p, const char *word)
{
    const cli_command *c = p->command;
    const cli_option *named = option_find(c, word), *missing = missing_option(p);
    const cli_option *source = option_find(c, "source");
    char buf[NAME_BYTES];
    if (named != NULL)
        cli_error_text(p->err->mend, "--%s VALUE, or %s=VALUE without blanks",
                       cli_name_typed(buf, named->name), named->name);
    else if (source != NULL && p->given.is[source - c->options])
        cli_error_text(p->err->mend,
                       "one source: a folder, or a pattern in quotes, which the shell "
                       "leaves alone: --source 'photos/*.jpg'");
    else if (missing != NULL && !missing->positional)
        cli_error_text(p->err->mend, "name it: --%s %s (vigil %s --help lists the options)",
                       missing->name, word, c->name);
    else
        cli_error_text(p->err->mend, "leave it out");
}

static bool take_positional(parser *p, const char *word)
{
    const cli_command *c = p->command;
    if (c->speaks != 0 && cli_is_task(word))
        return take_task(p, word);
    for (size_t i = 0; i < c->n_options; i++)
        if (c->options[i].positional && !p->given.is[i])
            return set_value(p, &c->options[i], word);
    if (is_flag_word(p, word))
        return take_option(p, word, NULL, word);
    cli_error_set(p->err, VG_ERR_ARGUMENT, "vigil %s has no use for \"%s\"", c->name, word);
    cli_error_text(p->err->where, "argument %s", word);
    mend_positional(p, word);
    return false;
}

/* What YOLO's command line begins with: task=detect mode=predict. */
static bool take_task_or_mode(parser *p, const char *name, const char *value)
{
    const cli_command *c = p->command;
    if (strcmp(name, "task") == 0) {
        if (strcmp(value, "detect") == 0)
            return true;
        cli_error_set(p->err, VG_ERR_ARGUMENT, "this build has no task \"%s\"", value);
        cli_error_text(p->err->mend, "task=detect, which is what vigil does");
    } else {
        if (strcmp(value, c->name) == 0 || (c->alias != NULL && strcmp(value, c->alias) == 0))
            return true;
        cli_error_set(p->err, VG_ERR_ARGUMENT, "mode \"%s\" in vigil %s", value, c->name);
        cli_error_text(p->err->mend, "vigil %s ..., or leave mode= out", value);
    }
    cli_error_text(p->err->where, "argument %s=%s", name, value);
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
static bool take_named(parser *p, const char *word, size_t dashes)
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
    bool yolo = strcmp(name, "task") == 0 || strcmp(name, "mode") == 0;
    if (yolo && option_find(p->command, name) == NULL && value != NULL)
        return take_task_or_mode(p, name, value);
    return take_option(p, name, value, word);
}

/* The rest is a command line of another program, if this command has a use for one. */
static bool take_words(parser *p)
{
    for (size_t i = 0; i < p->command->n_options; i++) {
        const cli_option *o = &p->command->options[i];
        if (o->kind != CLI_WORDS)
            continue;
        char *const *rest = p->at < p->n ? p->words + p->at : NULL;
        memcpy((char *)p->values + o->offset, &rest, sizeof rest);
        p->given.is[i] = rest != NULL;
        p->at = p->n;
        return true;
    }
    return false;
}

/* The option is beside another that stands for it. */
static bool is_excused(const parser *p, const cli_option *o)
{
    for (size_t i = 0; i < p->command->n_options && o->unless != NULL; i++)
        if (p->given.is[i] && cli_name_equal(p->command->options[i].name, o->unless))
            return true;
    return false;
}

static bool check_required(parser *p)
{
    const cli_command *c = p->command;
    for (size_t i = 0; i < c->n_options; i++) {
        const cli_option *o = &c->options[i];
        if (!o->required || p->given.is[i] || is_excused(p, o))
            continue;
        if (o->positional) /* its name is seldom typed */
            cli_error_set(p->err, VG_ERR_ARGUMENT, "vigil %s needs %s", c->name, o->value);
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

cli_command cli_command_whole(const cli_command *command, cli_option room[CLI_OPTIONS_MAX])
{
    cli_command whole = *command;
    if (command->draw != NULL) {
        whole.n_options = command->draw(room);
        whole.options = room;
    }
    return whole;
}

cli_parsed cli_options_parse(const cli_command *command, void *values, int n, char *const *words,
                             cli_notes *notes, vg_error *err)
{
    cli_option room[CLI_OPTIONS_MAX] = {0};
    _Alignas(max_align_t) unsigned char presets[CLI_VALUES_BYTES];
    const cli_command whole = cli_command_whole(command, room);
    assert(whole.n_options <= CLI_OPTIONS_MAX && whole.values_bytes <= CLI_VALUES_BYTES);
    parser p = {.command = &whole,
                .values = values,
                .n = n,
                .words = words,
                .presets = presets,
                .notes = notes,
                .err = err};
    memset(values, 0, command->values_bytes);
    if (command->defaults != NULL)
        command->defaults(values);
    memcpy(presets, values, command->values_bytes);
    bool only_values = false;
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
