/* server.h: a server of files over TCP that can be killed: tests/live/drip_server.c as a process.
 */
#ifndef BENCH_STREAM_SERVER_H
#define BENCH_STREAM_SERVER_H

#include <sys/types.h>

int server_free_port(void);
/* SERVER_RTSP: one file, FLV; once. */
typedef enum server_kind { SERVER_TCP, SERVER_HTTP, SERVER_RTSP } server_kind;

/* Listens on port; whoever connects gets the files (n_loops times, 0: for ever), as fast as he
 * reads, and then silence. */
pid_t server_start(server_kind kind, int port, int n_loops, const char *const *files, int n_files);
void server_url(char *url, size_t n, server_kind kind, int port);
/* SIGKILL, and waits until it is gone. Its connections die with it. */
void server_kill(pid_t server);

/* Folder of its own, and a clip in it: H.264 in MPEG-TS. */
void server_make_folder(char *path, size_t n);
void server_remove_folder(const char *path);
void server_draw_clip(const char *path, int w, int h, double seconds);

#endif
