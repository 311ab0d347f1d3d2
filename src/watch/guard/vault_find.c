/* vault_find.c: which files look like checkpoints, and which of them are the job's. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "vault_own.h"

enum { MOST_ENTRIES = 4096, MOST_DEPTH = 4 };

static int64_t wall_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool is_checkpoint_name(const char *name)
{
    static const char *const suffixes[] = {".pt",    ".pth", ".ckpt", ".safetensors", ".npz",
                                           ".keras", ".h5",  ".pkl",  ".msgpack"};
    if (name[0] == '.' || strstr(name, ".tmp") != NULL)
        return false;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (base_equal_nocase(base_path_suffix(name), suffixes[i]))
            return true;
    return false;
}

bool vault_is_best(const char *path)
{
    return base_starts_with(base_path_name(path), "best");
}

bool vault_is_below(const char *path, const char *folder)
{
    const size_t n = strlen(folder);
    return n > 0 && strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

bool vault_resolve(char out[VAULT_PATH], const char *path)
{
    char full[4096]; /* PATH_MAX, as realpath(3) has it */
    return realpath(path, full) != NULL && base_format(out, VAULT_PATH, "%s", full);
}

/* ---- whose a file is ---- */

/* What was copied was the job's, also when an earlier guard saw it. */
static bool was_copied(const watch_vault *v, const char *path, const watch_file_id *id)
{
    for (size_t i = 0; i < v->n_copies; i++)
        if (strcmp(v->copies[i].of, path) == 0 && watch_file_id_same(&v->copies[i].id, id))
            return true;
    return false;
}

bool vault_has_evidence(const watch_vault *v, const char *path, const watch_file_id *id)
{
    return was_copied(v, path, id) ||
           (v->witness != NULL &&
            (watch_witness_saw(v->witness, id) || watch_witness_owns(v->witness, path)));
}

/* Nobody was seen to write it: reported once, when it has been so for a while. */
static void note_strange(watch_vault *v, const char *path, const vault_version *is)
{
    vault_strange *s = &v->strange;
    if (s->was_reported || v->witness == NULL || is->mtime_ns < v->began_ns ||
        watch_witness_saw_other(v->witness, &is->id) || vault_is_best(path))
        return;
    if (v->strange_path[0] == '\0') {
        s->since_s = v->now_s;
        base_format(v->strange_path, sizeof v->strange_path, "%s", path);
    }
    if (strcmp(v->strange_path, path) == 0)
        s->id = is->id;
}

/* ---- finding ---- */

static void forget_one(watch_vault *v, const vault_version *is, size_t *at)
{
    *at = 0;
    for (size_t i = 1; i < VAULT_MOST_FILES; i++)
        *at = v->files[i].is.mtime_ns < v->files[*at].is.mtime_ns ? i : *at;
    if (v->files[*at].is.mtime_ns >= is->mtime_ns)
        *at = VAULT_MOST_FILES; /* the newcomer rested longer than all of them */
}

/* A link leads to one file. */
static void move_link(watch_vault *v, const char link[VAULT_PATH], size_t to)
{
    if (link[0] == '\0')
        return;
    for (size_t i = 0; i < v->n_files; i++)
        if (i != to && strcmp(v->files[i].link, link) == 0)
            v->files[i].link[0] = '\0';
    memcpy(v->files[to].link, link, VAULT_PATH);
}

static void add_file(watch_vault *v, const char *name, bool is_named)
{
    char path[VAULT_PATH], link[VAULT_PATH] = "";
    struct stat info;
    vault_version is;
    if (lstat(name, &info) != 0 || !base_format(path, sizeof path, "%s", name))
        return;
    if (S_ISLNK(info.st_mode)) {
        if (!vault_resolve(path, name) || !base_format(link, sizeof link, "%s", name))
            return; /* a link to nowhere, or to itself */
        /* What lies elsewhere was not named by naming the folder of the link. */
        is_named = is_named && (strcmp(name, v->given) == 0 || vault_is_below(path, v->given) ||
                                vault_is_below(path, v->run));
    }
    if (!vault_version_of(&is, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW))
        return; /* no regular file */
    size_t at = v->n_files;
    for (size_t i = 0; i < v->n_files; i++)
        if (strcmp(v->files[i].path, path) == 0 || watch_file_id_same(&v->files[i].is.id, &is.id)) {
            move_link(v, link, i);
            v->files[i].is_named |= is_named;
            if (strcmp(v->files[i].path, path) == 0 || base_path_exists(v->files[i].path))
                return;
            at = i; /* it was renamed */
        }
    if (!is_named && !vault_has_evidence(v, path, &is.id)) {
        note_strange(v, path, &is);
        return;
    }
    if (v->given[0] == '\0' && is.mtime_ns < v->began_ns && !was_copied(v, path, &is.id))
        return;
    if (at == VAULT_MOST_FILES)
        forget_one(v, &is, &at);
    if (at == VAULT_MOST_FILES)
        return;
    v->n_files += at == v->n_files;
    v->files[at] =
        (vault_file){.state = VAULT_FILE_CHANGED, .changed_s = INFINITY, .is_named = is_named};
    memcpy(v->files[at].path, path, sizeof path);
    move_link(v, link, at);
}

