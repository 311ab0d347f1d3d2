/* man.c: a command's manual page in roff, and its lines for completion, drawn from its descriptor;
 * what no table says is in man_text.c.
 *
 * Text is marked up in one way: `x` is bold; "# X" begins a section, "- x: y" a paragraph whose tag
 * is x; four blanks an example; an empty line a paragraph. */
#include <assert.h>
#include <string.h>

#include "cli.h"
#include "man.h"

/* ---- roff ---- */

/* Bytes of text with roff's own signs escaped; `x` is bold. */
static void roff_bytes(FILE *to, const char *text, size_t n)
{
    bool bold = false;
    if (n > 0 && (text[0] == '.' || text[0] == '\''))
        fputs("\\&", to);
    for (size_t i = 0; i < n; i++) {
        switch (text[i]) {
        case '`':
            bold = !bold;
            fputs(bold ? "\\fB" : "\\fR", to);
            break;
        case '\\':
            fputs("\\e", to);
            break;
        case '-':
            fputs("\\-", to);
            break;
        case '\'':
            fputs("\\(aq", to);
            break;
        case '_': /* of a drawn name */
        default:
            fputc(text[i], to);
        }
    }
}

static void roff(FILE *to, const char *text)
{
    roff_bytes(to, text, strlen(text));
}

static void roff_upper(FILE *to, const char *text)
{
    for (; *text != '\0'; text++)
        fputc(*text >= 'a' && *text <= 'z' ? *text - 'a' + 'A' : *text, to);
}

/* One line of marked text. */
static void line_print(FILE *to, const char *line, size_t n, bool *in_example)
{
    const bool is_example = n > 4 && strncmp(line, "    ", 4) == 0;
    if (is_example != *in_example)
        fputs(is_example ? ".EX\n" : ".EE\n", to);
    *in_example = is_example;
    if (is_example) {
        roff_bytes(to, line + 4, n - 4);
    } else if (n > 2 && strncmp(line, "# ", 2) == 0) {
        fputs(".SH ", to);
        roff_bytes(to, line + 2, n - 2);
    } else if (n > 2 && strncmp(line, "- ", 2) == 0) {
        const char *colon = memchr(line, ':', n);
        assert(colon != NULL);
        fputs(".TP\n\\fB", to);
        roff_bytes(to, line + 2, (size_t)(colon - line) - 2);
        fputs("\\fR\n", to);
        const char *rest = colon + 1 + (colon[1] == ' ');
        roff_bytes(to, rest, n - (size_t)(rest - line));
    } else if (n == 0) {
        fputs(".PP", to);
    } else {
        roff_bytes(to, line, n);
    }
    fputc('\n', to);
}

static void text_print(FILE *to, const char *text)
{
    bool in_example = false;
    while (*text != '\0') {
        const size_t n = strcspn(text, "\n");
        /* No empty paragraph before a heading. */
        if (n > 0 || (text[1] != '#' && text[1] != '\0'))
            line_print(to, text, n, &in_example);
        text += n + (text[n] == '\n');
    }
    if (in_example)
        fputs(".EE\n", to);
}

/* ---- a page ---- */

static void head_print(FILE *to, const char *name, const char *help)
{
    fputs(".\\\" Drawn by: vigil help --man", to);
    fprintf(to, "%s%s\n.TH VIGIL", name[0] != '\0' ? " " : "", name);
    if (name[0] != '\0')
        fputs("\\-", to);
    roff_upper(to, name);
    fprintf(to, " 1 \"\" \"vigil %s\" \"User Commands\"\n.SH NAME\nvigil%s%s \\- ", vg_version(),
            name[0] != '\0' ? "\\-" : "", name);
    roff(to, help);
    fputs("\n.SH SYNOPSIS\n", to);
}

/* "--name VALUE", and the alias. */
static void tag_print(FILE *to, const vg_option *o)
{
    const char *value = vg_option_value(o);
    fputs(".TP\n", to);
    if (o->is_positional) {
        fputs("\\fI", to);
        roff(to, value);
        fputs("\\fR, ", to);
    }
    for (int i = 0; i < (o->alias != NULL ? 2 : 1); i++) {
        char name[CLI_NAME_BYTES];
        cli_name_typed(name, i == 0 ? o->name : o->alias);
        fputs(i > 0 ? ", \\fB\\-\\-" : "\\fB\\-\\-", to);
        roff(to, name);
        fputs("\\fR", to);
        if (value != NULL) {
            fputs(o->may_stand_alone ? " [\\fI" : " \\fI", to);
            roff(to, value);
            fputs(o->may_stand_alone ? "\\fR]" : "\\fR", to);
        }
    }
    fputc('\n', to);
}

static void group_print(FILE *to, const char *group)
{
    fputs(".SS ", to);
    fputc(group[0] >= 'a' && group[0] <= 'z' ? group[0] - 'a' + 'A' : group[0], to);
    roff(to, group + 1);
    fputc('\n', to);
}

static void options_print(FILE *to, const cli_command *c, const unsigned char *values)
{
    char text[CLI_HELP_BYTES];
    cli_row rows[CLI_OPTIONS_MAX];
    const size_t n = cli_command_rows(c, rows);
    size_t n_idle = 0;
    fputs(".SH OPTIONS\n", to);
    for (size_t i = 0; i < n; i++) {
        const vg_option *o = rows[i].o;
        if (o->kind == VG_OPTION_WORDS)
            continue;
        if (rows[i].group != NULL)
            group_print(to, rows[i].group);
        n_idle += o->stands == VG_OPTION_IDLE;
        if (o->stands != VG_OPTION_ACTS)
            continue;
        tag_print(to, o);
        cli_option_text(text, sizeof text, &rows[i], false, values); /* the tag has the alias */
        roff(to, text);
        fputc('\n', to);
    }
    fputs(".TP\n\\fB\\-\\-help\\fR, \\fB\\-h\\fR\nAll of this, shorter.\n", to);
    if (n_idle > 0)
        fputs(".SS Accepted, without effect here\n", to);
    for (size_t i = 0; i < n && n_idle > 0; i++)
        if (rows[i].o->stands == VG_OPTION_IDLE) {
            tag_print(to, rows[i].o);
            roff(to, rows[i].o->help);
            fputs(": ", to);
            roff(to, rows[i].o->why);
            fputc('\n', to);
        }
}

