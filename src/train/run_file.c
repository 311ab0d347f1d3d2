/* run_file.c: the lock, the id and the record of a run. */
#include "run_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WRITE_EVERY_MS = 200,
    ID_BYTES = 64,     /* the two lines of vigil.pid */
    STAT_BYTES = 1024, /* of /proc/PID/stat, beyond its 22nd field */
    MOST_TRIES = 100,  /* at a file that others replace */
    MOST_COUNT = 1 << 30
};

/* The size is in the magic: a record of another version is none. */
#define RECORD_MAGIC ((UINT64_C(0x76696769) << 32) + sizeof(vg_run_view))

typedef struct run_record {
    uint64_t magic;
    uint64_t hash; /* of view: a reader may come while it is written */
    vg_run_view view;
} run_record;

struct train_run_file {
    int pid_fd, progress_fd;
    char pid_path[TRAIN_PATH_BYTES], progress_path[TRAIN_PATH_BYTES];
    run_record record;
    int64_t written_ns, epoch_ns; /* the record; the epoch's begin in this session */
    int64_t first_batch;          /* of this epoch in this session, from 0 */
    double n_pictures;            /* in this epoch and session */
};

/* ---- ids ---- */

static bool read_text(char *text, size_t n, int fd)
{
    const ssize_t got = pread(fd, text, n - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    return got > 0;
}

bool train_run_id_read(train_run_id *out, int fd)
{
    char text[ID_BYTES];
    int64_t pid, start;
    if (!read_text(text, sizeof text, fd))
        return false;
    char *second = strchr(text, '\n');
    if (second == NULL)
        return false;
    *second++ = '\0';
    second[strcspn(second, "\n")] = '\0';
    /* Process 1 is nobody's run. */
    if (!base_parse_i64(&pid, text, 2, INT32_MAX) || !base_parse_i64(&start, second, 0, INT64_MAX))
        return false;
    *out = (train_run_id){.pid = (int)pid, .start_ticks = (uint64_t)start};
    return true;
}

/* A link's permissions tell how the file was opened. */
static bool holds(int fds, const char *name, const struct stat *file)
{
    struct stat link, target;
    return fstatat(fds, name, &link, AT_SYMLINK_NOFOLLOW) == 0 && (link.st_mode & S_IWUSR) &&
           fstatat(fds, name, &target, 0) == 0 && target.st_dev == file->st_dev &&
           target.st_ino == file->st_ino;
}

static vg_status fail_whose(const char *folder, int pid, const char *why, vg_error *err)
{
    return base_fail(err, VG_ERR_ARGUMENT, folder,
                     "look at that process by ps, and end the run where it was started",
                     "process %d, which the run's " TRAIN_PID_NAME " names, is not known to be its "
                     "process: %s",
                     pid, why);
}

vg_status train_run_file_owner(int fd, const train_run_id *id, const char *folder, vg_error *err)
{
    char path[64];
    struct stat file, process;
    if (fstat(fd, &file) != 0)
        return base_fail_errno(err, VG_ERR_IO, folder, NULL, "cannot look at the run's lock");
    if (file.st_uid != geteuid() && geteuid() != 0)
        return base_fail(err, VG_ERR_ARGUMENT, folder, "ask its owner",
                         "the run belongs to another user (uid %u)", (unsigned)file.st_uid);
    base_format(path, sizeof path, "/proc/%d/fd", id->pid);
    const int fds = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fds < 0)
        return fail_whose(folder, id->pid,
                          errno == ENOENT ? "there is none" : "its open files cannot be read", err);
    const char *why = NULL;
    if (fstat(fds, &process) != 0 || process.st_uid != file.st_uid)
        why = "it is another user's than the run";
    bool found = false;
    DIR *dir = fdopendir(fds);
    for (struct dirent *e = NULL; dir != NULL && !found && (e = readdir(dir)) != NULL;)
        found = holds(fds, e->d_name, &file);
    if (dir != NULL)
        closedir(dir);
    else
        close(fds);
    if (why == NULL && !found)
        why = "it does not hold that file open";
    return why == NULL ? VG_OK : fail_whose(folder, id->pid, why, err);
}

