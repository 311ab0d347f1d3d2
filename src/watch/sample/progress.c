/* progress.c: the run folder and those in it, looked over for what was added.
 *
 * A checkpoint counts when it has stood still for a look after it changed: trainers write some in
 * place, for seconds. Those of one moment (last.pt and best.pt) count once. */
#include "progress.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "dir.h"
#include "progress_text.h"
#include "run_folder.h"

enum {
    MOST_ENTRIES = 2048, /* names a look, in all folders */
    MOST_FOLDERS = 64,
    MOST_CHECKPOINTS = 128,
    PIECE_BYTES = 1 << 15,
    MOST_PIECES = 32 /* a look, of each file: a large old one is caught up with over several */
};

static const double SEEK_S = 15;   /* a folder is looked for so often while there is none; */
static const double FIRST_S = 1;   /* and oftener at the beginning, when it is made */
static const double RESEEK_S = 60; /* and then: a process may begin another run */
static const double SHARE = 0.001;

/* A file that is read as it grows. */
typedef struct tail {
    uint64_t inode, at;
    int64_t mtime_ns;
} tail;

typedef struct checkpoint {
    uint64_t name; /* hash of its path */
    int64_t mtime_ns, counted_ns, seen_ns;
    uint64_t bytes;
} checkpoint;

struct watch_progress {
    char folder[WATCH_PATH_BYTES];
    bool is_given, has_listed;
    double sought_s, runs;
    int64_t began_ns; /* wall clock: when the main process began */
    watch_pace pace;
    tail results, events;
    progress_csv csv;
    double rows_at_s, rows_before, epoch_s; /* of a table without times */
    int64_t step;
    bool has_step, events_are_bad;
    checkpoint checkpoints[MOST_CHECKPOINTS];
    size_t n_checkpoints;
    double n_written, log_bytes;
    uint8_t piece[PIECE_BYTES];
};

/* What one look over the folders found. */
typedef struct found {
    int entries_left, folders_left;
    double log_bytes;
    bool has_log, has_settled;
    tail results, events;
    char results_path[WATCH_PATH_BYTES], events_path[WATCH_PATH_BYTES]; /* below the folder */
} found;

static void begin_run(watch_progress *p)
{
    p->results = p->events = (tail){0};
    p->csv = (progress_csv){.row_epoch = NAN, .row_time_s = NAN, .row_step = NAN};
    p->rows_at_s = p->epoch_s = NAN;
    p->rows_before = 0;
    p->has_step = p->events_are_bad = false;
    p->n_checkpoints = 0;
    p->has_listed = false;
    p->log_bytes = NAN;
}

vg_status watch_progress_create(watch_progress **out, const char *folder, base_mem *mem,
                                vg_error *err)
{
    watch_progress *p = base_alloc_zero(mem, 1, sizeof *p, err);
    *out = p;
    if (p == NULL)
        return VG_ERR_MEMORY;
    p->is_given = folder != NULL && folder[0] != '\0';
    if (p->is_given)
        base_format(p->folder, sizeof p->folder, "%s", folder);
    p->pace.share = SHARE;
    p->sought_s = -INFINITY;
    begin_run(p);
    return VG_OK;
}

void watch_progress_destroy(watch_progress **p)
{
    base_free(*p);
    *p = NULL;
}

const char *watch_progress_folder(const watch_progress *p)
{
    return p->folder;
}

/* ---- which folder ---- */

static int64_t began_ns(const watch_member *main)
{
    struct timespec wall, boot;
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    const double age_s = (double)boot.tv_sec + (double)boot.tv_nsec * 1e-9 -
                         (double)main->stat.start_ticks / (double)sysconf(_SC_CLK_TCK);
    return (int64_t)wall.tv_sec * 1000000000 + wall.tv_nsec - (int64_t)(age_s * 1e9);
}

static void seek(watch_progress *p, watch_tree *t, double now_s)
{
    char folder[WATCH_PATH_BYTES];
    const size_t at = watch_tree_main(t);
    const double pause_s = p->folder[0] != '\0' ? RESEEK_S : fmin(SEEK_S, fmax(FIRST_S, now_s / 4));
    if (p->is_given || at == (size_t)-1 || now_s - p->sought_s < pause_s)
        return;
    p->sought_s = now_s;
    if (p->began_ns == 0)
        p->began_ns = began_ns(watch_tree_at(t, at));
    if (!watch_run_folder_find(folder, t, p->began_ns) || strcmp(folder, p->folder) == 0)
        return;
    memcpy(p->folder, folder, sizeof folder);
    p->runs++;
    begin_run(p);
}

