/* vault_copy.h: a file copied whole or not at all, and links put back. For this folder. */
#ifndef WATCH_VAULT_COPY_H
#define WATCH_VAULT_COPY_H

#include "watch/sample/witness.h"

/* A regular file, as it was seen: whoever copies it makes sure that it still is that. */
typedef struct vault_version {
    watch_file_id id;
    int64_t size, mtime_ns, ctime_ns;
} vault_version;

bool vault_version_of(vault_version *out, int at, const char *path, int flags);
bool vault_version_same(const vault_version *a, const vault_version *b);

typedef enum vault_copied { VAULT_COPIED, VAULT_CHANGED, VAULT_NO_ROOM, VAULT_FAILED } vault_copied;

/* Copies source to target, which appears complete or not at all, with source's permissions: sharing
 * its blocks where the file system can, holes staying holes, with room for as much again left on
 * the disk. `is` is what source must be, before and after (NULL: whatever it is); is_new: a target
 * that exists is left alone (VAULT_FAILED), else it is replaced. */
vault_copied vault_copy_file(const char *target, const char *source, const vault_version *is,
                             bool is_new);

/* Makes link a symbolic link to target, if there is none, or another one, but no file. */
void vault_relink(const char *link, const char *target);

#endif
