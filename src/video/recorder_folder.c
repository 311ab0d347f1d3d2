/* recorder_folder.c: names of recordings, and which of them have to go.
 *
 * Names tell the UTC time at which a segment began, for local time has an hour twice each autumn.
 * They also order the segments, and a file counts as a recorder's own only when its head says so.
 * No list is kept: the folder is read when a segment begins, a few dozen of the oldest at a time.
 */
#include "recorder_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MOST_TWINS = 10000, OLDEST = 64, HEAD_BYTES = 8192 };

/* ---- names ---- */

typedef struct when {
    int64_t stamp; /* 20261123141500 */
    int twin;      /* 0, 2, 3, ... */
} when;

static when now(void)
{
    const time_t s = time(NULL);
    struct tm t;
    gmtime_r(&s, &t);
    const int64_t date = (t.tm_year + 1900) * INT64_C(10000) + (t.tm_mon + 1) * 100 + t.tm_mday;
    return (when){.stamp = date * 1000000 + t.tm_hour * 10000 + t.tm_min * 100 + t.tm_sec};
}

static bool make_path(char path[VIDEO_PATH_BYTES], const char *folder, const char *stem, when w)
{
    char time_text[32] = "", twin[16] = "";
    if (w.stamp > 0)
        base_format(time_text, sizeof time_text, "-%08lld-%06lld", (long long)(w.stamp / 1000000),
                    (long long)(w.stamp % 1000000));
    if (w.twin > 0)
        base_format(twin, sizeof twin, "-%d", w.twin);
    return base_format(path, VIDEO_PATH_BYTES, "%s/%s%s%s.mp4", folder, stem, time_text, twin);
}

/* n digits at *at, which moves behind them. */
static bool read_digits(int64_t *out, const char **at, int n)
{
    *out = 0;
    for (int i = 0; i < n; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *out = *out * 10 + (**at - '0');
    }
    return true;
}

/* Whether a name is stem-YYYYMMDD-HHMMSS[-N].mp4. */
static bool parse_name(when *out, const char *name, const char *stem)
{
    int64_t date, hour, twin = 0;
    if (!base_starts_with(name, stem))
        return false;
    name += strlen(stem);
    if (*name++ != '-' || !read_digits(&date, &name, 8) || *name++ != '-' ||
        !read_digits(&hour, &name, 6))
        return false;
    if (*name == '-') {
        const int n = (int)strspn(name + 1, "0123456789");
        name++;
        if (n < 1 || n > 5 || !read_digits(&twin, &name, n))
            return false;
    }
    *out = (when){.stamp = date * 1000000 + hour, .twin = (int)twin};
    return strcmp(name, ".mp4") == 0;
}

vg_status video_folder_create(int *fd, char path[VIDEO_PATH_BYTES], const char *folder,
                              const char *stem, bool one_file, vg_error *err)
{
    when w = one_file ? (when){0} : now();
    vg_status st = base_make_dirs(folder, err);
    if (st != VG_OK)
        return st;
    for (; w.twin < MOST_TWINS; w.twin += w.twin == 0 ? 2 : 1) {
        if (!make_path(path, folder, stem, w))
            return base_fail(err, VG_ERR_LIMIT, folder, "choose a shorter project or name",
                             "the path of a recording is too long");
        *fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (*fd >= 0)
            return VG_OK;
        if (errno != EEXIST)
            break;
    }
    return base_fail_errno(err, VG_ERR_IO, path,
                           errno == ENOSPC || errno == EDQUOT
                               ? "make room on the disk, or bound recordings with keep_bytes"
                               : "check the folder and its permissions",
                           "the recording cannot be begun");
}

/* ---- what may be removed ---- */

void video_folder_mark(char *out, size_t n, const char *stem)
{
    base_format(out, n, "vigil recording of \"%s\"", stem);
}

/* Whether a recorder of this stem made the file: its head has the mark. */
static bool is_ours(int folder_fd, const char *name, const char *stem)
{
    char head[HEAD_BYTES], mark[512];
    const int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return false;
    const ssize_t n = read(fd, head, sizeof head);
    close(fd);
    video_folder_mark(mark, sizeof mark, stem);
    return n > 0 && memmem(head, (size_t)n, mark, strlen(mark)) != NULL;
}

typedef struct old_segment {
    when w;
    int64_t bytes;
} old_segment;

typedef struct survey {
    int64_t n, bytes; /* of all, without the current one */
    int n_oldest;
    old_segment oldest[OLDEST]; /* in order */
} survey;

static bool is_before(when a, when b)
{
    return a.stamp != b.stamp ? a.stamp < b.stamp : a.twin < b.twin;
}

static void note(survey *v, when w, int64_t bytes)
{
    int at = v->n_oldest;
    v->n++;
    v->bytes += bytes;
    if (at == OLDEST && !is_before(w, v->oldest[OLDEST - 1].w))
        return;
    if (at < OLDEST)
        v->n_oldest++;
    else
        at--;
    for (; at > 0 && is_before(w, v->oldest[at - 1].w); at--)
        v->oldest[at] = v->oldest[at - 1];
    v->oldest[at] = (old_segment){w, bytes};
}

/* Segments later than `after`, the last one that was found to be another's. */
static void look(survey *v, DIR *dir, const char *stem, const char *current, when after)
{
    *v = (survey){0};
    rewinddir(dir);
    for (struct dirent *d = readdir(dir); d != NULL; d = readdir(dir)) {
        struct stat st;
        when w;
        if (!parse_name(&w, d->d_name, stem) || strcmp(d->d_name, current) == 0 ||
            !is_before(after, w))
            continue;
        if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
            note(v, w, st.st_size);
    }
}

static bool is_over(const survey *v, int64_t current_bytes, int keep_n, size_t keep_bytes)
{
    return (keep_n > 0 && v->n + 1 > keep_n) ||
           (keep_bytes > 0 && v->n > 0 && (uint64_t)(v->bytes + current_bytes) > keep_bytes);
}

vg_status video_folder_prune(const char *folder, const char *stem, const char *current,
                             int64_t current_bytes, int keep_n, size_t keep_bytes,
                             int64_t *left_bytes, vg_error *err)
{
    survey v;
    when after = {0};
    vg_status st = VG_OK;
    DIR *dir = opendir(folder);
    *left_bytes = 0;
    if (dir == NULL)
        return base_fail_errno(err, VG_ERR_IO, folder, "check the folder and its permissions",
                               "old recordings cannot be looked for");
    do {
        look(&v, dir, stem, base_path_name(current), after);
        for (int i = 0; i < v.n_oldest && is_over(&v, current_bytes, keep_n, keep_bytes); i++) {
            char path[VIDEO_PATH_BYTES];
            after = v.oldest[i].w;
            v.n--;
            v.bytes -= v.oldest[i].bytes;
            if (!make_path(path, folder, stem, after))
                continue;
            if (!is_ours(dirfd(dir), base_path_name(path), stem))
                continue;
            if (unlink(path) != 0 && errno != ENOENT)
                st = base_fail_errno(err, VG_ERR_IO, path, "check the folder and its permissions",
                                     "an old recording cannot be removed");
        }
    } while (v.n_oldest == OLDEST && is_over(&v, current_bytes, keep_n, keep_bytes));
    *left_bytes = v.bytes;
    closedir(dir);
    return st;
}
