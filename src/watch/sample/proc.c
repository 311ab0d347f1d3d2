/* proc.c: the parsers of proc.h. */
#include "proc.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "world.h"

/* ---- small things ---- */

/* Digits at *at before end; false: none there, or more than 64 bits. */
static bool take_u64(uint64_t *out, const char **at, const char *end)
{
    uint64_t v = 0;
    const char *p = *at;
    if (p == end || *p < '0' || *p > '9')
        return false;
    for (; p < end && *p >= '0' && *p <= '9'; p++) {
        if (v > (UINT64_MAX - 9) / 10)
            return false;
        v = 10 * v + (uint64_t)(*p - '0');
    }
    *out = v;
    *at = p;
    return true;
}

static void skip_blanks(const char **at, const char *end)
{
    while (*at < end && (**at == ' ' || **at == '\t'))
        ++*at;
}

static const char *line_end(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    return newline != NULL ? newline : end;
}

/* The first line that begins with key; behind it. NULL: none. */
static const char *find_line(const char *text, const char *end, const char *key)
{
    const size_t n = strlen(key);
    for (const char *at = text; at < end;) {
        if ((size_t)(end - at) > n && memcmp(at, key, n) == 0)
            return at + n;
        const char *newline = line_end(at, end);
        at = newline < end ? newline + 1 : end;
    }
    return NULL;
}

/* ---- stat ---- */

/* Fields are counted as in proc(5): 3 is the state, the first behind the name. */
bool proc_stat_parse(proc_stat *out, const char *text, size_t n)
{
    enum {
        STATE = 3,
        PARENT,
        GROUP,
        MINFLT = 10,
        MAJFLT = 12,
        UTIME = 14,
        STIME,
        THREADS = 20,
        START = 22
    };
    const char *end = text + n, *at = text;
    const char *open = memchr(text, '(', n), *close = n > 0 ? memrchr(text, ')', n) : NULL;
    uint64_t v;
    *out = (proc_stat){0};
    if (open == NULL || close == NULL || close < open || !take_u64(&v, &at, end) || v > INT32_MAX)
        return false;
    out->pid = (pid_t)v;
    char name[WATCH_NAME_BYTES] = "";
    const size_t n_name = (size_t)(close - open - 1);
    memcpy(name, open + 1, n_name < sizeof name ? n_name : sizeof name - 1);
    base_line_escape(out->name, sizeof out->name, name);
    at = close + 1;
    for (int field = STATE; field <= START; field++) {
        skip_blanks(&at, end);
        if (field == STATE) {
            if (at == end)
                return false;
            out->state = *at++;
            continue;
        }
        if (at < end && *at == '-')
            at++;
        if (!take_u64(&v, &at, end))
            return false;
        switch (field) {
        case PARENT:
            out->parent = v <= INT32_MAX ? (pid_t)v : 0;
            break;
        case GROUP:
            out->group = v <= INT32_MAX ? (pid_t)v : 0;
            break;
        case MINFLT:
            out->minor_faults = v;
            break;
        case MAJFLT:
            out->major_faults = v;
            break;
        case UTIME:
        case STIME:
            out->cpu_ticks += v;
            break;
        case THREADS:
            out->threads = v <= INT32_MAX ? (int)v : 0;
            break;
        case START:
            out->start_ticks = v;
            break;
        default:
            break;
        }
    }
    return true;
}

