/* ports.h: the ports of a job's pushed sources, by name: where the threads of a program meet the
 * captures. They are there from the moment that the job starts the source; who pushes before waits.
 * Made with the handle, and so known before the job and after it. Any thread may push and end. */
#ifndef STREAM_PORTS_H
#define STREAM_PORTS_H

#include <pthread.h>

#include "stream/shared/options.h"
#include "stream/shared/stats.h"
#include "video/video.h"

typedef struct stream_ports_item {
    char name[STREAM_NAME_BYTES];
    video_port *port; /* NULL: the job has not started it */
    bool has_ended;
} stream_ports_item;

typedef struct stream_ports {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    stream_ports_item items[STREAM_MOST_CHANNELS];
    size_t n;
    bool all_ended, is_over; /* is_over: the job has ended */
} stream_ports;

void stream_ports_init(stream_ports *p);
/* Nobody may be inside. */
void stream_ports_fini(stream_ports *p);
/* The port of a source's text, "push:door"; made where there is none yet. Errors: as
 * video_port_create; VG_ERR_ARGUMENT (p NULL: the job is no program's), VG_ERR_LIMIT. */
vg_status stream_ports_open(video_port **out, stream_ports *p, const char *text, base_mem *mem,
                            vg_error *err);
/* As video_port_push. name: "door"; NULL: the only one there is. Waits for the port, too. */
vg_status stream_ports_push(stream_ports *p, const char *name, const image_pixels *pixels,
                            double time_s, int timeout_ms, vg_error *err);
/* No more will come on this port, also where it is not there yet; NULL: on any. */
void stream_ports_end(stream_ports *p, const char *name);
/* The job has ended: whoever waits is told. */
void stream_ports_close(stream_ports *p);

#endif
