/* bound.h: how much a job may keep by its own settings: a cache that evicts beyond it, a heap that
 * is collected when it is full. Seen from the outside: its command line, the file of settings that
 * it names, its environment. What fills up to there is no leak. Pure functions over bytes; NAN:
 * nothing is said. For this subsystem. */
#ifndef WATCH_BOUND_H
#define WATCH_BOUND_H

#include "base/base.h"

/* Of a Redis: the size says nothing without a policy that evicts. */
typedef struct watch_bound {
    double bytes; /* NAN */
    bool evicts, may_need_policy;
} watch_bound;

/* By a command line as /proc/PID/cmdline has it (n bytes, words end in zeros): Redis' --maxmemory,
 * memcached's -m, Java's -Xmx, behind any launcher. *settings: a file of Redis' settings that it
 * names, a word of it; NULL: none. */
watch_bound watch_bound_of_command(const char *words, size_t n, const char **settings);
/* By the text of such a file. What the command line said holds. */
void watch_bound_of_settings(watch_bound *b, const char *text, size_t n);
/* By an environment as /proc/PID/environ has it: GOMEMLIMIT. */
double watch_bound_of_environment(const char *words, size_t n);
/* Of what was found. */
double watch_bound_bytes(const watch_bound *b);

#endif
