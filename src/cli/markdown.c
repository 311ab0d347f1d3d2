/* markdown.c: a command's options as tables of the docs, drawn from its rows. */
#include <string.h>

#include "cli.h"
#include "man.h"

/* Of a cell: what would end it is escaped. */
static void cell_print(FILE *to, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            fputc('\\', to);
        fputc(*text, to);
    }
}

static void name_print(FILE *to, const vg_option *o)
{
    char name[CLI_NAME_BYTES];
    const char *value = vg_option_value(o);
    fprintf(to, "| `--%s", cli_name_typed(name, o->name));
    if (value != NULL) {
        fputs(o->may_stand_alone ? " [" : " ", to);
        cell_print(to, value);
        fputs(o->may_stand_alone ? "]" : "", to);
    }
    fputc('`', to);
    if (o->alias != NULL)
        fprintf(to, ", `--%s`", cli_name_typed(name, o->alias));
    fputs(o->is_per_source ? " * |" : " |", to);
}

/* What it is when it is not given; values: of the command's own rows. */
static void default_print(FILE *to, const cli_row *row, const vg_option *o, const void *values)
{
    char text[VG_OPTION_TEXT_BYTES] = "";
    if (o == row->handed)
        snprintf(text, sizeof text, "%s", o->preset);
    else if (o->kind != VG_OPTION_INTS && o->kind != VG_OPTION_CLASSES && o->kind != VG_OPTION_SIZE)
        vg_option_write(text, sizeof text, o, values);
    if (o->zero != NULL && (text[0] == '\0' || strcmp(text, "0") == 0))
        snprintf(text, sizeof text, "%s", o->zero);
    else if (o->kind == VG_OPTION_BOOL)
        snprintf(text, sizeof text, "%s", strcmp(text, "true") == 0 ? "on" : "off");
    fputs(text[0] != '\0' ? " " : "", to);
    cell_print(to, text);
    fputs(" | ", to);
}

/* The table of configurations has the API's row where the command has one of its own. */
static const vg_option *row_of(const cli_row *row)
{
    return row->handed != NULL ? row->handed : row->o;
}

static void head_print(FILE *to, const char *group, bool is_first)
{
    if (!is_first)
        fputc('\n', to);
    if (group != NULL)
        fprintf(to, "### %c%s\n\n",
                group[0] >= 'a' && group[0] <= 'z' ? group[0] - 'a' + 'A' : group[0], group + 1);
    fputs("| option | default | |\n| --- | --- | --- |\n", to);
}

void cli_markdown_command(FILE *to, const cli_command *command)
{
    _Alignas(max_align_t) unsigned char values[CLI_VALUES_BYTES] = {0};
    cli_row rows[CLI_OPTIONS_MAX];
    const size_t n = cli_command_rows(command, rows);
    size_t n_idle = 0;
    if (command->defaults != NULL)
        command->defaults(values);
    for (size_t i = 0; i < n; i++) {
        const vg_option *o = row_of(&rows[i]);
        n_idle += o->stands == VG_OPTION_IDLE;
        if (i == 0 || rows[i].group != NULL)
            head_print(to, rows[i].group, i == 0);
        if (o->stands != VG_OPTION_ACTS || o->kind == VG_OPTION_WORDS)
            continue;
        name_print(to, o);
        default_print(to, &rows[i], o, values);
        cell_print(to, o->help);
        fputs(" |\n", to);
    }
    if (n_idle > 0)
        fputs("\n### Accepted, without effect\n\n| option | why |\n| --- | --- |\n", to);
    for (size_t i = 0; i < n && n_idle > 0; i++) {
        const vg_option *o = row_of(&rows[i]);
        if (o->stands != VG_OPTION_IDLE)
            continue;
        name_print(to, o);
        fputc(' ', to);
        cell_print(to, o->why);
        fputs(" |\n", to);
    }
}