bool train_run_id_of_process(train_run_id *out, int pid)
{
    char path[64], text[STAT_BYTES];
    base_format(path, sizeof path, "/proc/%d/stat", pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const bool good = read_text(text, sizeof text, fd);
    close(fd);
    /* The second field is the program's name in brackets, which may hold blanks and brackets. */
    const char *p = good ? strrchr(text, ')') : NULL;
    for (int field = 2; p && field < 22; field++)
        p = strchr(p + 1, ' ');
    out->pid = pid;
    return p && sscanf(p, " %" SCNu64, &out->start_ticks) == 1;
}

/* ---- the lock ---- */

bool train_run_file_is_locked(int fd)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static vg_status fail_busy(int fd, const char *folder, vg_error *err)
{
    train_run_id id;
    const base_text who =
        train_run_id_read(&id, fd) ? base_text_make("process %d", id.pid) : base_text_make("it");
    return base_fail(
        err, VG_ERR_LIMIT, folder,
        base_mend("vigil attach %.200s shows it, vigil stop %.200s ends it", folder, folder),
        "the run is running already: %s has it", who.text);
}

/* The file may be removed between opening and locking it, by the run that ends there. */
static vg_status lock_pid_file(train_run_file *f, const char *folder, vg_error *err)
{
    for (int i = 0; i < MOST_TRIES; i++) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        struct stat opened, named;
        f->pid_fd = open(f->pid_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (f->pid_fd < 0)
            return base_fail_errno(err, VG_ERR_IO, f->pid_path,
                                   "make the run's folder writable, or give another --project",
                                   "cannot write into the run's folder");
        if (fcntl(f->pid_fd, F_OFD_SETLK, &lock) != 0) {
            const vg_status st =
                errno == EAGAIN || errno == EACCES
                    ? fail_busy(f->pid_fd, folder, err)
                    : base_fail_errno(err, VG_ERR_IO, f->pid_path,
                                      "give a --project on a file system that knows locks",
                                      "cannot lock the run");
            close(f->pid_fd);
            f->pid_fd = -1;
            return st;
        }
        if (fstat(f->pid_fd, &opened) == 0 && stat(f->pid_path, &named) == 0 &&
            opened.st_dev == named.st_dev && opened.st_ino == named.st_ino)
            return VG_OK;
        close(f->pid_fd);
        f->pid_fd = -1;
    }
    return base_fail(err, VG_ERR_IO, f->pid_path, "try again",
                     "the run's lock is removed again and again");
}

/* ---- the record ---- */

static bool write_record(train_run_file *f)
{
    f->record.magic = RECORD_MAGIC;
    f->record.hash = base_hash(BASE_HASH_START, &f->record.view, sizeof f->record.view);
    f->written_ns = base_now_ns();
    const run_record *record = &f->record;
    return pwrite(f->progress_fd, record, sizeof *record, 0) == (ssize_t)sizeof *record;
}

static bool valid_ranks(const vg_train_ranks *r)
{
    const double parts[] = {r->for_slowest, r->exchange, r->pushing, r->step_bytes};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!(fabs(parts[i]) < 1e15))
            return false;
    if (r->n_ranks < 0 || r->n_ranks > MOST_COUNT || r->n_shown < 0 ||
        r->n_shown > VG_RANKS_SHOWN || r->n_shown > r->n_ranks)
        return false;
    for (int i = 0; i < r->n_shown; i++)
        if (r->shown[i].rank < 0 || r->shown[i].rank >= r->n_ranks ||
            !(fabs(r->shown[i].waiting) < 1e15) ||
            memchr(r->shown[i].host, '\0', sizeof r->shown[i].host) == NULL)
            return false;
    return true;
}

/* Bytes of a file that anybody may have made: texts that end, numbers that can be counted with, no
 * pointer of another process. */