/* A job in a container names its folder as it sees it. */
static int open_folder(const watch_progress *p, watch_tree *t)
{
    const int fd = open(p->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const size_t at = watch_tree_main(t);
    char path[WATCH_PATH_BYTES];
    if (fd >= 0 || p->folder[0] != '/' || at == (size_t)-1 ||
        !base_format(path, sizeof path, "root%s", p->folder))
        return fd;
    return watch_member_open(t, watch_tree_at(t, at), path, O_RDONLY | O_DIRECTORY);
}

/* ---- what is in it ---- */

static void see_checkpoint(watch_progress *p, found *f, const char *path, const struct stat *info)
{
    const uint64_t name = base_hash(BASE_HASH_START, path, strlen(path));
    const int64_t mtime_ns = (int64_t)info->st_mtim.tv_sec * 1000000000 + info->st_mtim.tv_nsec;
    checkpoint *c = NULL, *oldest = &p->checkpoints[0];
    for (size_t i = 0; i < p->n_checkpoints && c == NULL; i++) {
        if (p->checkpoints[i].name == name)
            c = &p->checkpoints[i];
        else if (p->checkpoints[i].mtime_ns < oldest->mtime_ns)
            oldest = &p->checkpoints[i];
    }
    if (c == NULL) {
        /* Names that come and go push out the one that was written the longest ago. */
        c = p->n_checkpoints < MOST_CHECKPOINTS ? &p->checkpoints[p->n_checkpoints++] : oldest;
        *c = (checkpoint){.name = name, .counted_ns = p->has_listed ? 0 : mtime_ns};
    }
    const bool stood = c->mtime_ns == mtime_ns && c->bytes == (uint64_t)info->st_size;
    c->mtime_ns = mtime_ns;
    c->bytes = (uint64_t)info->st_size;
    if (stood && c->counted_ns != mtime_ns && info->st_size > 0) {
        c->counted_ns = mtime_ns;
        f->has_settled = true;
    }
}

static void see_newest(tail *t, char path[WATCH_PATH_BYTES], const char *from,
                       const struct stat *info)
{
    const int64_t mtime_ns = (int64_t)info->st_mtim.tv_sec * 1000000000 + info->st_mtim.tv_nsec;
    if (t->inode != 0 && mtime_ns < t->mtime_ns)
        return;
    *t = (tail){.inode = info->st_ino, .mtime_ns = mtime_ns};
    memcpy(path, from, strlen(from) + 1);
}

/* path: of the folder below the run's, "" or ending in '/'; it grows at its end and is restored. */
static void look_over(watch_progress *p, found *f, int fd, char path[WATCH_PATH_BYTES], int depth)
{
    const size_t n = strlen(path);
    watch_dir list;
    unsigned char type;
    struct stat info;
    watch_dir_take(&list, fd);
    for (const char *name; f->entries_left > 0 && (name = watch_dir_next(&list, &type)) != NULL;
         path[n] = '\0') {
        f->entries_left--;
        if (!base_format(path + n, WATCH_PATH_BYTES - n, "%s", name))
            continue;
        if (type == DT_DIR && depth < 2 && name[0] != '.' && f->folders_left-- > 0) {
            const size_t end = strlen(path);
            const int below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
            if (below >= 0 && base_format(path + end, WATCH_PATH_BYTES - end, "/"))
                look_over(p, f, below, path, depth + 1); /* closes below */
            else if (below >= 0)
                close(below);
            continue;
        }
        const watch_run_file kind = watch_run_file_kind(name);
        if (kind == WATCH_RUN_OTHER || kind == WATCH_RUN_ARGS ||
            fstatat(fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode))
            continue;
        switch (kind) {
        case WATCH_RUN_CHECKPOINT:
            if (!base_starts_with(name, "best"))
                see_checkpoint(p, f, path, &info);
            break;
        case WATCH_RUN_RESULTS:
            see_newest(&f->results, f->results_path, path, &info);
            break;
        case WATCH_RUN_EVENTS:
            see_newest(&f->events, f->events_path, path, &info);
            break;
        default:
            break;
        }
        if (kind != WATCH_RUN_CHECKPOINT) {
            f->log_bytes += (double)info.st_size;
            f->has_log = true;
        }
    }
    watch_dir_close(&list);
}

/* ---- files that grow ---- */

/* Opens the file that t follows, from its beginning when it is another one or was cut. */
static int follow(tail *t, const tail *now, int folder, const char *path, bool *is_new,
                  uint64_t *size)
{
    struct stat info;
    const int fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return -1;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        return -1;
    }
    *size = (uint64_t)info.st_size;
    *is_new = t->inode != info.st_ino || *size < t->at;
    if (*is_new)
        t->at = 0;
    t->inode = info.st_ino;
    t->mtime_ns = now->mtime_ns;
    return fd;
}

