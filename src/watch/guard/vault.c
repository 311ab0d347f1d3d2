/* vault.c: a short table of the job's checkpoints, and copies of the good ones. */
#include "vault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "vault_copy.h"
#include "vault_index.h"
#include "whole.h"

enum {
    PATH = WATCH_VAULT_PATH_BYTES,
    MOST_FILES = 32,
    MOST_COPIES = 100,
    MOST_ENTRIES = 4096,
    MOST_DEPTH = 4,
    MOST_ASIDE = 1000
};

static const double QUIET_S = 0.5; /* unchanged for so long: its structure is read */
static const double FIND_S = 10;   /* pace of searching, when nothing was given */
static const double GIVEN_S = 1;   /* of listing a folder that was, and those that are watched */
static const double LEAST_GAP_S = 0.5; /* last.pt and epoch3.pt of one moment are one checkpoint */
static const double STRANGE_S = 5;     /* nobody's for so long: it is told */

typedef enum file_state { CHANGED, GOOD, TORN } file_state;

typedef struct file {
    char path[PATH]; /* without symbolic links */
    char link[PATH]; /* the symbolic link that led there; "" */
    vault_version is;
    double changed_s; /* when it was last seen to be another */
    file_state state;
    bool is_named, is_ours; /* by the user; of this version there is evidence */
    int64_t good_mtime_ns;  /* of the version that was good */
} file;

/* A file that looks like a checkpoint, and that nobody was seen to write. */
typedef struct strange {
    watch_file_id id;
    double since_s;
    bool was_told;
} strange;

struct watch_vault {
    char folder[PATH], given[PATH], run[PATH], guard[PATH];
    int keep;
    double interval_s;
    uint64_t job;
    char *const *argv;
    watch_witness *witness;
    int64_t began_ns; /* wall clock: what is older was not written by this job */
    double found_s, listed_s, now_s;
    file files[MOST_FILES];
    size_t n_files;
    vault_copy copies[MOST_COPIES]; /* oldest first */
    size_t n_copies;
    int64_t n_ever;
    double good_s, gaps_s[4];
    size_t n_gaps;
    char newest[PATH];
    int64_t newest_mtime_ns;
    bool space_told, torn_told;
    strange strange;
    char strange_path[PATH];
    char row[VAULT_ROW_BYTES];
};

static int64_t wall_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* As the kernel stamps files: never later than a file that is written from now on. */
static int64_t coarse_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME_COARSE, &t);
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

static bool is_best(const char *path)
{
    return base_starts_with(base_path_name(path), "best");
}

