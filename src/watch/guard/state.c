/* state.c: a head, then the judge's bytes, then a sum over both. */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    VERSION = 2,
    BOOT_BYTES = 40,
    MOST_RESTARTS = 1000000,
    MOST_ENVIRON = 1 << 20, /* looked through for the mark */
    MOST_CGROUP_BYTES = 8192
};
static const double MOST_S = 100.0 * 366 * 86400; /* no run and no age is longer */

typedef struct head {
    char magic[8];
    uint32_t version, head_bytes;
    uint64_t judge_bytes, job;
    char boot[BOOT_BYTES];
    watch_state_facts facts;
} head;

struct watch_state_file {
    int lock_fd;
    char path[4096];
    uint64_t job, folder_mark;
    char boot[BOOT_BYTES];
    size_t n_judge;
    _Alignas(64) char block[]; /* head, judge, sum */
};

static void read_boot(char out[BOOT_BYTES])
{
    memset(out, 0, BOOT_BYTES);
    const int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (read(fd, out, BOOT_BYTES - 1) < 0)
        out[0] = '\0';
    close(fd);
}

/* ---- whose folder ---- */

uint64_t watch_state_folder_mark(const char *folder)
{
    struct stat info;
    if (stat(folder, &info) != 0)
        return 0;
    const uint64_t is[2] = {info.st_dev, info.st_ino};
    return base_hash(BASE_HASH_START, is, sizeof is);
}

/* Whoever can write into it could have the guard end processes and write files. What others of
 * the group could do is taken away, as a umask of 002 leaves it. */
static vg_status check_folder(const char *folder, vg_error *err)
{
    struct stat info;
    if (stat(folder, &info) != 0)
        return base_fail_errno(err, VG_ERR_IO, folder, NULL, "cannot look at the guard's folder");
    if (info.st_uid != geteuid())
        return base_fail(err, VG_ERR_IO, folder, "give another --name or --project",
                         "the folder belongs to another user (uid %u)", (unsigned)info.st_uid);
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0 &&
        chmod(folder, info.st_mode & 0777 & ~(mode_t)(S_IWGRP | S_IWOTH)) != 0)
        return base_fail_errno(err, VG_ERR_IO, folder, "give another --name or --project",
                               "others can write into the folder");
    return VG_OK;
}

static vg_status take_lock(watch_state_file *s, const char *folder, vg_error *err)
{
    char path[4096];
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (!base_path_join(path, sizeof path, folder, "guard.lock") ||
        !base_path_join(s->path, sizeof s->path, folder, "state.bin"))
        return base_fail(err, VG_ERR_LIMIT, folder, "use a shorter path", "a path too long");
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (s->lock_fd < 0)
        return base_fail_errno(err, VG_ERR_IO, path, NULL, "cannot lock the guard's folder");
    /* Of the process, not of the descriptor: no child inherits it. */
    if (fcntl(s->lock_fd, F_SETLK, &whole) == 0)
        return VG_OK;
    whole.l_pid = 0;
    fcntl(s->lock_fd, F_GETLK, &whole);
    return base_fail(err, VG_ERR_LIMIT, folder, "give another --name",
                     "the folder has a guard already: process %d", (int)whole.l_pid);
}

vg_status watch_state_open(watch_state_file **out, const char *folder, uint64_t job,
                           const watch_judge *j, base_mem *mem, vg_error *err)
{
    const size_t n_judge = watch_judge_state_bytes(j);
    watch_state_file *s = base_alloc_zero(
        mem, 1, sizeof *s + sizeof(head) + base_round_up(n_judge, 8) + sizeof(uint64_t), err);
    *out = s;
    if (s == NULL)
        return VG_ERR_MEMORY;
    s->lock_fd = -1;
    s->n_judge = n_judge;
    s->job = job;
    s->folder_mark = watch_state_folder_mark(folder);
    read_boot(s->boot);
    vg_status st = check_folder(folder, err);
    if (st == VG_OK)
        st = take_lock(s, folder, err);
    if (st != VG_OK)
        watch_state_close(out, false);
    return st;
}

