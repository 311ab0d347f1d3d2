/* tree.h: who belongs to the job: the main process and all its descendants.
 *
 * A process is held by a descriptor of its folder in /proc, which the kernel ties to that process
 * and not to its number: what is read through it is never another one's, however fast numbers are
 * used again. All of /proc is listed at each look, but only numbers not seen before are read.
 * A descendant stays one when its parent dies (it is an orphan then). For this folder. */
#ifndef WATCH_TREE_H
#define WATCH_TREE_H

#include "proc.h"

typedef struct watch_member {
    int dir; /* /proc/PID; -1: the bound of open files was reached, and it is read by its path */
    proc_stat stat;
    bool is_new, is_gone;
    double seen_s;         /* when it was first met */
    uint64_t ticks_before; /* CPU time at the look before */
    /* The last reading of what is dear to read; NAN: never. */
    double pss_bytes, pss_file_bytes, uss_bytes, private_bytes, shared_bytes, rollup_s;
    uint64_t rollup_faults; /* faults and resident bytes then: the same now, and nothing moved */
    double rollup_rss_bytes;
    double rss_bytes, anon_bytes, file_bytes, read_bytes, write_bytes;
    int fds;
} watch_member;

typedef struct watch_tree watch_tree;

typedef struct watch_tree_options {
    pid_t main_pid;     /* 0: the oldest process of the cgroup that no other of it started */
    const char *proc;   /* root */
    const char *cgroup; /* its folder: all processes in it and below it belong; NULL */
    pid_t reaper;       /* children of this one belong, as orphans that a subreaper got, unless they
                           are in its own process group, as its helpers are; 0: none */
} watch_tree_options;

vg_status watch_tree_create(watch_tree **out, const watch_tree_options *o, base_mem *mem,
                            vg_error *err);
void watch_tree_destroy(watch_tree **t);
/* Who is there now. mem: when there are more than ever before. False: the main process is gone. */
vg_status watch_tree_look(watch_tree *t, double now_s, bool *main_is_there, base_mem *mem,
                          vg_error *err);
size_t watch_tree_size(const watch_tree *t);
/* By pid, rising; main is at watch_tree_main, (size_t)-1 when gone. */
watch_member *watch_tree_at(watch_tree *t, size_t i);
const watch_member *watch_tree_peek(const watch_tree *t, size_t i);
size_t watch_tree_main(const watch_tree *t);
uint64_t watch_tree_started(const watch_tree *t);  /* descendants ever met */
uint64_t watch_tree_cpu_gone(const watch_tree *t); /* ticks that dead descendants had used */
double watch_tree_read_gone(const watch_tree *t);  /* bytes that they had read, when last seen */
double watch_tree_write_gone(const watch_tree *t);
bool watch_tree_has(const watch_tree *t, pid_t pid);
/* Is it a member, or would the next look make it one? stat: as it is now. */
bool watch_tree_belongs(const watch_tree *t, const proc_stat *stat);
bool watch_tree_is_orphan(const watch_tree *t, const watch_member *m);

/* Reads a file of a member's folder into buf; -1 when it is gone or forbidden. */
ssize_t watch_member_read(const watch_tree *t, const watch_member *m, const char *name, char *buf,
                          size_t n);
int watch_member_open(const watch_tree *t, const watch_member *m, const char *name, int flags);

#endif
