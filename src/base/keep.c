/* keep.c: files that are removed or moved on when there are too many.
 *
 * The newest of a folder: first the times of all files, for the one from which on they are kept;
 * then those before it are removed. */
#include "keep.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "sort.h"
#include "status.h"
#include "text.h"

enum { PATH_BYTES = 4096, MOST_DEPTH = 1 };

vg_status base_keep_remove(const char *path, const char *what, vg_error *err)
{
    return unlink(path) == 0 || errno == ENOENT
               ? VG_OK
               : base_fail_errno(err, VG_ERR_IO, path, "check the folder and its permissions", "%s",
                                 what);
}

/* ---- the newest of a folder ---- */

typedef struct walk {
    const char *suffix;
    int64_t *times; /* (n) of the first walk */
    size_t n, capacity;
    bool removes; /* what is older than this */
    int64_t oldest_kept;
    size_t n_as_old; /* how many of just that time may stay: clocks of files tick slowly */
    base_mem *mem;
    vg_error *err;
} walk;

static vg_status note(walk *w, int64_t time)
{
    if (w->n == w->capacity) {
        const size_t capacity = w->capacity > 0 ? 2 * w->capacity : 1024;
        int64_t *times = base_realloc(w->mem, w->times, capacity * sizeof *times, w->err);
        if (times == NULL)
            return VG_ERR_MEMORY;
        w->times = times;
        w->capacity = capacity;
    }
    w->times[w->n++] = time;
    return VG_OK;
}

static vg_status see_file(walk *w, const char *path, const struct stat *file)
{
    const int64_t time = (int64_t)file->st_mtim.tv_sec * 1000000000 + file->st_mtim.tv_nsec;
    if (!w->removes)
        return note(w, time);
    bool stays = time > w->oldest_kept;
    if (time == w->oldest_kept && w->n_as_old > 0) {
        w->n_as_old--;
        stays = true;
    }
    return stays ? VG_OK
                 : base_keep_remove(path, "a file of an earlier run cannot be removed", w->err);
}

static bool ends_with(const char *name, const char *suffix)
{
    const size_t n = strlen(name), k = strlen(suffix);
    return n > k && strcmp(name + n - k, suffix) == 0;
}

static vg_status see_folder(walk *w, const char *folder, int depth)
{
    vg_status st = VG_OK;
    char path[PATH_BYTES];
    struct stat found;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return errno == ENOENT ? VG_OK
                               : base_fail_errno(w->err, VG_ERR_IO, folder, "check its permissions",
                                                 "the folder cannot be opened");
    for (const struct dirent *e; st == VG_OK && (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.' || !base_path_join(path, sizeof path, folder, e->d_name) ||
            lstat(path, &found) != 0)
            continue;
        if (S_ISDIR(found.st_mode) && depth < MOST_DEPTH)
            st = see_folder(w, path, depth + 1);
        else if (S_ISREG(found.st_mode) && ends_with(e->d_name, w->suffix))
            st = see_file(w, path, &found);
    }
    closedir(dir);
    return st;
}

static int is_newer(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return *(const int64_t *)a > *(const int64_t *)b;
}

vg_status base_keep_newest(const char *folder, const char *suffix, size_t n, base_mem *mem,
                           vg_error *err)
{
    walk w = {.suffix = suffix, .mem = mem, .err = err};
    vg_status st = see_folder(&w, folder, 0);
    if (st == VG_OK && w.n > n) {
        base_sort(w.times, w.n, sizeof *w.times, is_newer, NULL);
        w.oldest_kept = n > 0 ? w.times[n - 1] : INT64_MAX;
        for (size_t i = n; i > 0 && w.times[i - 1] == w.oldest_kept; i--)
            w.n_as_old++;
        w.removes = true;
        st = see_folder(&w, folder, 0);
    }
    base_free(w.times);
    return st;
}

/* ---- a log that is cut into files ---- */

/* "folder/log.2.jsonl" of "folder/log.jsonl". */
static bool old_path(char out[PATH_BYTES], const char *path, int number)
{
    const char *suffix = base_path_suffix(path);
    return base_format(out, PATH_BYTES, "%.*s.%d%s", (int)(suffix - path), path, number, suffix);
}

static vg_status move_on(const char *from, const char *to, vg_error *err)
{
    return rename(from, to) == 0
               ? VG_OK
               : base_fail_errno(err, VG_ERR_IO, from, "check the folder and its permissions",
                                 "a full file cannot be moved on");
}

vg_status base_keep_rotate(const char *path, int keep, vg_error *err)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    vg_status st = VG_OK;
    int n = 0; /* old ones there are, without gaps */
    if (keep <= 0)
        return VG_OK;
    if (!old_path(to, path, keep))
        return base_fail(err, VG_ERR_LIMIT, path, "use a shorter path", "a path that is too long");
    while (n + 1 < keep && old_path(from, path, n + 1) && base_path_exists(from))
        n++;
    for (; n >= 1 && st == VG_OK; n--) {
        old_path(from, path, n);
        old_path(to, path, n + 1);
        st = move_on(from, to, err);
    }
    old_path(to, path, 1);
    return st == VG_OK ? move_on(path, to, err) : st;
}

/* ---- the newest that were written ---- */

vg_status base_keep_ring_open(base_keep_ring *r, size_t n, size_t record_bytes, base_mem *mem,
                              vg_error *err)
{
    *r = (base_keep_ring){.n = n, .record_bytes = record_bytes};
    if (n > 0)
        r->records = base_alloc_zero(mem, n, record_bytes, err);
    return n == 0 || r->records != NULL ? VG_OK : VG_ERR_MEMORY;
}

void base_keep_ring_close(base_keep_ring *r)
{
    base_free(r->records);
    *r = (base_keep_ring){0};
}

bool base_keep_ring_push(base_keep_ring *r, void *old, const void *record)
{
    if (r->n == 0)
        return false;
    char *place = r->records + r->n_pushed % r->n * r->record_bytes;
    const bool is_full = r->n_pushed >= r->n;
    if (is_full)
        memcpy(old, place, r->record_bytes);
    memcpy(place, record, r->record_bytes);
    r->n_pushed++;
    return is_full;
}