static size_t block_bytes(const watch_state_file *s)
{
    return sizeof(head) + base_round_up(s->n_judge, 8) + sizeof(uint64_t);
}

static uint64_t sum_of(const watch_state_file *s)
{
    return base_hash(BASE_HASH_START, s->block, block_bytes(s) - sizeof(uint64_t));
}

vg_status watch_state_write(watch_state_file *s, const watch_state_facts *f, const watch_judge *j,
                            vg_error *err)
{
    base_file file = BASE_FILE_NONE;
    head h = {.magic = "vgwatch",
              .version = VERSION,
              .head_bytes = sizeof h,
              .judge_bytes = s->n_judge,
              .job = s->job,
              .facts = *f};
    memcpy(h.boot, s->boot, sizeof h.boot);
    memcpy(s->block, &h, sizeof h);
    watch_judge_save(j, s->block + sizeof h);
    const uint64_t sum = sum_of(s);
    memcpy(s->block + block_bytes(s) - sizeof sum, &sum, sizeof sum);
    vg_status st = base_file_create_beside(&file, s->path, err);
    if (st == VG_OK && fchmod(file.fd, 0600) != 0)
        st = base_fail_errno(err, VG_ERR_IO, s->path, NULL, "cannot keep the state from others");
    if (st == VG_OK)
        st = base_file_write(&file, s->block, block_bytes(s), err);
    if (st == VG_OK)
        st = base_file_publish(&file, s->path, err);
    base_file_discard(&file);
    return st;
}

/* ---- what is read ---- */

static bool is_age(double s)
{
    return s >= -1 && s <= MOST_S; /* false of NAN */
}

/* Decimal, or hexadecimal, then `end`. */
static bool skip_number(const char **at, const char *digits, char end)
{
    const size_t n = strspn(*at, digits);
    if (n == 0 || n > 20 || (*at)[n] != end)
        return false;
    *at += n + (end != '\0');
    return true;
}

static bool is_socket(const char *text, uint64_t folder_mark)
{
    static const char DECIMAL[] = "0123456789", HEX[] = "0123456789abcdef";
    char mark[24];
    if (!base_starts_with(text, WATCH_STATE_SOCKET))
        return false;
    const char *at = text + sizeof WATCH_STATE_SOCKET - 1;
    base_format(mark, sizeof mark, "%016" PRIx64, folder_mark);
    if (!skip_number(&at, DECIMAL, '-') || !skip_number(&at, DECIMAL, '-'))
        return false;
    const char *tail = at;
    return skip_number(&at, HEX, '\0') && strcmp(tail, mark) == 0;
}

/* "/sys/fs/cgroup/.../vigil-4711": as own_cgroup.c names it. */
static bool is_cgroup(const char *path)
{
    const char *name = base_path_name(path), *at = name + 6;
    return path[0] == '\0' ||
           (base_starts_with(path, "/sys/fs/cgroup/") && strstr(path, "/../") == NULL &&
            base_starts_with(name, "vigil-") && skip_number(&at, "0123456789", '\0'));
}

const char *watch_state_check(const watch_state_facts *f, uint64_t folder_mark)
{
    enum { N = sizeof f->restarts_s / sizeof *f->restarts_s };
    if (memchr(f->cgroup, '\0', sizeof f->cgroup) == NULL ||
        memchr(f->socket_env, '\0', sizeof f->socket_env) == NULL)
        return "a text without an end";
    if (f->pid <= 1 || f->pid == getpid() || f->start_ticks == 0)
        return "no process that could be a job";
    if (f->n_restarts < 0 || f->n_restarts > MOST_RESTARTS)
        return "an impossible count of restarts";
    for (int i = 0; i < N; i++)
        if (!isnan(f->restarts_s[i]) && (i >= f->n_restarts || !is_age(f->restarts_s[i])))
            return "an impossible time of a restart";
    if (!is_age(f->since_s) || f->wall_ns <= 0)
        return "an impossible time";
    if (!is_cgroup(f->cgroup))
        return "a cgroup that no guard makes";
    if (!is_socket(f->socket_env, folder_mark))
        return "it is of another folder";
    return NULL;
}

