/* witness.c: descriptors, fanotify and inotify, put together into a list of files.
 *
 * fanotify names the process, so nothing has to be fast. inotify does not: the guard wakes, and
 * looks through the descriptors of the job's processes while the writer is still at it; what none
 * of them holds is sought among the others, so that a newborn child is not missed and a stranger's
 * file is known as a stranger's. */
#include "witness.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dir.h"
#include "pace.h"

enum {
    PATH = 2048,
    MOST_FOLDERS = 128,
    MOST_NEAR = 64, /* what lies near leaves room for what is known to be written to */
    MOST_IDS = 1024,
    MOST_OTHERS = 256,
    MOST_OWN = 8,
    MOST_ENTRIES = 4096, /* a search for folders */
    MOST_NEAR_ENTRIES = 1024,
    MOST_EVENTS = 4096, /* heard at a time */
    MOST_FDS = 4096,    /* of a process */
    MOST_PARENTS = 64,
    DEEPEST = 4 /* of folders that are made while they are watched */
};

static const double HEAR_SHARE = 0.02; /* of one core, for events and what they ask for */
static const double LOOK_SHARE = 0.001;
static const double AGAIN_S = 0.02; /* a file that nobody had open is sought again so much later */
static const double OTHER_AGAIN_S = 1; /* and one that is somebody else's */

typedef struct watched {
    char path[PATH];
    int wd;
} watched;

typedef struct other {
    watch_file_id id;
    double again_s;
    bool is_known; /* somebody else had it open */
} other;

struct watch_witness {
    int inotify, fanotify; /* -1: none */
    char own[PATH];
    watched folders[MOST_FOLDERS];
    size_t n_folders;
    watch_file_id ids[MOST_IDS];
    uint64_t used[MOST_IDS]; /* when it was last met: the oldest gives way */
    size_t n_ids;
    uint64_t clock;
    other others[MOST_OTHERS];
    size_t n_others, next_other;
    char locked[MOST_OWN][PATH];
    size_t n_locked;
    watch_pace hear_pace, look_pace;
};

static double now_s(void)
{
    return (double)base_now_ns() * 1e-9;
}

/* ---- files ---- */

bool watch_file_id_of(watch_file_id *out, int at, const char *name, int flags)
{
    struct statx x;
    if (statx(at, name, flags | AT_NO_AUTOMOUNT, STATX_TYPE | STATX_INO | STATX_BTIME, &x) != 0 ||
        !S_ISREG(x.stx_mode))
        return false;
    *out = (watch_file_id){.device = makedev(x.stx_dev_major, x.stx_dev_minor), .inode = x.stx_ino};
    if (x.stx_mask & STATX_BTIME)
        out->born_ns = x.stx_btime.tv_sec * 1000000000 + x.stx_btime.tv_nsec;
    return true;
}

bool watch_file_id_same(const watch_file_id *a, const watch_file_id *b)
{
    return a->inode == b->inode && a->device == b->device && a->born_ns == b->born_ns;
}

/* fds: the open folder /proc/PID/fd, closed here. */
static bool holds(int fds, const watch_file_id *id)
{
    watch_dir list;
    struct stat link, info;
    bool found = false;
    watch_dir_take(&list, fds);
    const char *name;
    for (int n = 0; !found && n < MOST_FDS && (name = watch_dir_next(&list, NULL)) != NULL; n++)
        /* A link's permissions tell how the file was opened. */
        found = fstatat(fds, name, &link, AT_SYMLINK_NOFOLLOW) == 0 && (link.st_mode & S_IWUSR) &&
                fstatat(fds, name, &info, 0) == 0 && info.st_ino == id->inode &&
                info.st_dev == id->device;
    watch_dir_close(&list);
    return found;
}

/* It, or one that it descends from, is of the job. */
static bool belongs(const watch_tree *t, pid_t pid)
{
    proc_stat stat;
    for (int i = 0; t != NULL && i < MOST_PARENTS && pid > 1 && pid != getpid(); i++) {
        const bool lives = proc_stat_read(&stat, pid);
        if (lives ? watch_tree_belongs(t, &stat) : watch_tree_has(t, pid))
            return true;
        if (!lives)
            return false;
        pid = stat.parent;
    }
    return false;
}

