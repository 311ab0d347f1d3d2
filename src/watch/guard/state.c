/* state.c: a head, then the judge's bytes, then a sum over both. */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { VERSION = 1, BOOT_BYTES = 40 };

typedef struct head {
    char magic[8];
    uint32_t version, head_bytes;
    uint64_t judge_bytes, command;
    char boot[BOOT_BYTES];
    watch_state_facts facts;
} head;

struct watch_state_file {
    int lock_fd;
    char path[4096];
    uint64_t command;
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

static vg_status take_lock(watch_state_file *s, const char *folder, vg_error *err)
{
    char path[4096];
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (!base_path_join(path, sizeof path, folder, "guard.lock") ||
        !base_path_join(s->path, sizeof s->path, folder, "state.bin"))
        return base_fail(err, VG_ERR_LIMIT, folder, "use a shorter path", "a path too long");
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
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

vg_status watch_state_open(watch_state_file **out, const char *folder, const char *command,
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
    s->command = base_hash(BASE_HASH_START, command, strlen(command));
    read_boot(s->boot);
    const vg_status st = take_lock(s, folder, err);
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
              .command = s->command,
              .facts = *f};
    memcpy(h.boot, s->boot, sizeof h.boot);
    memcpy(s->block, &h, sizeof h);
    watch_judge_save(j, s->block + sizeof h);
    const uint64_t sum = sum_of(s);
    memcpy(s->block + block_bytes(s) - sizeof sum, &sum, sizeof sum);
    vg_status st = base_file_create_beside(&file, s->path, err);
    if (st == VG_OK)
        st = base_file_write(&file, s->block, block_bytes(s), err);
    if (st == VG_OK)
        st = base_file_publish(&file, s->path, err);
    base_file_discard(&file);
    return st;
}

bool watch_state_read(watch_state_file *s, watch_state_facts *out, watch_judge *j)
{
    head h;
    size_t n = 0;
    uint64_t sum;
    const int fd = open(s->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    for (ssize_t k; n < block_bytes(s) && (k = read(fd, s->block + n, block_bytes(s) - n)) != 0;) {
        if (k < 0 && errno != EINTR)
            break;
        n += k > 0 ? (size_t)k : 0;
    }
    close(fd);
    if (n != block_bytes(s))
        return false;
    memcpy(&h, s->block, sizeof h);
    memcpy(&sum, s->block + n - sizeof sum, sizeof sum);
    if (memcmp(h.magic, "vgwatch", 8) != 0 || h.version != VERSION || h.head_bytes != sizeof h ||
        h.judge_bytes != s->n_judge || h.command != s->command || sum != sum_of(s) ||
        memcmp(h.boot, s->boot, sizeof h.boot) != 0)
        return false;
    *out = h.facts;
    out->cgroup[sizeof out->cgroup - 1] = '\0';
    out->socket_env[sizeof out->socket_env - 1] = '\0';
    vg_error ignored;
    return watch_judge_load(j, s->block + sizeof h, s->n_judge, &ignored) == VG_OK;
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
