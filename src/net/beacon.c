/* beacon.c: one datagram a second. */
#include "beacon.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const int64_t EVERY_NS = 1000000000;

/* The guard's child learns the name from its environment; a process that a guard was pointed to
 * (--pid) is looked for by its number. */
static void open_beacon(net_beacon *b)
{
    const char *given = getenv("VIGIL_WATCH_SOCKET");
    struct sockaddr_un to;
    _Static_assert(sizeof b->name.bytes == sizeof to.sun_path, "an address fits");
    const bool fits =
        given && given[0] == '@'
            ? base_format(b->name.bytes, sizeof b->name.bytes, "%s", given)
            : base_format(b->name.bytes, sizeof b->name.bytes, "@vigil-watch-%d", (int)getpid());
    b->name.n = (unsigned)strlen(b->name.bytes);
    b->name.bytes[0] = '\0'; /* an abstract name */
    b->fd = fits ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
    b->is_open = true;
}

bool net_beacon_is_due(net_beacon *b)
{
    const int64_t now_ns = base_now_ns();
    if (!b->is_open)
        open_beacon(b);
    else if (now_ns - b->told_ns < EVERY_NS)
        return false;
    b->told_ns = now_ns;
    return b->fd >= 0;
}

void net_beacon_tell(net_beacon *b, const vg_memory *m, int64_t epoch, int64_t step, int64_t frames)
{
    const char *const keys[] = {"epoch", "step", "frames"};
    const int64_t values[] = {epoch, step, frames};
    uint64_t n_allocations = 0;
    char text[512];
    if (!b->is_open || b->fd < 0)
        return;
    for (int i = 0; i < m->n_items; i++)
        n_allocations += m->items[i].n_allocations;
    base_format(text, sizeof text,
                "{\"planned_bytes\":%zu,\"in_use_bytes\":%zu,\"allocations\":%" PRIu64,
                m->planned_bytes, m->in_use_bytes, n_allocations);
    size_t n = strlen(text);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (values[i] >= 0) {
            base_format(text + n, sizeof text - n, ",\"%s\":%" PRId64, keys[i], values[i]);
            n = strlen(text);
        }
    if (!base_format(text + n, sizeof text - n, "}"))
        return;
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    memcpy(to.sun_path, b->name.bytes, sizeof to.sun_path);
    /* Nobody listens, or does not keep up: their loss. */
    (void)!sendto(b->fd, text, n + 1, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&to,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + b->name.n));
}

void net_beacon_close(net_beacon *b)
{
    if (b->is_open && b->fd >= 0)
        close(b->fd);
    *b = (net_beacon){.is_open = true, .fd = -1};
}
