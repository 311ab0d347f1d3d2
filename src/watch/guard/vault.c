/* vault.c: a short table of files that look like checkpoints, and copies of the good ones. */
#include "vault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "whole.h"

enum {
    PATH = WATCH_VAULT_PATH_BYTES,
    MOST_FILES = 32,
    MOST_COPIES = 100,
    MOST_ENTRIES = 4096,
    MOST_DEPTH = 4,
    MOST_FDS = 256,
    MOST_INDEX_BYTES = 1 << 20
};

static const double QUIET_S = 0.5;     /* unchanged for so long: its structure is read */
static const double FIND_S = 10;       /* pace of searching, when nothing was given */
static const double GIVEN_S = 1;       /* of listing a folder that was */
static const double LEAST_GAP_S = 0.5; /* last.pt and epoch3.pt of one moment are one checkpoint */

typedef enum file_state { CHANGED, GOOD, TORN } file_state;

typedef struct file {
    char path[PATH];
    int64_t size, mtime_ns;
    ino_t inode;
    double changed_s; /* when it was last seen to be another */
    file_state state;
    bool is_replaced;      /* the job puts a new file in its place */
    bool was_seen;         /* a version before this one was */
    int64_t good_mtime_ns; /* of the version that was good */
} file;

typedef struct copy {
    char name[256]; /* in the vault */
    char of[PATH];
} copy;

struct watch_vault {
    char folder[PATH], given[PATH], run[PATH], guard[PATH];
    int keep;
    double interval_s;
    int64_t began_ns; /* wall clock: what is older was not written by this job */
    double found_s;
    file files[MOST_FILES];
    size_t n_files;
    copy copies[MOST_COPIES]; /* oldest first */
    size_t n_copies;
    int64_t n_ever;
    double good_s, gaps_s[4];
    size_t n_gaps;
    char newest[PATH];
    int64_t newest_mtime_ns;
    bool space_told, torn_told;
    char index[1 << 16];
};

static int64_t wall_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t mtime_ns(const struct stat *s)
{
    return (int64_t)s->st_mtim.tv_sec * 1000000000 + s->st_mtim.tv_nsec;
}

static bool is_checkpoint_name(const char *name)
{
    static const char *const suffixes[] = {".pt",    ".pth", ".ckpt", ".safetensors", ".npz",
                                           ".keras", ".h5",  ".pkl",  ".msgpack"};
    if (name[0] == '.' || strstr(name, ".tmp") != NULL)
        return false;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (base_equal_nocase(base_path_suffix(name), suffixes[i]))
            return true;
    return false;
}

static bool is_best(const char *path)
{
    return base_starts_with(base_path_name(path), "best");
}

/* ---- the list of copies, kept in vault/index.tsv: NAME, tab, whose copy it is ---- */

static void write_index(watch_vault *v)
{
    char path[PATH];
    size_t n = 0;
    vg_error ignored;
    v->index[0] = '\0';
    for (size_t i = 0; i < v->n_copies; i++) {
        if (!base_format(v->index + n, sizeof v->index - n, "%s\t%s\n", v->copies[i].name,
                         v->copies[i].of))
            break;
        n += strlen(v->index + n);
    }
    if (base_path_join(path, sizeof path, v->folder, "index.tsv"))
        base_file_replace(path, v->index, n, &ignored);
}

static bool is_plain(const char *name)
{
    return name[0] >= '0' && name[0] <= '9' && strchr(name, '/') == NULL;
}