static void others_print(FILE *to, const char *name)
{
    const char *separator = "";
    fputs(".SH SEE ALSO\n", to);
    if (name[0] != '\0') {
        fputs(".BR vigil (1)", to);
        separator = ",\n";
    }
    for (const cli_command *const *c = cli_commands; *c != NULL; c++)
        if (strcmp((*c)->name, name) != 0) {
            fputs(separator, to);
            fprintf(to, ".BR vigil\\-%s (1)", (*c)->name);
            separator = ",\n";
        }
    fputc('\n', to);
}

void cli_man_command(FILE *to, const cli_command *command)
{
    _Alignas(max_align_t) unsigned char values[CLI_VALUES_BYTES] = {0};
    const char *text = cli_man_text(command->name);
    if (command->defaults != NULL)
        command->defaults(values);
    head_print(to, command->name, command->help);
    fprintf(to, "\\fBvigil %s\\fR ", command->name);
    roff(to, command->usage);
    fputs("\n.SH DESCRIPTION\n", to);
    const size_t n_first = text != NULL ? strcspn(text, "#") : 0;
    if (text != NULL && n_first > 0) {
        char first[CLI_MAN_BYTES];
        snprintf(first, sizeof first, "%.*s", (int)n_first, text);
        text_print(to, first);
    } else if (text == NULL) {
        fputs("This command ", to);
        roff(to, command->help);
        fputs(".\n", to);
    }
    if (command->notes != NULL) {
        fputs(n_first > 0 ? ".PP\n" : "", to);
        text_print(to, command->notes);
    }
    options_print(to, command, values);
    if (text != NULL)
        text_print(to, text + n_first);
    if (text == NULL || strstr(text, "# EXIT STATUS") == NULL)
        text_print(to, cli_man_text("EXIT STATUS"));
    others_print(to, command->name);
}

void cli_man_program(FILE *to)
{
    head_print(to, "", "detect objects with YOLO11, in memory that is planned and stays flat");
    fputs("\\fBvigil\\fR COMMAND [OPTIONS]\n.SH DESCRIPTION\n", to);
    const char *text = cli_man_text("");
    const size_t n_first = strcspn(text, "#");
    char first[CLI_MAN_BYTES];
    snprintf(first, sizeof first, "%.*s", (int)n_first, text);
    text_print(to, first);
    fputs(".SH COMMANDS\n", to);
    for (const cli_command *const *c = cli_commands; *c != NULL; c++) {
        fprintf(to, ".TP\n\\fB%s\\fR", (*c)->name);
        if ((*c)->alias != NULL)
            fprintf(to, ", \\fB%s\\fR", (*c)->alias);
        fputc('\n', to);
        roff(to, (*c)->help);
        fprintf(to, "; see\n.BR vigil\\-%s (1).\n", (*c)->name);
    }
    text_print(to, text + n_first);
    text_print(to, cli_man_text("EXIT STATUS"));
    others_print(to, "");
}

/* ---- completion ---- */

/* What a value is, in a word: flag, file, folder, one of some words, or nothing to guess. */
static void kind_print(FILE *to, const vg_option *o)
{
    static const char *const files[] = {"FILE", "YAML", "SOURCE", "CONFIG", "MODEL"};
    static const char *const folders[] = {"DIR", "RUN"};
    const char *value = vg_option_value(o) != NULL ? vg_option_value(o) : "";
    if (o->kind == VG_OPTION_BOOL || o->kind == VG_OPTION_SWITCH) {
        fputs(" flag", to);
    } else if (strchr(value, '|') != NULL) {
        fputs(" words ", to);
        for (; *value != '\0'; value++)
            fputc(*value == '|' ? ' ' : *value, to);
    } else {
        const char *kind = " value";
        for (size_t i = 0; i < sizeof files / sizeof *files; i++)
            kind = strcmp(value, files[i]) == 0 ? " file" : kind;
        for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
            kind = strcmp(value, folders[i]) == 0 ? " folder" : kind;
        fputs(kind, to);
    }
    fputc('\n', to);
}

void cli_completion_program(FILE *to)
{
    for (const cli_command *const *c = cli_commands; *c != NULL; c++)
        fprintf(to, "%s\n", (*c)->name);
}

void cli_completion_command(FILE *to, const cli_command *command)
{
    cli_row rows[CLI_OPTIONS_MAX];
    const size_t n = cli_command_rows(command, rows);
    for (size_t i = 0; i < n; i++) {
        const vg_option *o = rows[i].o;
        char name[CLI_NAME_BYTES];
        if (o->kind == VG_OPTION_WORDS || o->stands == VG_OPTION_REFUSED)
            continue;
        for (int k = 0; k < (o->alias != NULL ? 2 : 1); k++) {
            cli_name_typed(name, k == 0 ? o->name : o->alias);
            fprintf(to, "--%s", name);
            kind_print(to, o);
        }
        if (o->is_positional) {
            fputs("-", to);
            kind_print(to, o);
        }
    }
    fputs("--help alone\n", to);
}