static void read_results(watch_progress *p, const found *f, int folder, double now_s)
{
    bool is_new;
    uint64_t size;
    if (f->results.inode == 0 ||
        (f->results.inode == p->results.inode && f->results.mtime_ns == p->results.mtime_ns &&
         p->csv.has_header && p->results.at > 0 && p->has_listed))
        return;
    const int fd = follow(&p->results, &f->results, folder, f->results_path, &is_new, &size);
    if (fd < 0)
        return;
    if (is_new) {
        p->csv = (progress_csv){.row_epoch = NAN, .row_time_s = NAN, .row_step = NAN};
        p->rows_before = 0;
        p->rows_at_s = NAN;
    }
    for (int i = 0; i < MOST_PIECES; i++) {
        const ssize_t n = pread(fd, p->piece, sizeof p->piece, (off_t)p->results.at);
        if (n <= 0)
            break;
        progress_csv_add(&p->csv, (const char *)p->piece, (size_t)n);
        p->results.at += (uint64_t)n;
    }
    if (p->results.at < size) /* to be gone on with at the next look */
        p->results.mtime_ns = 0;
    close(fd);
    const double epochs = progress_csv_epochs(&p->csv);
    if (p->csv.has_time) {
        p->epoch_s = p->csv.epoch_s;
    } else if (epochs > p->rows_before) {
        if (!isnan(p->rows_at_s))
            p->epoch_s = (now_s - p->rows_at_s) / (epochs - p->rows_before);
        p->rows_at_s = now_s;
        p->rows_before = epochs;
    }
}

static void read_events(watch_progress *p, const found *f, int folder)
{
    bool is_new;
    uint64_t size;
    if (f->events.inode == 0)
        return;
    const int fd = follow(&p->events, &f->events, folder, f->events_path, &is_new, &size);
    if (fd < 0)
        return;
    if (is_new)
        p->events_are_bad = false;
    for (int i = 0; i < MOST_PIECES && !p->events_are_bad && p->events.at < size; i++) {
        const ssize_t n = pread(fd, p->piece, sizeof p->piece, (off_t)p->events.at);
        size_t at = 0;
        if (n < PROGRESS_EVENT_HEAD)
            break;
        while (at + PROGRESS_EVENT_HEAD <= (size_t)n) {
            int64_t step = -1;
            uint64_t record;
            /* A record whose beginning is cut off by the piece is read with the next one. */
            if (at > 0 && at + PROGRESS_EVENT_LOOK > (size_t)n && (size_t)n == sizeof p->piece)
                break;
            p->events_are_bad =
                !progress_event_parse(&record, &step, p->piece + at, (size_t)n - at);
            if (p->events_are_bad || record > size - p->events.at - at)
                break; /* no such file; or a record that is still being written */
            if (step >= 0) {
                p->step = step;
                p->has_step = true;
            }
            if (record > (size_t)n - at) {
                at += record; /* past this piece */
                break;
            }
            at += (size_t)record;
        }
        if (at == 0)
            break;
        p->events.at += at;
    }
    close(fd);
}

/* ---- a look ---- */

static void read_folder(watch_progress *p, watch_tree *t, double now_s)
{
    char path[WATCH_PATH_BYTES] = "";
    found f = {.entries_left = MOST_ENTRIES, .folders_left = MOST_FOLDERS};
    const int folder = open_folder(p, t);
    if (folder < 0)
        return;
    const int list = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (list >= 0)
        look_over(p, &f, list, path, 0);
    read_results(p, &f, folder, now_s);
    read_events(p, &f, folder);
    close(folder);
    p->n_written += f.has_settled;
    p->log_bytes = f.has_log ? f.log_bytes : (double)NAN;
    p->has_listed = true;
}

void watch_progress_look(watch_progress *p, watch_tree *t, double now_s, watch_sample *out)
{
    double *v = out->value;
    if (watch_pace_may(&p->pace, now_s) || !p->has_listed) {
        const int64_t cpu_ns = base_thread_cpu_ns();
        seek(p, t, now_s);
        if (p->folder[0] != '\0')
            read_folder(p, t, now_s);
        watch_pace_pay(&p->pace, cpu_ns);
    }
    if (!p->has_listed)
        return;
    if (p->csv.has_header) {
        v[WATCH_WORK_EPOCH] = progress_csv_epochs(&p->csv);
        v[WATCH_WORK_EPOCH_S] = p->epoch_s;
    }
    if (p->csv.has_step)
        v[WATCH_WORK_STEP] = p->csv.step;
    else if (p->has_step)
        v[WATCH_WORK_STEP] = (double)p->step;
    if (p->n_checkpoints > 0)
        v[WATCH_WORK_CHECKPOINTS] = p->n_written;
    if (p->runs > 0)
        v[WATCH_WORK_RUNS] = p->runs;
    v[WATCH_WORK_LOG_BYTES] = p->log_bytes;
}
