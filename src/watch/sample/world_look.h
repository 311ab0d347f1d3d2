/* world_look.h: what a job is, asked of its processes. For this folder. */
#ifndef WATCH_WORLD_LOOK_H
#define WATCH_WORLD_LOOK_H

#include "tree.h"
#include "world.h"

/* What was known (bits), and what main's command line, script and program tell; of a shell, an init
 * or a launcher, which are of no world, those of its largest descendant. buf: for reading. Files of
 * the job are read to n_buf bytes at most. */
unsigned watch_world_look(unsigned known, const watch_tree *t, const watch_member *main, char *buf,
                          size_t n_buf);
/* What main may keep by its own settings (bound.h): by its command line, or by that with which it
 * was started (command, n bytes; 0: not known), which some programs overwrite with a title. Of a
 * launcher, those of its largest descendant. NAN: nothing is said. */
double watch_world_bound(const watch_tree *t, const watch_member *main, const char *command,
                         size_t n_command, char *buf, size_t n_buf);

#endif
