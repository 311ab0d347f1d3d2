/* witness.h: which files the job itself wrote: no others can be its checkpoints.
 *
 * A file is known by what it is (device, inode, time of birth) and not by its name: one that was
 * seen being written under a passing name and then renamed is the same file. It is the job's when
 * a process of the job's tree was seen to have it open for writing:
 *  - at every sample, in the descriptors of all of its processes;
 *  - between samples, in the folders that are watched: where the kernel allows it (fanotify, for
 *    CAP_SYS_ADMIN), by being told who closed a file that was open for writing; elsewhere by
 *    looking at the descriptors in the moment that inotify reports a change. A file that is open
 *    shorter than that look takes, about a millisecond, may be missed: then it is nobody's.
 * Besides, a folder whose vigil.pid the job holds open is its own: vigil train locks that.
 *
 * Bounds: 128 folders, the newest 1024 files, a share of one core. For src/watch. */
#ifndef WATCH_WITNESS_H
#define WATCH_WITNESS_H

#include "tree.h"

typedef struct watch_file_id {
    uint64_t device, inode;
    int64_t born_ns; /* 0: the file system does not tell */
} watch_file_id;

/* Of a regular file; symbolic links are followed where `flags` has no AT_SYMLINK_NOFOLLOW. */
bool watch_file_id_of(watch_file_id *out, int at, const char *name, int flags);
bool watch_file_id_same(const watch_file_id *a, const watch_file_id *b);
/* Has any process that can be seen this file open for writing? */
bool watch_file_is_written(const watch_file_id *id);

typedef struct watch_witness watch_witness;

typedef struct watch_witness_options {
    bool without_fanotify; /* for tests: as for a user without privileges */
    const char *own;       /* a folder that is not looked into: the guard's; "" */
} watch_witness_options;

/* Without inotify and fanotify it sees at samples only: no failure but of memory. */
vg_status watch_witness_create(watch_witness **out, const watch_witness_options *o, base_mem *mem,
                               vg_error *err);
void watch_witness_destroy(watch_witness **w);

/* Watches a folder, and those in it up to `depth` below. To be watched is no evidence. */
void watch_witness_watch(watch_witness *w, const char *folder, int depth);
/* And what was in it before: its folders and those in them, small ones, until half of the places
 * are taken. Links to folders are followed: many keep their results on another disk. */
void watch_witness_watch_near(watch_witness *w, const char *path);
/* Sleeps; true: something is to be heard, and at once. */
bool watch_witness_wait(watch_witness *w, double seconds);
/* What was done in the watched folders. tree: the job's, as of its last look. */
void watch_witness_hear(watch_witness *w, const watch_tree *tree);
/* All open files of the job, after the tree was looked at. */
void watch_witness_look(watch_witness *w, const watch_tree *tree);

/* The guard's own knowledge: a file that it put into the job's place. */
void watch_witness_add(watch_witness *w, const watch_file_id *id);
bool watch_witness_saw(const watch_witness *w, const watch_file_id *id);
/* Somebody else was seen to write it. */
bool watch_witness_saw_other(const watch_witness *w, const watch_file_id *id);
/* It lies in a folder that the job has locked as its run. */
bool watch_witness_owns(const watch_witness *w, const char *path);

/* Folders that are watched, by index. NULL: no more. */
const char *watch_witness_folder(const watch_witness *w, size_t i);

#endif
