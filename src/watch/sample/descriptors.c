/* descriptors.c: links of /proc/PID/fd, counted by kind and by path, in tables on the stack. */
#include "descriptors.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dir.h"

enum { MOST_LISTED = 4096, MOST_PATHS = 64, MOST_INODES = 512, MOST_TASKS = 512, MOST_NAMES = 32 };

/* So many descriptors of one file are no chance; and what share of all files it must be to be
 * named as what most of them are. */
enum { MANY = 8 };
static const double LEAST_SHARE = 0.25;

typedef struct file_path {
    uint64_t hash;
    int n, fd; /* how often; one of them */
} file_path;

typedef struct seen {
    file_path paths[MOST_PATHS]; /* of files; what comes when it is full is not named */
    size_t n_paths;
    uint64_t inodes[MOST_INODES]; /* of deleted files; 0: free */
    int newest;                   /* of files: descriptors are given out lowest first; -1 */
    int largest;                  /* of deleted ones; -1 */
    double largest_bytes;
} seen;

static void add_path(seen *s, const char *target, size_t n, int fd)
{
    const uint64_t hash = base_hash(BASE_HASH_START, target, n);
    for (size_t i = 0; i < s->n_paths; i++)
        if (s->paths[i].hash == hash) {
            s->paths[i].n++;
            return;
        }
    if (s->n_paths < MOST_PATHS)
        s->paths[s->n_paths++] = (file_path){.hash = hash, .n = 1, .fd = fd};
}

/* A file that several descriptors hold takes its room once. */
static bool is_first(seen *s, const struct stat *info)
{
    const uint64_t key[2] = {info->st_dev, info->st_ino};
    const uint64_t hash = base_hash(BASE_HASH_START, key, sizeof key) | 1;
    for (size_t i = 0; i < MOST_INODES; i++) {
        uint64_t *slot = &s->inodes[(hash + i) % MOST_INODES];
        if (*slot == hash)
            return false;
        if (*slot == 0) {
            *slot = hash;
            return true;
        }
    }
    return true;
}

static bool is_file(proc_fd kind)
{
    return kind == PROC_FD_FILE || kind == PROC_FD_SQLITE || kind == PROC_FD_LOG;
}

static void add_deleted(watch_descriptors *d, seen *s, int fd, double bytes)
{
    d->deleted_bytes += bytes;
    if (s->largest >= 0 && bytes <= s->largest_bytes)
        return;
    s->largest = fd;
    s->largest_bytes = bytes;
}

static void add_link(watch_descriptors *d, seen *s, int folder, const char *name)
{
    char target[4096];
    int64_t fd;
    struct stat info;
    const ssize_t k = readlinkat(folder, name, target, sizeof target - 1);
    if (k < 0 || !base_parse_i64(&fd, name, 0, INT32_MAX))
        return;
    target[k] = '\0';
    const proc_fd kind = proc_fd_kind(target);
    d->kinds[kind]++;
    if (is_file(kind)) {
        d->files++;
        s->newest = (int)fd > s->newest ? (int)fd : s->newest;
    } else if (kind == PROC_FD_DELETED) {
        if (fstatat(folder, name, &info, 0) == 0 && S_ISREG(info.st_mode) && is_first(s, &info))
            add_deleted(d, s, (int)fd, (double)info.st_blocks * 512);
        return;
    } else {
        return;
    }
    add_path(s, target, (size_t)k, (int)fd);
}

static bool read_target(char out[4096], int folder, int fd)
{
    char name[16];
    base_format(name, sizeof name, "%d", fd);
    const ssize_t k = readlinkat(folder, name, out, 4095);
    out[k > 0 ? k : 0] = '\0';
    return k > 0;
}

/* Opened for appending, as handlers of logs do: "flags:\t02102001" of fdinfo, octal. */
static bool is_appended(const watch_tree *t, const watch_member *m, int fd)
{
    char name[32], text[256];
    base_format(name, sizeof name, "fdinfo/%d", fd);
    const ssize_t n = watch_member_read(t, m, name, text, sizeof text - 1);
    unsigned flags = 0;
    text[n > 0 ? n : 0] = '\0';
    const char *at = strstr(text, "flags:");
    for (at = at != NULL ? at + 6 + strspn(at + 6, " \t") : ""; *at >= '0' && *at <= '7'; at++)
        flags = 8 * flags + (unsigned)(*at - '0');
    return (flags & O_APPEND) != 0;
}

/* As a line may show it; the end of a long path says more than its beginning. */
static void put_path(char out[WATCH_PHRASE_BYTES], const char *lead, const char *path)
{
    enum { MOST_SHOWN = 100 };
    const size_t n = strlen(path), n_lead = strlen(lead);
    const char *from = path + (n > MOST_SHOWN ? n - MOST_SHOWN : 0);
    while (((unsigned char)*from & 0xc0) == 0x80)
        from++;
    base_format(out, WATCH_PHRASE_BYTES, "%s", lead);
    base_line_escape(out + n_lead, WATCH_PHRASE_BYTES - n_lead, from);
}

/* Files of a path that has a journal beside it are a database of whatever name. */
static bool has_journal(const seen *s, const char *target)
{
    static const char *const tails[] = {"-wal", "-shm", "-journal"};
    char beside[4096];
    for (size_t t = 0; t < sizeof tails / sizeof *tails; t++) {
        if (!base_format(beside, sizeof beside, "%s%s", target, tails[t]))
            continue;
        const uint64_t hash = base_hash(BASE_HASH_START, beside, strlen(beside));
        for (size_t i = 0; i < s->n_paths; i++)
            if (s->paths[i].hash == hash)
                return true;
    }
    return false;
}

