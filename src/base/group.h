/* group.h: base's own: bounds that control groups set. */
#ifndef BASE_GROUP_H
#define BASE_GROUP_H

#include <stdbool.h>
#include <stddef.h>

/* What a group's folder says; 0: no bound. */
typedef size_t (*base_group_bound)(const char *folder);
/* membership is the text of /proc/self/cgroup, root the folder where the groups are mounted.
 * Version 2 ("0::/path") and version 1 ("n:cpu,cpuacct:/path", the lines that name controller);
 * each group from the process's own up to the root counts, the tightest wins. 0: no bound. */
size_t base_group_least(const char *root, const char *membership, const char *controller,
                        base_group_bound v2, base_group_bound v1);
/* A small file, whole or its beginning; false when there is none, or nothing in it. */
bool base_group_text(char *buf, size_t n, const char *path);

#endif
