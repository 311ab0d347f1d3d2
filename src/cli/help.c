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
    case CLI_SIZE:
    case CLI_BYTES:
    case CLI_INTS:
    case CLI_WORDS:
        break;
    }
    if (buf[0] == '\0' && o->zero != NULL)
        snprintf(buf, n, "(%s)", o->zero);
}

void cli_option_text(char *buf, size_t n, const cli_option *o, const void *values)
{
    char standard[96], must[64] = "", also[CLI_NAME_BYTES] = "";
    if (o->required && o->unless != NULL)
        snprintf(must, sizeof must, " (must be given, unless --%s is)", o->unless);
    else if (o->required)
        snprintf(must, sizeof must, " (must be given)");
    default_print(standard, sizeof standard, o, values);
    if (o->alias != NULL)
        cli_name_typed(also, o->alias);
    snprintf(buf, n, "%s%s%s%s%s%s", o->help, o->alias != NULL ? "; also --" : "", also, must,
             standard[0] != '\0' ? " " : "", standard);
}

static void option_print(FILE *to, const cli_option *o, const unsigned char *values)
{
    char text[CLI_HELP_BYTES];
    int column = fprintf(to, o->bare ? "  --%s%s%s%s" : "  --%s%s%s", o->name,
                         o->bare    ? " ["
                         : o->value ? " "
                                    : "",
                         o->value != NULL ? o->value : "", "]");
    column_go(to, column, OPTION_COLUMN);
    cli_option_text(text, sizeof text, o, values);
    cli_wrap(to, text, OPTION_COLUMN, OPTION_COLUMN, WIDTH);
}

/* What is taken and does nothing: a paragraph, not rows that look like help. */
static void idle_print(FILE *to, const cli_command *whole)
{
    char text[CLI_HELP_BYTES] = "Accepted, without effect here:", name[CLI_NAME_BYTES];
    size_t n = strlen(text);
    const size_t n_head = n;
    for (size_t i = 0; i < whole->n_options && n < sizeof text; i++)
        if (whole->options[i].idle != NULL) {
            cli_name_typed(name, whole->options[i].name);
            n +=
                (size_t)snprintf(text + n, sizeof text - n, "%s --%s", n > n_head ? "," : "", name);
        }
    assert(n < sizeof text);
    if (n == n_head)
        return;
    fputc('\n', to);
    cli_wrap(to, text, 0, 0, WIDTH);
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
    char head[256];
    snprintf(head, sizeof head, "vigil %s%s%s%s: %s", command->name,
             command->alias != NULL ? " (also " : "", command->alias != NULL ? command->alias : "",
             command->alias != NULL ? ")" : "", command->help);
    cli_wrap(to, head, 0, 0, WIDTH);
    fprintf(to, "\nusage: vigil %s%s%s\n", command->name, command->usage[0] != '\0' ? " " : "",
            command->usage);
    for (size_t i = 0; i < whole.n_options; i++) {
        char name[CLI_NAME_BYTES];
        cli_option o = whole.options[i];
        if (o.kind == CLI_WORDS || o.idle != NULL) /* the usage line has it; it is told below */
            continue;
        cli_name_typed(name, o.name);
        o.name = name;
        if (o.group != NULL || i == 0)
            fprintf(to, "\n%s:\n", o.group != NULL ? o.group : "options");
        option_print(to, &o, values);
    }
    fputs(whole.n_options > 0 ? "\n" : "\noptions:\n", to);
    column_go(to, fprintf(to, "  --help"), OPTION_COLUMN);
    fputs("this text; also -h\n", to);
    idle_print(to, &whole);
    if (command->notes != NULL) {
        fputc('\n', to);
        notes_print(to, command->notes);
    }
}
