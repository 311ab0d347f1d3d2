/* service.h: a program that systemd runs (Type=notify): ready, what it is about, and a watchdog
 * that real work feeds. The protocol is one datagram of text to a socket (sd_notify(3)), said there
 * to be stable and fit to be written by hand; a library for it would cost every start of the
 * program its loading. */
#ifndef NET_SERVICE_H
#define NET_SERVICE_H

#include "base/base.h"

typedef struct net_service {
    int fd;            /* -1: nobody listens */
    double watchdog_s; /* 0: none */
    uint64_t last_status;
} net_service;
#define NET_SERVICE_NONE ((net_service){.fd = -1})

/* By NOTIFY_SOCKET and WATCHDOG_USEC of the environment, which are taken out of it:
 * programs that we start must not speak for us. */
void net_service_open(net_service *out);
void net_service_ready(net_service *s);
void net_service_status(net_service *s, const char *text); /* sent when it is another */
void net_service_beat(net_service *s);                     /* after work was done */
void net_service_stopping(net_service *s);
void net_service_reloading(net_service *s); /* until the next ready (Type=notify-reload) */
void net_service_close(net_service *s);

#endif
