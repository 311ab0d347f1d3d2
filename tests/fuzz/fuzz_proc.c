/* fuzz_proc.c: every text that the guard reads of the kernel, of trainers and of jobs that tell of
 * themselves. The first byte says which; the rest is the text, in one piece and in cuts. */
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "watch/sample/proc.h"
#include "watch/sample/progress_text.h"
#include "watch/sample/run_folder.h"
#include "watch/sample/vigil_socket.h"
#include "watch/sample/world.h"
#include "watch/watch.h"

static void read_lines(const char *text, size_t n)
{
    char path[64], small[4];
    bool is_v2;
    (void)proc_field(text, n, "VmRSS:");
    (void)proc_field(text, n, "");
    (void)proc_limit(text, n, "Max open files");
    (void)proc_pressure(text, n);
    (void)proc_inner_pid(text, n);
    (void)proc_cgroup(path, sizeof path, &is_v2, text, n);
    (void)proc_cgroup(small, sizeof small, &is_v2, text, n);
}

static void read_maps(const char *text, size_t n)
{
    proc_maps whole = {0}, cut = {0};
    proc_maps_add(&whole, text, n);
    proc_maps_end(&whole);
    for (size_t i = 0; i < n; i += 7)
        proc_maps_add(&cut, text + i, n - i < 7 ? n - i : 7);
    proc_maps_end(&cut);
    if (whole.arenas != cut.arenas || whole.anon_bytes != cut.anon_bytes)
        __builtin_trap();
}

static void read_csv(const char *text, size_t n)
{
    progress_csv whole = {.row_epoch = NAN, .row_time_s = NAN, .row_step = NAN}, cut = whole;
    progress_csv_add(&whole, text, n);
    for (size_t i = 0; i < n; i += 3)
        progress_csv_add(&cut, text + i, n - i < 3 ? n - i : 3);
    if (whole.rows != cut.rows || progress_csv_epochs(&whole) != progress_csv_epochs(&cut))
        __builtin_trap();
}

static void read_events(const uint8_t *bytes, size_t n)
{
    for (size_t at = 0; at + PROGRESS_EVENT_HEAD <= n;) {
        uint64_t size;
        int64_t step = -1;
        if (!progress_event_parse(&size, &step, bytes + at, n - at))
            return;
        if (step < -1 || size < PROGRESS_EVENT_HEAD)
            __builtin_trap();
        at = size > n - at ? n : at + (size_t)size;
    }
}

static void read_target(const char *text, size_t n)
{
    char target[256];
    const size_t k = n < sizeof target - 1 ? n : sizeof target - 1;
    memcpy(target, text, k);
    target[k] = '\0';
    if (proc_fd_kind(target) >= PROC_N_FDS)
        __builtin_trap();
    (void)proc_socket_inode(target);
}

/* A command line, a script, a program and a map: what the job is. */
static void read_world(const char *text, size_t n)
{
    const char *script = watch_world_script(text, n);
    if (script != NULL && (script < text || script + strlen(script) >= text + n))
        __builtin_trap();
    (void)watch_world_of_command(text, n);
    size_t at = 0;
    for (const char *name; (name = watch_run_argument(text, n, &at)) != NULL;)
        if (name < text || name + strlen(name) >= text + n)
            __builtin_trap();
    (void)watch_world_of_script(text, n);
    (void)watch_world_of_map(text, n);
    (void)watch_world_of_program((const uint8_t *)text, n);
}

/* A file of options, as --config reads it. */
static void read_config(const char *text, size_t n)
{
    base_mem mem = {.tag = "fuzz"};
    vg_error err;
    watch_options o;
    char path[64];
    const int fd = memfd_create("config", 0);
    if (fd < 0)
        return;
    if (write(fd, text, n) == (ssize_t)n) {
        watch_options_default(&o);
        base_format(path, sizeof path, "/proc/self/fd/%d", fd);
        (void)watch_options_read(&o, path, &mem, &err);
    }
    close(fd);
    if (mem.in_use_bytes != 0)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    proc_stat stat;
    proc_socket row;
    watch_said told;
    if (n == 0)
        return 0;
    const char *text = (const char *)bytes + 1;
    n--;
    switch (bytes[0] % 8) {
    case 0:
        (void)proc_stat_parse(&stat, text, n);
        break;
    case 1:
        read_lines(text, n);
        break;
    case 2:
        read_maps(text, n);
        break;
    case 3:
        (void)proc_socket_parse(&row, text, n);
        break;
    case 4:
        read_csv(text, n);
        break;
    case 5:
        read_events(bytes + 1, n);
        break;
    case 6:
        if (watch_said_parse(&told, text, n))
            for (size_t i = 0; i < WATCH_N_SAID; i++)
                if (!isnan(told.value[i]) && !(told.value[i] >= 0 && isfinite(told.value[i])))
                    __builtin_trap();
        break;
    default:
        read_target(text, n);
        read_world(text, n);
        read_config(text, n);
        break;
    }
    return 0;
}
