/* whole.c: zip by its directory (APPNOTE.TXT 4.3, 4.5.3), safetensors by its header. */
#include "whole.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TAIL_BYTES = 22 + 65535, /* the end record with the longest comment */
    ENTRY_BYTES = 46,
    LOCAL_BYTES = 30,
    WINDOW_BYTES = 1 << 14
};
static const uint64_t MOST_ENTRIES = 1 << 20;
static const uint64_t MOST_HEADER_BYTES = 100 << 20; /* of safetensors' own readers */

static uint64_t le(const uint8_t *p, int n)
{
    uint64_t v = 0;
    while (n-- > 0)
        v = v << 8 | p[n];
    return v;
}

static bool read_at(int fd, void *out, size_t n, uint64_t at)
{
    size_t done = 0;
    while (done < n) {
        const ssize_t k = pread(fd, (char *)out + done, n - done, (off_t)(at + done));
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return false;
        done += (size_t)k;
    }
    return true;
}

/* ---- zip ---- */

typedef struct directory {
    uint64_t at, n_bytes, n_entries, end; /* end: where the records of the archive's end begin */
} directory;

static bool find_directory(int fd, uint64_t size, directory *d)
{
    uint8_t tail[TAIL_BYTES], far[56];
    const size_t n = size < sizeof tail ? (size_t)size : sizeof tail;
    if (n < 22 || !read_at(fd, tail, n, size - n))
        return false;
    for (size_t i = n - 22 + 1; i-- > 0;) {
        const uint8_t *p = tail + i;
        if (le(p, 4) != 0x06054b50 || le(p + 20, 2) != n - i - 22)
            continue;
        *d = (directory){.n_entries = le(p + 10, 2),
                         .n_bytes = le(p + 12, 4),
                         .at = le(p + 16, 4),
                         .end = size - n + i};
        if (i < 20 || le(p - 20, 4) != 0x07064b50)
            return true;
        /* ZIP64: the same with room, in front of it */
        const uint64_t at = le(p - 20 + 8, 8);
        if (at > size - sizeof far || !read_at(fd, far, sizeof far, at) || le(far, 4) != 0x06064b50)
            return false;
        *d = (directory){.n_entries = le(far + 32, 8),
                         .n_bytes = le(far + 40, 8),
                         .at = le(far + 48, 8),
                         .end = at};
        return true;
    }
    return false;
}

/* The sizes that did not fit into 32 bits stand in the extra field 1, in this order. */
static bool widen(int fd, uint64_t at, size_t n_extra, uint64_t *raw, uint64_t *packed,
                  uint64_t *local)
{
    uint64_t *const values[] = {raw, packed, local};
    uint8_t extra[256];
    if (*raw != UINT32_MAX && *packed != UINT32_MAX && *local != UINT32_MAX)
        return true;
    const size_t n = n_extra < sizeof extra ? n_extra : sizeof extra;
    if (!read_at(fd, extra, n, at))
        return false;
    for (size_t i = 0; i + 4 <= n; i += 4 + le(extra + i + 2, 2)) {
        if (le(extra + i, 2) != 1)
            continue;
        size_t from = i + 4, end = from + le(extra + i + 2, 2);
        for (size_t k = 0; k < 3; k++) {
            if (*values[k] != UINT32_MAX)
                continue;
            if (from + 8 > end || from + 8 > n)
                return false;
            *values[k] = le(extra + from, 8);
            from += 8;
        }
        return true;
    }
    return false;
}

/* One entry of the directory and the header in front of its bytes agree, and lie before it. */
static bool check_entry(int fd, const directory *d, uint64_t at, uint64_t *next)
{
    uint8_t e[ENTRY_BYTES], local[LOCAL_BYTES];
    if (at + ENTRY_BYTES > d->end || !read_at(fd, e, sizeof e, at) || le(e, 4) != 0x02014b50)
        return false;
    uint64_t packed = le(e + 20, 4), raw = le(e + 24, 4), where = le(e + 42, 4);
    const size_t n_name = le(e + 28, 2), n_extra = le(e + 30, 2), n_comment = le(e + 32, 2);
    *next = at + ENTRY_BYTES + n_name + n_extra + n_comment;
    if (*next > d->end || !widen(fd, at + ENTRY_BYTES + n_name, n_extra, &raw, &packed, &where))
        return false;
    if (where >= d->at || d->at - where < LOCAL_BYTES || !read_at(fd, local, LOCAL_BYTES, where) ||
        le(local, 4) != 0x04034b50 || le(local + 26, 2) != n_name ||
        le(local + 8, 2) != le(e + 10, 2))
        return false;
    const uint64_t before = LOCAL_BYTES + n_name + le(local + 28, 2);
    return d->at - where >= before && packed <= d->at - where - before;
}

