/* service.h: a guard that systemd runs (Type=notify): ready, what it is about, and a watchdog that
 * real samples feed. The protocol is one datagram of text to a socket (sd_notify(3)), said there to
 * be stable and fit to be written by hand; a library for it would cost every start of the program
 * its loading. For this folder. */
#ifndef WATCH_SERVICE_H
#define WATCH_SERVICE_H

#include "base/base.h"

typedef struct watch_service {
    int fd;            /* -1: nobody listens */
    double watchdog_s; /* 0: none */
    uint64_t last_status;
} watch_service;
#define WATCH_SERVICE_NONE ((watch_service){.fd = -1})

/* By NOTIFY_SOCKET and WATCHDOG_USEC of the environment, which are taken out of it: the job must
 * not speak for the guard. */
void watch_service_open(watch_service *out);
void watch_service_ready(watch_service *s);
void watch_service_status(watch_service *s, const char *text); /* sent when it is another */
void watch_service_beat(watch_service *s);                     /* after a sample */
void watch_service_stopping(watch_service *s);
void watch_service_close(watch_service *s);

#endif
