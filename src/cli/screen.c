/* screen.c: what the terminal behind a stream can show: how wide it is, whether lines may be
 * written over, letters beyond ASCII, colours. What is no terminal gets plain lines. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"

static bool is_utf8(void)
{
    const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0')
            return strstr(value, "UTF-8") != NULL || strstr(value, "utf8") != NULL;
    }
    return false;
}

cli_screen cli_screen_of(FILE *to)
{
    const char *kind = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    /* "dumb" knows no escapes: an editor's shell, a log of a build server. */
    const bool terminal =
        isatty(fileno(to)) == 1 && kind != NULL && kind[0] != '\0' && strcmp(kind, "dumb") != 0;
    return (cli_screen){.terminal = terminal,
                        .ascii = !is_utf8(),
                        .colour = terminal && (no_colour == NULL || no_colour[0] == '\0')};
}

size_t cli_columns(FILE *to)
{
    struct winsize size;
    if (isatty(fileno(to)) != 1)
        return 0;
    return ioctl(fileno(to), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void cli_paint(FILE *to, cli_colour colour, const char *text)
{
    static const char *const codes[] = {
        [CLI_RED] = "1;31", [CLI_YELLOW] = "1;33", [CLI_GREEN] = "32", [CLI_BOLD] = "1"};
    if (cli_screen_of(to).colour)
        fprintf(to, "\033[%sm%s\033[0m", codes[colour], text);
    else
        fputs(text, to);
}
