/* ram.c: how much memory a process may hope for: what the machine has to give, and the control
 * groups' limit. */
#include "ram.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "group.h"
#include "mem.h"
#include "text.h"

/* "max" or a number of bytes; version 1 says "none" by a number beyond any machine. */
static size_t limit_in(const char *folder, const char *name)
{
    enum { BEYOND_SHIFT = 60 };
    char path[4096], text[64];
    unsigned long long bytes;
    if (!base_path_join(path, sizeof path, folder, name) ||
        !base_group_text(text, sizeof text, path) || sscanf(text, "%llu", &bytes) != 1)
        return 0;
    return bytes >> BEYOND_SHIFT ? 0 : (size_t)bytes;
}

static size_t limit_v2(const char *folder)
{
    return limit_in(folder, "memory.max");
}

static size_t limit_v1(const char *folder)
{
    return limit_in(folder, "memory.limit_in_bytes");
}

size_t base_ram_limit(const char *root, const char *membership)
{
    return base_group_least(root, membership, "memory", limit_v2, limit_v1);
}

size_t base_ram_available_bytes(void)
{
    char text[4096];
    unsigned long long kib = 0;
    size_t least = 0;
    const char *line =
        base_group_text(text, sizeof text, "/proc/meminfo") ? strstr(text, "MemAvailable:") : NULL;
    if (line && sscanf(line, "MemAvailable: %llu", &kib) == 1)
        least = (size_t)kib * 1024;
    if (base_group_text(text, sizeof text, "/proc/self/cgroup")) {
        size_t limit = base_ram_limit("/sys/fs/cgroup", text);
        if (limit > 0 && (least == 0 || limit < least))
            least = limit;
    }
    return least;
}
