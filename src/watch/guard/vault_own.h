/* vault_own.h: the inside of a vault. vault.c: copies, their list, and the look at each sample;
 * vault_find.c: which files there are, and whose; vault_settle.c: what a restart goes on from. For
 * this folder. */
#ifndef WATCH_VAULT_OWN_H
#define WATCH_VAULT_OWN_H

#include "vault.h"
#include "vault_copy.h"
#include "vault_index.h"

enum { VAULT_PATH = WATCH_VAULT_PATH_BYTES, VAULT_MOST_FILES = 32, VAULT_MOST_COPIES = 100 };

typedef enum vault_file_state {
    VAULT_FILE_CHANGED,
    VAULT_FILE_GOOD,
    VAULT_FILE_TORN
} vault_file_state;

typedef struct vault_file {
    char path[VAULT_PATH]; /* without symbolic links */
    char link[VAULT_PATH]; /* the symbolic link that led there; "" */
    vault_version is;
    double changed_s; /* when it was last seen to be another */
    vault_file_state state;
    bool is_named, is_ours; /* by the user; of this version there is evidence */
    int64_t good_mtime_ns;  /* of the version that was good */
} vault_file;

/* A file that looks like a checkpoint, and that nobody was seen to write. */
typedef struct vault_strange {
    watch_file_id id;
    double since_s;
    bool was_reported;
} vault_strange;

struct watch_vault {
    char folder[VAULT_PATH], given[VAULT_PATH], run[VAULT_PATH], guard[VAULT_PATH];
    int keep;
    double interval_s;
    uint64_t job;
    char *const *argv;
    watch_witness *witness;
    int64_t began_ns; /* wall clock: what is older was not written by this job */
    double found_s, listed_s, now_s;
    vault_file files[VAULT_MOST_FILES];
    size_t n_files;
    vault_copy copies[VAULT_MOST_COPIES]; /* oldest first */
    size_t n_copies;
    int64_t n_ever;
    double good_s, gaps_s[4];
    size_t n_gaps;
    char newest[VAULT_PATH];
    int64_t newest_mtime_ns;
    bool space_reported, torn_reported;
    vault_strange strange;
    char strange_path[VAULT_PATH];
    char row[VAULT_ROW_BYTES];
};

/* ---- vault_find.c ---- */

/* Of the best epoch, not the newest: kept only when there is no other. */
bool vault_is_best(const char *path);
bool vault_is_below(const char *path, const char *folder);
/* Without symbolic links. False: it does not exist, or is too long. */
bool vault_resolve(char out[VAULT_PATH], const char *path);
/* The job was seen to write it, by this guard or an earlier one. */
bool vault_has_evidence(const watch_vault *v, const char *path, const watch_file_id *id);
/* There is a good one beside those of the best epoch. */
bool vault_has_others(const watch_vault *v);
/* Where the job may write: watched, so that it can be seen to. found: of its progress, or "". */
void vault_watch_folders(watch_vault *v, pid_t pid, const char *found);
/* Notes the files that came. */
void vault_find(watch_vault *v);
/* What is at its path now, and whose. False: nothing that is a file. */
bool vault_see_again(const watch_vault *v, vault_file *f, double now_s);

#endif
