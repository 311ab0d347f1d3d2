/* rules.c: the table of rules: one row each, R1 to R25. */
#include "rules.h"

const watch_rule *const watch_rules[] = {
    &watch_rule_cow,         &watch_rule_worker,   &watch_rule_workers_left,
    &watch_rule_pinned,      &watch_rule_gpu_kept, &watch_rule_gpu_cache,
    &watch_rule_gpu_streams, &watch_rule_kept,     &watch_rule_scanned_list,
    &watch_rule_capture,     &watch_rule_ipc_fds,  &watch_rule_shm,
    &watch_rule_log_writer,  &watch_rule_arenas,   &watch_rule_page_cache,
    &watch_rule_kernel,      &watch_rule_orphans,  &watch_rule_hang,
    &watch_rule_files,       &watch_rule_sqlite,   &watch_rule_log_handlers,
    &watch_rule_deleted,     &watch_rule_threads,  &watch_rule_event_fds,
    &watch_rule_connections,
};
const size_t watch_n_rules = sizeof watch_rules / sizeof *watch_rules;