static bool valid_view(const vg_run_view *v)
{
    const bool *const truths[] = {&v->is_alive,      &v->is_detached, &v->epoch.is_validated,
                                  &v->epoch.is_best, &v->epoch.stops, &v->ranks.is_slow};
    for (size_t i = 0; i < sizeof truths / sizeof *truths; i++)
        if (*(const unsigned char *)(const void *)truths[i] > 1)
            return false;
    const int counts[] = {v->start_epoch, v->batch.epoch,    v->batch.n_epochs,
                          v->epoch.epoch, v->epoch.n_epochs, v->batch.n_pictures,
                          v->batch.width, v->batch.height};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (counts[i] < 0 || counts[i] > MOST_COUNT)
            return false;
    const double numbers[] = {v->pace.elapsed_s, v->pace.left_s, v->pace.pictures_per_s,
                              v->epoch.seconds, v->batch.seconds};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!(fabs(numbers[i]) < 1e15))
            return false;
    return valid_ranks(&v->ranks) && (int)v->state >= 0 && v->state <= VG_RUN_DIED &&
           v->batch.batch >= 0 && v->batch.n_batches >= 0 && v->batch.batch <= v->batch.n_batches &&
           v->exit_status >= 0 && v->exit_status <= 255 &&
           memchr(v->error.what, '\0', sizeof v->error.what) != NULL &&
           memchr(v->error.where, '\0', sizeof v->error.where) != NULL &&
           memchr(v->error.mend, '\0', sizeof v->error.mend) != NULL;
}

bool train_run_view_read(vg_run_view *out, int fd)
{
    run_record r;
    for (int i = 0; i < MOST_TRIES; i++) {
        if (pread(fd, &r, sizeof r, 0) != (ssize_t)sizeof r || r.magic != RECORD_MAGIC)
            return false;
        if (base_hash(BASE_HASH_START, &r.view, sizeof r.view) == r.hash) {
            if (!valid_view(&r.view))
                return false;
            *out = r.view;
            out->epoch.trouble = NULL; /* was borrowed, in its own process */
            return true;
        }
    }
    return false;
}

