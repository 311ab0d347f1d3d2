/* help.c: help drawn from the tables, in 80 columns.
 *
 * The bash completion reads it: in the program's help a command is a line of two blanks, its name
 * and a blank, and no other line looks like that; an option is "--name". */
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

static void default_print(char *buf, size_t n, const cli_option *o, const unsigned char *values)
{
    const void *at = values + o->offset;
    buf[0] = '\0';
    switch (o->kind) {
    case CLI_BOOL:
        if (*(const bool *)at)
            snprintf(buf, n, "(on; --no-%s)", o->name);
        return;
    case CLI_INT:
        if (*(const int *)at != 0 || o->zero == NULL)
            snprintf(buf, n, "(%d)", *(const int *)at);
        break;
    case CLI_REAL:
        snprintf(buf, n, "(%g)", (double)*(const float *)at);
        break;
    case CLI_TEXT:
        if (*(const char *const *)at != NULL)
            snprintf(buf, n, "(%s)", *(const char *const *)at);
        break;
    case CLI_BYTES:
    case CLI_INTS:
    case CLI_WORDS:
        break;
    }
    if (buf[0] == '\0' && o->zero != NULL)
        snprintf(buf, n, "(%s)", o->zero);
}

static void option_print(FILE *to, const cli_option *o, const unsigned char *values)
{
    char standard[96], must[64] = "", text[640];
    if (o->required && o->unless != NULL)
        snprintf(must, sizeof must, " (must be given, unless --%s is)", o->unless);
    else if (o->required)
        snprintf(must, sizeof must, " (must be given)");
    default_print(standard, sizeof standard, o, values);
    int column = fprintf(to, o->bare ? "  --%s%s%s%s" : "  --%s%s%s", o->name,
                         o->bare    ? " ["
                         : o->value ? " "
                                    : "",
                         o->value != NULL ? o->value : "", "]");
    column_go(to, column, OPTION_COLUMN);
    snprintf(text, sizeof text, "%s%s%s%s%s%s", o->help, o->alias != NULL ? "; also --" : "",
             o->alias != NULL ? o->alias : "", must, standard[0] != '\0' ? " " : "", standard);
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
    cli_option room[CLI_OPTIONS_MAX] = {0};
    const cli_command whole = cli_command_whole(command, room);
    if (command->defaults != NULL)
        command->defaults(values);
    fprintf(to, "vigil %s", command->name);
    if (command->alias != NULL)
        fprintf(to, " (also %s)", command->alias);
    fprintf(to, ": %s\n\nusage: vigil %s%s%s\n", command->help, command->name,
            command->usage[0] != '\0' ? " " : "", command->usage);
    for (size_t i = 0; i < whole.n_options; i++) {
        char name[64]; /* drawn names may have '_' */
        cli_option o = whole.options[i];
        if (o.kind == CLI_WORDS) /* the usage line has it */
            continue;
        snprintf(name, sizeof name, "%s", o.name);
        for (char *c = name; *c != '\0'; c++)
            *c = *c == '_' ? '-' : *c;
        o.name = name;
        if (o.group != NULL || i == 0)
            fprintf(to, "\n%s:\n", o.group != NULL ? o.group : "options");
        option_print(to, &o, values);
    }
    fputs(whole.n_options > 0 ? "\n" : "\noptions:\n", to);
    column_go(to, fprintf(to, "  --help"), OPTION_COLUMN);
    fputs("this text; also -h\n", to);
    if (command->notes != NULL) {
        fputc('\n', to);
        notes_print(to, command->notes);
    }
}
