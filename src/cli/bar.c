/* bar.c: a bar for work whose end is known. On a terminal only: a log is no place for it. */
#include <time.h>

#include "bar.h"

static const double first_after_s = 0.5, every_s = 0.2;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

cli_bar cli_bar_make(FILE *to, const char *what)
{
    const cli_screen s = cli_screen_of(to);
    const double now = now_s();
    return (cli_bar){.to = to,
                     .what = what,
                     .on = s.terminal,
                     .ascii = s.ascii,
                     .began_s = now,
                     .next_s = now + first_after_s};
}

void cli_bar_show(cli_bar *b, size_t n_done, size_t n_total)
{
    char line[512];
    const double now = now_s();
    if (!b->on || n_total == 0 || now < b->next_s)
        return;
    b->next_s = now + every_s;
    const vg_bar bar = {
        .what = b->what, .n_done = n_done, .n_total = n_total, .seconds = now - b->began_s};
    /* One place less than there are: some terminals go to the next line when the last is filled. */
    vg_bar_format(line, sizeof line, &bar, cli_columns(b->to) - 1, b->ascii);
    fprintf(b->to, "\r%s\033[K", line);
    fflush(b->to);
    b->stands = true;
}

void cli_bar_clear(cli_bar *b)
{
    if (b->stands)
        fputs("\r\033[K", b->to);
    fflush(b->to);
    b->stands = false;
}