static void read_index(watch_vault *v)
{
    char path[PATH];
    size_t n = 0;
    if (!base_path_join(path, sizeof path, v->folder, "index.tsv"))
        return;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    for (ssize_t k;
         n + 1 < sizeof v->index && (k = read(fd, v->index + n, sizeof v->index - 1 - n)) > 0;)
        n += (size_t)k;
    close(fd);
    v->index[n] = '\0';
    for (char *line = v->index; *line != '\0' && v->n_copies < MOST_COPIES;) {
        char *end = line + strcspn(line, "\n"), *tab = strchr(line, '\t');
        const bool more = *end != '\0';
        copy *c = &v->copies[v->n_copies];
        int64_t number;
        char digits[8];
        *end = '\0';
        if (tab != NULL && tab < end) {
            *tab = '\0';
            base_format(digits, sizeof digits, "%.6s", line);
            if (is_plain(line) && base_parse_i64(&number, digits, 0, 999999) &&
                base_format(c->name, sizeof c->name, "%s", line) &&
                base_format(c->of, sizeof c->of, "%s", tab + 1)) {
                v->n_copies++;
                v->n_ever = number >= v->n_ever ? number + 1 : v->n_ever;
            }
        }
        line = more ? end + 1 : end;
    }
}

/* ---- create ---- */

static bool absolute(char out[PATH], const char *path)
{
    char cwd[PATH];
    if (path[0] == '/' || path[0] == '\0')
        return base_format(out, PATH, "%s", path);
    return getcwd(cwd, sizeof cwd) != NULL && base_path_join(out, PATH, cwd, path);
}

vg_status watch_vault_create(watch_vault **out, const watch_vault_options *o, base_mem *mem,
                             vg_error *err)
{
    watch_vault *v = base_alloc_zero(mem, 1, sizeof *v, err);
    *out = v;
    if (v == NULL)
        return VG_ERR_MEMORY;
    v->keep = o->keep < MOST_COPIES ? o->keep : MOST_COPIES;
    v->interval_s = o->interval_s;
    v->began_ns = wall_ns();
    v->found_s = v->good_s = -INFINITY;
    if (!absolute(v->given, o->given) || !absolute(v->run, o->run) ||
        !absolute(v->guard, o->folder) ||
        !base_path_join(v->folder, sizeof v->folder, v->guard, "vault")) {
        base_free(v);
        *out = NULL;
        return base_fail(err, VG_ERR_LIMIT, o->folder, "use shorter paths", "a path too long");
    }
    read_index(v);
    return VG_OK;
}

void watch_vault_destroy(watch_vault **v)
{
    base_free(*v);
    *v = NULL;
}

/* ---- finding ---- */

static void add_file(watch_vault *v, const char *path)
{
    struct stat info;
    if (strlen(path) >= PATH || stat(path, &info) != 0 || !S_ISREG(info.st_mode) ||
        (v->given[0] == '\0' && mtime_ns(&info) < v->began_ns))
        return;
    size_t at = v->n_files;
    for (size_t i = 0; i < v->n_files; i++)
        if (strcmp(v->files[i].path, path) == 0)
            return;
    if (at ==
        MOST_FILES) { /* the one that rested longest gives way, unless this one rested longer */
        at = 0;
        for (size_t i = 1; i < MOST_FILES; i++)
            at = v->files[i].mtime_ns < v->files[at].mtime_ns ? i : at;
        if (v->files[at].mtime_ns >= mtime_ns(&info))
            return;
    } else {
        v->n_files++;
    }
    v->files[at] = (file){.state = CHANGED, .changed_s = INFINITY};
    base_format(v->files[at].path, PATH, "%s", path);
}

static void search(watch_vault *v, const char *folder, int depth, int *left)
{
    DIR *dir = opendir(folder);
    char path[PATH];
    if (dir == NULL)
        return;
    for (struct dirent *e; --*left >= 0 && (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.' || !base_path_join(path, sizeof path, folder, e->d_name))
            continue;
        if (is_checkpoint_name(e->d_name))
            add_file(v, path);
        else if ((e->d_type == DT_DIR || e->d_type == DT_UNKNOWN) && depth > 0 &&
                 strcmp(path, v->guard) != 0)
            search(v, path, depth - 1, left);
    }
    closedir(dir);
}

static void search_open_files(watch_vault *v, pid_t pid)
{
    char folder[64], target[PATH];
    base_format(folder, sizeof folder, "/proc/%d/fd", (int)pid);
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return;
    int n = 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL && n < MOST_FDS; n++) {
        const ssize_t k = readlinkat(dirfd(dir), e->d_name, target, sizeof target - 1);
        target[k > 0 ? k : 0] = '\0';
        if (target[0] == '/' && is_checkpoint_name(base_path_name(target)))
            add_file(v, target);
    }
    closedir(dir);
}

