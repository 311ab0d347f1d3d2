/* cpu.c: how many threads are worth starting: the affinity mask, and the control groups' quota of
 * CPU time. */
#include "cpu.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "group.h"
#include "pool.h"
#include "text.h"

/* Processors for quota_us of every period_us, rounded up; 0 when there is no quota. */
static size_t processors(long long quota_us, long long period_us)
{
    if (quota_us <= 0 || period_us <= 0)
        return 0;
    long long n = quota_us / period_us + (quota_us % period_us != 0);
    return n > 1 << 20 ? 0 : (size_t)n;
}

/* "max 100000" or "150000 100000". */
static size_t quota_v2(const char *folder)
{
    char path[4096];
    char text[128];
    long long quota_us;
    long long period_us;
    if (!base_path_join(path, sizeof path, folder, "cpu.max") ||
        !base_group_text(text, sizeof text, path) ||
        sscanf(text, "%lld %lld", &quota_us, &period_us) != 2)
        return 0;
    return processors(quota_us, period_us);
}

static size_t quota_v1(const char *folder)
{
    static const char *const names[] = {"cpu.cfs_quota_us", "cpu.cfs_period_us"};
    long long values[2];
    for (int i = 0; i < 2; i++) {
        char path[4096];
        char text[128];
        if (!base_path_join(path, sizeof path, folder, names[i]) ||
            !base_group_text(text, sizeof text, path) || sscanf(text, "%lld", &values[i]) != 1)
            return 0;
    }
    return processors(values[0], values[1]); /* -1: no quota */
}

int base_cpu_quota(const char *root, const char *membership)
{
    return (int)base_group_least(root, membership, "cpu", quota_v2, quota_v1);
}

void base_cpu_model(char *buf, size_t n)
{
    char text[4096];
    static const char key[] = "model name";
    base_format(buf, n, "unknown");
    const char *at = base_group_text(text, sizeof text, "/proc/cpuinfo") ? strstr(text, key) : NULL;
    if (!at)
        return;
    at += strlen(key);
    at += strspn(at, " \t:");
    base_format(buf, n, "%.*s", (int)strcspn(at, "\n"), at);
}

int base_cpu_count(void)
{
    cpu_set_t
        set; /* 1024 processors; on larger machines the call fails, and all that are online count */
    CPU_ZERO(&set);
    long n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                         : sysconf(_SC_NPROCESSORS_ONLN);
    char membership[4096];
    if (base_group_text(membership, sizeof membership, "/proc/self/cgroup")) {
        int quota = base_cpu_quota("/sys/fs/cgroup", membership);
        if (quota > 0 && quota < n)
            n = quota;
    }
    return n < 1 ? 1 : (int)n;
}
