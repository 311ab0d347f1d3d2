/* connections.c: descriptors to inodes, inodes to peers. */
#include "connections.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "dir.h"

enum { MOST_FDS = 4096, MOST_TABLE_BYTES = 1 << 21, ROW_BYTES = 256 };

static const double LOOK_S = 10;
static const double SHARE = 0.0005;

void watch_connections_init(watch_connections *c)
{
    *c = (watch_connections){.looked_s = -INFINITY, .pace = {.share = SHARE}};
}

/* Keeps inodes rising. */
static void insert(uint64_t *inodes, size_t *n, uint64_t inode)
{
    if (*n == WATCH_MOST_SOCKETS)
        return;
    size_t at = (*n)++;
    for (; at > 0 && inodes[at - 1] > inode; at--)
        inodes[at] = inodes[at - 1];
    inodes[at] = inode;
}

static bool contains(const uint64_t *inodes, size_t n, uint64_t inode)
{
    size_t low = 0, high = n;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (inodes[middle] < inode)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && inodes[low] == inode;
}

static bool list_sockets(uint64_t *inodes, size_t *n, const watch_tree *t, const watch_member *m)
{
    const int fd = watch_member_open(t, m, "fd", O_RDONLY | O_DIRECTORY);
    watch_dir list;
    int seen = 0;
    if (fd < 0)
        return false;
    watch_dir_take(&list, fd);
    for (const char *name; seen < MOST_FDS && (name = watch_dir_next(&list, NULL)) != NULL;
         seen++) {
        char target[64];
        const ssize_t k = readlinkat(fd, name, target, sizeof target - 1);
        if (k <= 0)
            continue;
        target[k] = '\0';
        const uint64_t inode = proc_socket_inode(target);
        if (inode != 0)
            insert(inodes, n, inode);
    }
    watch_dir_close(&list);
    return true;
}

static void see_peer(watch_connections *c, uint64_t peer)
{
    const size_t kept = c->n_peers < WATCH_MOST_PEERS ? c->n_peers : WATCH_MOST_PEERS;
    for (size_t i = 0; i < kept; i++)
        if (c->peers[i] == peer) {
            c->n_reconnects += c->has_looked;
            return;
        }
    c->peers[c->n_peers++ % WATCH_MOST_PEERS] = peer;
}

/* Rows of the table whose inode is in now and was not there before. */
static void read_table(watch_connections *c, const watch_tree *t, const watch_member *m,
                       const char *name, const uint64_t *now, size_t n_now)
{
    char text[8192], row[ROW_BYTES];
    size_t n_row = 0, done = 0;
    const int fd = watch_member_open(t, m, name, O_RDONLY);
    if (fd < 0)
        return;
    for (ssize_t n; done < MOST_TABLE_BYTES && (n = read(fd, text, sizeof text)) > 0;
         done += (size_t)n)
        for (ssize_t i = 0; i < n; i++) {
            proc_socket s;
            if (text[i] != '\n') {
                if (n_row < sizeof row)
                    row[n_row++] = text[i];
                continue;
            }
            if (proc_socket_parse(&s, row, n_row) && contains(now, n_now, s.inode)) {
                c->n_left += s.is_left;
                if (!contains(c->inodes, c->n_inodes, s.inode))
                    see_peer(c, s.peer);
            }
            n_row = 0;
        }
    close(fd);
}

void watch_connections_look(watch_connections *c, const watch_tree *t, const watch_member *main,
                            double now_s)
{
    uint64_t now[WATCH_MOST_SOCKETS];
    size_t n = 0;
    if (now_s - c->looked_s < LOOK_S || (c->has_looked && !watch_pace_may(&c->pace, now_s)))
        return;
    const int64_t began_ns = base_thread_cpu_ns();
    c->looked_s = now_s;
    if (list_sockets(now, &n, t, main)) {
        if (n != c->n_inodes || memcmp(now, c->inodes, n * sizeof *now) != 0) {
            c->n_left = 0;
            read_table(c, t, main, "net/tcp", now, n);
            read_table(c, t, main, "net/tcp6", now, n);
            memcpy(c->inodes, now, n * sizeof *now);
            c->n_inodes = n;
        }
        c->has_looked = true;
    }
    watch_pace_pay(&c->pace, began_ns);
}

double watch_connections_get(const watch_connections *c)
{
    return c->n_peers > 0 ? c->n_reconnects : (double)NAN;
}

double watch_connections_left(const watch_connections *c)
{
    return c->n_peers > 0 ? c->n_left : (double)NAN;
}
