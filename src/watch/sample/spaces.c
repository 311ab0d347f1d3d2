/* spaces.c: folders summed, file systems asked. */
#include "spaces.h"

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "dir.h"

enum { MOST_FILES = 4096, DEEPEST = 3 };

typedef struct sum {
    double bytes, files, unclaimed;
    uid_t uid;
    time_t since;     /* of unclaimed */
    dev_t device;     /* not into other file systems */
    watch_held *held; /* NULL: every file of uid's counts */
    const watch_tree *tree;
    int left;
} sum;

/* Closes fd. */
static void add_folder(sum *s, int fd, int depth)
{
    watch_dir list;
    struct stat info;
    watch_dir_take(&list, fd);
    for (const char *name; s->left > 0 && (name = watch_dir_next(&list, NULL)) != NULL;) {
        s->left--;
        if (fstatat(fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0 || info.st_uid != s->uid ||
            info.st_dev != s->device)
            continue;
        if (S_ISREG(info.st_mode) && s->held != NULL &&
            !watch_held_is_ours(s->held, s->tree, info.st_ino, name)) {
            if (info.st_ctim.tv_sec >= s->since)
                s->unclaimed += (double)info.st_blocks * 512;
            continue;
        }
        if (S_ISREG(info.st_mode)) {
            s->bytes += (double)info.st_blocks * 512;
            s->files++;
        } else if (S_ISDIR(info.st_mode) && depth < DEEPEST) {
            const int below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
            if (below >= 0)
                add_folder(s, below, depth + 1);
        }
    }
    watch_dir_close(&list);
}

/* As the job sees it, which may be in a container; where that is not allowed, as we do. */
static int open_as(const watch_tree *t, const watch_member *main, const char *path)
{
    char below[64];
    int fd = -1;
    if (main != NULL && base_format(below, sizeof below, "root%s", path))
        fd = watch_member_open(t, main, below, O_RDONLY | O_DIRECTORY);
    return fd >= 0 ? fd : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static double size_of(int fd, double *used)
{
    struct statvfs info;
    if (fd < 0 || fstatvfs(fd, &info) != 0)
        return NAN;
    const double unit = (double)info.f_frsize;
    *used = unit * (double)(info.f_blocks - info.f_bfree);
    return info.f_blocks > 0 ? unit * (double)info.f_blocks : (double)NAN; /* 0: no bound */
}

static double read_space(sum *out, watch_held *held, const watch_tree *t, const watch_member *main,
                         uid_t uid, time_t since, const char *path)
{
    struct stat info;
    double used;
    *out = (sum){.bytes = NAN,
                 .files = NAN,
                 .uid = uid,
                 .since = since,
                 .left = MOST_FILES,
                 .held = held,
                 .tree = t};
    const int fd = open_as(t, main, path);
    if (fd < 0 || fstat(fd, &info) != 0) {
        if (fd >= 0)
            close(fd);
        return NAN;
    }
    out->device = info.st_dev;
    out->bytes = out->files = 0;
    const double limit = size_of(fd, &used);
    if (held != NULL)
        watch_held_look(held, t, info.st_dev);
    add_folder(out, fd, 0);
    return limit;
}

void watch_spaces_read_shm(double v[WATCH_N_SERIES], watch_held *held, const watch_tree *t,
                           const watch_member *main, uid_t uid, time_t since, double *unclaimed)
{
    sum s;
    v[WATCH_LIMIT_SHM_BYTES] = read_space(&s, held, t, main, uid, since, "/dev/shm");
    v[WATCH_SHM_BYTES] = s.bytes;
    v[WATCH_SHM_FILES] = s.files;
    *unclaimed = s.unclaimed;
}

void watch_spaces_read_disks(double v[WATCH_N_SERIES], const watch_tree *t,
                             const watch_member *main, uid_t uid, const char *run_folder)
{
    sum s;
    v[WATCH_LIMIT_TMP_BYTES] = read_space(&s, NULL, t, main, uid, 0, "/tmp");
    v[WATCH_TMP_BYTES] = s.bytes;
    const int fd =
        open(run_folder[0] != '\0' ? run_folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    v[WATCH_LIMIT_DISK_BYTES] = size_of(fd, &v[WATCH_DISK_USED_BYTES]);
    if (fd >= 0)
        close(fd);
}
