/* help.c: help drawn from the tables, in 80 columns. */
#include <assert.h>
#include <string.h>

#include "cli.h"

enum { WIDTH = 80, OPTION_COLUMN = 26, COMMAND_COLUMN = 12 };

/* Blanks up to the column; on a new line when text is there already. */
static void column_go(FILE *to, int at, int column)
{
    if (at >= column) {
        fputc('\n', to);
        at = 0;
    }
    fprintf(to, "%*s", column - at, "");
}

void cli_help_program(FILE *to)
{
    fprintf(to, "vigil %s: YOLO11 detection in memory that is planned and stays flat\n\n",
            vg_version());
    fputs("usage: vigil COMMAND [OPTIONS]\n\n"
          "commands:\n",
          to);
    for (const cli_command *const *c = cli_commands; *c != NULL; c++) {
        int n = fprintf(to, "  %s", (*c)->name);
        column_go(to, n, COMMAND_COLUMN);
        fprintf(to, "%s", (*c)->help);
        if ((*c)->alias != NULL)
            fprintf(to, "; also: %s", (*c)->alias);
        fputc('\n', to);
    }
    fputs("\nvigil COMMAND --help lists a command's options. An option may be spelt\n"
          "    --imgsz 640   --imgsz=640   imgsz=640\n"
          "with '-' and '_' being the same in its name; --save, save=True and --no-save,\n"
          "save=False. Given twice, the last one wins.\n\n"
          "examples:\n"
          "    vigil predict --weights yolo11n.pt --source photos/ --save\n"
          "    vigil track --weights yolo11n.pt --source rtsp://camera/1 --serve 127.0.0.1:9300\n"
          "    vigil info yolo11n.pt --memory\n"
          "    vigil convert --weights yolo11n.pt --output yolo11n.safetensors\n\n"
          "Exit status: 0 done, 1 something could not be done, 2 the command line is wrong.\n",
          to);
}

void cli_option_text(char *buf, size_t n, const cli_row *row, bool with_alias, const void *values)
{
    const vg_option *o = row->o;
    const char *alias = with_alias ? o->alias : NULL;
    char standard[96], must[64] = "", also[CLI_NAME_BYTES] = "";
    if (o->is_required && o->unless != NULL)
        snprintf(must, sizeof must, " (must be given, unless --%s is)", o->unless);
    else if (o->is_required)
        snprintf(must, sizeof must, " (must be given)");
    cli_default_text(standard, sizeof standard, row, values);
    if (alias != NULL)
        cli_name_typed(also, alias);
    snprintf(buf, n, "%s%s%s%s%s", o->help, alias != NULL ? "; also --" : "", also, must, standard);
}

static void option_print(FILE *to, const cli_row *row, const unsigned char *values)
{
    char text[CLI_HELP_BYTES], name[CLI_NAME_BYTES];
    const char *value = vg_option_value(row->o);
    const bool alone = row->o->may_stand_alone;
    const int column = fprintf(to, "  --%s%s%s%s", cli_name_typed(name, row->o->name),
                               alone           ? " ["
                               : value != NULL ? " "
                                               : "",
                               value != NULL ? value : "", alone ? "]" : "");
    column_go(to, column, OPTION_COLUMN);
    cli_option_text(text, sizeof text, row, true, values);
    cli_wrap(to, text, OPTION_COLUMN, OPTION_COLUMN, WIDTH);
}

/* Each line of text as a paragraph. */
static void notes_print(FILE *to, const char *text)
{
    char paragraph[1024];
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        assert(n < sizeof paragraph);
        memcpy(paragraph, text, n);
        paragraph[n] = '\0';
        cli_wrap(to, paragraph, 0, 0, WIDTH);
        text += n + (text[n] == '\n');
    }
}

void cli_help_command(FILE *to, const cli_command *command)
{
    _Alignas(max_align_t) unsigned char values[CLI_VALUES_BYTES] = {0};
    cli_row rows[CLI_OPTIONS_MAX];
    const size_t n = cli_command_rows(command, rows);
    if (command->defaults != NULL)
        command->defaults(values);
    char head[256];
    snprintf(head, sizeof head, "vigil %s%s%s%s: %s", command->name,
             command->alias != NULL ? " (also " : "", command->alias != NULL ? command->alias : "",
             command->alias != NULL ? ")" : "", command->help);
    cli_wrap(to, head, 0, 0, WIDTH);
    fprintf(to, "\nusage: vigil %s%s%s\n", command->name, command->usage[0] != '\0' ? " " : "",
            command->usage);
    for (size_t i = 0; i < n; i++) {
        const vg_option *o = rows[i].o;
        /* The usage line has words; what has no effect is said when it is used. */
        if (o->kind == VG_OPTION_WORDS || o->stands != VG_OPTION_ACTS)
            continue;
        if (rows[i].group != NULL || i == 0)
            fprintf(to, "\n%s:\n", rows[i].group != NULL ? rows[i].group : "options");
        option_print(to, &rows[i], values);
    }
    fputs(n > 0 ? "\n" : "\noptions:\n", to);
    column_go(to, fprintf(to, "  --help"), OPTION_COLUMN);
    fputs("this text; also -h\n", to);
    if (command->notes != NULL) {
        fputc('\n', to);
        notes_print(to, command->notes);
    }
}
