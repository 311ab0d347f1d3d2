/* runs.c: a walk over folders, and what is new of each run put into the table. */
#include "runs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

enum { MOST_FOLDERS = 200000, FIRST_ROOM = 64 };

struct board_runs {
    base_mem *mem;
    char folder[4096];
    int fd;
    bool is_single, are_more;
    uint64_t n_scans, version;
    size_t n_folders; /* of this scan */
    void *story;      /* the looking thread's */
    pthread_mutex_t lock;
    size_t n, room, next;
    board_run *runs;
    board_living living[BOARD_MOST_LIVING];
};

vg_status board_runs_create(board_runs **out, const char *folder, bool is_single, base_mem *mem,
                            vg_error *err)
{
    *out = NULL;
    board_runs *r = base_alloc_zero(mem, 1, sizeof *r, err);
    if (r == NULL)
        return VG_ERR_MEMORY;
    r->mem = mem;
    r->is_single = is_single;
    r->fd = -1;
    pthread_mutex_init(&r->lock, NULL);
    vg_status st = VG_OK;
    if (!base_format(r->folder, sizeof r->folder, "%s", folder))
        st = base_fail(err, VG_ERR_LIMIT, folder, "use a shorter path", "a path too long");
    else if ((r->fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        st = base_fail_errno(err, VG_ERR_IO, folder, "name a folder of runs, such as runs",
                             "cannot open the folder");
    if (st != VG_OK)
        board_runs_destroy(&r);
    *out = r;
    return st;
}

void board_runs_destroy(board_runs **runs)
{
    board_runs *r = *runs;
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->n; i++)
        base_free(r->runs[i].path);
    base_free(r->runs);
    base_free(r->story);
    if (r->fd >= 0)
        close(r->fd);
    pthread_mutex_destroy(&r->lock);
    base_free(r);
    *runs = NULL;
}

/* ---- the table ---- */

void board_runs_lock(board_runs *r)
{
    pthread_mutex_lock(&r->lock);
}

void board_runs_unlock(board_runs *r)
{
    pthread_mutex_unlock(&r->lock);
}

size_t board_runs_count(const board_runs *r)
{
    return r->n;
}

const board_run *board_runs_at(const board_runs *r, size_t i)
{
    return &r->runs[i];
}

/* first: where it is likely to be; all are looked at. */
static board_run *find_from(const board_runs *r, const char *path, size_t first)
{
    for (size_t i = 0; i < r->n; i++) {
        board_run *run = &r->runs[(first + i) % r->n];
        if (strcmp(run->path, path) == 0)
            return run;
    }
    return NULL;
}

static board_run *find(const board_runs *r, const char *path)
{
    return find_from(r, path, 0);
}

const board_run *board_runs_find(const board_runs *r, const char *path)
{
    return find(r, path);
}

const board_living *board_runs_living(const board_runs *r, const char *path)
{
    for (int i = 0; i < BOARD_MOST_LIVING; i++)
        if (r->living[i].is_used && strcmp(r->living[i].path, path) == 0)
            return &r->living[i];
    return NULL;
}

uint64_t board_runs_version(const board_runs *r)
{
    return r->version;
}

bool board_runs_are_more(const board_runs *r)
{
    return r->are_more;
}

int board_runs_open(const board_runs *r, const char *path)
{
    return board_open_folder(r->fd, path);
}

const char *board_runs_folder(const board_runs *r)
{
    return r->folder;
}

bool board_runs_are_single(const board_runs *r)
{
    return r->is_single;
}

void board_run_id(char id[24], const char *path)
{
    base_format(id, 24, "r%llx",
                (unsigned long long)base_hash(BASE_HASH_START, path, strlen(path)));
}

/* With the lock. NULL: no room. */
static board_run *add(board_runs *r, const char *path)
{
    if (r->n == BOARD_MOST_RUNS) {
        r->are_more = true;
        return NULL;
    }
    if (r->n == r->room) {
        const size_t room = r->room > 0 ? 2 * r->room : FIRST_ROOM;
        board_run *runs = base_realloc(r->mem, r->runs, room * sizeof *runs, NULL);
        if (runs == NULL)
            return NULL;
        r->runs = runs;
        r->room = room;
    }
    char *copy = base_strdup(r->mem, path, NULL);
    if (copy == NULL)
        return NULL;
    r->runs[r->n] = (board_run){.path = copy};
    return &r->runs[r->n++];
}

/* ---- a scan ---- */

/* A run of that folder: read where something changed. */
static bool take(board_runs *r, int folder, const char *path, board_kind kind, base_mem *mem)
{
    board_facts facts;
    pthread_mutex_lock(&r->lock);
    board_run *known = find_from(r, path, r->next); /* a folder is read in the same order */
    if (known != NULL)
        r->next = (size_t)(known - r->runs) + 1;
    const bool is_same = known != NULL && known->facts.kind == kind && !known->facts.is_alive &&
                         known->facts.stamp == board_facts_stamp(folder, kind) &&
                         known->facts.pictures == board_stamp(folder, ".");
    if (known != NULL)
        known->seen_in = r->n_scans;
    pthread_mutex_unlock(&r->lock);
    if (is_same)
        return false;
    board_facts_read(&facts, folder, kind, &r->story, mem);
    pthread_mutex_lock(&r->lock);
    known = find(r, path);
    if (known == NULL)
        known = add(r, path);
    const bool is_new = known != NULL && memcmp(&known->facts, &facts, sizeof facts) != 0;
    if (known != NULL) {
        known->facts = facts;
        known->seen_in = r->n_scans;
        known->version += is_new;
    }
    r->version += is_new;
    pthread_mutex_unlock(&r->lock);
    return is_new;
}

/* Folders that no run is in, whose number may be great. */
static bool is_passed_over(const char *name)
{
    static const char *const names[] = {"weights", "images", "labels", "crops"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return name[0] == '.';
}

/* folder is closed. */
static bool walk(board_runs *r, int folder, const char *path, int depth, base_mem *mem)
{
    const board_kind kind = board_kind_of(folder);
    bool is_new = false;
    r->n_folders++;
    if (kind != BOARD_NO_RUN || depth == BOARD_DEEPEST) {
        is_new = kind != BOARD_NO_RUN && take(r, folder, path, kind, mem);
        close(folder);
        return is_new;
    }
    DIR *dir = fdopendir(folder);
    if (dir == NULL) {
        close(folder);
        return false;
    }
    for (struct dirent *e; (e = readdir(dir)) != NULL && r->n_folders < MOST_FOLDERS;) {
        char below[BOARD_PATH_BYTES];
        if ((e->d_type != DT_DIR && e->d_type != DT_UNKNOWN) || is_passed_over(e->d_name) ||
            !base_format(below, sizeof below, "%s%s%s", path, path[0] != '\0' ? "/" : "",
                         e->d_name))
            continue;
        const int fd =
            openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0)
            is_new |= walk(r, fd, below, depth + 1, mem);
    }
    closedir(dir);
    return is_new;
}

/* Those that the scan has not found are gone. */
static bool drop_gone(board_runs *r)
{
    size_t n = 0;
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->n; i++)
        if (r->runs[i].seen_in == r->n_scans)
            r->runs[n++] = r->runs[i];
        else
            base_free(r->runs[i].path);
    const bool is_new = n != r->n;
    r->n = n;
    r->version += is_new;
    pthread_mutex_unlock(&r->lock);
    return is_new;
}

