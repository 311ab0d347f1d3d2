/* ffmpeg.h: FFmpeg's libraries as a table of functions, opened when the first source or recorder
 * needs them. For this folder.
 *
 * Linking them would cost every start 26 ms and 14 MB (libavdevice: 55 ms and 33 MB), also those
 * that never see a video. The headers give the types, so calls through the table are checked, and
 * the sonames, so the structs are those we were compiled with. The table is the process's: loaded
 * once, by any thread, and kept, for the libraries keep threads and state of their own. */
#ifndef VIDEO_FFMPEG_H
#define VIDEO_FFMPEG_H

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion" /* FFmpeg's inline functions */
#pragma GCC diagnostic ignored "-Wpedantic"
#include <libavcodec/avcodec.h>
#include <libavdevice/avdevice.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#pragma GCC diagnostic pop

#include "base/base.h"

/* One list a library, for the table and the look-up. */
#define VIDEO_AVUTIL_LIST(X)                                                                       \
    X(av_buffer_pool_get)                                                                          \
    X(av_buffer_pool_init)                                                                         \
    X(av_buffer_pool_uninit)                                                                       \
    X(av_buffer_unref)                                                                             \
    X(av_dict_free)                                                                                \
    X(av_dict_get)                                                                                 \
    X(av_dict_set)                                                                                 \
    X(av_dict_set_int)                                                                             \
    X(av_display_rotation_get)                                                                     \
    X(av_frame_alloc)                                                                              \
    X(av_frame_free)                                                                               \
    X(av_frame_get_buffer)                                                                         \
    X(av_frame_get_side_data)                                                                      \
    X(av_frame_make_writable)                                                                      \
    X(av_frame_move_ref)                                                                           \
    X(av_frame_ref)                                                                                \
    X(av_frame_unref)                                                                              \
    X(av_free)                                                                                     \
    X(av_get_pix_fmt)                                                                              \
    X(av_get_pix_fmt_name)                                                                         \
    X(av_log_format_line2)                                                                         \
    X(av_log_set_callback)                                                                         \
    X(av_malloc)                                                                                   \
    X(av_opt_set)                                                                                  \
    X(av_opt_set_int)                                                                              \
    X(av_pix_fmt_desc_get)                                                                         \
    X(av_rescale_q)                                                                                \
    X(av_strerror)
#define VIDEO_AVCODEC_LIST(X)                                                                      \
    X(av_grow_packet)                                                                              \
    X(av_packet_alloc)                                                                             \
    X(av_packet_free)                                                                              \
    X(av_packet_get_side_data)                                                                     \
    X(av_packet_move_ref)                                                                          \
    X(av_packet_ref)                                                                               \
    X(av_packet_rescale_ts)                                                                        \
    X(av_packet_unref)                                                                             \
    X(avcodec_alloc_context3)                                                                      \
    X(avcodec_find_decoder)                                                                        \
    X(avcodec_find_encoder)                                                                        \
    X(avcodec_find_encoder_by_name)                                                                \
    X(avcodec_flush_buffers)                                                                       \
    X(avcodec_free_context)                                                                        \
    X(avcodec_get_name)                                                                            \
    X(avcodec_open2)                                                                               \
    X(avcodec_parameters_copy)                                                                     \
    X(avcodec_parameters_from_context)                                                             \
    X(avcodec_parameters_to_context)                                                               \
    X(avcodec_receive_frame)                                                                       \
    X(avcodec_receive_packet)                                                                      \
    X(avcodec_send_frame)                                                                          \
    X(avcodec_send_packet)
#define VIDEO_AVFORMAT_LIST(X)                                                                     \
    X(av_find_best_stream)                                                                         \
    X(av_find_input_format)                                                                        \
    X(av_guess_frame_rate)                                                                         \
    X(av_interleaved_write_frame)                                                                  \
    X(av_read_frame)                                                                               \
    X(av_stream_get_side_data)                                                                     \
    X(av_write_frame)                                                                              \
    X(av_write_trailer)                                                                            \
    X(avformat_alloc_context)                                                                      \
    X(avformat_alloc_output_context2)                                                              \
    X(avformat_close_input)                                                                        \
    X(avformat_find_stream_info)                                                                   \
    X(avformat_free_context)                                                                       \
    X(avformat_network_init)                                                                       \
    X(avformat_new_stream)                                                                         \
    X(avformat_open_input)                                                                         \
    X(avformat_write_header)                                                                       \
    X(avio_alloc_context)                                                                          \
    X(avio_closep)                                                                                 \
    X(avio_context_free)                                                                           \
    X(avio_flush)                                                                                  \
    X(avio_open2)
#define VIDEO_SWSCALE_LIST(X)                                                                      \
    X(sws_alloc_context)                                                                           \
    X(sws_freeContext)                                                                             \
    X(sws_getCachedContext)                                                                        \
    X(sws_getCoefficients)                                                                         \
    X(sws_getContext)                                                                              \
    X(sws_init_context)                                                                            \
    X(sws_isSupportedInput)                                                                        \
    X(sws_scale)                                                                                   \
    X(sws_setColorspaceDetails)

typedef struct video_ffmpeg {
#define X(name) __typeof__(&name) name;
    VIDEO_AVUTIL_LIST(X)
    VIDEO_AVCODEC_LIST(X)
    VIDEO_AVFORMAT_LIST(X)
    VIDEO_SWSCALE_LIST(X)
#undef X
} video_ffmpeg;

/* File names for the dynamic loader. */
typedef struct video_ffmpeg_names {
    const char *avutil, *avcodec, *avformat, *swscale;
} video_ffmpeg_names;

/* The process's table; *out lives as long as the process. The first call loads it and sends
 * FFmpeg's log to ours at the debug level, without passwords; one that failed may be tried again.
 * Errors: VG_ERR_UNSUPPORTED (a library is absent or too different). Any thread. */
vg_status video_ffmpeg_get(const video_ffmpeg **out, vg_error *err);
/* Registers cameras and lavfi (libavdevice), once. Any thread. Errors: VG_ERR_UNSUPPORTED. */
vg_status video_ffmpeg_open_devices(vg_error *err);
/* Fills a table of the caller's from other files: for tests. */
vg_status video_ffmpeg_load(video_ffmpeg *out, const video_ffmpeg_names *names, vg_error *err);
/* "Connection refused", from an AVERROR; returns buf. */
const char *video_ffmpeg_text(const video_ffmpeg *f, char *buf, size_t n, int code);

#endif