static void find(watch_vault *v, pid_t pid, const char *found)
{
    static const char *const usual[] = {"runs",    "checkpoints", "weights",
                                        "outputs", "output",      "lightning_logs",
                                        "models",  "results",     "logs"};
    char cwd[PATH] = "", link[64], path[PATH];
    int left = MOST_ENTRIES;
    if (v->given[0] != '\0') {
        if (base_path_is_dir(v->given))
            search(v, v->given, MOST_DEPTH, &left);
        else
            add_file(v, v->given);
        return;
    }
    if (v->run[0] != '\0' || found[0] != '\0') {
        search(v, v->run[0] != '\0' ? v->run : found, MOST_DEPTH, &left);
        return;
    }
    if (pid <= 0)
        return;
    search_open_files(v, pid);
    base_format(link, sizeof link, "/proc/%d/cwd", (int)pid);
    const ssize_t n = readlink(link, cwd, sizeof cwd - 1);
    if (n <= 0)
        return;
    cwd[n] = '\0';
    search(v, cwd, 0, &left);
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (base_path_join(path, sizeof path, cwd, usual[i]))
            search(v, path, MOST_DEPTH, &left);
}

/* ---- keeping ---- */

static bool has_room(const char *folder, int64_t size)
{
    struct statvfs info;
    return statvfs(folder, &info) == 0 &&
           (double)info.f_bavail * (double)info.f_frsize > 2 * (double)size;
}

static bool same_version(const char *path, const file *f)
{
    struct stat now;
    return stat(path, &now) == 0 && now.st_size == f->size && mtime_ns(&now) == f->mtime_ns &&
           now.st_ino == f->inode;
}

static bool copy_bytes(int to, int from, int64_t n)
{
    if (ioctl(to, FICLONE, from) == 0)
        return true;
    while (n > 0) {
        ssize_t k = copy_file_range(from, NULL, to, NULL, (size_t)n, 0);
        if (k < 0 &&
            (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)) {
            char buf[1 << 16];
            k = read(from, buf, sizeof buf);
            for (ssize_t done = 0; k > 0 && done < k;) {
                const ssize_t w = write(to, buf + done, (size_t)(k - done));
                if (w <= 0)
                    return false;
                done += w;
            }
        }
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return false;
        n -= k;
    }
    return true;
}

/* Copies a version of f to target, which appears whole or not at all. */
static bool copy_file(const char *target, const char *source, int64_t size)
{
    base_file tmp = BASE_FILE_NONE;
    vg_error ignored;
    const int from = open(source, O_RDONLY | O_CLOEXEC);
    const bool done = from >= 0 && base_file_create_beside(&tmp, target, &ignored) == VG_OK &&
                      copy_bytes(tmp.fd, from, size) &&
                      base_file_publish(&tmp, target, &ignored) == VG_OK;
    base_file_discard(&tmp);
    if (from >= 0)
        close(from);
    return done;
}

static bool keep_one(watch_vault *v, const file *f, const char *target)
{
    vg_error ignored;
    const char *why;
    if (base_make_dirs(v->folder, &ignored) != VG_OK)
        return false;
    if (f->is_replaced && link(f->path, target) == 0)
        return true;
    if (!has_room(v->folder, f->size) || !copy_file(target, f->path, f->size))
        return false;
    /* Was it overwritten meanwhile? Then the copy is of two versions. */
    if (same_version(f->path, f) && watch_whole_check(target, &why) != WATCH_WHOLE_NO)
        return true;
    unlink(target);
    return false;
}

