/* output.c: errors, tables' numbers, JSON strings, wrapped text; and whether stdout took what it
 * was given. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

_Static_assert(VG_WHERE_BYTES == VG_WHAT_BYTES && VG_MEND_BYTES == VG_WHAT_BYTES,
               "cli_error_text takes any of them");

void cli_text(FILE *to, const char *text)
{
    cli_print(to, "%s", text);
}

static void error_row(const char *head, cli_colour colour, const char *text)
{
    cli_paint(stderr, colour, head);
    cli_print(stderr, " %s\n", text);
}

int cli_error_print(const vg_error *err, int status)
{
    /* The lines above, if there are any, were written to the same terminal. */
    fflush(stdout);
    error_row("error:", CLI_RED, err->what[0] != '\0' ? err->what : vg_status_text(err->status));
    if (err->where[0] != '\0')
        error_row("  at: ", CLI_BOLD, err->where);
    if (err->mend[0] != '\0')
        error_row("  try:", CLI_GREEN, err->mend);
    return status;
}

int cli_error_end(const vg_error *err)
{
    return cli_error_print(err, err->status == VG_ERR_ARGUMENT ? CLI_USAGE : CLI_FAILED);
}

void cli_warning(const char *format, ...)
{
    char text[VG_WHAT_BYTES + VG_WHERE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fflush(stdout);
    error_row("warning:", CLI_YELLOW, text);
}

void cli_error_set(vg_error *err, vg_status status, const char *format, ...)
{
    *err = (vg_error){.status = status};
    va_list args;
    va_start(args, format);
    vsnprintf(err->what, sizeof err->what, format, args);
    va_end(args);
}

void cli_error_text(char field[VG_WHAT_BYTES], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(field, VG_WHAT_BYTES, format, args);
    va_end(args);
}

void cli_gpu_print(FILE *to, const vg_memory *m)
{
    char bytes[32];
    if (m->gpu_planned_bytes == 0)
        return;
    fprintf(to, "GPU memory: planned %s", cli_bytes(bytes, (double)m->gpu_planned_bytes));
    bool is_first = true;
    for (int i = 0; i < m->n_items; i++)
        if (m->items[i].is_on_gpu) {
            fprintf(to, "%s%s %s", is_first ? " (" : ", ", m->items[i].owner,
                    cli_bytes(bytes, (double)m->items[i].planned_bytes));
            is_first = false;
        }
    fprintf(to, "%s, in use %s", is_first ? "" : ")",
            cli_bytes(bytes, (double)m->gpu_in_use_bytes));
    if (m->gpu_taken_bytes > 0)
        fprintf(to, ", of the whole GPU taken %s", cli_bytes(bytes, (double)m->gpu_taken_bytes));
    fputc('\n', to);
}

const char *cli_bytes(char buf[32], double bytes)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
    size_t i = 0;
    /* 1023.95 KB would be printed as 1024.0 KB: the next unit begins there. */
    while ((bytes >= 1023.95 || bytes <= -1023.95) && i < 4) {
        bytes /= 1024;
        i++;
    }
    snprintf(buf, 32, i == 0 ? "%.0f %s" : "%.1f %s", bytes, units[i]);
    return buf;
}

const char *cli_commas(char buf[32], long long value)
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%lld", value);
    size_t out = 0;
    for (int i = 0; i < n; i++) {
        buf[out++] = digits[i];
        int left = n - 1 - i;
        if (left > 0 && left % 3 == 0 && digits[i] != '-')
            buf[out++] = ',';
    }
    buf[out] = '\0';
    return buf;
}

void cli_json_string(FILE *to, const char *text)
{
    fputc('"', to);
    while (*text != '\0') { /* a character at a time, so that no text is too long */
        char one[5] = {text[0]}, escaped[16];
        size_t n = 1;
        while (n < 4 && ((unsigned char)text[n] & 0xC0) == 0x80) {
            one[n] = text[n];
            n++;
        }
        vg_text_json(escaped, sizeof escaped, one);
        fputs(escaped, to);
        text += n;
    }
    fputc('"', to);
}

void cli_wrap(FILE *to, const char *text, int column, int indent, int width)
{
    bool first = true; /* of its line: no blank before it */
    while (*text != '\0') {
        int n = (int)strcspn(text, " ");
        if (!first && column + 1 + n > width) {
            fprintf(to, "\n%*s", indent, "");
            column = indent;
            first = true;
        }
        fprintf(to, "%s%.*s", first ? "" : " ", n, text);
        column += n + !first;
        first = false;
        text += n;
        text += strspn(text, " ");
    }
    fputc('\n', to);
}

bool cli_output_good(void)
{
    return !ferror(stdout);
}

/* A pipe whose reader went away, as head does when it has seen enough. */
static bool reader_is_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

int cli_output_finish(int status)
{
    errno = 0;
    bool good = fflush(stdout) == 0 && !ferror(stdout);
    if (good)
        return status;
    /* Whoever went away knows why. errno is 0 when the write that failed was an earlier one. */
    if (!reader_is_gone()) {
        fprintf(stderr, "error: standard output could not be written%s%s\n", errno != 0 ? ": " : "",
                errno != 0 ? strerror(errno) : "");
        fputs("  try: free space where it goes, or send it elsewhere\n", stderr);
    }
    return status == CLI_DONE ? CLI_FAILED : status;
}