/* Somebody who has the file open for writing; not asked: the job's known processes, when skip is
 * their tree. 0: nobody. */
static pid_t find_holder(const watch_file_id *id, const watch_tree *skip)
{
    watch_dir list;
    pid_t holder = 0;
    if (!watch_dir_open(&list, AT_FDCWD, "/proc"))
        return 0;
    for (const char *name; holder == 0 && (name = watch_dir_next(&list, NULL)) != NULL;) {
        int64_t pid;
        char path[64];
        if (name[0] < '0' || name[0] > '9' || !base_parse_i64(&pid, name, 1, INT32_MAX) ||
            (skip != NULL && watch_tree_has(skip, (pid_t)pid)))
            continue;
        base_format(path, sizeof path, "%s/fd", name);
        const int fds = openat(list.fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fds >= 0 && holds(fds, id))
            holder = (pid_t)pid;
    }
    watch_dir_close(&list);
    return holder;
}

bool watch_file_is_written(const watch_file_id *id)
{
    return find_holder(id, NULL) != 0;
}

/* ---- what is known ---- */

static size_t find_id(const watch_witness *w, const watch_file_id *id)
{
    size_t i = 0;
    while (i < w->n_ids && !watch_file_id_same(&w->ids[i], id))
        i++;
    return i;
}

void watch_witness_add(watch_witness *w, const watch_file_id *id)
{
    size_t at = find_id(w, id);
    if (at == w->n_ids && w->n_ids < MOST_IDS)
        w->n_ids++;
    if (at == MOST_IDS) {
        at = 0;
        for (size_t i = 1; i < MOST_IDS; i++)
            at = w->used[i] < w->used[at] ? i : at;
    }
    w->ids[at] = *id;
    w->used[at] = ++w->clock;
}

bool watch_witness_saw(const watch_witness *w, const watch_file_id *id)
{
    return find_id(w, id) < w->n_ids;
}

static other *find_other(const watch_witness *w, const watch_file_id *id)
{
    for (size_t i = 0; i < w->n_others; i++)
        if (watch_file_id_same(&w->others[i].id, id))
            return (other *)(uintptr_t)&w->others[i];
    return NULL;
}

bool watch_witness_saw_other(const watch_witness *w, const watch_file_id *id)
{
    const other *o = find_other(w, id);
    return o != NULL && o->is_known;
}

static void add_other(watch_witness *w, const watch_file_id *id, bool is_known)
{
    other *o = find_other(w, id);
    if (o == NULL) {
        o = &w->others[w->next_other];
        w->next_other = (w->next_other + 1) % MOST_OTHERS;
        w->n_others += w->n_others < MOST_OTHERS;
        *o = (other){.id = *id};
    }
    o->is_known |= is_known;
    o->again_s = now_s() + (o->is_known ? OTHER_AGAIN_S : AGAIN_S);
}

static bool is_below(const char *path, const char *folder)
{
    const size_t n = strlen(folder);
    return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

bool watch_witness_owns(const watch_witness *w, const char *path)
{
    for (size_t i = 0; i < w->n_locked; i++)
        if (is_below(path, w->locked[i]))
            return true;
    return false;
}

static void add_locked(watch_witness *w, const char *folder)
{
    if (watch_witness_owns(w, folder))
        return;
    if (w->n_locked == MOST_OWN) /* the oldest gives way */
        memmove(w->locked, w->locked + 1, --w->n_locked * sizeof *w->locked);
    if (base_format(w->locked[w->n_locked], PATH, "%s", folder))
        w->n_locked++;
}

/* ---- folders ---- */

const char *watch_witness_folder(const watch_witness *w, size_t i)
{
    return i < w->n_folders ? w->folders[i].path : NULL;
}

static void forget_folder(watch_witness *w, size_t i)
{
    if (w->inotify >= 0)
        inotify_rm_watch(w->inotify, w->folders[i].wd);
    w->folders[i] = w->folders[--w->n_folders];
}

/* False: there is no such folder, or no room for it. */
static bool add_folder(watch_witness *w, const char *path)
{
    uint32_t mask = IN_CREATE | IN_MOVED_TO | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK;
    int wd = -1;
    for (size_t i = 0; i < w->n_folders; i++)
        if (strcmp(w->folders[i].path, path) == 0) {
            struct stat info;
            if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode))
                break; /* below the same folder may be new ones */
            forget_folder(w, i);
            return false;
        }
    if (w->fanotify < 0)
        mask |= IN_MODIFY;
    /* Past the user's bound of watches it is looked into all the same. */
    if (w->inotify >= 0 && (wd = inotify_add_watch(w->inotify, path, mask)) < 0 && errno != ENOSPC)
        return false;
    if (w->fanotify >= 0)
        fanotify_mark(w->fanotify, FAN_MARK_ADD | FAN_MARK_ONLYDIR | FAN_MARK_DONT_FOLLOW,
                      FAN_CLOSE_WRITE | FAN_EVENT_ON_CHILD, AT_FDCWD, path);
    for (size_t i = 0; i < w->n_folders; i++)
        if (strcmp(w->folders[i].path, path) == 0) {
            w->folders[i].wd = wd; /* another folder by the same name has another number */
            return true;
        }
    if (w->n_folders == MOST_FOLDERS)
        forget_folder(w, 0);
    watched *f = &w->folders[w->n_folders];
    if (!base_format(f->path, PATH, "%s", path))
        return false;
    f->wd = wd;
    w->n_folders++;
    return true;
}

