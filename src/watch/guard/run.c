/* run.c: the folder before the guard, and after one whose job never began. */
#include "run.h"

#include <sys/stat.h>

#include "report/report.h"

/* What is not empty of what a guard makes before its job begins. */
static const char *const made_by_guard[] = {
    "events.jsonl", "history.db", "history.db-wal", "history.db-shm", "trace.csv",
    "state.bin",    NULL};

vg_status watch_run(char *folder, size_t n, const watch_options *o, char *const *argv,
                    const watch_listener *listener, int *exit_status, base_mem *mem, vg_error *err)
{
    watch_guard *g = NULL;
    int n_made = 0;
    *exit_status = 0;
    vg_status st =
        report_run_folder_make(folder, n, o->project, o->name, o->exist_ok, &n_made, err);
    /* Commands, paths, what jobs said: for their owner. One that was there keeps its permissions.
     */
    if (st == VG_OK && n_made > 0)
        chmod(folder, 0700);
    if (st == VG_OK)
        st = watch_guard_create(&g, o, argv, folder, mem, err);
    if (st == VG_OK)
        st = watch_guard_run(g, listener, exit_status, err);
    const bool has_begun = g != NULL && watch_guard_has_begun(g);
    watch_guard_destroy(&g);
    if (!has_begun)
        report_run_folder_take_back(folder, n_made, made_by_guard);
    return st;
}
