/* rules.h: the descriptors, each at the end of its own file. */
#ifndef WATCH_RULES_H
#define WATCH_RULES_H

#include "watch/judge/rule.h"

extern const watch_rule watch_rule_cow, watch_rule_worker, watch_rule_workers_left,
    watch_rule_pinned, watch_rule_gpu_kept, watch_rule_gpu_cache, watch_rule_gpu_streams,
    watch_rule_kept, watch_rule_scanned_list, watch_rule_capture, watch_rule_ipc_fds,
    watch_rule_shm, watch_rule_log_writer, watch_rule_arenas, watch_rule_page_cache,
    watch_rule_kernel, watch_rule_orphans, watch_rule_hang, watch_rule_files, watch_rule_sqlite,
    watch_rule_log_handlers, watch_rule_deleted, watch_rule_threads, watch_rule_event_fds,
    watch_rule_connections;

#endif
