/* held.h: which files of one file system (that of /dev/shm) are the job's: those that a process of
 * its tree was seen to hold, by a descriptor or a map, and those that bear the number of one in
 * their name, as PyTorch's do. That a file has the same owner says nothing: users run several jobs.
 * What is made and closed between two looks, and never unlinked, is missed here (charged.h). For
 * this folder. */
#ifndef WATCH_HELD_H
#define WATCH_HELD_H

#include "tree.h"

enum { WATCH_MOST_HELD = 4096 };

/* Zero-initialised is valid and empty. What is seen beyond the bound is left out. */
typedef struct watch_held {
    uint64_t inodes[2][WATCH_MOST_HELD]; /* open addressing, 0 free: of the look before, of this */
    size_t n[2];
    int now;      /* which is this look's */
    size_t first; /* the member whose turn is next */
} watch_held;

/* A look begins: what the tree holds of device now. Of a large tree some members in turn. */
void watch_held_look(watch_held *h, const watch_tree *t, dev_t device);
/* Of each file that is there at this look: is it the job's? What is asked for stays known. */
bool watch_held_is_ours(watch_held *h, const watch_tree *t, uint64_t inode, const char *name);

#endif
