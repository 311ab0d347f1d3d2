/* vault_index.h: the list of copies as it stands in vault/index.tsv: a head with whose copies they
 * are, then a row a copy: its name in the vault, tab, the job's file, tab, the symbolic link that
 * led there (may be empty), tab, what the file was (device:inode:birth).
 *
 * Names may hold any byte: fields are base_field_escape's, so that a row is a row whatever it
 * holds. Pure functions over text. For this folder. */
#ifndef WATCH_VAULT_INDEX_H
#define WATCH_VAULT_INDEX_H

#include "watch/sample/witness.h"

enum {
    VAULT_PATH_BYTES = 2048,
    VAULT_NAME_BYTES = 160,
    VAULT_ROW_BYTES = 4 * (VAULT_NAME_BYTES + 2 * VAULT_PATH_BYTES) + 128
};

typedef struct vault_copy {
    char name[VAULT_NAME_BYTES]; /* in the vault: six digits, '-', a plain name */
    char of[VAULT_PATH_BYTES], link[VAULT_PATH_BYTES];
    watch_file_id id; /* of the file that was copied; zeros: not known */
} vault_copy;

/* The head, the row, with their line ends. False: it does not fit. */
bool vault_index_head(char *out, size_t n, uint64_t job);
bool vault_index_row(char out[VAULT_ROW_BYTES], const vault_copy *c);

/* Reads a whole index: *n of at most `room` copies; *job is 0 when no head tells. Rows that are
 * none, or that name what cannot be in a vault, are left out. text need not end with 0. */
void vault_index_read(vault_copy *copies, size_t *n, size_t room, uint64_t *job, const char *text,
                      size_t n_text);

/* The number that a copy's name begins with; -1: no name of a copy. */
int64_t vault_index_number(const char *name);
/* A copy's name: the number, and as much of the file's own as is plain. */
void vault_index_name(char out[VAULT_NAME_BYTES], int64_t number, const char *file_name);

#endif
