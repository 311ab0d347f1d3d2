/* proc.h: what the kernel writes about processes, read into numbers: pure functions over text.
 *
 * Every parser takes any bytes and never reads past them: what it does not find stays NAN or 0.
 * Formats: proc(5), cgroups(7), Documentation/accounting/psi.rst of the kernel. For this folder. */
#ifndef WATCH_PROC_H
#define WATCH_PROC_H

#include <sys/types.h>

#include "sampler.h"

typedef struct proc_stat {
    pid_t pid, parent, group;
    char name[WATCH_NAME_BYTES]; /* as the kernel has it, made fit for a line */
    char state;
    uint64_t minor_faults, major_faults, cpu_ticks, start_ticks;
    int threads;
} proc_stat;
/* /proc/PID/stat. The name may hold blanks and brackets. False: not such a line. */
bool proc_stat_parse(proc_stat *out, const char *text, size_t n);
/* Of the process that has the number now. False: gone; a zombie is there still. */
bool proc_stat_read(proc_stat *out, pid_t pid);

/* Lines of "Name: 123 kB" (status, smaps_rollup, meminfo) or "name 123" (memory.stat, io, events):
 * the number of the line that begins with key, in bytes where it says kB. NAN: no such line. */
double proc_field(const char *text, size_t n, const char *key);

/* /proc/PID/limits: the soft limit of a row such as "Max open files". INFINITY: unlimited. */
double proc_limit(const char *text, size_t n, const char *row);

/* memory.pressure and friends: avg10 of the row "some", as a share of 1. */
double proc_pressure(const char *text, size_t n);

/* "NSpid:\t4711\t12" of status: the number of the process in the innermost namespace; 0: none. */
pid_t proc_inner_pid(const char *text, size_t n);

/* /proc/PID/cgroup: the path of the memory controller (v1), or of the unified hierarchy (v2). */
bool proc_cgroup(char *path, size_t n_path, bool *is_v2, const char *text, size_t n);

/* A row of /proc/PID/net/tcp or tcp6: a connection that is established, or that the other side has
 * closed and the process has not (CLOSE_WAIT). False: no such row. */
typedef struct proc_socket {
    uint64_t inode, peer; /* peer: hash of address and port */
    bool is_left;         /* CLOSE_WAIT */
} proc_socket;
bool proc_socket_parse(proc_socket *out, const char *line, size_t n);
/* "socket:[4711]", as descriptors link to it; 0: none. */
uint64_t proc_socket_inode(const char *target);

typedef enum proc_fd {
    PROC_FD_FILE,
    PROC_FD_SOCKET,
    PROC_FD_PIPE,
    PROC_FD_EVENT,
    PROC_FD_DEVICE,
    PROC_FD_CAMERA,
    PROC_FD_DELETED,
    PROC_FD_SHM,
    PROC_FD_EVENTS_FILE,
    PROC_FD_SQLITE, /* a file, by its name; so is a log */
    PROC_FD_LOG,
    PROC_N_FDS
} proc_fd;
/* What a link of /proc/PID/fd points to. */
proc_fd proc_fd_kind(const char *target);

/* /proc/PID/maps, a piece at a time (any cuts). */
typedef struct proc_maps {
    double heap_bytes, anon_bytes, device_bytes; /* virtual sizes */
    unsigned world;              /* what the files that are mapped tell: world.h's bits */
    int arenas;                  /* anonymous maps in the 64 MiB pattern of glibc's arenas */
    uint64_t run_start, run_end; /* adjoining anonymous maps so far */
    size_t n_line;
    char line[512];
} proc_maps;
void proc_maps_add(proc_maps *m, const char *text, size_t n);
void proc_maps_end(proc_maps *m);

#endif
