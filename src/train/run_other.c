/* run_other.c: the files and the process of another's run. */
#include "run_other.h"

#include "run_find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_in(const char *folder, const char *name)
{
    char path[TRAIN_PATH_BYTES];
    struct stat info;
    if (train_path(path, folder, name, NULL) != VG_OK)
        return -1;
    /* No link to somebody else's file, and no pipe to wait at. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)))
        return fd;
    close(fd);
    errno = EINVAL;
    return -1;
}

/* ---- which run ---- */

static bool is_finished(const char *folder, base_mem *mem)
{
    char path[TRAIN_PATH_BYTES];
    weights_file *f = NULL;
    if (train_path(path, folder, "weights/last.safetensors", NULL) != VG_OK ||
        weights_open(&f, path, mem, NULL) != VG_OK)
        return false;
    const bool finished = weights_get_meta(f)->epoch < 0;
    weights_close(&f);
    return finished;
}

/* The words for a run without a living process. */
static vg_status fail_over(const train_other *r, base_mem *mem, vg_error *err)
{
    if (is_finished(r->folder, mem))
        return base_fail(err, VG_ERR_ARGUMENT, r->folder,
                         base_mend("use its weights: %.300s/weights/best.safetensors", r->folder),
                         "the run is not running: it has finished");
    const base_text mend = base_text_make("vigil train --resume %.400s", r->folder);
    if (r->id.pid > 0)
        return base_fail(err, VG_ERR_ARGUMENT, r->folder, mend.text,
                         "the run is not running: its process %d was killed", r->id.pid);
    return base_fail(err, VG_ERR_ARGUMENT, r->folder, mend.text, "the run is not running");
}

static vg_status open_files(train_other *r, base_mem *mem, vg_error *err)
{
    r->pid_fd = open_in(r->folder, TRAIN_PID_NAME);
    if (r->pid_fd < 0 && errno != ENOENT)
        return base_fail_errno(err, VG_ERR_IO, r->folder, "check the folder's permissions",
                               "cannot read the run's " TRAIN_PID_NAME);
    r->progress_fd = open_in(r->folder, TRAIN_PROGRESS_NAME);
    const bool known = r->pid_fd >= 0 && train_run_id_read(&r->id, r->pid_fd);
    if (known && train_run_file_is_locked(r->pid_fd))
        return VG_OK;
    return fail_over(r, mem, err);
}

static vg_status find_living(train_other *r, const char *project, vg_error *err)
{
    uint64_t newest = 0;
    DIR *dir = opendir(project);
    for (struct dirent *e = NULL; dir && (e = readdir(dir)) != NULL;) {
        char folder[TRAIN_PATH_BYTES];
        train_run_id id;
        if (e->d_name[0] == '.' || !base_path_join(folder, sizeof folder, project, e->d_name))
            continue;
        const int fd = open_in(folder, TRAIN_PID_NAME);
        if (fd < 0)
            continue;
        if (train_run_id_read(&id, fd) && id.start_ticks >= newest &&
            train_run_file_is_locked(fd)) {
            newest = id.start_ticks;
            memcpy(r->folder, folder, sizeof r->folder);
        }
        close(fd);
    }
    if (dir)
        closedir(dir);
    if (r->folder[0])
        return VG_OK;
    return base_fail(err, VG_ERR_ARGUMENT, project, "name a run, or its --project",
                     "no run is running there");
}

vg_status train_other_open(train_other *out, const char *run, const char *project, base_mem *mem,
                           vg_error *err)
{
    *out = (train_other){.pid_fd = -1, .progress_fd = -1, .process_fd = -1};
    vg_status st =
        run != NULL ? train_run_folder(out->folder, run, err) : find_living(out, project, err);
    if (st == VG_OK)
        st = open_files(out, mem, err);
    if (st != VG_OK)
        train_other_close(out);
    return st;
}

void train_other_close(train_other *r)
{
    const int fds[] = {r->pid_fd, r->progress_fd, r->process_fd};
    for (int i = 0; i < 3; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    r->pid_fd = r->progress_fd = r->process_fd = -1;
}

/* ---- looking ---- */

void train_other_look(train_other *r, vg_run_view *out)
{
    /* The lock first: a record read behind it is the last one when the lock is gone. */
    const bool is_alive = train_run_file_is_locked(r->pid_fd);
    if (r->progress_fd < 0)
        r->progress_fd = open_in(r->folder, TRAIN_PROGRESS_NAME); /* a run that has just begun */
    if (r->progress_fd < 0 || !train_run_view_read(out, r->progress_fd))
        *out = (vg_run_view){.state = VG_RUN_PREPARING};
    out->pid = r->id.pid;
    out->is_alive = is_alive;
    if (!is_alive && (out->state == VG_RUN_PREPARING || out->state == VG_RUN_TRAINING)) {
        out->state = VG_RUN_DIED;
        out->exit_status = 1;
    }
}

/* ---- ending ---- */

/* Between opening the descriptor and reading the start time the process may end, but then the
 * descriptor is of a dead one, which no signal reaches: never another's. */
static vg_status open_process(train_other *r, base_mem *mem, vg_error *err)
{
    train_run_id now;
    r->process_fd = pidfd_open(r->id.pid, 0);
    if (r->process_fd < 0 && errno != ESRCH)
        return base_fail_errno(err, VG_ERR_SYSTEM, r->folder, base_mend("kill -TERM %d", r->id.pid),
                               "cannot open process %d", r->id.pid);
    if (r->process_fd >= 0 && train_run_id_of_process(&now, r->id.pid) &&
        now.start_ticks == r->id.start_ticks) {
        const vg_status st = train_run_file_owner(r->pid_fd, &r->id, r->folder, err);
        if (st == VG_OK)
            return st;
        close(r->process_fd);
        r->process_fd = -1;
        return train_run_file_is_locked(r->pid_fd) ? st : fail_over(r, mem, err);
    }
    if (r->process_fd >= 0)
        close(r->process_fd);
    r->process_fd = -1;
    if (!train_run_file_is_locked(r->pid_fd))
        return fail_over(r, mem, err);
    return base_fail(err, VG_ERR_SYSTEM, r->folder,
                     "end it on the machine or in the container where it was started",
                     "the run's process is not one of this system");
}

vg_status train_other_stop(train_other *r, base_mem *mem, vg_error *err)
{
    const vg_status st = r->process_fd < 0 ? open_process(r, mem, err) : VG_OK;
    if (st != VG_OK)
        return st;
    siginfo_t info = {.si_signo = SIGTERM, .si_code = SI_QUEUE};
    info.si_pid = getpid();
    info.si_uid = getuid();
    if (pidfd_send_signal(r->process_fd, SIGTERM, &info, 0) == 0)
        return VG_OK;
    if (errno == ESRCH)
        return fail_over(r, mem, err);
    return base_fail_errno(err, VG_ERR_SYSTEM, r->folder, "stop it as the user who started it",
                           "cannot stop process %d", r->id.pid);
}

bool train_other_wait(const train_other *r, int timeout_ms)
{
    struct pollfd end = {.fd = r->process_fd, .events = POLLIN};
    return r->process_fd >= 0 && poll(&end, 1, timeout_ms) == 1;
}
