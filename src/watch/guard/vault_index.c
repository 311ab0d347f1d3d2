/* vault_index.c: rows of fields, and their way back. */
#include "vault_index.h"

#include <inttypes.h>
#include <string.h>

static const char HEAD[] = "#vault\t";

/* ---- writing ---- */

bool vault_index_head(char *out, size_t n, uint64_t job)
{
    return base_format(out, n, "%s%016" PRIx64 "\n", HEAD, job);
}

bool vault_index_row(char out[VAULT_ROW_BYTES], const vault_copy *c)
{
    const char *const fields[] = {c->name, c->of, c->link};
    size_t n = 0;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (i > 0)
            out[n++] = '\t';
        n += base_field_escape(out + n, VAULT_ROW_BYTES - n, fields[i]);
        if (n + 1 >= VAULT_ROW_BYTES)
            return false;
    }
    return base_format(out + n, VAULT_ROW_BYTES - n, "\t%" PRIu64 ":%" PRIu64 ":%" PRId64 "\n",
                       c->id.device, c->id.inode, c->id.born_ns);
}

/* ---- reading ---- */

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One field, to a tab or the row's end; *at is behind it. False: not one of ours, or too long. */
static bool take_field(char *out, size_t room, const char **at, const char *end)
{
    const char *tab = memchr(*at, '\t', (size_t)(end - *at)), *stop = tab != NULL ? tab : end;
    const bool good = base_field_restore(out, room, *at, (size_t)(stop - *at));
    *at = tab != NULL ? tab + 1 : end;
    return good;
}

static bool take_number(int64_t *out, const char **at, const char *end, int64_t least)
{
    char digits[24];
    size_t n = 0;
    while (*at < end && **at != ':' && n + 1 < sizeof digits)
        digits[n++] = *(*at)++;
    digits[n] = '\0';
    if (*at < end && **at == ':')
        ++*at;
    return base_parse_i64(out, digits, least, INT64_MAX);
}

int64_t vault_index_number(const char *name)
{
    int64_t number = 0;
    for (int i = 0; i < 6; i++) {
        if (name[i] < '0' || name[i] > '9')
            return -1;
        number = 10 * number + (name[i] - '0');
    }
    return name[6] == '-' && name[7] != '\0' && strchr(name, '/') == NULL ? number : -1;
}

static bool take_row(vault_copy *c, const char *at, const char *end)
{
    int64_t device, inode, born;
    *c = (vault_copy){.name = ""};
    if (!take_field(c->name, sizeof c->name, &at, end) || vault_index_number(c->name) < 0 ||
        !take_field(c->of, sizeof c->of, &at, end) || c->of[0] != '/' ||
        !take_field(c->link, sizeof c->link, &at, end) || (c->link[0] != '\0' && c->link[0] != '/'))
        return false;
    if (take_number(&device, &at, end, 0) && take_number(&inode, &at, end, 1) &&
        take_number(&born, &at, end, INT64_MIN))
        c->id =
            (watch_file_id){.device = (uint64_t)device, .inode = (uint64_t)inode, .born_ns = born};
    return true;
}

static uint64_t take_head(const char *at, const char *end)
{
    uint64_t job = 0;
    const size_t n = sizeof HEAD - 1;
    if ((size_t)(end - at) != n + 16 || memcmp(at, HEAD, n) != 0)
        return 0;
    for (at += n; at < end; at++) {
        if (hex(*at) < 0)
            return 0;
        job = job << 4 | (uint64_t)hex(*at);
    }
    return job;
}

void vault_index_read(vault_copy *copies, size_t *n, size_t room, uint64_t *job, const char *text,
                      size_t n_text)
{
    const char *end = text + n_text;
    *n = 0;
    *job = 0;
    for (const char *line = text; line < end && *n < room;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *line_end = newline != NULL ? newline : end;
        if (line == text)
            *job = take_head(line, line_end);
        if ((line != text || *job == 0) && take_row(&copies[*n], line, line_end))
            ++*n;
        line = newline != NULL ? newline + 1 : end;
    }
}

/* ---- names ---- */

void vault_index_name(char out[VAULT_NAME_BYTES], int64_t number, const char *file_name)
{
    enum { KEPT = 100 }; /* room for ".tmp-..." beside it, whatever the file system's bound */
    const size_t n = strlen(file_name);
    /* The end tells the kind: of a long name the beginning goes. */
    const char *from = n > KEPT ? file_name + n - KEPT : file_name;
    base_format(out, VAULT_NAME_BYTES, "%06lld-%s", (long long)(number % 1000000),
                from[0] != '\0' ? from : "x");
    for (char *c = out + 7; *c != '\0'; c++) {
        const bool is_plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                              (*c >= '0' && *c <= '9') || strchr("._-+=,@", *c) != NULL;
        if (!is_plain)
            *c = '_';
    }
}
