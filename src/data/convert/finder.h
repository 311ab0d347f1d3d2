/* finder.h: the pictures below a folder, by name. For this folder.
 *
 * Sources name pictures by paths of other machines. A path is never followed: what is looked for is
 * its last name among the pictures that are below the source's folder, and folders of the path only
 * choose between several. So no path leads out of the folder, whatever it says. */
#ifndef DATA_CONVERT_FINDER_H
#define DATA_CONVERT_FINDER_H

#include "base/base.h"

typedef struct finder {
    base_glob_found found;
    const char **paths; /* (n) by name, then by path */
    bool *used;         /* (n) */
    size_t n;
} finder;

/* Pictures of all kinds that are read, in folder and the folders in it. */
vg_status finder_open(finder *f, const char *folder, base_mem *mem, vg_error *err);
void finder_close(finder *f);

typedef enum finder_answer { FINDER_FOUND, FINDER_MISSING, FINDER_AMBIGUOUS } finder_answer;
/* name: with / or \; split: a word that a folder may have ("train"), or NULL. A name that nobody
 * has is looked for with another suffix. *out: its place in paths. */
finder_answer finder_find(const finder *f, size_t *out, const char *name, int split);

/* The split that the words of a path speak of, from its end on: vg_split, or -1. */
int finder_split(const char *path);

#endif
