/* checkpoint.c: which file: a new one put in its place, the newest whole one found again. The order
 * of steps, and why a crash between any two of them is harmless, is in checkpoint_format.c. */
#include "checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint_format.h"

enum { PATH_BYTES = 4096 };

struct train_checkpoint {
    weights_file *file;
    char path[PATH_BYTES];
    bool fell_back;
    vg_error why;
    checkpoint_values values;
    train_args args;
};

/* The three places of a checkpoint, the newest first. */
typedef struct places {
    char fresh[PATH_BYTES], current[PATH_BYTES], previous[PATH_BYTES];
} places;

static vg_status make_places(places *p, const char *path, vg_error *err)
{
    const size_t n_suffix = strlen(base_path_suffix(path)), n_stem = strlen(path) - n_suffix;
    if (base_format(p->current, sizeof p->current, "%s", path) &&
        base_format(p->fresh, sizeof p->fresh, "%s.new", path) &&
        base_format(p->previous, sizeof p->previous, "%.*s.1%s", (int)n_stem, path, path + n_stem))
        return VG_OK;
    return base_fail(err, VG_ERR_LIMIT, path, "use a shorter path",
                     "a path of %zu bytes, too long for a checkpoint", strlen(path));
}

/* ---- saving ---- */

static vg_status fail_moving(const char *path, const char *what, vg_error *err)
{
    return base_fail_errno(err, VG_ERR_IO, path,
                           "check the folder's permissions; the checkpoint before is intact", "%s",
                           what);
}

/* current stays where it is and is previous, too; where the file system knows no second names it
 * moves. */
static vg_status keep_previous(const places *p, vg_error *err)
{
    char link_path[PATH_BYTES];
    if (!base_path_exists(p->current))
        return VG_OK;
    if (base_format(link_path, sizeof link_path, "%s.link", p->previous)) {
        unlink(link_path);
        if (link(p->current, link_path) == 0) {
            if (rename(link_path, p->previous) != 0) {
                const vg_status st =
                    fail_moving(p->previous, "cannot keep the previous checkpoint", err);
                unlink(link_path);
                return st;
            }
            unlink(link_path); /* rename leaves it when both already were the same file */
            return VG_OK;
        }
    }
    if (rename(p->current, p->previous) != 0)
        return fail_moving(p->previous, "cannot keep the previous checkpoint", err);
    return VG_OK;
}

/* Best effort: the renames are done, and either order of what a power cut leaves is a good one. */
static void sync_folder_of(const char *path)
{
    char folder[PATH_BYTES] = ".";
    const char *name = base_path_name(path);
    if (name != path)
        base_format(folder, sizeof folder, "%.*s", (int)(name - path), path);
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

vg_status train_checkpoint_save(const train_state *s, const train_args *args,
                                const train_facts *facts, const char *path, base_mem *mem,
                                vg_error *err)
{
    places p;
    vg_status st = make_places(&p, path, err);
    if (st != VG_OK)
        return st;
    st = checkpoint_write(s, args, facts, p.fresh, mem, err);
    if (st != VG_OK)
        return st;
    st = keep_previous(&p, err);
    if (st != VG_OK)
        return st;
    if (rename(p.fresh, p.current) != 0)
        return fail_moving(p.current, "cannot put the new checkpoint in its place", err);
    sync_folder_of(p.current);
    return VG_OK;
}

/* ---- opening ---- */

static vg_status open_one(train_checkpoint *c, const char *path, base_mem *mem, vg_error *err)
{
    vg_status st = weights_open(&c->file, path, mem, err);
    if (st != VG_OK)
        return st;
    st = checkpoint_verify(&c->values, &c->args, c->file, path, mem, err);
    if (st != VG_OK)
        weights_close(&c->file);
    else
        weights_forget_pages(c->file); /* the checksum has touched them all */
    return st;
}

/* Answers that an older file would not change for the better. */
static bool is_final(vg_status st)
{
    return st == VG_OK || st == VG_ERR_MEMORY || st == VG_ERR_ARGUMENT;
}

static vg_status open_newest(train_checkpoint *c, const places *p, base_mem *mem, vg_error *err)
{
    vg_error older_err = {0};
    const char *paths[] = {p->fresh, p->current, p->previous};
    vg_status first = VG_OK; /* the answer about the newest that failed */
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (!base_path_exists(paths[i]) && (i != 1 || first != VG_OK))
            continue;
        const vg_status st = open_one(c, paths[i], mem, first == VG_OK ? &c->why : &older_err);
        if (st == VG_OK) {
            c->fell_back = first != VG_OK;
            base_format(c->path, sizeof c->path, "%s", paths[i]);
            return VG_OK;
        }
        if (first == VG_OK || is_final(st)) {
            if (first != VG_OK)
                c->why = older_err;
            first = st;
        }
        if (is_final(st))
            break;
    }
    if (err != NULL)
        *err = c->why;
    return first;
}

