/* server.c: see server.h. */
#include "server.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "held.h"

extern char **environ;

enum { MOST_FILES = 16, PATH_BYTES = 512 };

static void give_up(const char *what)
{
    perror(what);
    exit(1);
}

int server_free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0)
        give_up("a free port");
    close(fd);
    return ntohs(a.sin_port);
}

/* The program beside this one. */
static void find_program(char *path, size_t n, const char *name)
{
    const ssize_t length = readlink("/proc/self/exe", path, n - 1);
    if (length < 0)
        give_up("/proc/self/exe");
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    base_format(slash + 1, n - (size_t)(slash + 1 - path), "%s", name);
}

static pid_t start(char *const *args)
{
    pid_t server;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", 1, 0);
    errno = posix_spawn(&server, args[0], &actions, NULL, args, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (errno != 0)
        give_up(args[0]);
    return server;
}

pid_t server_start(server_kind kind, int port, int n_loops, const char *const *files, int n_files)
{
    char program[PATH_BYTES], number[16], port_text[32], loops[32], http[32],
        after[] = "after=hold";
    char *drip[MOST_FILES + 6] = {program, port_text, loops, http, after};
    base_format(number, sizeof number, "%d", port);
    base_format(port_text, sizeof port_text, "port=%d", port);
    base_format(loops, sizeof loops, "loop=%d", n_loops);
    base_format(http, sizeof http, "http=%d", kind == SERVER_HTTP);
    find_program(program, sizeof program, kind == SERVER_RTSP ? "camera" : "drip_server");
    for (int i = 0; i < n_files && i < MOST_FILES; i++)
        drip[5 + i] = (char *)(uintptr_t)files[i];
    if (kind == SERVER_RTSP) {
        char fps[] = "600", most[] = "60", *camera[] = {program, number, drip[5], fps, most, NULL};
        return start(camera);
    }
    return start(drip);
}

void server_url(char *url, size_t n, server_kind kind, int port)
{
    static const char *const schemes[] = {"tcp", "http", "rtsp"};
    base_format(url, n, "%s://127.0.0.1:%d%s", schemes[kind], port,
                kind == SERVER_TCP ? "" : "/stream");
}

void server_kill(pid_t server)
{
    if (kill(server, SIGKILL) != 0 || waitpid(server, NULL, 0) != server)
        give_up("kill");
}

void server_make_folder(char *path, size_t n)
{
    base_format(path, n, "/tmp/vigil-bench-XXXXXX");
    if (mkdtemp(path) == NULL)
        give_up(path);
}

void server_remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL)
        unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder != NULL)
        closedir(folder);
    rmdir(path);
}

void server_draw_clip(const char *path, int w, int h, double seconds)
{
    char drawn[128], length[32];
    base_format(drawn, sizeof drawn, "testsrc2=size=%dx%d:rate=30", w, h);
    base_format(length, sizeof length, "%g", seconds);
    const char *const command[] = {
        "ffmpeg", "-v",   "error",    "-y",      "-f",      "lavfi",    "-i",    drawn,
        "-t",     length, "-c:v",     "libx264", "-preset", "veryfast", "-tune", "zerolatency",
        "-g",     "15",   "-pix_fmt", "yuv420p", "-f",      "mpegts",   path,    NULL};
    held_run(command);
}