static void drop_oldest(watch_vault *v)
{
    char path[PATH];
    if (base_path_join(path, sizeof path, v->folder, v->copies[0].name))
        unlink(path);
    memmove(v->copies, v->copies + 1, --v->n_copies * sizeof *v->copies);
}

static bool keep(watch_vault *v, const file *f)
{
    copy c;
    char target[PATH];
    if (v->keep == 0)
        return true;
    if (!base_format(c.name, sizeof c.name, "%06lld-%s", (long long)(v->n_ever % 1000000),
                     base_path_name(f->path)) ||
        !base_path_join(target, sizeof target, v->folder, c.name) || !keep_one(v, f, target))
        return false;
    memcpy(c.of, f->path, sizeof c.of);
    while (v->n_copies >= (size_t)v->keep)
        drop_oldest(v);
    v->n_ever++;
    v->copies[v->n_copies++] = c;
    write_index(v);
    return true;
}

/* ---- looking ---- */

static bool has_others(const watch_vault *v)
{
    for (size_t i = 0; i < v->n_files; i++)
        if (v->files[i].state == GOOD && !is_best(v->files[i].path))
            return true;
    return false;
}

static void note_good(watch_vault *v, file *f, double now_s)
{
    const double gap_s = now_s - v->good_s;
    if (isfinite(gap_s) && gap_s > LEAST_GAP_S)
        v->gaps_s[v->n_gaps++ % 4] = gap_s;
    v->good_s = now_s;
    f->good_mtime_ns = f->mtime_ns;
    if (f->mtime_ns >= v->newest_mtime_ns) {
        v->newest_mtime_ns = f->mtime_ns;
        memcpy(v->newest, f->path, sizeof v->newest);
    }
}

/* It has rested: is it whole, and is there something to tell? */
static bool decide(watch_vault *v, file *f, double now_s, char *said, size_t n_said)
{
    const char *why;
    const watch_whole whole = watch_whole_check(f->path, &why);
    const double rest_s = fmax(2 * v->interval_s, 2);
    if (whole == WATCH_WHOLE_UNKNOWN && now_s - f->changed_s < rest_s)
        return false;
    if (!same_version(f->path, f))
        return false;
    if (whole == WATCH_WHOLE_NO) {
        f->state = TORN;
        if (now_s - f->changed_s < rest_s) { /* its writer may only pause */
            f->state = CHANGED;
            return false;
        }
        const bool tell = !v->torn_told;
        v->torn_told = true;
        if (tell)
            base_format(said, n_said, "a checkpoint is not whole: %s: %s", f->path, why);
        return tell;
    }
    f->state = GOOD;
    v->torn_told = false;
    if (is_best(f->path) && has_others(v))
        return false;
    note_good(v, f, now_s);
    if (keep(v, f) || v->space_told)
        return false;
    v->space_told = true;
    base_format(said, n_said, "a good checkpoint could not be kept in %s: is the disk full?",
                v->folder);
    return true;
}

bool watch_vault_look(watch_vault *v, pid_t pid, const char *run, double now_s, char *said,
                      size_t n_said)
{
    bool tells = false;
    said[0] = '\0';
    if (now_s - v->found_s >=
        (v->given[0] != '\0' || v->run[0] != '\0' || run[0] != '\0' ? GIVEN_S : FIND_S)) {
        v->found_s = now_s;
        find(v, pid, run);
    }
    for (size_t i = 0; i < v->n_files; i++) {
        file *f = &v->files[i];
        struct stat now;
        if (stat(f->path, &now) != 0)
            continue; /* between two versions, or gone */
        if (now.st_size != f->size || mtime_ns(&now) != f->mtime_ns || now.st_ino != f->inode) {
            /* Replaced by a new file, or written in place? What it did last counts. */
            f->is_replaced = f->was_seen && now.st_ino != f->inode;
            f->was_seen = true;
            f->size = now.st_size;
            f->mtime_ns = mtime_ns(&now);
            f->inode = now.st_ino;
            f->changed_s = now_s;
            f->state = CHANGED;
        } else if (f->state == CHANGED && now_s - f->changed_s >= QUIET_S && !tells) {
            tells = decide(v, f, now_s, said, n_said);
        }
    }
    return tells;
}