bool proc_stat_read(proc_stat *out, pid_t pid)
{
    char path[64], text[1024];
    base_format(path, sizeof path, "/proc/%d/stat", (int)pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const ssize_t n = read(fd, text, sizeof text);
    close(fd);
    return n > 0 && proc_stat_parse(out, text, (size_t)n);
}

/* ---- lines with a number ---- */

double proc_field(const char *text, size_t n, const char *key)
{
    const char *end = text + n, *at = find_line(text, end, key);
    uint64_t v;
    if (at == NULL)
        return NAN;
    if (at < end && *at == ':')
        at++;
    skip_blanks(&at, end);
    if (!take_u64(&v, &at, end))
        return NAN;
    skip_blanks(&at, end);
    const bool is_kb = end - at >= 2 && at[0] == 'k' && at[1] == 'B';
    return (double)v * (is_kb ? 1024 : 1);
}

double proc_limit(const char *text, size_t n, const char *row)
{
    const char *end = text + n, *at = find_line(text, end, row);
    static const char unlimited[] = "unlimited";
    uint64_t v;
    if (at == NULL)
        return NAN;
    skip_blanks(&at, end);
    if ((size_t)(end - at) >= sizeof unlimited - 1 &&
        memcmp(at, unlimited, sizeof unlimited - 1) == 0)
        return INFINITY;
    return take_u64(&v, &at, end) ? (double)v : NAN;
}

pid_t proc_inner_pid(const char *text, size_t n)
{
    const char *end = text + n, *at = find_line(text, end, "NSpid:");
    uint64_t v = 0, last = 0;
    if (at == NULL)
        return 0;
    do {
        last = v;
        skip_blanks(&at, end);
    } while (take_u64(&v, &at, end));
    return last <= INT32_MAX ? (pid_t)last : 0;
}

double proc_pressure(const char *text, size_t n)
{
    const char *end = text + n, *at = find_line(text, end, "some avg10=");
    char number[32];
    double v;
    if (at == NULL)
        return NAN;
    size_t k = 0;
    while (k + 1 < sizeof number && at + k < end && strchr("0123456789.", at[k]) != NULL &&
           at[k] != '\0')
        k++;
    memcpy(number, at, k);
    number[k] = '\0';
    return base_parse_double(&v, number) ? v / 100 : NAN;
}

/* Rows are "ID:controllers:path"; v2's is "0::path". A row of v1's memory controller wins. */
bool proc_cgroup(char *path, size_t n_path, bool *is_v2, const char *text, size_t n)
{
    const char *end = text + n;
    bool found = false;
    for (const char *at = text; at < end;) {
        const char *stop = line_end(at, end);
        const char *names = memchr(at, ':', (size_t)(stop - at));
        const char *value =
            names != NULL ? memchr(names + 1, ':', (size_t)(stop - names - 1)) : NULL;
        if (value != NULL) {
            const size_t n_names = (size_t)(value - names - 1);
            const bool unified = n_names == 0;
            const bool memory = memmem(names + 1, n_names, "memory", 6) != NULL;
            if ((memory || (unified && !found)) &&
                base_format(path, n_path, "%.*s", (int)(stop - value - 1), value + 1)) {
                *is_v2 = unified;
                found = true;
            }
        }
        at = stop < end ? stop + 1 : end;
    }
    return found;
}

/* ---- descriptors ---- */

static bool ends_with(const char *s, const char *tail)
{
    const size_t n = strlen(s), k = strlen(tail);
    return n >= k && strcmp(s + n - k, tail) == 0;
}

/* Shared memory of a mount that this process does not see shows from that mount's root. */
static bool is_shm(const char *target)
{
    static const char *const heads[] = {"/memfd:", "/dev/shm/", "/torch_", "/psm_", "/sem."};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        if (base_starts_with(target, heads[i]))
            return true;
    return false;
}

static bool is_sqlite(const char *target)
{
    static const char *const tails[] = {".db",   ".db3", ".sqlite",  ".sqlite3",
                                        ".s3db", "-wal", "-journal", "-shm"};
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++)
        if (ends_with(target, tails[i]))
            return true;
    return false;
}

static bool is_log(const char *target)
{
    const char *name = base_path_name(target), *dot = strstr(name, ".log");
    return (dot != NULL && (dot[4] == '\0' || dot[4] == '.' || dot[4] == '-')) ||
           ends_with(name, ".jsonl");
}

proc_fd proc_fd_kind(const char *target)
{
    if (base_starts_with(target, "socket:"))
        return PROC_FD_SOCKET;
    if (base_starts_with(target, "pipe:"))
        return PROC_FD_PIPE;
    if (base_starts_with(target, "anon_inode:"))
        return PROC_FD_EVENT;
    if (is_shm(target))
        return PROC_FD_SHM;
    if (base_starts_with(target, "/dev/video"))
        return PROC_FD_CAMERA;
    if (base_starts_with(target, "/dev/"))
        return PROC_FD_DEVICE;
    if (strstr(target, "events.out.tfevents") != NULL)
        return PROC_FD_EVENTS_FILE;
    if (ends_with(target, " (deleted)"))
        return PROC_FD_DELETED;
    if (is_sqlite(target))
        return PROC_FD_SQLITE;
    return is_log(target) ? PROC_FD_LOG : PROC_FD_FILE;
}

