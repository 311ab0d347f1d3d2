/* vault.c: a short table of the job's checkpoints, and copies of the good ones. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "vault_own.h"
#include "whole.h"

enum { MOST_ASIDE = 1000 };

static const double QUIET_S = 0.5; /* unchanged for so long: its structure is read */
static const double FIND_S = 10;   /* pace of searching, when nothing was given */
static const double GIVEN_S = 1;   /* of listing a folder that was, and those that are watched */
static const double LEAST_GAP_S = 0.5; /* last.pt and epoch3.pt of one moment are one checkpoint */
static const double STRANGE_S = 5;     /* nobody's for so long: it is reported */

/* As the kernel stamps files: never later than a file that is written from now on. */
static int64_t coarse_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME_COARSE, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- the list of copies ---- */

static void write_index(watch_vault *v)
{
    base_file out = BASE_FILE_NONE;
    char path[VAULT_PATH];
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
    char path[VAULT_PATH];
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
    char to[VAULT_PATH];
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
    char path[VAULT_PATH];
    base_map map;
    uint64_t job;
    if (!base_path_join(path, sizeof path, v->folder, "index.tsv") ||
        base_map_open(&map, path, NULL) != VG_OK)
        return;
    vault_index_read(v->copies, &v->n_copies, VAULT_MOST_COPIES, &job, (const char *)map.bytes,
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

static bool absolute(char out[VAULT_PATH], const char *path)
{
    char cwd[VAULT_PATH];
    if (path[0] == '/' || path[0] == '\0')
        return base_format(out, VAULT_PATH, "%s", path);
    return getcwd(cwd, sizeof cwd) != NULL && base_path_join(out, VAULT_PATH, cwd, path);
}

vg_status watch_vault_create(watch_vault **out, const watch_vault_options *o, base_mem *mem,
                             vg_error *err)
{
    watch_vault *v = base_alloc_zero(mem, 1, sizeof *v, err);
    *out = v;
    if (v == NULL)
        return VG_ERR_MEMORY;
    v->keep = o->keep < VAULT_MOST_COPIES ? o->keep : VAULT_MOST_COPIES;
    v->interval_s = o->interval_s;
    v->job = o->job;
    v->argv = o->argv;
    v->witness = o->witness;
    v->began_ns = coarse_ns();
    v->found_s = v->listed_s = v->good_s = -INFINITY;
    if (!absolute(v->given, o->given) || !absolute(v->run, o->run) ||
        !(vault_resolve(v->guard, o->folder) || absolute(v->guard, o->folder)) ||
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

/* ---- keeping ---- */

static vault_copied keep_one(watch_vault *v, const vault_file *f, const char *target)
{
    vg_error ignored;
    if (mkdir(v->folder, 0700) != 0 && errno != EEXIST &&
        base_make_dirs(v->folder, &ignored) != VG_OK)
        return VAULT_FAILED;
    return vault_copy_file(target, f->path, &f->is, false);
}

static void drop_oldest(watch_vault *v)
{
    char path[VAULT_PATH];
    if (base_path_join(path, sizeof path, v->folder, v->copies[0].name))
        unlink(path);
    memmove(v->copies, v->copies + 1, --v->n_copies * sizeof *v->copies);
}

static vault_copied keep(watch_vault *v, const vault_file *f)
{
    vault_copy c = {.id = f->is.id};
    char target[VAULT_PATH];
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

static void note_good(watch_vault *v, vault_file *f, double now_s)
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

static bool is_still(const vault_file *f)
{
    vault_version now;
    return vault_version_of(&now, AT_FDCWD, f->path, AT_SYMLINK_NOFOLLOW) &&
           vault_version_same(&now, &f->is);
}

/* It has rested: is it whole, and is there something to tell? */
static bool decide(watch_vault *v, vault_file *f, double now_s, char *said, size_t n_said)
{
    const char *why;
    const watch_whole whole = watch_whole_check(f->path, &why);
    const double rest_s = fmax(2 * v->interval_s, 2);
    if (whole == WATCH_WHOLE_UNKNOWN && now_s - f->changed_s < rest_s)
        return false;
    if (!is_still(f))
        return false;
    if (whole == WATCH_WHOLE_NO) {
        f->state = VAULT_FILE_TORN;
        if (now_s - f->changed_s < rest_s) { /* its writer may only pause */
            f->state = VAULT_FILE_CHANGED;
            return false;
        }
        const bool tell = !v->torn_reported;
        v->torn_reported = true;
        if (tell)
            base_format(said, n_said, "a checkpoint is not whole: %s: %s", f->path, why);
        return tell;
    }
    v->torn_reported = false;
    if (vault_is_best(f->path) && vault_has_others(v)) {
        f->state = VAULT_FILE_GOOD;
        return false;
    }
    const vault_copied how = keep(v, f);
    if (how == VAULT_CHANGED)
        return false; /* it is looked at again when it rests */
    f->state = VAULT_FILE_GOOD;
    note_good(v, f, now_s);
    if (how == VAULT_COPIED || v->space_reported)
        return false;
    v->space_reported = true;
    base_format(said, n_said, "a good checkpoint could not be kept in %s: %s", v->folder,
                how == VAULT_NO_ROOM ? "the disk has no room for twice its size"
                                     : "it cannot be written there");
    return true;
}

static bool tell_strange(watch_vault *v, char *said, size_t n_said)
{
    vault_version now;
    vault_strange *s = &v->strange;
    if (s->was_reported || v->strange_path[0] == '\0' || v->now_s - s->since_s < STRANGE_S ||
        !vault_version_of(&now, AT_FDCWD, v->strange_path, AT_SYMLINK_NOFOLLOW))
        return false;
    if (!watch_file_id_same(&now.id, &s->id) || vault_has_evidence(v, v->strange_path, &now.id) ||
        watch_witness_saw_other(v->witness, &now.id)) {
        v->strange_path[0] = '\0'; /* another one, or known by now */
        s->id = (watch_file_id){0};
        return false;
    }
    s->was_reported = true;
    base_format(said, n_said,
                "the job was not seen to write %s, so it is not kept nor gone on from; if it is "
                "the job's: --checkpoints %s",
                v->strange_path, v->strange_path);
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
        vault_watch_folders(v, pid, run);
    }
    if (now_s - v->listed_s >= GIVEN_S) {
        v->listed_s = now_s;
        vault_find(v);
    }
    for (size_t i = 0; i < v->n_files; i++) {
        vault_file *f = &v->files[i];
        if (vault_see_again(v, f, now_s) && f->is_ours && f->state == VAULT_FILE_CHANGED &&
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
