/* vault_settle.c: what a restart goes on from: the newest of the job's files that is whole, or the
 * vault's copy in its place. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vault_own.h"
#include "whole.h"

/* The newest whole copy, of that file alone when `of` is given. */
static const vault_copy *find_copy(const watch_vault *v, const char *of, char kept[VAULT_PATH])
{
    const char *why;
    for (size_t i = v->n_copies; i-- > 0;)
        if ((of == NULL || strcmp(v->copies[i].of, of) == 0) &&
            base_path_join(kept, VAULT_PATH, v->folder, v->copies[i].name) &&
            watch_whole_check(kept, &why) != WATCH_WHOLE_NO)
            return &v->copies[i];
    return NULL;
}

/* A copy of the copy, so that the vault keeps its own. */
static bool put_back(watch_vault *v, const char *kept, const char *to, bool is_new)
{
    vault_version now;
    if (vault_copy_file(to, kept, NULL, is_new) != VAULT_COPIED)
        return false;
    if (v->witness != NULL && vault_version_of(&now, AT_FDCWD, to, AT_SYMLINK_NOFOLLOW))
        watch_witness_add(v->witness, &now.id);
    return true;
}

/* A copy that the restarted job may do with as it likes: FOLDER/resume holds one. */
static bool make_resume(const watch_vault *v, const vault_copy *c, const char *kept, char *path,
                        size_t n_path)
{
    char folder[VAULT_PATH], old[VAULT_PATH];
    if (!base_path_join(folder, sizeof folder, v->guard, "resume") ||
        (mkdir(folder, 0700) != 0 && errno != EEXIST))
        return false;
    DIR *dir = opendir(folder);
    for (struct dirent *e = NULL; dir != NULL && (e = readdir(dir)) != NULL;)
        if (vault_index_number(e->d_name) >= 0 &&
            base_path_join(old, sizeof old, folder, e->d_name))
            unlink(old);
    if (dir != NULL)
        closedir(dir);
    return base_path_join(path, n_path, folder, c->name) &&
           vault_copy_file(path, kept, NULL, false) == VAULT_COPIED;
}

typedef struct settling {
    char *path, *of;
    size_t n_path;
    char *said;
    size_t n_said;
} settling;

/* Goes on from the job's file `of`, as it is, or put right. is_ours: of what is there now, if
 * anything is; good_mtime_ns: of the version that is believed although it tells no length. */
static bool settle_one(watch_vault *v, const settling *s, const char *of, bool is_ours,
                       int64_t good_mtime_ns)
{
    vault_version now;
    struct stat info;
    char kept[VAULT_PATH];
    const char *why = "gone";
    const bool exists = lstat(of, &info) == 0,
               is_file = vault_version_of(&now, AT_FDCWD, of, AT_SYMLINK_NOFOLLOW);
    const watch_whole whole = is_file ? watch_whole_check(of, &why) : WATCH_WHOLE_NO;
    base_format(s->of, s->n_path, "%s", of);
    if (is_file && is_ours &&
        (whole == WATCH_WHOLE_YES ||
         (whole == WATCH_WHOLE_UNKNOWN && good_mtime_ns == now.mtime_ns)))
        return base_format(s->path, s->n_path, "%s", of);
    if (whole == WATCH_WHOLE_UNKNOWN)
        why = "it was being written";
    if (exists && !is_file)
        why = "no file any more";
    bool may_replace = !exists || (is_file && is_ours);
    if (is_file && !is_ours) {
        why = "another process wrote what is there now: it is left alone";
    } else if (exists && may_replace && watch_file_is_written(&now.id)) {
        why = "a process has it open for writing: it is left alone";
        may_replace = false;
    }
    const vault_copy *c = find_copy(v, of, kept);
    if (c != NULL && may_replace && put_back(v, kept, of, !exists)) {
        base_format(s->said, s->n_said, "%s was not whole (%s): the vault's %s is in its place", of,
                    why, c->name);
        if (c->link[0] != '\0')
            vault_relink(c->link, of);
        return base_format(s->path, s->n_path, "%s", of);
    }
    if (c != NULL && make_resume(v, c, kept, s->path, s->n_path)) {
        base_format(s->said, s->n_said, "%s (%s): going on from a copy of the vault's %s", of, why,
                    c->name);
        return true;
    }
    base_format(s->said, s->n_said, "%s is not whole (%s)", of, why);
    return false;
}

/* By when the job wrote it last. */
static int64_t age_of(const vault_file *f)
{
    return f->is_ours ? f->is.mtime_ns : f->good_mtime_ns;
}

/* The newest of the job's files that is not refused yet; VAULT_MOST_FILES: none. */
static size_t newest_file(watch_vault *v, const bool *refused)
{
    size_t best = VAULT_MOST_FILES;
    for (size_t i = 0; i < v->n_files; i++) {
        const vault_file *f = &v->files[i];
        const bool is_known = f->good_mtime_ns != 0 || (f->is_ours && base_path_exists(f->path));
        if (refused[i] || !is_known || (vault_is_best(f->path) && vault_has_others(v)))
            continue;
        if (best == VAULT_MOST_FILES || age_of(f) > age_of(&v->files[best]))
            best = i;
    }
    return best;
}

/* Links that led to what was refused lead to what is gone on from. */
static void settle_links(watch_vault *v, const bool *refused, const char *path)
{
    for (size_t i = 0; i < v->n_files; i++)
        if (refused[i] && v->files[i].link[0] != '\0' && v->files[i].is_ours)
            vault_relink(v->files[i].link, path);
}

bool watch_vault_settle(watch_vault *v, char *path, char *of, size_t n_path, char *said,
                        size_t n_said)
{
    bool refused[VAULT_MOST_FILES] = {0};
    char kept[VAULT_PATH];
    vault_version now;
    const settling s = {.path = path, .of = of, .n_path = n_path, .said = said, .n_said = n_said};
    said[0] = path[0] = of[0] = '\0';
    vault_find(v); /* what came since the last look */
    for (size_t i = 0; i < v->n_files; i++)
        vault_see_again(v, &v->files[i], v->now_s);
    for (size_t i; (i = newest_file(v, refused)) < VAULT_MOST_FILES; refused[i] = true) {
        const vault_file *f = &v->files[i];
        if (settle_one(v, &s, f->path, f->is_ours, f->good_mtime_ns)) {
            if (strcmp(path, f->path) == 0)
                settle_links(v, refused, path);
            return true;
        }
    }
    path[0] = of[0] = '\0';
    /* No file of this job's, but copies of an earlier guard's. */
    const vault_copy *c = find_copy(v, NULL, kept);
    if (c == NULL) {
        if (v->given[0] != '\0' && !base_path_exists(v->given))
            base_format(said, n_said, "--checkpoints %s: there is no such file or folder",
                        v->given);
        return false;
    }
    const bool is_named = strcmp(c->of, v->given) == 0 || vault_is_below(c->of, v->given) ||
                          vault_is_below(c->of, v->run);
    const bool is_ours = vault_version_of(&now, AT_FDCWD, c->of, AT_SYMLINK_NOFOLLOW) &&
                         (is_named || vault_has_evidence(v, c->of, &now.id));
    said[0] = '\0';
    return settle_one(v, &s, c->of, is_ours, 0);
}