double watch_vault_good_s(const watch_vault *v)
{
    return v->good_s;
}

double watch_vault_interval_s(const watch_vault *v)
{
    double longest = NAN;
    for (size_t i = 0; i < v->n_gaps && i < 4; i++)
        longest = fmax(longest, v->gaps_s[i]);
    return longest;
}

const char *watch_vault_newest(const watch_vault *v)
{
    return v->newest;
}

/* ---- what a restart goes on from ---- */

/* Puts a copy in the place of the torn file; a copy of it, so that the vault keeps its own. */
static bool put_back(const char *from, const char *to)
{
    struct stat info;
    return stat(from, &info) == 0 && copy_file(to, from, info.st_size);
}

/* The newest of the job's files that is not refused yet; MOST_FILES: none. */
static size_t newest_file(watch_vault *v, const bool *refused)
{
    size_t best = MOST_FILES;
    for (size_t i = 0; i < v->n_files; i++) {
        file *f = &v->files[i];
        struct stat now;
        const bool is_there = stat(f->path, &now) == 0;
        if (is_there)
            f->mtime_ns = mtime_ns(&now);
        if (refused[i] || (!is_there && f->good_mtime_ns == 0) ||
            (is_best(f->path) && has_others(v)))
            continue;
        if (best == MOST_FILES || f->mtime_ns > v->files[best].mtime_ns)
            best = i;
    }
    return best;
}

/* The newest whole copy, of that file alone when `of` is given. */
static bool find_copy(const watch_vault *v, const char *of, const copy **out, char kept[PATH])
{
    const char *why;
    for (size_t i = v->n_copies; i-- > 0;) {
        *out = &v->copies[i];
        if ((of == NULL || strcmp(v->copies[i].of, of) == 0) &&
            base_path_join(kept, PATH, v->folder, v->copies[i].name) &&
            watch_whole_check(kept, &why) != WATCH_WHOLE_NO)
            return true;
    }
    return false;
}

bool watch_vault_settle(watch_vault *v, char *path, size_t n_path, char *said, size_t n_said)
{
    bool refused[MOST_FILES] = {0};
    char kept[PATH];
    const copy *c;
    const char *why = "gone";
    said[0] = '\0';
    for (size_t i; (i = newest_file(v, refused)) < MOST_FILES; refused[i] = true) {
        const file *f = &v->files[i];
        const watch_whole whole = watch_whole_check(f->path, &why);
        /* What tells no length is believed only as it was when it rested. */
        if (whole == WATCH_WHOLE_YES ||
            (whole == WATCH_WHOLE_UNKNOWN && f->good_mtime_ns == f->mtime_ns))
            return base_format(path, n_path, "%s", f->path);
        if (whole == WATCH_WHOLE_UNKNOWN)
            why = "it was being written";
        if (find_copy(v, f->path, &c, kept) && put_back(kept, f->path)) {
            base_format(said, n_said, "%s was not whole (%s): the vault's %s is in its place",
                        f->path, why, c->name);
            return base_format(path, n_path, "%s", f->path);
        }
        base_format(said, n_said, "%s is not whole (%s)", f->path, why);
    }
    path[0] = '\0';
    if (!find_copy(v, NULL, &c, kept))
        return false;
    /* No file of this job's, but copies of an earlier guard's. */
    if (watch_whole_check(c->of, &why) == WATCH_WHOLE_YES)
        return base_format(path, n_path, "%s", c->of);
    if (put_back(kept, c->of)) {
        base_format(said, n_said, "%s was not whole (%s): the vault's %s is in its place", c->of,
                    why, c->name);
        return base_format(path, n_path, "%s", c->of);
    }
    base_format(said, n_said, "going on from the vault's %s", c->name);
    return base_format(path, n_path, "%s", kept);
}
