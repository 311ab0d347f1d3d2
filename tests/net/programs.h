/* programs.h: other programs of a test: started, read, ended; a folder of the test's own; free
 * ports. What a test started ends with it, also when it fails. */
#ifndef TESTS_NET_PROGRAMS_H
#define TESTS_NET_PROGRAMS_H

#include "support/test.h"

#include "base/folder.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROGRAMS_MOST = 16, PATIENCE_S = 120 };

static char programs_folder[64];
static pid_t programs_pids[PROGRAMS_MOST];

static inline int programs_set_up(void **state)
{
    (void)state;
    snprintf(programs_folder, sizeof programs_folder, "/tmp/vigil-net-XXXXXX");
    return mkdtemp(programs_folder) == NULL;
}

static inline void program_end(pid_t *pid, int signal_number)
{
    if (*pid <= 0)
        return;
    kill(*pid, signal_number);
    waitpid(*pid, NULL, 0);
    for (int i = 0; i < PROGRAMS_MOST; i++)
        if (programs_pids[i] == *pid)
            programs_pids[i] = 0;
    *pid = 0;
}

static inline int programs_tear_down(void **state)
{
    char command[128];
    (void)state;
    for (int i = 0; i < PROGRAMS_MOST; i++)
        if (programs_pids[i] > 0) {
            kill(programs_pids[i], SIGKILL);
            waitpid(programs_pids[i], NULL, 0);
            programs_pids[i] = 0;
        }
    snprintf(command, sizeof command, "rm -rf '%s'", programs_folder);
    return system(command) != 0;
}

/* A path in the folder; good for a few uses in one expression. */
static inline const char *in_folder(const char *name)
{
    static char paths[8][512];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", programs_folder, name);
    return path;
}

static inline bool is_installed(const char *program)
{
    char command[200];
    snprintf(command, sizeof command,
             "PATH=$PATH:/usr/sbin:/usr/local/sbin command -v %s >/dev/null", program);
    return system(command) == 0;
}

/* argv ends with NULL. Output (both) goes to the file of that name in the folder. */
static inline pid_t program_start(const char *const *argv, const char *output)
{
    const pid_t parent = getpid(), pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(127);
        const int fd = open(in_folder(output), O_WRONLY | O_CREAT | O_APPEND, 0644);
        dup2(fd, 1);
        dup2(fd, 2);
        char path[4096];
        snprintf(path, sizeof path, "%s:/usr/sbin:/usr/local/sbin", getenv("PATH"));
        setenv("PATH", path, 1);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    for (int i = 0; i < PROGRAMS_MOST; i++)
        if (programs_pids[i] == 0) {
            programs_pids[i] = pid;
            return pid;
        }
    fail_msg("too many programs");
    return 0;
}

static inline void nap_ms(int ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    nanosleep(&t, NULL);
}

/* Polls a condition, for long: the machine may be loaded. */
#define UNTIL(condition)                                                                           \
    do {                                                                                           \
        const time_t until_ = time(NULL) + PATIENCE_S;                                             \
        while (!(condition)) {                                                                     \
            if (time(NULL) > until_)                                                               \
                fail_msg("waited in vain for %s", #condition);                                     \
            nap_ms(20);                                                                            \
        }                                                                                          \
    } while (0)

/* The whole file, "" when there is none; good until the next call. */
static inline const char *text_of(const char *name)
{
    static char text[1 << 20];
    const int fd = open(in_folder(name), O_RDONLY);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static inline bool file_has(const char *name, const char *text)
{
    return strstr(text_of(name), text) != NULL;
}

static inline int count_in_file(const char *name, const char *text)
{
    int n = 0;
    for (const char *at = text_of(name); (at = strstr(at, text)) != NULL; at += strlen(text))
        n++;
    return n;
}

static inline void write_file(const char *name, const char *text)
{
    FILE *f = fopen(in_folder(name), "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* One that nobody uses just now. */
static inline int free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    close(fd);
    return ntohs(a.sin_port);
}

/* A connection to 127.0.0.1:port; -1: nobody listens. */
static inline int dial_port(int port)
{
    const struct sockaddr_in a = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (const struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    close(fd);
    return -1;
}

static inline bool is_listening(int port)
{
    const int fd = dial_port(port);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Of this process: "fd" or "task". Not by `ls` behind popen: that counts both ends of the pipe when
 * it is quicker than popen, which closes the child's end a moment after the child has begun. */
static inline int count_folder(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/%s", name);
    return folder_count_entries(path) - (strcmp(name, "fd") == 0); /* less the folder's own */
}

#endif