/* depth < 0: this folder alone. */
static void search(watch_vault *v, const char *folder, int depth, bool is_named, int *left)
{
    DIR *dir = opendir(folder);
    char path[VAULT_PATH];
    if (dir == NULL)
        return;
    for (struct dirent *e; --*left >= 0 && (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.' || !base_path_join(path, sizeof path, folder, e->d_name))
            continue;
        if ((e->d_type == DT_DIR || e->d_type == DT_UNKNOWN) && depth > 0 &&
            strcmp(path, v->guard) != 0)
            search(v, path, depth - 1, is_named, left);
        if (e->d_type != DT_DIR && is_checkpoint_name(e->d_name))
            add_file(v, path, is_named);
    }
    closedir(dir);
}

/* Folders that the command names: project=/data/runs, --output out. */
static void watch_words(watch_vault *v, const char *cwd)
{
    char path[VAULT_PATH], full[VAULT_PATH];
    for (char *const *a = v->argv; a != NULL && *a != NULL; a++) {
        const char *equal = strchr(*a, '='), *word = equal != NULL ? equal + 1 : *a;
        const bool fits = word[0] == '/' ? base_format(path, sizeof path, "%s", word)
                                         : base_path_join(path, sizeof path, cwd, word);
        if (word[0] != '\0' && fits && base_path_is_dir(path) && vault_resolve(full, path) &&
            strcmp(full, "/") != 0)
            watch_witness_watch(v->witness, full, strcmp(full, cwd) == 0 ? 0 : MOST_DEPTH);
    }
}

void vault_watch_folders(watch_vault *v, pid_t pid, const char *found)
{
    static const char *const usual[] = {"runs",    "checkpoints", "weights",
                                        "outputs", "output",      "lightning_logs",
                                        "models",  "results",     "logs"};
    char cwd[VAULT_PATH], link[VAULT_PATH], path[VAULT_PATH];
    if (found[0] != '\0' && vault_resolve(path, found))
        watch_witness_watch(v->witness, path, MOST_DEPTH);
    base_format(link, sizeof link, "/proc/%d/cwd", (int)pid);
    const ssize_t n = pid > 0 ? readlink(link, cwd, sizeof cwd - 1) : -1;
    if (n <= 0)
        return;
    cwd[n] = '\0';
    watch_witness_watch(v->witness, cwd, 0);
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (base_path_join(link, sizeof link, cwd, usual[i]) && base_path_is_dir(link) &&
            vault_resolve(path, link))
            watch_witness_watch(v->witness, path, MOST_DEPTH);
    watch_words(v, cwd);
    watch_witness_watch_near(v->witness, cwd);
}

void vault_find(watch_vault *v)
{
    char path[VAULT_PATH];
    int left = MOST_ENTRIES;
    if (v->given[0] != '\0') {
        if (!base_path_is_dir(v->given))
            add_file(v, v->given, true);
        else if (vault_resolve(path, v->given)) {
            memcpy(v->given, path, sizeof path);
            search(v, path, MOST_DEPTH, true, &left);
        }
        return;
    }
    if (v->run[0] != '\0') {
        if (vault_resolve(path, v->run))
            search(v, path, MOST_DEPTH, true, &left);
        return;
    }
    const char *folder;
    for (size_t i = 0; v->witness != NULL && (folder = watch_witness_folder(v->witness, i)) != NULL;
         i++)
        search(v, folder, -1, false, &left);
}

/* ---- what became of one ---- */

bool vault_has_others(const watch_vault *v)
{
    for (size_t i = 0; i < v->n_files; i++)
        if (v->files[i].state == VAULT_FILE_GOOD && !vault_is_best(v->files[i].path))
            return true;
    return false;
}

bool vault_see_again(const watch_vault *v, vault_file *f, double now_s)
{
    vault_version now;
    if (!vault_version_of(&now, AT_FDCWD, f->path, AT_SYMLINK_NOFOLLOW))
        return false; /* between two versions, or gone */
    const bool is_same = f->is.id.inode != 0 && vault_version_same(&now, &f->is);
    const bool was_ours = f->is_ours && watch_file_id_same(&now.id, &f->is.id);
    if (!is_same) {
        /* One that is met for the first time may have rested for long. */
        const double rested_s = (double)(wall_ns() - now.mtime_ns) * 1e-9;
        f->changed_s = f->is.id.inode == 0 ? now_s - fmin(fmax(rested_s, 0), 60) : now_s;
        f->state = VAULT_FILE_CHANGED;
    }
    f->is = now;
    f->is_ours = f->is_named || was_ours || vault_has_evidence(v, f->path, &now.id);
    return true;
}
