/* descriptors.h: what the descriptors of a process point to: how many of each kind, and which file
 * most of them are. For this folder. */
#ifndef WATCH_DESCRIPTORS_H
#define WATCH_DESCRIPTORS_H

#include "tree.h"

/* Of at most 4096 descriptors. */
typedef struct watch_descriptors {
    double kinds[PROC_N_FDS];
    double files;                  /* FILE, SQLITE and LOG together */
    double deleted_bytes;          /* on the disk, of DELETED ones; each file once */
    char most[WATCH_PHRASE_BYTES]; /* for people: "412 times /a/b", "such as /a/c"; "": no files */
    char deleted[WATCH_PHRASE_BYTES]; /* "such as /a/d (deleted), 2.1 GB": the largest; "": none */
} watch_descriptors;

/* False: they may not be listed. */
bool watch_descriptors_read(watch_descriptors *out, const watch_tree *t, const watch_member *m);
/* Their number alone; -1: not allowed. */
int watch_descriptors_count(const watch_tree *t, const watch_member *m);
/* The commonest name of a process's threads, digits as '#', when they have names of their own:
 * "pool-#-thread-# (12 of 14)"; "": none. */
void watch_threads_most(char out[WATCH_PHRASE_BYTES], const watch_tree *t, const watch_member *m);

#endif