vg_status train_checkpoint_open(train_checkpoint **out, const char *path, base_mem *mem,
                                vg_error *err)
{
    *out = NULL;
    places p;
    vg_status st = make_places(&p, path, err);
    if (st != VG_OK)
        return st;
    train_checkpoint *c = base_alloc_zero(mem, 1, sizeof *c, err);
    if (c == NULL)
        return VG_ERR_MEMORY;
    st = open_newest(c, &p, mem, err);
    if (st != VG_OK) {
        train_checkpoint_close(&c);
        return st;
    }
    *out = c;
    return VG_OK;
}

void train_checkpoint_close(train_checkpoint **c)
{
    if (*c == NULL)
        return;
    weights_close(&(*c)->file);
    base_free(*c);
    *c = NULL;
}

const char *train_checkpoint_path(const train_checkpoint *c)
{
    return c->path;
}

bool train_checkpoint_fell_back(const train_checkpoint *c, const vg_error **why)
{
    *why = &c->why;
    return c->fell_back;
}

const train_args *train_checkpoint_args(const train_checkpoint *c)
{
    return &c->args;
}

const train_position *train_checkpoint_position(const train_checkpoint *c)
{
    return &c->values.position;
}

train_optimizer_kind train_checkpoint_optimizer(const train_checkpoint *c)
{
    return c->values.optimizer;
}

const weights_file *train_checkpoint_weights(const train_checkpoint *c)
{
    return c->file;
}

vg_status train_checkpoint_read(const train_checkpoint *c, train_state *s, vg_error *err)
{
    return checkpoint_apply(s, &c->values, c->file, c->path, err);
}

/* ---- sweeping ---- */

/* "<stem>.tmp-<pid>-<n>" of a process that is gone (or of this one, which has none open now). */
static bool is_left_behind(const char *name, const char *stem)
{
    const size_t n = strlen(stem);
    long pid;
    int number, end = 0;
    if (strncmp(name, stem, n) != 0 ||
        sscanf(name + n, ".tmp-%ld-%d%n", &pid, &number, &end) != 2 ||
        name[n + (size_t)end] != '\0' || pid <= 0)
        return false;
    return pid == (long)getpid() || (kill((pid_t)pid, 0) != 0 && errno == ESRCH);
}

void train_checkpoint_sweep(const char *path)
{
    const char *name = base_path_name(path);
    char folder[PATH_BYTES] = ".", fresh[PATH_BYTES], victim[PATH_BYTES];
    if (name != path && !base_format(folder, sizeof folder, "%.*s", (int)(name - path), path))
        return;
    DIR *dir = opendir(folder);
    if (dir == NULL || !base_format(fresh, sizeof fresh, "%s.new", name)) {
        if (dir != NULL)
            closedir(dir);
        return;
    }
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        if ((is_left_behind(entry->d_name, name) || is_left_behind(entry->d_name, fresh)) &&
            base_path_join(victim, sizeof victim, folder, entry->d_name))
            unlink(victim);
    closedir(dir);
}