bool board_runs_scan(board_runs *r, base_mem *mem)
{
    const int folder = board_open_folder(r->fd, "");
    if (folder < 0)
        return false;
    r->n_scans++;
    r->n_folders = 0;
    bool is_new;
    if (r->is_single) {
        is_new = take(r, folder, "", BOARD_TRAIN, mem);
        close(folder);
    } else {
        is_new = walk(r, folder, "", 0, mem);
    }
    return drop_gone(r) || is_new;
}

/* ---- the living ---- */

/* With the lock: its place, or one that is free or of a run that has ended. NULL: none. */
static board_living *place_of(board_runs *r, const char *path)
{
    board_living *found = NULL;
    for (int i = 0; i < BOARD_MOST_LIVING; i++) {
        board_living *k = &r->living[i];
        if (k->is_used && strcmp(k->path, path) == 0)
            return k;
        if (!k->is_used || (found == NULL && !k->view.is_alive))
            found = k;
    }
    if (found != NULL) {
        *found = (board_living){.is_used = true};
        base_format(found->path, sizeof found->path, "%s", path);
    }
    return found;
}

static bool look(board_runs *r, const char *path, base_mem *mem)
{
    vg_run_view view;
    bool is_new = false;
    const int folder = board_runs_open(r, path);
    if (folder < 0)
        return false;
    const bool is_there = board_view_read(&view, folder);
    pthread_mutex_lock(&r->lock);
    board_living *k = place_of(r, path);
    if (k != NULL && is_there && memcmp(&k->view, &view, sizeof view) != 0) {
        k->view = view;
        k->version++;
        k->course_version += board_course_add(&k->course, &view);
        is_new = true;
    } else if (k != NULL && !is_there) {
        k->view.is_alive = false;
        is_new = true;
    }
    pthread_mutex_unlock(&r->lock);
    board_run *known = find(r, path); /* this thread alone changes the table */
    if (known != NULL && (!is_there || !view.is_alive ||
                          known->facts.results != board_stamp(folder, "results.csv") ||
                          known->facts.pictures != board_stamp(folder, ".") ||
                          strcmp(known->facts.state, board_state_name(view.state)) != 0))
        is_new |= take(r, folder, path, known->facts.kind, mem);
    close(folder);
    return is_new;
}

bool board_runs_look(board_runs *r, base_mem *mem)
{
    bool is_new = false;
    for (size_t i = 0; i < r->n; i++)
        if (r->runs[i].facts.kind == BOARD_TRAIN && r->runs[i].facts.is_alive)
            is_new |= look(r, r->runs[i].path, mem);
    return is_new;
}
