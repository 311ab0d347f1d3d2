/* cpu.c: how many threads are worth starting: the affinity mask, and the control groups' quota of
 * CPU time. */
#include "cpu.h"

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "pool.h"
#include "text.h"

static bool read_text(char *buf, size_t n, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got = read(fd, buf, n - 1);
    close(fd);
    buf[got > 0 ? got : 0] = '\0';
    return got > 0;
}

/* Processors for quota_us of every period_us, rounded up; 0 when there is no quota. */
static int processors(long long quota_us, long long period_us)
{
    if (quota_us <= 0 || period_us <= 0)
        return 0;
    long long n = quota_us / period_us + (quota_us % period_us != 0);
    return n > 1 << 20 ? 0 : (int)n;
}

/* "max 100000" or "150000 100000". */
static int quota_v2(const char *folder)
{
    char path[4096];
    char text[128];
    long long quota_us;
    long long period_us;
    if (!base_path_join(path, sizeof path, folder, "cpu.max") ||
        !read_text(text, sizeof text, path) ||
        sscanf(text, "%lld %lld", &quota_us, &period_us) != 2)
        return 0;
    return processors(quota_us, period_us);
}

static int quota_v1(const char *folder)
{
    static const char *const names[] = {"cpu.cfs_quota_us", "cpu.cfs_period_us"};
    long long values[2];
    for (int i = 0; i < 2; i++) {
        char path[4096];
        char text[128];
        if (!base_path_join(path, sizeof path, folder, names[i]) ||
            !read_text(text, sizeof text, path) || sscanf(text, "%lld", &values[i]) != 1)
            return 0;
    }
    return processors(values[0], values[1]); /* -1: no quota */
}

/* The tightest quota of group and its parents. In a container the path may be the host's and not
 * exist: its parents end at the mount's root, which is the container's own group. */
static int tightest(const char *mount, const char *group, int (*quota)(const char *folder))
{
    char folder[4096];
    if (!base_format(folder, sizeof folder, "%s%s", mount, group))
        return 0;
    int least = 0;
    for (;;) {
        int n = quota(folder);
        if (n > 0 && (least == 0 || n < least))
            least = n;
        char *slash = strrchr(folder, '/');
        if (!slash || slash < folder + strlen(mount))
            return least;
        *slash = '\0';
    }
}

static bool has_word(const char *list, size_t n, const char *word)
{
    size_t length = strlen(word);
    for (size_t i = 0; i + length <= n; i++)
        if ((i == 0 || list[i - 1] == ',') && strncmp(list + i, word, length) == 0 &&
            (i + length == n || list[i + length] == ','))
            return true;
    return false;
}

int base_cpu_quota(const char *root, const char *membership)
{
    int least = 0;
    for (const char *line = membership; *line;) {
        size_t n = strcspn(line, "\n");
        const char *controllers = memchr(line, ':', n);
        const char *group =
            controllers ? memchr(controllers + 1, ':', n - (size_t)(controllers + 1 - line)) : NULL;
        if (group) {
            controllers++;
            size_t n_controllers = (size_t)(group - controllers);
            char path[2048];
            char mount[2048];
            bool fits =
                base_format(path, sizeof path, "%.*s", (int)(line + n - group - 1), group + 1);
            int found = 0;
            if (fits && n_controllers == 0 && base_format(mount, sizeof mount, "%s", root)) {
                found = tightest(mount, path, quota_v2);
            } else if (fits && has_word(controllers, n_controllers, "cpu")) {
                if (base_format(mount, sizeof mount, "%s/cpu", root) && base_path_is_dir(mount))
                    found = tightest(mount, path, quota_v1);
                else if (base_format(mount, sizeof mount, "%s/%.*s", root, (int)n_controllers,
                                     controllers))
                    found = tightest(mount, path, quota_v1);
            }
            if (found > 0 && (least == 0 || found < least))
                least = found;
        }
        line += n + (line[n] == '\n');
    }
    return least;
}

int base_cpu_count(void)
{
    cpu_set_t
        set; /* 1024 processors; on larger machines the call fails, and all that are online count */
    CPU_ZERO(&set);
    long n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                         : sysconf(_SC_NPROCESSORS_ONLN);
    char membership[4096];
    if (read_text(membership, sizeof membership, "/proc/self/cgroup")) {
        int quota = base_cpu_quota("/sys/fs/cgroup", membership);
        if (quota > 0 && quota < n)
            n = quota;
    }
    return n < 1 ? 1 : (int)n;
}