static vg_status write_files(train_run_file *f, vg_error *err)
{
    train_run_id id;
    char text[ID_BYTES];
    if (!train_run_id_of_process(&id, (int)getpid()))
        return base_fail(err, VG_ERR_SYSTEM, "/proc/self/stat", "mount /proc",
                         "this process's start time cannot be read");
    base_format(text, sizeof text, "%d\n%" PRIu64 "\n", id.pid, id.start_ticks);
    f->record.view.pid = id.pid;
    const size_t n = strlen(text);
    if (ftruncate(f->pid_fd, 0) != 0 || pwrite(f->pid_fd, text, n, 0) != (ssize_t)n)
        return base_fail_errno(err, VG_ERR_IO, f->pid_path, "free space on this file system",
                               "cannot write the run's process id");
    f->progress_fd =
        open(f->progress_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (f->progress_fd < 0 || !write_record(f))
        return base_fail_errno(err, VG_ERR_IO, f->progress_path, "free space on this file system",
                               "cannot write the run's progress");
    return VG_OK;
}

vg_status train_run_file_create(train_run_file **out, const char *folder, base_mem *mem,
                                vg_error *err)
{
    *out = NULL;
    train_run_file *f = base_alloc_zero(mem, 1, sizeof *f, err);
    if (!f)
        return VG_ERR_MEMORY;
    f->pid_fd = f->progress_fd = -1;
    f->record.view = (vg_run_view){.state = VG_RUN_PREPARING, .exit_status = 1};
    vg_status st = train_path(f->pid_path, folder, TRAIN_PID_NAME, err);
    if (st == VG_OK)
        st = train_path(f->progress_path, folder, TRAIN_PROGRESS_NAME, err);
    if (st == VG_OK)
        st = lock_pid_file(f, folder, err);
    if (st == VG_OK)
        st = write_files(f, err);
    if (st != VG_OK) {
        train_run_file_destroy(&f);
        return st;
    }
    *out = f;
    return VG_OK;
}

void train_run_file_destroy(train_run_file **file)
{
    train_run_file *f = *file;
    if (!f)
        return;
    if (f->progress_fd >= 0) {
        unlink(f->progress_path);
        close(f->progress_fd);
    }
    if (f->pid_fd >= 0) {
        unlink(f->pid_path); /* while it is locked: nobody else's can be meant */
        close(f->pid_fd);
    }
    base_free(f);
    *file = NULL;
}

/* ---- what is noted ---- */

void train_run_file_start(train_run_file *f, int start_epoch, size_t planned_bytes)
{
    if (!f)
        return;
    f->record.view.state = VG_RUN_TRAINING;
    f->record.view.start_epoch = start_epoch;
    f->record.view.pace.left_s = -1;
    f->record.view.pace.planned_bytes = planned_bytes;
    f->epoch_ns = base_now_ns();
    write_record(f);
}

void train_run_file_batch(train_run_file *f, const vg_train_batch *b)
{
    if (!f)
        return;
    vg_run_view *v = &f->record.view;
    if (v->batch.epoch != b->epoch) {
        f->first_batch = b->batch - 1;
        f->n_pictures = 0;
    }
    v->batch = *b;
    f->n_pictures += b->n_pictures;
    const int64_t now = base_now_ns(), done = b->batch - f->first_batch;
    const double elapsed = (double)(now - f->epoch_ns) * 1e-9;
    v->pace.elapsed_s = elapsed;
    v->pace.pictures_per_s = elapsed > 0 ? f->n_pictures / elapsed : 0;
    v->pace.left_s = done > 0 ? elapsed / (double)done * (double)(b->n_batches - b->batch) : -1;
    if (b->batch == b->n_batches || base_ms(now - f->written_ns) >= WRITE_EVERY_MS) {
        v->pace.resident_bytes = base_mem_resident_bytes();
        write_record(f);
    }
}

void train_run_file_ranks(train_run_file *f, const vg_train_ranks *r)
{
    if (f)
        f->record.view.ranks = *r; /* written with the batch that comes next */
}

void train_run_file_epoch(train_run_file *f, const vg_train_epoch *e)
{
    if (!f)
        return;
    f->record.view.epoch = *e;
    f->record.view.epoch.trouble = NULL;
    f->epoch_ns = base_now_ns();
    write_record(f);
}

void train_run_file_end(train_run_file *f, vg_status st, const vg_error *err)
{
    if (!f)
        return;
    vg_run_view *v = &f->record.view;
    v->state = st == VG_OK                ? VG_RUN_FINISHED
               : st == VG_ERR_INTERRUPTED ? VG_RUN_STOPPED
                                          : VG_RUN_FAILED;
    v->exit_status = st != VG_OK;
    if (st != VG_OK && err)
        v->error = *err;
    write_record(f);
}

void train_run_file_exit(train_run_file *f, int exit_status)
{
    if (!f)
        return;
    f->record.view.exit_status = exit_status;
    write_record(f);
}

const vg_run_view *train_run_file_view(const train_run_file *f)
{
    return &f->record.view;
}

/* ---- leaving the terminal ---- */

vg_status train_run_file_detach(train_run_file *f, const char *folder, vg_error *err)
{
    char path[TRAIN_PATH_BYTES];
    int log = -1, null = -1;
    vg_status st = train_path(path, folder, TRAIN_LOG_NAME, err);
    if (st != VG_OK)
        return st;
    log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
    null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (log < 0 || null < 0)
        st = base_fail_errno(err, VG_ERR_IO, log < 0 ? path : "/dev/null",
                             "make the run's folder writable", "cannot open the run's log");
    else if (setsid() < 0)
        st = base_fail_errno(err, VG_ERR_SYSTEM, folder, "fork before vg_train_prepare",
                             "the process cannot leave its terminal");
    else if (dup2(null, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
             dup2(log, STDERR_FILENO) < 0)
        st = base_fail_errno(err, VG_ERR_SYSTEM, path, NULL, "cannot write into the run's log");
    if (st == VG_OK) {
        f->record.view.is_detached = true;
        write_record(f);
    }
    if (log > STDERR_FILENO)
        close(log);
    if (null > STDERR_FILENO)
        close(null);
    return st;
}
