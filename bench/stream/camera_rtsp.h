/* camera_rtsp.h: RTSP as far as one reader of one H.264 stream over the same TCP connection needs
 * it (RFC 7826, RFC 6184). */
#ifndef BENCH_STREAM_CAMERA_RTSP_H
#define BENCH_STREAM_CAMERA_RTSP_H

#include <stddef.h>
#include <stdint.h>

/* Answers until the reader says PLAY. avcc: the stream's AVCDecoderConfigurationRecord. */
void camera_rtsp_greet(int fd, const uint8_t *avcc, size_t n);
/* A frame (units with their lengths in 4 bytes) as RTP packets, each with the four bytes of its
 * channel and length; returns their bytes. */
size_t camera_rtsp_pack(uint8_t *out, size_t room, const uint8_t *frame, size_t n, uint32_t ticks);

#endif