static bool is_below(const char *path, const char *folder)
{
    const size_t n = strlen(folder);
    return n > 0 && strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* ---- the list of copies ---- */

static void write_index(watch_vault *v)
{
    base_file out = BASE_FILE_NONE;
    char path[PATH];
    vg_error ignored;
    vg_status st = base_path_join(path, sizeof path, v->folder, "index.tsv")
                       ? base_file_create_beside(&out, path, &ignored)
                       : VG_ERR_LIMIT;
    if (st == VG_OK && vault_index_head(v->row, sizeof v->row, v->job))
        st = base_file_write(&out, v->row, strlen(v->row), &ignored);
    for (size_t i = 0; st == VG_OK && i < v->n_copies; i++)
        if (vault_index_row(v->row, &v->copies[i]))
            st = base_file_write(&out, v->row, strlen(v->row), &ignored);
    if (st == VG_OK)
        base_file_commit(&out, path, &ignored);
    base_file_discard(&out);
}

/* What a guard that was killed left half done, and numbers that the list does not know. */
static void tidy(watch_vault *v)
{
    char path[PATH];
    DIR *dir = opendir(v->folder);
    for (struct dirent *e = NULL; dir != NULL && (e = readdir(dir)) != NULL;) {
        const int64_t number = vault_index_number(e->d_name);
        if (number >= v->n_ever)
            v->n_ever = number + 1;
        if ((number >= 0 || base_starts_with(e->d_name, "index.tsv")) &&
            strstr(e->d_name, ".tmp-") != NULL &&
            base_path_join(path, sizeof path, v->folder, e->d_name))
            unlink(path);
    }
    if (dir != NULL)
        closedir(dir);
}

/* The copies of another job stay where people find them, and are nobody's from now on. */
static void put_aside(watch_vault *v)
{
    char to[PATH];
    for (int i = 1; i < MOST_ASIDE; i++)
        if (base_format(to, sizeof to, "%s-of-another-job-%d", v->folder, i) &&
            !base_path_exists(to)) {
            if (rename(v->folder, to) != 0)
                break;
            return;
        }
}

static void read_index(watch_vault *v)
{
    char path[PATH];
    base_map map;
    uint64_t job;
    if (!base_path_join(path, sizeof path, v->folder, "index.tsv") ||
        base_map_open(&map, path, NULL) != VG_OK)
        return;
    vault_index_read(v->copies, &v->n_copies, MOST_COPIES, &job, (const char *)map.bytes,
                     map.n_bytes);
    base_map_close(&map);
    if (v->job != 0 && job != 0 && job != v->job) {
        v->n_copies = 0;
        put_aside(v);
    }
    for (size_t i = 0; i < v->n_copies; i++) {
        const int64_t number = vault_index_number(v->copies[i].name);
        v->n_ever = number >= v->n_ever ? number + 1 : v->n_ever;
    }
}

/* ---- create ---- */

static bool absolute(char out[PATH], const char *path)
{
    char cwd[PATH];
    if (path[0] == '/' || path[0] == '\0')
        return base_format(out, PATH, "%s", path);
    return getcwd(cwd, sizeof cwd) != NULL && base_path_join(out, PATH, cwd, path);
}

/* Without symbolic links, as far as it exists. */
static bool resolved(char out[PATH], const char *path)
{
    char full[4096]; /* PATH_MAX, as realpath(3) has it */
    return realpath(path, full) != NULL && base_format(out, PATH, "%s", full);
}

vg_status watch_vault_create(watch_vault **out, const watch_vault_options *o, base_mem *mem,
                             vg_error *err)
{
    watch_vault *v = base_alloc_zero(mem, 1, sizeof *v, err);
    *out = v;
    if (v == NULL)
        return VG_ERR_MEMORY;
    v->keep = o->keep < MOST_COPIES ? o->keep : MOST_COPIES;
    v->interval_s = o->interval_s;
    v->job = o->job;
    v->argv = o->argv;
    v->witness = o->witness;
    v->began_ns = coarse_ns();
    v->found_s = v->listed_s = v->good_s = -INFINITY;
    if (!absolute(v->given, o->given) || !absolute(v->run, o->run) ||
        !(resolved(v->guard, o->folder) || absolute(v->guard, o->folder)) ||
        !base_path_join(v->folder, sizeof v->folder, v->guard, "vault")) {
        base_free(v);
        *out = NULL;
        return base_fail(err, VG_ERR_LIMIT, o->folder, "use shorter paths", "a path too long");
    }
    read_index(v);
    tidy(v);
    return VG_OK;
}

void watch_vault_destroy(watch_vault **v)
{
    base_free(*v);
    *v = NULL;
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

static bool has_evidence(const watch_vault *v, const char *path, const watch_file_id *id)
{
    return was_copied(v, path, id) ||
           (v->witness != NULL &&
            (watch_witness_saw(v->witness, id) || watch_witness_owns(v->witness, path)));
}

/* Nobody was seen to write it: told once, when it has been so for a while. */
static void note_strange(watch_vault *v, const char *path, const vault_version *is)
{
    strange *s = &v->strange;
    if (s->was_told || v->witness == NULL || is->mtime_ns < v->began_ns ||
        watch_witness_saw_other(v->witness, &is->id) || is_best(path))
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
    for (size_t i = 1; i < MOST_FILES; i++)
        *at = v->files[i].is.mtime_ns < v->files[*at].is.mtime_ns ? i : *at;
    if (v->files[*at].is.mtime_ns >= is->mtime_ns)
        *at = MOST_FILES; /* the newcomer rested longer than all of them */
}

/* A link leads to one file. */
static void move_link(watch_vault *v, const char link[PATH], size_t to)
{
    if (link[0] == '\0')
        return;
    for (size_t i = 0; i < v->n_files; i++)
        if (i != to && strcmp(v->files[i].link, link) == 0)
            v->files[i].link[0] = '\0';
    memcpy(v->files[to].link, link, PATH);
}

static void add_file(watch_vault *v, const char *name, bool is_named)
{
    char path[PATH], link[PATH] = "";
    struct stat info;
    vault_version is;
    if (lstat(name, &info) != 0 || !base_format(path, sizeof path, "%s", name))
        return;
    if (S_ISLNK(info.st_mode)) {
        if (!resolved(path, name) || !base_format(link, sizeof link, "%s", name))
            return; /* a link to nowhere, or to itself */
        /* What lies elsewhere was not named by naming the folder of the link. */
        is_named = is_named && (strcmp(name, v->given) == 0 || is_below(path, v->given) ||
                                is_below(path, v->run));
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
    if (!is_named && !has_evidence(v, path, &is.id)) {
        note_strange(v, path, &is);
        return;
    }
    if (v->given[0] == '\0' && is.mtime_ns < v->began_ns && !was_copied(v, path, &is.id))
        return;
    if (at == MOST_FILES)
        forget_one(v, &is, &at);
    if (at == MOST_FILES)
        return;
    v->n_files += at == v->n_files;
    v->files[at] = (file){.state = CHANGED, .changed_s = INFINITY, .is_named = is_named};
    memcpy(v->files[at].path, path, sizeof path);
    move_link(v, link, at);
}

/* depth < 0: this folder alone. */
static void search(watch_vault *v, const char *folder, int depth, bool is_named, int *left)
{
    DIR *dir = opendir(folder);
    char path[PATH];
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
    char path[PATH], full[PATH];
    for (char *const *a = v->argv; a != NULL && *a != NULL; a++) {
        const char *equal = strchr(*a, '='), *word = equal != NULL ? equal + 1 : *a;
        const bool fits = word[0] == '/' ? base_format(path, sizeof path, "%s", word)
                                         : base_path_join(path, sizeof path, cwd, word);
        if (word[0] != '\0' && fits && base_path_is_dir(path) && resolved(full, path) &&
            strcmp(full, "/") != 0)
            watch_witness_watch(v->witness, full, strcmp(full, cwd) == 0 ? 0 : MOST_DEPTH);
    }
}

/* Where the job may write: watched, so that it can be seen to. */
static void watch_folders(watch_vault *v, pid_t pid, const char *found)
{
    static const char *const usual[] = {"runs",    "checkpoints", "weights",
                                        "outputs", "output",      "lightning_logs",
                                        "models",  "results",     "logs"};
    char cwd[PATH], link[PATH], path[PATH];
    if (found[0] != '\0' && resolved(path, found))
        watch_witness_watch(v->witness, path, MOST_DEPTH);
    base_format(link, sizeof link, "/proc/%d/cwd", (int)pid);
    const ssize_t n = pid > 0 ? readlink(link, cwd, sizeof cwd - 1) : -1;
    if (n <= 0)
        return;
    cwd[n] = '\0';
    watch_witness_watch(v->witness, cwd, 0);
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (base_path_join(link, sizeof link, cwd, usual[i]) && base_path_is_dir(link) &&
            resolved(path, link))
            watch_witness_watch(v->witness, path, MOST_DEPTH);
    watch_words(v, cwd);
}

static void find(watch_vault *v)
{
    char path[PATH];
    int left = MOST_ENTRIES;
    if (v->given[0] != '\0') {
        if (!base_path_is_dir(v->given))
            add_file(v, v->given, true);
        else if (resolved(path, v->given)) {
            memcpy(v->given, path, sizeof path);
            search(v, path, MOST_DEPTH, true, &left);
        }
        return;
    }
    if (v->run[0] != '\0') {
        if (resolved(path, v->run))
            search(v, path, MOST_DEPTH, true, &left);
        return;
    }
    const char *folder;
    for (size_t i = 0; v->witness != NULL && (folder = watch_witness_folder(v->witness, i)) != NULL;
         i++)
        search(v, folder, -1, false, &left);
}

/* ---- keeping ---- */

static vault_copied keep_one(watch_vault *v, const file *f, const char *target)
{
    vg_error ignored;
    if (mkdir(v->folder, 0700) != 0 && errno != EEXIST &&
        base_make_dirs(v->folder, &ignored) != VG_OK)
        return VAULT_FAILED;
    return vault_copy_file(target, f->path, &f->is, false);
}

static void drop_oldest(watch_vault *v)
{
    char path[PATH];
    if (base_path_join(path, sizeof path, v->folder, v->copies[0].name))
        unlink(path);
    memmove(v->copies, v->copies + 1, --v->n_copies * sizeof *v->copies);
}

static vault_copied keep(watch_vault *v, const file *f)
{
    vault_copy c = {.id = f->is.id};
    char target[PATH];
    if (v->keep == 0)
        return VAULT_COPIED;
    vault_index_name(c.name, v->n_ever, base_path_name(f->path));
    memcpy(c.of, f->path, sizeof c.of);
    memcpy(c.link, f->link, sizeof c.link);
    if (!base_path_join(target, sizeof target, v->folder, c.name))
        return VAULT_FAILED;
    const vault_copied how = keep_one(v, f, target);
    if (how != VAULT_COPIED)
        return how;
    while (v->n_copies >= (size_t)v->keep)
        drop_oldest(v);
    v->n_ever++;
    v->copies[v->n_copies++] = c;
    write_index(v);
    return how;
}

/* ---- looking ---- */

static bool has_others(const watch_vault *v)
{
    for (size_t i = 0; i < v->n_files; i++)
        if (v->files[i].state == GOOD && !is_best(v->files[i].path))
            return true;
    return false;
}

static void note_good(watch_vault *v, file *f, double now_s)
{
    const double gap_s = now_s - v->good_s;
    if (isfinite(gap_s) && gap_s > LEAST_GAP_S)
        v->gaps_s[v->n_gaps++ % 4] = gap_s;
    v->good_s = now_s;
    f->good_mtime_ns = f->is.mtime_ns;
    if (f->is.mtime_ns >= v->newest_mtime_ns) {
        v->newest_mtime_ns = f->is.mtime_ns;
        memcpy(v->newest, f->path, sizeof v->newest);
    }
}

static bool is_still(const file *f)
{
    vault_version now;
    return vault_version_of(&now, AT_FDCWD, f->path, AT_SYMLINK_NOFOLLOW) &&
           vault_version_same(&now, &f->is);
}

/* It has rested: is it whole, and is there something to tell? */
static bool decide(watch_vault *v, file *f, double now_s, char *said, size_t n_said)
{
    const char *why;
    const watch_whole whole = watch_whole_check(f->path, &why);
    const double rest_s = fmax(2 * v->interval_s, 2);
    if (whole == WATCH_WHOLE_UNKNOWN && now_s - f->changed_s < rest_s)
        return false;
    if (!is_still(f))
        return false;
    if (whole == WATCH_WHOLE_NO) {
        f->state = TORN;
        if (now_s - f->changed_s < rest_s) { /* its writer may only pause */
            f->state = CHANGED;
            return false;
        }
        const bool tell = !v->torn_told;
        v->torn_told = true;
        if (tell)
            base_format(said, n_said, "a checkpoint is not whole: %s: %s", f->path, why);
        return tell;
    }
    v->torn_told = false;
    if (is_best(f->path) && has_others(v)) {
        f->state = GOOD;
        return false;
    }
    const vault_copied how = keep(v, f);
    if (how == VAULT_CHANGED)
        return false; /* it is looked at again when it rests */
    f->state = GOOD;
    note_good(v, f, now_s);
    if (how == VAULT_COPIED || v->space_told)
        return false;
    v->space_told = true;
    base_format(said, n_said, "a good checkpoint could not be kept in %s: %s", v->folder,
                how == VAULT_NO_ROOM ? "the disk has no room for twice its size"
                                     : "it cannot be written there");
    return true;
}

static bool tell_strange(watch_vault *v, char *said, size_t n_said)
{
    vault_version now;
    strange *s = &v->strange;
    if (s->was_told || v->strange_path[0] == '\0' || v->now_s - s->since_s < STRANGE_S ||
        !vault_version_of(&now, AT_FDCWD, v->strange_path, AT_SYMLINK_NOFOLLOW))
        return false;
    if (!watch_file_id_same(&now.id, &s->id) || has_evidence(v, v->strange_path, &now.id) ||
        watch_witness_saw_other(v->witness, &now.id)) {
        v->strange_path[0] = '\0'; /* another one, or known by now */
        s->id = (watch_file_id){0};
        return false;
    }
    s->was_told = true;
    base_format(said, n_said,
                "the job was not seen to write %s, so it is not kept nor gone on from; if it is "
                "the job's: --checkpoints %s",
                v->strange_path, v->strange_path);
    return true;
}

/* What is at its path now, and whose. False: nothing that is a file. */
static bool see_again(const watch_vault *v, file *f, double now_s)
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
        f->state = CHANGED;
    }
    f->is = now;
    f->is_ours = f->is_named || was_ours || has_evidence(v, f->path, &now.id);
    return true;
}

bool watch_vault_look(watch_vault *v, pid_t pid, const char *run, double now_s, char *said,
                      size_t n_said)
{
    bool tells = false;
    said[0] = '\0';
    v->now_s = now_s;
    if (v->witness != NULL && v->given[0] == '\0' && v->run[0] == '\0' &&
        now_s - v->found_s >= FIND_S) {
        v->found_s = now_s;
        watch_folders(v, pid, run);
    }
    if (now_s - v->listed_s >= GIVEN_S) {
        v->listed_s = now_s;
        find(v);
    }
    for (size_t i = 0; i < v->n_files; i++) {
        file *f = &v->files[i];
        if (see_again(v, f, now_s) && f->is_ours && f->state == CHANGED &&
            now_s - f->changed_s >= QUIET_S && !tells)
            tells = decide(v, f, now_s, said, n_said);
    }
    return tells || tell_strange(v, said, n_said);
}

double watch_vault_good_s(const watch_vault *v)
{
    return v->good_s;
}

double watch_vault_interval_s(const watch_vault *v)
{
    double longest = NAN;
    for (size_t i = 0; i < v->n_gaps && i < 4; i++)
        longest = fmax(longest, v->gaps_s[i]);
    return longest;
}

const char *watch_vault_newest(const watch_vault *v)
{
    return v->newest;
}

/* ---- what a restart goes on from ---- */

/* The newest whole copy, of that file alone when `of` is given. */
static const vault_copy *find_copy(const watch_vault *v, const char *of, char kept[PATH])
{
    const char *why;
    for (size_t i = v->n_copies; i-- > 0;)
        if ((of == NULL || strcmp(v->copies[i].of, of) == 0) &&
            base_path_join(kept, PATH, v->folder, v->copies[i].name) &&
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
    char folder[PATH], old[PATH];
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
    char kept[PATH];
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
static int64_t age_of(const file *f)
{
    return f->is_ours ? f->is.mtime_ns : f->good_mtime_ns;
}

/* The newest of the job's files that is not refused yet; MOST_FILES: none. */
static size_t newest_file(watch_vault *v, const bool *refused)
{
    size_t best = MOST_FILES;
    for (size_t i = 0; i < v->n_files; i++) {
        const file *f = &v->files[i];
        const bool is_known = f->good_mtime_ns != 0 || (f->is_ours && base_path_exists(f->path));
        if (refused[i] || !is_known || (is_best(f->path) && has_others(v)))
            continue;
        if (best == MOST_FILES || age_of(f) > age_of(&v->files[best]))
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
    bool refused[MOST_FILES] = {0};
    char kept[PATH];
    vault_version now;
    const settling s = {.path = path, .of = of, .n_path = n_path, .said = said, .n_said = n_said};
    said[0] = path[0] = of[0] = '\0';
    find(v); /* what came since the last look */
    for (size_t i = 0; i < v->n_files; i++)
        see_again(v, &v->files[i], v->now_s);
    for (size_t i; (i = newest_file(v, refused)) < MOST_FILES; refused[i] = true) {
        const file *f = &v->files[i];
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
    const bool is_named =
        strcmp(c->of, v->given) == 0 || is_below(c->of, v->given) || is_below(c->of, v->run);
    const bool is_ours = vault_version_of(&now, AT_FDCWD, c->of, AT_SYMLINK_NOFOLLOW) &&
                         (is_named || has_evidence(v, c->of, &now.id));
    said[0] = '\0';
    return settle_one(v, &s, c->of, is_ours, 0);
}