static bool read_block(watch_state_file *s)
{
    struct stat info;
    size_t n = 0;
    const int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return false;
    const bool is_ours = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
                         info.st_uid == geteuid() && info.st_size == (off_t)block_bytes(s);
    for (ssize_t k;
         is_ours && n < block_bytes(s) && (k = read(fd, s->block + n, block_bytes(s) - n)) != 0;) {
        if (k < 0 && errno != EINTR)
            break;
        n += k > 0 ? (size_t)k : 0;
    }
    close(fd);
    return n == block_bytes(s);
}

bool watch_state_read(watch_state_file *s, watch_state_facts *out, watch_judge *j, const char **why)
{
    head h;
    uint64_t sum;
    vg_error wrong = {.status = VG_OK};
    *why = "";
    if (!read_block(s))
        return false;
    memcpy(&h, s->block, sizeof h);
    memcpy(&sum, s->block + block_bytes(s) - sizeof sum, sizeof sum);
    if (memcmp(h.magic, "vgwatch", 8) != 0 || h.version != VERSION || h.head_bytes != sizeof h ||
        h.judge_bytes != s->n_judge || h.job != s->job || sum != sum_of(s) ||
        memcmp(h.boot, s->boot, sizeof h.boot) != 0)
        return false;
    *out = h.facts;
    *why = watch_state_check(out, s->folder_mark);
    if (*why != NULL)
        return false;
    *why = "what was learnt of the job cannot be true";
    if (watch_judge_load(j, s->block + sizeof h, s->n_judge, &wrong) != VG_OK)
        return false;
    *why = "";
    return true;
}

/* ---- is it the job? ---- */

/* As the process was started: a text in a file of texts that end with 0. */
static bool has_text(int fd, const char *text)
{
    char buf[8192];
    const size_t n_text = strlen(text) + 1;
    size_t matched = 0, seen = 0;
    bool begins = true;
    for (ssize_t n; seen < MOST_ENVIRON && (n = read(fd, buf, sizeof buf)) > 0; seen += (size_t)n)
        for (ssize_t i = 0; i < n; i++) {
            matched = (begins || matched > 0) && buf[i] == text[matched] ? matched + 1 : 0;
            begins = buf[i] == '\0';
            if (matched == n_text)
                return true;
        }
    return false;
}

static bool has_mark(pid_t pid, const char *socket_env)
{
    char path[64];
    base_format(path, sizeof path, "/proc/%d/environ", (int)pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const bool has = has_text(fd, socket_env);
    close(fd);
    return has;
}

/* "4:memory:/a/vigil-4711": the cgroup that the guard made for it. */
static bool is_in_cgroup(pid_t pid, const char *folder)
{
    char path[64], text[MOST_CGROUP_BYTES];
    if (folder[0] == '\0')
        return false;
    base_format(path, sizeof path, "/proc/%d/cgroup", (int)pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    const char *name = strrchr(folder, '/');
    const size_t n_name = strlen(name);
    for (const char *at = text; (at = strstr(at, name)) != NULL; at++)
        if (at[n_name] == '\n' || at[n_name] == '\0')
            return true;
    return false;
}

bool watch_state_is_job(const watch_state_facts *f)
{
    char path[64];
    struct stat info;
    base_format(path, sizeof path, "/proc/%d", (int)f->pid);
    return stat(path, &info) == 0 && (info.st_uid == geteuid() || geteuid() == 0) &&
           (has_mark(f->pid, f->socket_env) || is_in_cgroup(f->pid, f->cgroup));
}

void watch_state_close(watch_state_file **state, bool remove)
{
    watch_state_file *s = *state;
    if (s == NULL)
        return;
    if (remove)
        unlink(s->path);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    base_free(s);
    *state = NULL;
}
