/* cpu.h: base's own: the quota part of base_cpu_count, apart so that tests can give it a made-up
 * system. */
#ifndef BASE_CPU_H
#define BASE_CPU_H

/* Processors that control groups allow, rounded up; 0: no quota. membership is the text of
 * /proc/self/cgroup, root the folder where the groups are mounted. Version 2 ("0::/path") and
 * version 1 ("n:cpu,cpuacct:/path"); each group from the process's own up to the root counts, the
 * tightest wins. */
int base_cpu_quota(const char *root, const char *membership);

#endif
