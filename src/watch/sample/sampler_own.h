/* sampler_own.h: the sampler's inside, shared by sampler.c and sampler_members.c. For those alone.
 */
#ifndef WATCH_SAMPLER_OWN_H
#define WATCH_SAMPLER_OWN_H

#include "cgroup.h"
#include "connections.h"
#include "gpu.h"
#include "held.h"
#include "pace.h"
#include "progress.h"
#include "sampler.h"
#include "tree.h"
#include "vigil_socket.h"

enum { TEXT_BYTES = 1 << 15, NOTE_BYTES = 320, COMMAND_BYTES = 2048 };
/* What has a pace of its own is read so often at most, so that short intervals see short leaks. */
enum { SLOW_SAMPLES = 6 };

struct watch_sampler {
    watch_tree *tree;
    watch_progress *progress;
    watch_gpu *gpu; /* NULL: none */
    watch_connections connections;
    watch_senders senders;
    watch_held held;
    watch_target target;
    char proc[64], sys[64];
    char note[NOTE_BYTES]; /* "": nothing to say */
    watch_cgroup cgroup;
    watch_process *processes;
    size_t n_processes, room;
    int64_t started_ns;
    time_t began_unix_s;
    watch_pace rollup_pace, maps_pace, shm_pace, disks_pace, gpu_pace;
    pid_t rollup_last; /* whose turn it was */
    double slow_s, shm_s, disks_s, last_s, child_s;
    int slow_fds, child_fds;
    pid_t child_pid; /* whose descriptors were looked at */
    uid_t uid;
    bool uid_known, lack_reported;
    double kept[WATCH_N_SERIES]; /* the last reading of what has its own pace */
    double ticks_per_s;
    char text_read[TEXT_BYTES];
    char text[WATCH_N_TEXTS][WATCH_PHRASE_BYTES]; /* as kept */
    unsigned world;                               /* so far: libraries come with time */
    char command[COMMAND_BYTES]; /* that was started, as cmdline has it: titles overwrite that */
    size_t n_command;
};

/* A file of a process's folder in /proc into s->text_read; 0: gone, or not allowed. */
size_t sampler_read_text(watch_sampler *s, const watch_member *m, const char *name);
/* Room in s->processes for the whole tree. */
vg_status sampler_make_room(watch_sampler *s, base_mem *mem, vg_error *err);
/* main: NULL when it is gone. */
void sampler_read_members(watch_sampler *s, watch_member *main, watch_sample *out, double now_s);

#endif
