/* held.c: inodes from descriptors and maps, in two tables: a file that is gone is forgotten with
 * the table of the look before. */
#include "held.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dir.h"

enum { MOST_MEMBERS = 32, MOST_FDS = 2048, LINE_BYTES = 128, MOST_MAPS_BYTES = 1 << 21 };

static bool contains(const watch_held *h, int table, uint64_t inode)
{
    const uint64_t *slots = h->inodes[table];
    for (size_t i = 0; i < WATCH_MOST_HELD; i++) {
        const uint64_t slot = slots[(inode + i) % WATCH_MOST_HELD];
        if (slot == inode)
            return true;
        if (slot == 0)
            return false;
    }
    return false;
}

static void insert(watch_held *h, uint64_t inode)
{
    uint64_t *slots = h->inodes[h->now];
    if (inode == 0 || h->n[h->now] >= WATCH_MOST_HELD / 2 || contains(h, h->now, inode))
        return;
    size_t at = inode % WATCH_MOST_HELD;
    while (slots[at] != 0)
        at = (at + 1) % WATCH_MOST_HELD;
    slots[at] = inode;
    h->n[h->now]++;
}

static void add_descriptors(watch_held *h, const watch_tree *t, const watch_member *m, dev_t device)
{
    watch_dir list;
    struct stat info;
    int n = 0;
    const int fd = watch_member_open(t, m, "fd", O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return;
    watch_dir_take(&list, fd);
    for (const char *name; n < MOST_FDS && (name = watch_dir_next(&list, NULL)) != NULL; n++) {
        char target[64];
        /* Only what has a path is asked: a file system that does not answer would hold us, too. */
        const ssize_t k = readlinkat(fd, name, target, sizeof target - 1);
        target[k > 0 ? k : 0] = '\0';
        if (proc_fd_kind(target) == PROC_FD_SHM && fstatat(fd, name, &info, 0) == 0 &&
            info.st_dev == device)
            insert(h, info.st_ino);
    }
    watch_dir_close(&list);
}

/* "7f00-7f10 rw-s 00000000 00:1a 4711     /dev/shm/name" */
static void add_line(watch_held *h, const char *line, dev_t device)
{
    char wanted[32];
    int field = 0;
    base_format(wanted, sizeof wanted, "%02x:%02x", major(device), minor(device));
    const size_t n_wanted = strlen(wanted);
    const char *at = line;
    for (; field < 3 && *at != '\0'; field++) {
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    if (field < 3 || strncmp(at, wanted, n_wanted) != 0 || at[n_wanted] != ' ')
        return;
    char number[24];
    int64_t inode;
    at += n_wanted + strspn(at + n_wanted, " ");
    base_format(number, sizeof number, "%.*s", (int)strcspn(at, " "), at);
    if (base_parse_i64(&inode, number, 1, INT64_MAX))
        insert(h, (uint64_t)inode);
}

static void add_maps(watch_held *h, const watch_tree *t, const watch_member *m, dev_t device)
{
    char text[8192], line[LINE_BYTES];
    size_t n_line = 0, done = 0;
    const int fd = m->stat.state != 'D' ? watch_member_open(t, m, "maps", O_RDONLY) : -1;
    if (fd < 0)
        return;
    for (ssize_t n; done < MOST_MAPS_BYTES && (n = read(fd, text, sizeof text)) > 0;
         done += (size_t)n)
        for (ssize_t i = 0; i < n; i++) {
            if (text[i] != '\n') {
                if (n_line + 1 < sizeof line)
                    line[n_line++] = text[i];
                continue;
            }
            line[n_line] = '\0';
            add_line(h, line, device);
            n_line = 0;
        }
    close(fd);
}

void watch_held_look(watch_held *h, const watch_tree *t, dev_t device)
{
    const size_t n = watch_tree_size(t), main = watch_tree_main(t);
    h->now = !h->now;
    memset(h->inodes[h->now], 0, sizeof h->inodes[h->now]);
    h->n[h->now] = 0;
    if (main != (size_t)-1) {
        add_descriptors(h, t, watch_tree_peek(t, main), device);
        add_maps(h, t, watch_tree_peek(t, main), device);
    }
    for (size_t i = 0; i < n && i < MOST_MEMBERS; i++) {
        const watch_member *m = watch_tree_peek(t, (h->first + i) % n);
        add_descriptors(h, t, m, device);
        add_maps(h, t, m, device);
    }
    h->first = n > MOST_MEMBERS ? (h->first + MOST_MEMBERS) % n : 0;
}

/* "torch_4711_1_0" of process 4711. */
static bool has_number(const watch_tree *t, const char *name)
{
    for (const char *at = name; *at != '\0';) {
        const size_t n = strspn(at, "0123456789");
        char number[16];
        int64_t pid;
        if (n > 0 && n < sizeof number && base_format(number, sizeof number, "%.*s", (int)n, at) &&
            base_parse_i64(&pid, number, 2, INT32_MAX) && watch_tree_has(t, (pid_t)pid))
            return true;
        at += n > 0 ? n : 1;
    }
    return false;
}

bool watch_held_is_ours(watch_held *h, const watch_tree *t, uint64_t inode, const char *name)
{
    const bool ours =
        contains(h, h->now, inode) || contains(h, !h->now, inode) || has_number(t, name);
    if (ours)
        insert(h, inode);
    return ours;
}