/* What is in a new folder may have been written before it was watched. */
typedef void see_file(watch_witness *w, const char *path, const watch_tree *t);

static void add_folders(watch_witness *w, const char *path, int depth, int *left, see_file *see,
                        const watch_tree *t)
{
    char below[PATH];
    watch_dir list;
    unsigned char type;
    if (is_below(path, w->own) || !add_folder(w, path) || !watch_dir_open(&list, AT_FDCWD, path))
        return;
    for (const char *name; --*left >= 0 && (name = watch_dir_next(&list, &type)) != NULL;) {
        if (!base_path_join(below, sizeof below, path, name))
            continue;
        if (type == DT_DIR && depth > 0 && name[0] != '.')
            add_folders(w, below, depth - 1, left, see, t);
        else if (type != DT_DIR && see != NULL)
            see(w, below, t);
    }
    watch_dir_close(&list);
}

void watch_witness_watch(watch_witness *w, const char *path, int depth)
{
    int left = MOST_ENTRIES;
    add_folders(w, path, depth, &left, NULL, NULL);
}

/* How many names are in it, as far as `most` + 1. */
static int count_names(const char *path, int most)
{
    watch_dir list;
    int n = 0;
    if (!watch_dir_open(&list, AT_FDCWD, path))
        return most + 1;
    while (n <= most && watch_dir_next(&list, NULL) != NULL)
        n++;
    watch_dir_close(&list);
    return n;
}

/* The folders `depth` below it, links to folders as well. One with more names than are left is
 * passed over: it holds data, and would cost a long look each time. */
static void add_near(watch_witness *w, const char *path, int depth, int *left)
{
    char below[PATH], full[PATH_MAX];
    watch_dir list;
    unsigned char type;
    if (!watch_dir_open(&list, AT_FDCWD, path))
        return;
    const char *name;
    for (int n = 0; n < MOST_NEAR_ENTRIES && w->n_folders < MOST_NEAR &&
                    (name = watch_dir_next(&list, &type)) != NULL;
         n++) {
        if (name[0] == '.' || (type != DT_DIR && type != DT_LNK && type != DT_UNKNOWN) ||
            !base_path_join(below, sizeof below, path, name) || !base_path_is_dir(below) ||
            realpath(below, full) == NULL || is_below(full, w->own))
            continue;
        const int names = count_names(full, *left);
        if (names > *left)
            continue;
        *left -= names;
        if (depth > 0)
            add_near(w, full, depth - 1, left);
        else
            add_folder(w, full);
    }
    watch_dir_close(&list);
}

void watch_witness_watch_near(watch_witness *w, const char *path)
{
    for (int depth = 0, left = MOST_NEAR_ENTRIES; depth < 2; depth++) /* the nearest first */
        add_near(w, path, depth, &left);
}

/* ---- create ---- */

