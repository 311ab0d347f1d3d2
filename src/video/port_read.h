/* port_read.h: the reader's side of a port. For this folder. */
#ifndef VIDEO_PORT_READ_H
#define VIDEO_PORT_READ_H

#include "frame.h"
#include "port.h"

/* The picture that waits into f, which is released: its picture, size and times; waits for it until
 * *stop is true, which it sees within 50 ms. */
video_outcome video_port_take(video_port *p, video_frame *f, const atomic_bool *stop);

#endif
