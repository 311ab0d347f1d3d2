/* net.h: what talks to others: pages for readers (server), POST (web), MQTT, systemd (service).
 * What others may include of net.
 *
 * The libraries are loaded when they are first asked for: linked, they would cost every start of
 * the program their loading. Whatever the other side does, what is held for it is bounded. */
#ifndef NET_NET_H
#define NET_NET_H

#include "beacon.h"
#include "kafka.h"
#include "mqtt.h"
#include "outbox.h"
#include "rest.h"
#include "server.h"
#include "service.h"
#include "web.h"

#endif
