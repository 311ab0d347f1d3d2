/* vigil_socket.h: what jobs report of themselves: vigil's own plan and counters, and any program's
 * that cares to.
 *
 * A datagram on a socket of the abstract name that the guard puts into its child's environment
 * (VIGIL_WATCH_SOCKET), or "@vigil-watch-PID" for a process that it was pointed to: one flat JSON
 * object of numbers, {"in_use_bytes":123,"epoch":4}. Keys: docs/leaks.md. Only processes of the
 * watched tree are heard; the kernel says who sends. Bounded; nobody is waited for. For this
 * folder. */
#ifndef WATCH_VIGIL_SOCKET_H
#define WATCH_VIGIL_SOCKET_H

#include "tree.h"

enum { WATCH_MOST_SENDERS = 32, WATCH_TELL_BYTES = 2048, WATCH_N_SAID = 10 };

/* One message: by the rows of the table in vigil_socket.c. NAN: not given. */
typedef struct watch_said {
    double value[WATCH_N_SAID];
} watch_said;
/* A flat JSON object of numbers; other keys are passed over. False: it is none. */
bool watch_said_parse(watch_said *out, const char *text, size_t n);

typedef struct watch_senders {
    int fd; /* -1: none */
    struct {
        pid_t pid;
        watch_said said;
    } sender[WATCH_MOST_SENDERS];
    size_t n;
    watch_said gone; /* counters of those that ended */
} watch_senders;

/* name: "@abstract". Without a socket (fd -1) nothing is heard: no error. */
void watch_senders_open(watch_senders *s, const char *name);
void watch_senders_close(watch_senders *s);
/* Hears all that is waiting (bounded), and puts it into out: bytes and counts are sums over the
 * senders, epoch and step the most advanced one's. */
void watch_senders_hear(watch_senders *s, const watch_tree *t, watch_sample *out);

#endif