static void move(watch_descriptors *d, proc_fd to, int n)
{
    d->kinds[PROC_FD_FILE] -= n;
    d->kinds[to] += n;
}

static void name_most(watch_descriptors *d, seen *s, const watch_tree *t, const watch_member *m,
                      int folder)
{
    char target[4096], lead[32];
    const file_path *best = NULL;
    for (size_t i = 0; i < s->n_paths; i++)
        if (best == NULL || s->paths[i].n > best->n)
            best = &s->paths[i];
    if (best != NULL && best->n >= 2 && best->n >= LEAST_SHARE * d->files &&
        read_target(target, folder, best->fd)) {
        base_format(lead, sizeof lead, "%d times ", best->n);
        put_path(d->most, lead, target);
        if (proc_fd_kind(target) == PROC_FD_FILE && has_journal(s, target))
            move(d, PROC_FD_SQLITE, best->n);
        else if (proc_fd_kind(target) == PROC_FD_FILE && best->n >= MANY &&
                 is_appended(t, m, best->fd))
            move(d, PROC_FD_LOG, best->n);
    } else if (s->newest >= 0 && read_target(target, folder, s->newest)) {
        put_path(d->most, "such as ", target);
    }
    if (s->largest >= 0 && read_target(target, folder, s->largest)) {
        char size[32];
        put_path(d->deleted, "such as ", target);
        const size_t n = strlen(d->deleted);
        base_format(d->deleted + n, sizeof d->deleted - n, ", %s",
                    base_format_bytes(size, sizeof size, s->largest_bytes));
    }
}

bool watch_descriptors_read(watch_descriptors *out, const watch_tree *t, const watch_member *m)
{
    seen s = {.newest = -1, .largest = -1};
    watch_dir list;
    *out = (watch_descriptors){0};
    const int fd = watch_member_open(t, m, "fd", O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return false;
    watch_dir_take(&list, fd);
    int n = 0;
    for (const char *name; n < MOST_LISTED && (name = watch_dir_next(&list, NULL)) != NULL; n++)
        add_link(out, &s, fd, name);
    name_most(out, &s, t, m, fd);
    watch_dir_close(&list);
    return true;
}

int watch_descriptors_count(const watch_tree *t, const watch_member *m)
{
    const int fd = watch_member_open(t, m, "fd", O_RDONLY | O_DIRECTORY);
    struct stat info;
    watch_dir list;
    int n = 0;
    if (fd < 0)
        return -1;
    if (fstat(fd, &info) == 0 && info.st_size > 0) {
        close(fd); /* since Linux 6.2 the size is the number of entries */
        return (int)info.st_size;
    }
    watch_dir_take(&list, fd);
    while (watch_dir_next(&list, NULL) != NULL)
        n++;
    watch_dir_close(&list);
    return n;
}

/* ---- threads ---- */

typedef struct thread_name {
    char text[32];
    int n;
} thread_name;

/* "pool-12-thread-3" and "pool-7-thread-1" are one name. */
static void without_digits(char out[32], const char *text, size_t n)
{
    size_t k = 0;
    for (size_t i = 0; i < n && text[i] != '\n' && k + 1 < 32; i++) {
        const bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (!is_digit || k == 0 || out[k - 1] != '#')
            out[k++] = is_digit ? '#' : text[i];
    }
    while (k > 1 && strchr("#-_ ", out[k - 1]) != NULL) /* names are cut after 15 bytes */
        k--;
    out[k] = '\0';
}

static void add_name(thread_name *names, size_t *n_names, const char *text)
{
    for (size_t i = 0; i < *n_names; i++)
        if (strcmp(names[i].text, text) == 0) {
            names[i].n++;
            return;
        }
    if (*n_names < MOST_NAMES) {
        names[*n_names].n = 1;
        base_format(names[(*n_names)++].text, sizeof names->text, "%s", text);
    }
}

void watch_threads_most(char out[WATCH_PHRASE_BYTES], const watch_tree *t, const watch_member *m)
{
    thread_name names[MOST_NAMES], *best = NULL;
    size_t n_names = 0;
    int n = 0;
    watch_dir list;
    char own[32];
    out[0] = '\0';
    const int fd = watch_member_open(t, m, "task", O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return;
    watch_dir_take(&list, fd);
    for (const char *name; n < MOST_TASKS && (name = watch_dir_next(&list, NULL)) != NULL; n++) {
        char below[64], text[32], plain[32];
        if (!base_format(below, sizeof below, "%s/comm", name))
            continue;
        const int comm = openat(fd, below, O_RDONLY | O_CLOEXEC);
        const ssize_t k = comm >= 0 ? read(comm, text, sizeof text) : -1;
        if (comm >= 0)
            close(comm);
        if (k <= 0)
            continue;
        without_digits(plain, text, (size_t)k);
        add_name(names, &n_names, plain);
    }
    watch_dir_close(&list);
    without_digits(own, m->stat.name, strlen(m->stat.name));
    for (size_t i = 0; i < n_names; i++)
        if (strcmp(names[i].text, own) != 0 && (best == NULL || names[i].n > best->n))
            best = &names[i];
    if (best != NULL && best->n >= 2) {
        base_line_escape(out, WATCH_PHRASE_BYTES / 2, best->text);
        const size_t k = strlen(out);
        base_format(out + k, WATCH_PHRASE_BYTES - k, " (%d of %d)", best->n, n);
    }
}