static watch_whole check_zip(int fd, uint64_t size, const char **why)
{
    directory d;
    *why = "a zip archive without its end";
    if (!find_directory(fd, size, &d))
        return WATCH_WHOLE_NO;
    *why = "a zip archive whose directory does not fit it";
    if (d.at > d.end || d.n_bytes > d.end - d.at || d.n_entries > MOST_ENTRIES || d.n_entries == 0)
        return WATCH_WHOLE_NO;
    uint64_t at = d.at;
    for (uint64_t i = 0; i < d.n_entries; i++)
        if (!check_entry(fd, &d, at, &at))
            return WATCH_WHOLE_NO;
    if (at != d.at + d.n_bytes)
        return WATCH_WHOLE_NO;
    *why = "every entry of the zip archive is there";
    return WATCH_WHOLE_YES;
}

/* ---- safetensors ---- */

/* Reads "data_offsets":[A,B] wherever it stands, a character at a time. Inside a text the quotes
 * would be escaped, so what matches is a key. */
typedef struct offsets {
    size_t matched; /* of the key; then the place within the pair */
    uint64_t a, b, most, sum;
} offsets;

static void see(offsets *o, char c)
{
    static const char key[] = "\"data_offsets\"";
    enum { COLON = sizeof key - 1, BRACKET, FIRST, SECOND };
    if (o->matched < COLON) {
        o->matched = c == key[o->matched] ? o->matched + 1 : c == '"';
        return;
    }
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r')
        return;
    uint64_t *const number = o->matched == FIRST ? &o->a : &o->b;
    if (o->matched == COLON && c == ':') {
        o->matched = BRACKET;
    } else if (o->matched == BRACKET && c == '[') {
        *o = (offsets){.matched = FIRST, .most = o->most, .sum = o->sum};
    } else if (o->matched >= FIRST && c >= '0' && c <= '9' && *number < UINT64_MAX / 16) {
        *number = *number * 10 + (uint64_t)(c - '0');
    } else if (o->matched == FIRST && c == ',') {
        o->matched = SECOND;
    } else if (o->matched == SECOND && c == ']') {
        o->most = o->b > o->most ? o->b : o->most;
        o->sum += o->b >= o->a ? o->b - o->a : UINT64_MAX / 4;
        o->matched = 0;
    } else {
        o->matched = c == '"';
    }
}

static watch_whole check_safetensors(int fd, uint64_t size, const char **why)
{
    uint8_t head[8];
    char window[WINDOW_BYTES], last = '\0';
    offsets o = {0};
    *why = "safetensors without their header";
    if (size < 10 || !read_at(fd, head, sizeof head, 0))
        return WATCH_WHOLE_NO;
    const uint64_t n = le(head, 8);
    if (n < 2 || n > MOST_HEADER_BYTES || n > size - 8)
        return WATCH_WHOLE_NO;
    for (uint64_t at = 0; at < n;) {
        const size_t k = n - at < sizeof window ? (size_t)(n - at) : sizeof window;
        if (!read_at(fd, window, k, 8 + at) || (at == 0 && window[0] != '{'))
            return WATCH_WHOLE_NO;
        for (size_t i = 0; i < k; i++) {
            see(&o, window[i]);
            last = window[i] > ' ' ? window[i] : last;
        }
        at += k;
    }
    if (last != '}')
        return WATCH_WHOLE_NO;
    *why = "safetensors of another length than their header says";
    if (o.most != size - 8 - n || o.sum != o.most)
        return WATCH_WHOLE_NO;
    *why = "safetensors of the length that their header says";
    return WATCH_WHOLE_YES;
}

/* ---- any file ---- */

watch_whole watch_whole_check(const char *path, const char **why)
{
    static const char *const zipped[] = {".npz", ".keras"};
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    uint8_t head[4] = {0};
    watch_whole whole = WATCH_WHOLE_NO;
    *why = "it cannot be read";
    if (fd < 0)
        return whole;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        *why = "no regular file";
    } else if (info.st_size < (off_t)sizeof head || !read_at(fd, head, sizeof head, 0)) {
        *why = "an empty file";
    } else if (base_equal_nocase(base_path_suffix(path), ".safetensors")) {
        whole = check_safetensors(fd, (uint64_t)info.st_size, why);
    } else if (le(head, 4) == 0x04034b50) {
        whole = check_zip(fd, (uint64_t)info.st_size, why);
    } else if (le(head, 4) == 0) {
        *why = "it begins with zeros";
    } else {
        whole = WATCH_WHOLE_UNKNOWN;
        *why = "of no kind that tells its length";
        for (size_t i = 0; i < 2; i++)
            if (base_equal_nocase(base_path_suffix(path), zipped[i])) {
                *why = "no zip archive";
                whole = WATCH_WHOLE_NO;
            }
    }
    close(fd);
    return whole;
}