vg_status watch_witness_create(watch_witness **out, const watch_witness_options *o, base_mem *mem,
                               vg_error *err)
{
    watch_witness *w = base_alloc_zero(mem, 1, sizeof *w, err);
    *out = w;
    if (w == NULL)
        return VG_ERR_MEMORY;
    base_format(w->own, sizeof w->own, "%s", o->own != NULL && o->own[0] != '\0' ? o->own : "//");
    w->hear_pace = (watch_pace){.share = HEAR_SHARE, .purse_s = WATCH_FIRST_PURSE_S};
    w->look_pace = (watch_pace){.share = LOOK_SHARE, .purse_s = WATCH_FIRST_PURSE_S};
    w->hear_pace.at_s = w->look_pace.at_s = now_s();
    w->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    w->fanotify = o->without_fanotify
                      ? -1
                      : fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK,
                                      O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NONBLOCK);
    return VG_OK;
}

void watch_witness_destroy(watch_witness **witness)
{
    watch_witness *w = *witness;
    if (w == NULL)
        return;
    if (w->inotify >= 0)
        close(w->inotify);
    if (w->fanotify >= 0)
        close(w->fanotify);
    base_free(w);
    *witness = NULL;
}

/* ---- between samples ---- */

/* What trainers write all the time, and is no checkpoint. */
static bool is_dull(const char *name)
{
    static const char *const suffixes[] = {".log", ".csv",  ".txt", ".json", ".jsonl",
                                           ".yml", ".yaml", ".jpg", ".jpeg", ".png",
                                           ".py",  ".html", ".out", ".err",  ".db"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (base_equal_nocase(base_path_suffix(name), suffixes[i]))
            return true;
    return base_starts_with(name, "events.out.tfevents");
}

static bool job_holds(const watch_tree *t, const watch_file_id *id)
{
    const size_t n = t != NULL ? watch_tree_size(t) : 0, main = n > 0 ? watch_tree_main(t) : n;
    for (size_t k = 0; k < n + 1; k++) { /* main first: mostly it is who writes */
        const size_t i = k == 0 ? main : k - 1;
        if (i >= n || (k > 0 && i == main))
            continue;
        const int fds = watch_member_open(t, watch_tree_peek(t, i), "fd", O_RDONLY | O_DIRECTORY);
        if (fds >= 0 && holds(fds, id))
            return true;
    }
    return false;
}

/* A file in a watched folder is new or was written a moment ago: whose is it? */
static void see(watch_witness *w, const char *path, const watch_tree *t)
{
    watch_file_id id;
    if (is_dull(base_path_name(path)) ||
        !watch_file_id_of(&id, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW) || watch_witness_saw(w, &id))
        return;
    const other *o = find_other(w, &id);
    if (o != NULL && now_s() < o->again_s)
        return;
    if (job_holds(t, &id)) {
        watch_witness_add(w, &id);
        return;
    }
    const pid_t holder = find_holder(&id, t);
    if (holder != 0 && belongs(t, holder))
        watch_witness_add(w, &id); /* newly born: the tree does not know it yet */
    else if (holder != getpid())
        add_other(w, &id, holder != 0);
}

static void hear_inotify(watch_witness *w, const watch_tree *t)
{
    _Alignas(struct inotify_event) char buf[8192];
    char path[PATH];
    int heard = 0;
    for (ssize_t n; heard < MOST_EVENTS && (n = read(w->inotify, buf, sizeof buf)) > 0;)
        for (ssize_t at = 0; at < n; heard++) {
            const struct inotify_event *e = (const struct inotify_event *)(const void *)(buf + at);
            at += (ssize_t)(sizeof *e + e->len);
            size_t i = 0;
            while (i < w->n_folders && w->folders[i].wd != e->wd)
                i++;
            if (i == w->n_folders)
                continue;
            if (e->mask & IN_IGNORED) {
                forget_folder(w, i);
                continue;
            }
            if (e->len == 0 || !base_path_join(path, sizeof path, w->folders[i].path, e->name))
                continue;
            if (e->mask & IN_ISDIR) {
                int left = MOST_ENTRIES;
                if (e->name[0] != '.')
                    add_folders(w, path, DEEPEST, &left, see, t);
            } else if (w->fanotify < 0) {
                see(w, path, t);
            }
        }
}

static void hear_fanotify(watch_witness *w, const watch_tree *t)
{
    _Alignas(struct fanotify_event_metadata) char buf[8192];
    int heard = 0;
    for (ssize_t n; heard < MOST_EVENTS && (n = read(w->fanotify, buf, sizeof buf)) > 0;) {
        const struct fanotify_event_metadata *e = (const void *)buf;
        for (; FAN_EVENT_OK(e, n); e = FAN_EVENT_NEXT(e, n), heard++) {
            watch_file_id id;
            if (e->vers != FANOTIFY_METADATA_VERSION || e->fd < 0)
                continue;
            if (watch_file_id_of(&id, e->fd, "", AT_EMPTY_PATH) && e->pid != getpid()) {
                if (belongs(t, e->pid))
                    watch_witness_add(w, &id);
                else if (!watch_witness_saw(w, &id))
                    add_other(w, &id, true);
            }
            close(e->fd);
        }
    }
}

void watch_witness_hear(watch_witness *w, const watch_tree *t)
{
    const int64_t cpu_ns = base_thread_cpu_ns();
    if (w->fanotify >= 0)
        hear_fanotify(w, t);
    if (w->inotify >= 0)
        hear_inotify(w, t);
    watch_pace_pay(&w->hear_pace, cpu_ns);
}

bool watch_witness_wait(watch_witness *w, double seconds)
{
    struct pollfd fds[2] = {{.fd = w->inotify, .events = POLLIN},
                            {.fd = w->fanotify, .events = POLLIN}};
    /* Whoever writes without pause is heard less often. */
    const bool hears = watch_pace_may(&w->hear_pace, now_s());
    const struct timespec t = {.tv_sec = (time_t)seconds,
                               .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    return ppoll(fds, hears ? 2 : 0, &t, NULL) > 0; /* a signal ends it early: so much the better */
}

/* ---- at samples ---- */

/* In the name or before a passing suffix: last.pt.tmp, model.ckpt.part. */
static bool is_like_checkpoint(const char *name)
{
    static const char *const parts[] = {".pt",    ".ckpt", ".safetensors", ".npz",
                                        ".keras", ".h5",   ".pkl",         ".msgpack"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(name, parts[i]) != NULL)
            return true;
    return false;
}

/* Where is it? is_new: it was not known as the job's. */
static void see_place(watch_witness *w, int fds, const char *fd, bool is_new)
{
    char target[PATH];
    const ssize_t n = readlinkat(fds, fd, target, sizeof target - 1);
    if (n <= 0 || target[0] != '/')
        return;
    target[n] = '\0';
    const char *name = base_path_name(target);
    const bool is_lock = strcmp(name, "vigil.pid") == 0;
    if (!is_lock && !(is_new && is_like_checkpoint(name)))
        return;
    target[name - target > 1 ? name - target - 1 : 1] = '\0';
    if (is_lock && watch_witness_owns(w, target))
        return;
    if (is_lock)
        add_locked(w, target);
    watch_witness_watch(w, target, is_lock ? DEEPEST : 0);
}

static void look_at(watch_witness *w, int fds)
{
    watch_dir list;
    struct stat link;
    watch_file_id id;
    watch_dir_take(&list, fds);
    const char *name;
    for (int n = 0; n < MOST_FDS && (name = watch_dir_next(&list, NULL)) != NULL; n++) {
        if (fstatat(fds, name, &link, AT_SYMLINK_NOFOLLOW) != 0 || !(link.st_mode & S_IWUSR) ||
            !watch_file_id_of(&id, fds, name, 0))
            continue;
        see_place(w, fds, name, !watch_witness_saw(w, &id));
        watch_witness_add(w, &id);
    }
    watch_dir_close(&list);
}

void watch_witness_look(watch_witness *w, const watch_tree *t)
{
    watch_witness_hear(w, t);
    if (!watch_pace_may(&w->look_pace, now_s()))
        return;
    const int64_t cpu_ns = base_thread_cpu_ns();
    for (size_t i = 0; i < watch_tree_size(t); i++) {
        const int fds = watch_member_open(t, watch_tree_peek(t, i), "fd", O_RDONLY | O_DIRECTORY);
        if (fds >= 0)
            look_at(w, fds);
    }
    watch_pace_pay(&w->look_pace, cpu_ns);
}
