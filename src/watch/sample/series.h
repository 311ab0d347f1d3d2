/* series.h: every quantity that the guard knows, by number and by the name that traces, metrics,
 * history and reports use. To add one is a line here; docs/leaks.md lists them.
 *
 * Kinds: a LEVEL is what a leak raises and is judged; a FACT tells causes apart and is shown, not
 * judged; a COUNTER only rises; a LIMIT is where a level must end; WORK is the job's own progress,
 * which rates are given per. "main" is the process that was started or named, "children" all its
 * descendants together. Bytes, seconds and counts as the names say. */
#ifndef WATCH_SERIES_H
#define WATCH_SERIES_H

#include "base/base.h"

typedef enum watch_kind {
    WATCH_LEVEL,
    WATCH_FACT,
    WATCH_COUNTER,
    WATCH_LIMIT,
    WATCH_WORK
} watch_kind;

typedef enum watch_unit { WATCH_BYTES, WATCH_COUNT, WATCH_SECONDS, WATCH_RATIO } watch_unit;

/* X(enum, name, kind, unit, limit (its limit's enum, or NONE), help) */
#define WATCH_SERIES(X)                                                                            \
    X(MAIN_RSS_BYTES, "main.rss_bytes", LEVEL, BYTES, LIMIT_MEMORY_BYTES, "resident")              \
    X(MAIN_PSS_BYTES, "main.pss_bytes", LEVEL, BYTES, LIMIT_MEMORY_BYTES,                          \
      "resident, shared pages by share")                                                           \
    X(MAIN_USS_BYTES, "main.uss_bytes", LEVEL, BYTES, LIMIT_MEMORY_BYTES, "resident, private")     \
    X(MAIN_ANON_BYTES, "main.anon_bytes", LEVEL, BYTES, LIMIT_MEMORY_BYTES, "resident, anonymous") \
    X(MAIN_FILE_BYTES, "main.file_bytes", FACT, BYTES, NONE, "resident, of files")                 \
    X(MAIN_PSS_FILE_BYTES, "main.pss_file_bytes", FACT, BYTES, NONE, "of pss_bytes, of files")     \
    X(MAIN_SHMEM_BYTES, "main.shmem_bytes", LEVEL, BYTES, LIMIT_MEMORY_BYTES, "resident, shared")  \
    X(MAIN_SWAP_BYTES, "main.swap_bytes", LEVEL, BYTES, NONE, "swapped out")                       \
    X(MAIN_HEAP_BYTES, "main.heap_bytes", FACT, BYTES, NONE, "the brk heap")                       \
    X(MAIN_MMAP_BYTES, "main.mmap_bytes", FACT, BYTES, NONE, "anonymous maps but heap and stack")  \
    X(MAIN_SIZE_BYTES, "main.size_bytes", LEVEL, BYTES, LIMIT_ADDRESS_BYTES,                       \
      "address space, where it is bounded")                                                        \
    X(MAIN_PAGETABLE_BYTES, "main.pagetable_bytes", FACT, BYTES, NONE, "page tables")              \
    X(MAIN_LOCKED_BYTES, "main.locked_bytes", LEVEL, BYTES, LIMIT_MEMORY_BYTES, "VmLck + VmPin")   \
    X(MAIN_DEVICE_BYTES, "main.device_bytes", FACT, BYTES, NONE, "maps of device files")           \
    X(MAIN_ARENA_MAPS, "main.arena_maps", FACT, COUNT, NONE, "anonymous maps of about 64 MiB")     \
    X(MAIN_LIVE_BYTES, "main.live_bytes", FACT, BYTES, NONE, "what the allocator's users hold")    \
    X(MAIN_THREADS, "main.threads", LEVEL, COUNT, LIMIT_THREADS, "threads")                        \
    X(MAIN_FDS, "main.fds", LEVEL, COUNT, LIMIT_FDS, "open descriptors")                           \
    X(MAIN_FDS_FILE, "main.fds_file", FACT, COUNT, NONE, "descriptors of files")                   \
    X(MAIN_FDS_SOCKET, "main.fds_socket", FACT, COUNT, NONE, "of sockets")                         \
    X(MAIN_FDS_PIPE, "main.fds_pipe", FACT, COUNT, NONE, "of pipes")                               \
    X(MAIN_FDS_EVENT, "main.fds_event", FACT, COUNT, NONE, "of eventfd, epoll, timers, signals")   \
    X(MAIN_FDS_DEVICE, "main.fds_device", FACT, COUNT, NONE, "of devices")                         \
    X(MAIN_FDS_DELETED, "main.fds_deleted", FACT, COUNT, NONE, "of deleted files")                 \
    X(MAIN_FDS_SQLITE, "main.fds_sqlite", FACT, COUNT, NONE, "of SQLite's databases")              \
    X(MAIN_FDS_LOG, "main.fds_log", FACT, COUNT, NONE, "of logs")                                  \
    X(MAIN_FDS_SHM, "main.fds_shm", FACT, COUNT, NONE, "of memfd and /dev/shm")                    \
    X(MAIN_FDS_EVENTS_FILE, "main.fds_events_file", FACT, COUNT, NONE, "of events.out.tfevents")   \
    X(MAIN_FDS_CAMERA, "main.fds_camera", FACT, COUNT, NONE, "of /dev/video")                      \
    X(MAIN_CLOSE_WAIT, "main.close_wait", FACT, COUNT, NONE,                                       \
      "of connections that the other side has closed")                                             \
    X(MAIN_DELETED_BYTES, "main.deleted_bytes", LEVEL, BYTES, NONE,                                \
      "of deleted files that are open")                                                            \
    X(MAIN_MINOR_FAULTS, "main.minor_faults", COUNTER, COUNT, NONE, "minor page faults")           \
    X(MAIN_MAJOR_FAULTS, "main.major_faults", COUNTER, COUNT, NONE, "major page faults")           \
    X(MAIN_CPU_S, "main.cpu_s", COUNTER, SECONDS, NONE, "CPU time")                                \
    X(MAIN_READ_BYTES, "main.read_bytes", COUNTER, BYTES, NONE, "read by system calls")            \
    X(MAIN_WRITE_BYTES, "main.write_bytes", COUNTER, BYTES, NONE, "written by system calls")       \
    X(CHILDREN_COUNT, "children.count", LEVEL, COUNT, LIMIT_THREADS, "descendants alive")          \
    X(CHILDREN_STARTED, "children.started", COUNTER, COUNT, NONE, "descendants ever seen")         \
    X(CHILDREN_OLDEST_S, "children.oldest_s", FACT, SECONDS, NONE, "age of the oldest one")        \
    X(CHILDREN_STALE, "children.stale", LEVEL, COUNT, LIMIT_THREADS, "older than an epoch, idle")  \
    X(CHILDREN_ZOMBIES, "children.zombies", LEVEL, COUNT, LIMIT_THREADS, "ended, not waited for")  \
    X(CHILDREN_ORPHANS, "children.orphans", LEVEL, COUNT, LIMIT_THREADS, "whose parent is gone")   \
    X(CHILDREN_RSS_BYTES, "children.rss_bytes", LEVEL, BYTES, LIMIT_MEMORY_BYTES, "resident, sum") \
    X(CHILDREN_PSS_BYTES, "children.pss_bytes", LEVEL, BYTES, LIMIT_MEMORY_BYTES, "by share, sum") \
    X(CHILDREN_ANON_BYTES, "children.anon_bytes", LEVEL, BYTES, LIMIT_MEMORY_BYTES,                \
      "anonymous, sum")                                                                            \
    X(CHILDREN_FILE_BYTES, "children.file_bytes", FACT, BYTES, NONE, "of files, sum")              \
    X(CHILDREN_PSS_FILE_BYTES, "children.pss_file_bytes", FACT, BYTES, NONE,                       \
      "of pss_bytes, of files, sum")                                                               \
    X(CHILDREN_PRIVATE_BYTES, "children.private_bytes", LEVEL, BYTES, LIMIT_MEMORY_BYTES,          \
      "Private_Dirty, sum")                                                                        \
    X(CHILDREN_SHARED_BYTES, "children.shared_bytes", FACT, BYTES, NONE, "Shared_*, sum")          \
    X(CHILDREN_THREADS, "children.threads", LEVEL, COUNT, LIMIT_THREADS, "threads, sum")           \
    X(CHILDREN_FDS, "children.fds", LEVEL, COUNT, NONE, "descriptors, sum")                        \
    X(CHILD_FDS, "child.fds", FACT, COUNT, NONE, "of the descendant that has most descriptors")    \
    X(CHILD_FDS_FILE, "child.fds_file", FACT, COUNT, NONE, "its descriptors of files")             \
    X(CHILD_FDS_SOCKET, "child.fds_socket", FACT, COUNT, NONE, "of sockets")                       \
    X(CHILD_FDS_PIPE, "child.fds_pipe", FACT, COUNT, NONE, "of pipes")                             \
    X(CHILD_FDS_EVENT, "child.fds_event", FACT, COUNT, NONE, "of eventfd, epoll, timers, signals") \
    X(CHILD_FDS_DELETED, "child.fds_deleted", FACT, COUNT, NONE, "of deleted files")               \
    X(CHILD_FDS_SQLITE, "child.fds_sqlite", FACT, COUNT, NONE, "of SQLite's databases")            \
    X(CHILD_FDS_LOG, "child.fds_log", FACT, COUNT, NONE, "of logs")                                \
    X(CHILD_FDS_SHM, "child.fds_shm", FACT, COUNT, NONE, "of memfd and /dev/shm")                  \
    X(CHILDREN_CPU_S, "children.cpu_s", COUNTER, SECONDS, NONE, "CPU time, sum, the dead as well") \
    X(CHILDREN_READ_BYTES, "children.read_bytes", COUNTER, BYTES, NONE, "read, sum")               \
    X(CHILDREN_WRITE_BYTES, "children.write_bytes", COUNTER, BYTES, NONE, "written, sum")          \
    X(TREE_PSS_BYTES, "tree.pss_bytes", LEVEL, BYTES, LIMIT_MEMORY_BYTES, "main and children")     \
    X(SHM_BYTES, "shm.bytes", LEVEL, BYTES, LIMIT_SHM_BYTES, "the job's files in /dev/shm")        \
    X(SHM_FILES, "shm.files", FACT, COUNT, NONE, "files there")                                    \
    X(TMP_BYTES, "tmp.bytes", LEVEL, BYTES, LIMIT_TMP_BYTES, "/tmp of the job's owner")            \
    X(GPU0_BYTES, "gpu0.bytes", LEVEL, BYTES, LIMIT_GPU0_BYTES, "the job's memory on GPU 0")       \
    X(GPU1_BYTES, "gpu1.bytes", LEVEL, BYTES, LIMIT_GPU1_BYTES, "on GPU 1")                        \
    X(GPU2_BYTES, "gpu2.bytes", LEVEL, BYTES, LIMIT_GPU2_BYTES, "on GPU 2")                        \
    X(GPU3_BYTES, "gpu3.bytes", LEVEL, BYTES, LIMIT_GPU3_BYTES, "on GPU 3")                        \
    X(GPU_UTILISATION, "gpu.utilisation", FACT, RATIO, NONE, "of the busiest GPU, 0 to 1")         \
    X(GPU_ORPHANS, "gpu.orphans", LEVEL, COUNT, NONE, "processes on a GPU outside the live tree")  \
    X(CGROUP_CURRENT_BYTES, "cgroup.current_bytes", FACT, BYTES, LIMIT_MEMORY_BYTES,               \
      "charged, page cache included")                                                              \
    X(CGROUP_PEAK_BYTES, "cgroup.peak_bytes", FACT, BYTES, NONE, "the most that was charged")      \
    X(CGROUP_HIGH_BYTES, "cgroup.high_bytes", FACT, BYTES, NONE, "memory.high: slowed beyond it")  \
    X(CGROUP_ANON_BYTES, "cgroup.anon_bytes", LEVEL, BYTES, LIMIT_MEMORY_BYTES, "anonymous")       \
    X(CGROUP_FILE_BYTES, "cgroup.file_bytes", FACT, BYTES, NONE, "page cache")                     \
    X(CGROUP_SHMEM_BYTES, "cgroup.shmem_bytes", LEVEL, BYTES, LIMIT_MEMORY_BYTES, "shared memory") \
    X(CGROUP_KERNEL_BYTES, "cgroup.kernel_bytes", LEVEL, BYTES, LIMIT_MEMORY_BYTES,                \
      "the kernel's for it")                                                                       \
    X(CGROUP_PRESSURE, "cgroup.pressure", FACT, RATIO, NONE, "stalled for memory, last 10 s")      \
    X(CGROUP_OOM, "cgroup.oom", COUNTER, COUNT, NONE, "times the limit was hit")                   \
    X(CGROUP_OOM_KILL, "cgroup.oom_kill", COUNTER, COUNT, NONE, "processes that the kernel ended") \
    X(MACHINE_USED_BYTES, "machine.used_bytes", FACT, BYTES, NONE, "total less available")         \
    X(MACHINE_AVAILABLE_BYTES, "machine.available_bytes", FACT, BYTES, NONE, "MemAvailable")       \
    X(MACHINE_SLAB_BYTES, "machine.slab_bytes", LEVEL, BYTES, LIMIT_MACHINE_BYTES, "SUnreclaim")   \
    X(MACHINE_UNEXPLAINED_BYTES, "machine.unexplained_bytes", LEVEL, BYTES, LIMIT_MACHINE_BYTES,   \
      "used, and nobody's: neither processes, cache nor slab")                                     \
    X(DISK_USED_BYTES, "disk.used_bytes", LEVEL, BYTES, LIMIT_DISK_BYTES, "of the run folder's")   \
    X(JOB_WORLD, "job.world", FACT, COUNT, NONE, "what the job is: a sum of world.h's bits")       \
    X(JOB_BOUND_BYTES, "job.bound_bytes", FACT, BYTES, NONE, "what its own settings let it keep")  \
    X(VIGIL_PLANNED_BYTES, "vigil.planned_bytes", FACT, BYTES, NONE, "a vigil job's own plan")     \
    X(VIGIL_IN_USE_BYTES, "vigil.in_use_bytes", LEVEL, BYTES, NONE, "a vigil job's own accounts")  \
    X(VIGIL_ALLOCATIONS, "vigil.allocations", COUNTER, COUNT, NONE, "a vigil job's own, ever")     \
    X(WORK_RUNS, "work.runs", WORK, COUNT, NONE, "trainings begun in one process")                 \
    X(WORK_EPOCH, "work.epoch", WORK, COUNT, NONE, "epochs done")                                  \
    X(WORK_STEP, "work.step", WORK, COUNT, NONE, "steps or batches done")                          \
    X(WORK_FRAMES, "work.frames", WORK, COUNT, NONE, "frames or pictures done")                    \
    X(WORK_RECONNECTS, "work.reconnects", WORK, COUNT, NONE, "connections made anew")              \
    X(WORK_SHAPES, "work.shapes", WORK, COUNT, NONE, "distinct input shapes met")                  \
    X(WORK_REQUESTS, "work.requests", WORK, COUNT, NONE, "requests answered")                      \
    X(WORK_CHECKPOINTS, "work.checkpoints", WORK, COUNT, NONE, "checkpoints written whole")        \
    X(WORK_LOG_BYTES, "work.log_bytes", WORK, BYTES, NONE, "written to logs and events")           \
    X(WORK_INPUT_BYTES, "work.input_bytes", WORK, BYTES, NONE, "read from files and sockets")      \
    X(WORK_EPOCH_S, "work.epoch_s", FACT, SECONDS, NONE, "the last epoch's duration")              \
    X(WORK_IDLE_S, "work.idle_s", FACT, SECONDS, NONE, "since anything of work moved")             \
    X(LIMIT_MEMORY_BYTES, "limit.memory_bytes", LIMIT, BYTES, NONE,                                \
      "of the job's cgroup or machine")                                                            \
    X(LIMIT_CGROUP_BYTES, "limit.cgroup_bytes", LIMIT, BYTES, NONE, "of the job's cgroup alone")   \
    X(LIMIT_MACHINE_BYTES, "limit.machine_bytes", LIMIT, BYTES, NONE, "the machine's memory")      \
    X(LIMIT_ADDRESS_BYTES, "limit.address_bytes", LIMIT, BYTES, NONE, "RLIMIT_AS of main")         \
    X(LIMIT_FDS, "limit.fds", LIMIT, COUNT, NONE, "RLIMIT_NOFILE of main")                         \
    X(LIMIT_THREADS, "limit.threads", LIMIT, COUNT, NONE, "pids.max or RLIMIT_NPROC")              \
    X(LIMIT_SHM_BYTES, "limit.shm_bytes", LIMIT, BYTES, NONE, "size of /dev/shm")                  \
    X(LIMIT_TMP_BYTES, "limit.tmp_bytes", LIMIT, BYTES, NONE, "size of /tmp")                      \
    X(LIMIT_DISK_BYTES, "limit.disk_bytes", LIMIT, BYTES, NONE, "size of the run folder's disk")   \
    X(LIMIT_GPU0_BYTES, "limit.gpu0_bytes", LIMIT, BYTES, NONE, "memory of GPU 0")                 \
    X(LIMIT_GPU1_BYTES, "limit.gpu1_bytes", LIMIT, BYTES, NONE, "of GPU 1")                        \
    X(LIMIT_GPU2_BYTES, "limit.gpu2_bytes", LIMIT, BYTES, NONE, "of GPU 2")                        \
    X(LIMIT_GPU3_BYTES, "limit.gpu3_bytes", LIMIT, BYTES, NONE, "of GPU 3")