/* ---- sockets ---- */

/* "  0: 0100007F:A1B2 0200007F:01BB 01 00000000:00000000 00:00000000 00000000  1000  0 31337 1" */
bool proc_socket_parse(proc_socket *out, const char *line, size_t n)
{
    enum { PEER = 2, STATE, INODE = 9 };
    static const char established[] = "01", close_wait[] = "08";
    const char *at = line, *end = line + n;
    *out = (proc_socket){0};
    for (int field = 0; field <= INODE; field++) {
        skip_blanks(&at, end);
        const char *from = at;
        while (at < end && *at != ' ' && *at != '\t' && *at != '\n')
            at++;
        const size_t size = (size_t)(at - from);
        if (size == 0)
            return false;
        if (field == PEER)
            out->peer = base_hash(BASE_HASH_START, from, size);
        else if (field == STATE)
            out->is_left = size == 2 && memcmp(from, close_wait, 2) == 0;
        if (field == STATE && !out->is_left && (size != 2 || memcmp(from, established, 2) != 0))
            return false;
        if (field == INODE)
            return take_u64(&out->inode, &from, at) && from == at && out->inode != 0;
    }
    return false;
}

uint64_t proc_socket_inode(const char *target)
{
    static const char head[] = "socket:[";
    uint64_t inode;
    if (!base_starts_with(target, head))
        return 0;
    const char *at = target + sizeof head - 1, *end = target + strlen(target);
    return take_u64(&inode, &at, end) && at < end && *at == ']' ? inode : 0;
}

/* ---- maps ---- */

static const uint64_t ARENA_BYTES = UINT64_C(64) << 20;

static bool take_hex(uint64_t *out, const char **at, const char *end)
{
    const char *p = *at;
    uint64_t v = 0;
    for (; p < end && p - *at < 16; p++) {
        const char c = *p;
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            break;
        v = 16 * v + (uint64_t)digit;
    }
    if (p == *at)
        return false;
    *at = p;
    *out = v;
    return true;
}

/* An arena is reserved on a multiple of its 64 MiB; what is used of it is readable, the rest of it
 * not, and the two adjoin. */
static void close_run(proc_maps *m)
{
    if (m->run_end - m->run_start == ARENA_BYTES && m->run_start % ARENA_BYTES == 0)
        m->arenas++;
    m->run_start = m->run_end = 0;
}

/* "7f00-7f10 rw-p 00000000 00:00 0     [heap]" */
static void add_line(proc_maps *m)
{
    const char *at = m->line, *end = m->line + m->n_line;
    uint64_t from, to;
    if (!take_hex(&from, &at, end) || at == end || *at++ != '-' || !take_hex(&to, &at, end) ||
        to < from)
        return;
    for (int field = 0; field < 4; field++) { /* permissions, offset, device, inode */
        skip_blanks(&at, end);
        while (at < end && *at != ' ' && *at != '\t')
            at++;
    }
    skip_blanks(&at, end);
    const size_t n_name = (size_t)(end - at);
    const double bytes = (double)(to - from);
    if (n_name == 0) {
        m->anon_bytes += bytes;
        if (m->run_end != from || (m->run_end % ARENA_BYTES == 0 && m->run_end != 0)) {
            close_run(m);
            m->run_start = from;
        }
        m->run_end = to;
        return;
    }
    close_run(m);
    m->world |= watch_world_of_map(at, n_name);
    if (n_name >= 6 && memcmp(at, "[heap]", 6) == 0)
        m->heap_bytes += bytes;
    else if (n_name > 5 && memcmp(at, "/dev/", 5) == 0 &&
             !(n_name > 9 && memcmp(at, "/dev/shm/", 9) == 0) &&
             !(n_name >= 9 && memcmp(at, "/dev/zero", 9) == 0))
        m->device_bytes += bytes;
}

void proc_maps_add(proc_maps *m, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\n') {
            add_line(m);
            m->n_line = 0;
        } else if (m->n_line < sizeof m->line) {
            m->line[m->n_line++] = text[i];
        }
    }
}

void proc_maps_end(proc_maps *m)
{
    if (m->n_line > 0)
        add_line(m);
    m->n_line = 0;
    close_run(m);
}
