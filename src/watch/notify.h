/* notify.h: the two ways to tell another machine: a POST (libcurl) and MQTT (libmosquitto).
 *
 * Both libraries are loaded when they are first asked for: linked, they would cost every start of
 * the program their loading. Both calls wait, at most some ten seconds: they are for a thread that
 * may. Built without the headers of one, its open says so. For this folder. */
#ifndef WATCH_NOTIFY_H
#define WATCH_NOTIFY_H

#include "base/base.h"

enum { WATCH_NOTIFY_TIMEOUT_MS = 10000 };

typedef struct watch_web watch_web;
/* Errors: VG_ERR_ARGUMENT (no http or https URL), VG_ERR_UNSUPPORTED (no libcurl), VG_ERR_MEMORY.
 */
vg_status watch_web_open(watch_web **out, const char *url, base_mem *mem, vg_error *err);
/* *again: trying once more may help. Errors: VG_ERR_IO. The URL, which may hold a secret, is not in
 * the text. */
vg_status watch_web_post(watch_web *w, const char *json, bool *again, vg_error *err);
void watch_web_close(watch_web **w);

typedef struct watch_mqtt watch_mqtt;
/* url: mqtt://[USER:PASSWORD@]HOST[:PORT]/TOPIC. */
vg_status watch_mqtt_open(watch_mqtt **out, const char *url, base_mem *mem, vg_error *err);
/* One connection a message, QoS 1: returns when the broker has it. */
vg_status watch_mqtt_publish(watch_mqtt *m, const char *json, bool *again, vg_error *err);
void watch_mqtt_close(watch_mqtt **m);

#endif