typedef enum watch_series {
    WATCH_NONE = -1,
#define X(id, name, kind, unit, limit, help) WATCH_##id,
    WATCH_SERIES(X)
#undef X
        WATCH_N_SERIES
} watch_series;

typedef struct watch_series_info {
    const char *name;
    watch_kind kind;
    watch_unit unit;
    watch_series limit; /* WATCH_NONE: it has none of its own */
    const char *help;
} watch_series_info;

/* Static facts of a series. */
const watch_series_info *watch_series_get(watch_series s);
/* WATCH_NONE when no series has this name. */
watch_series watch_series_find(const char *name);

/* What is said in words and not in a number: which file, which threads. Traces have rows of them,
 * as of series. Clean: without control characters. */
#define WATCH_TEXTS(X)                                                                             \
    X(FILES, "main.fds_most", "which file most of its descriptors are")                            \
    X(DELETED, "main.deleted_most", "which deleted file is the largest that is open")              \
    X(THREADS, "main.threads_most", "what most of its threads are called")

typedef enum watch_text {
#define X(id, name, help) WATCH_TEXT_##id,
    WATCH_TEXTS(X)
#undef X
        WATCH_N_TEXTS
} watch_text;
enum { WATCH_PHRASE_BYTES = 160 };

const char *watch_text_name(watch_text t);
/* WATCH_N_TEXTS when none has this name. */
watch_text watch_text_find(const char *name);

/* Everything read at one moment. What was not read is NAN, or "". */
typedef struct watch_sample {
    double time_s; /* since the first sample; rises */
    double value[WATCH_N_SERIES];
    char text[WATCH_N_TEXTS][WATCH_PHRASE_BYTES];
} watch_sample;

/* A sample in which nothing is known yet. */
void watch_sample_clear(watch_sample *s, double time_s);

#endif
