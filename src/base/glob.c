/* glob.c: not glob(3), which has no ** and whose memory nobody counts.
 *
 * A pattern is walked component by component in one buffer that holds the path so far. ** keeps a
 * queue of folders instead of descending: no folder stays open while another is read, so depth
 * costs no descriptors. Folders come before links of any depth, whose targets may be one of them.
 */
#define BASE_IMPLEMENTATION
#include "glob.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"
#include "sort.h"
#include "status.h"

enum { PATH_BYTES = 4096, COMPONENT_BYTES = 512, MOST_TEXT_BYTES = 1 << 30 };

/* The folders that a ** has entered: a table of (device, inode), open addressing, at most half
 * full. */
typedef struct folder_id {
    uint64_t device, inode; /* one more than it is; 0: free */
} folder_id;

typedef struct folder_set {
    folder_id *slots;
    size_t n, capacity; /* a power of 2 */
} folder_set;

typedef struct walk {
    base_glob_found *out;
    char path[PATH_BYTES];   /* the folder so far, "" or ending in / */
    char closed[PATH_BYTES]; /* the last one that may not be opened: it is tried twice */
    base_mem *mem;
    vg_error *err;
} walk;

static void put_id(folder_set *s, folder_id id)
{
    size_t at = (size_t)base_hash(BASE_HASH_START, &id, sizeof id) & (s->capacity - 1);
    while (s->slots[at].inode != 0)
        at = (at + 1) & (s->capacity - 1);
    s->slots[at] = id;
}

/* *is_new: it was not there before. */
static vg_status enter(folder_set *s, const struct stat *info, bool *is_new, walk *w)
{
    const folder_id id = {(uint64_t)info->st_dev, (uint64_t)info->st_ino + 1};
    *is_new = false;
    if (s->capacity > 0)
        for (size_t at = (size_t)base_hash(BASE_HASH_START, &id, sizeof id) & (s->capacity - 1);
             s->slots[at].inode != 0; at = (at + 1) & (s->capacity - 1))
            if (s->slots[at].inode == id.inode && s->slots[at].device == id.device)
                return VG_OK;
    if (2 * s->n >= s->capacity) {
        folder_set larger = {.n = s->n, .capacity = s->capacity > 0 ? 2 * s->capacity : 64};
        larger.slots = base_alloc_zero(w->mem, larger.capacity, sizeof *larger.slots, w->err);
        if (larger.slots == NULL)
            return VG_ERR_MEMORY;
        for (size_t i = 0; i < s->capacity; i++)
            if (s->slots[i].inode != 0)
                put_id(&larger, s->slots[i]);
        base_free(s->slots);
        *s = larger;
    }
    put_id(s, id);
    s->n++;
    *is_new = true;
    return VG_OK;
}

static vg_status keep(base_str *list, const char *path, walk *w)
{
    return base_str_add_bytes(list, MOST_TEXT_BYTES, path, strlen(path) + 1, w->mem, w->err);
}

static vg_status too_long(walk *w)
{
    return base_fail(w->err, VG_ERR_LIMIT, w->path, "use shorter paths",
                     "a path of more than %d bytes", PATH_BYTES - 1);
}

/* Appends name, and slash, at `length`. */
static vg_status append(walk *w, size_t length, const char *name, size_t n, bool slash)
{
    if (n + 2 > PATH_BYTES - length)
        return too_long(w);
    memcpy(w->path + length, name, n);
    if (slash)
        w->path[length + n++] = '/';
    w->path[length + n] = '\0';
    return VG_OK;
}

/* *out NULL with VG_OK: nothing to read there. */
static vg_status open_folder(DIR **out, walk *w)
{
    *out = opendir(w->path[0] != '\0' ? w->path : ".");
    if (*out != NULL || errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
        return VG_OK;
    if (errno == EACCES || errno == EPERM) {
        if (strcmp(w->closed, w->path) != 0 && w->out->n_closed++ == 0)
            base_format(w->out->closed, sizeof w->out->closed, "%s", w->path);
        memcpy(w->closed, w->path, sizeof w->closed);
        return VG_OK;
    }
    return base_fail_errno(w->err, VG_ERR_IO, w->path, "see the reason given",
                           "the folder cannot be opened");
}

/* What readdir says where that is enough. Links are what they lead to, unless asked_link is there
 * to be told. */
static bool is_folder(const struct dirent *e, const char *path, bool *asked_link)
{
    struct stat info;
    bool link = e->d_type == DT_LNK;
    if (e->d_type == DT_UNKNOWN)
        link = lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
    if (asked_link != NULL)
        *asked_link = link;
    if (e->d_type == DT_DIR)
        return true;
    if (!link && e->d_type != DT_UNKNOWN)
        return false;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static vg_status match(walk *w, size_t length, const char *pattern);

/* The folder in w->path: what `rest` finds in it, then its folders and links into the queues. */
static vg_status visit(walk *w, const char *rest, base_str *folders, base_str *links)
{
    const size_t length = strlen(w->path);
    vg_status st = match(w, length, rest);
    DIR *dir = NULL;
    w->path[length] = '\0';
    if (st == VG_OK)
        st = open_folder(&dir, w);
    if (dir == NULL)
        return st;
    for (struct dirent *e; st == VG_OK && (e = readdir(dir)) != NULL;) {
        bool link;
        if (e->d_name[0] == '.' ||
            (e->d_type != DT_DIR && e->d_type != DT_LNK && e->d_type != DT_UNKNOWN))
            continue;
        st = append(w, length, e->d_name, strlen(e->d_name), false);
        if (st == VG_OK && is_folder(e, w->path, &link)) {
            st = append(w, length, e->d_name, strlen(e->d_name), true);
            if (st == VG_OK)
                st = keep(link ? links : folders, w->path, w);
        }
        w->path[length] = '\0';
    }
    closedir(dir);
    return st;
}

static int by_text(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return strcmp(*(const char *const *)a, *(const char *const *)b) < 0;
}

/* Paths into a list that ends each by a 0, sorted. */
static vg_status sort_list(const char ***out, size_t *n, const base_str *list, walk *w)
{
    *n = 0;
    *out = NULL;
    for (size_t at = 0; at < list->length; at += strlen(list->text + at) + 1)
        ++*n;
    if (*n == 0)
        return VG_OK;
    *out = base_alloc_zero(w->mem, *n, sizeof **out, w->err);
    if (*out == NULL)
        return VG_ERR_MEMORY;
    const char *at = list->text;
    for (size_t i = 0; i < *n; i++, at += strlen(at) + 1)
        (*out)[i] = at;
    base_sort(*out, *n, sizeof **out, by_text, NULL);
    return VG_OK;
}

/* Enters the folders of the queue, and those found on the way. */
static vg_status visit_all(walk *w, base_str *folders, base_str *links, folder_set *seen,
                           const char *rest)
{
    vg_status st = VG_OK;
    for (size_t at = 0; st == VG_OK && at < folders->length; at += strlen(folders->text + at) + 1) {
        struct stat info;
        bool is_new = false;
        const char *path = folders->text + at;
        memcpy(w->path, path, strlen(path) + 1);
        if (stat(path[0] != '\0' ? path : ".", &info) == 0 && S_ISDIR(info.st_mode))
            st = enter(seen, &info, &is_new, w);
        if (st == VG_OK && is_new)
            st = visit(w, rest, folders, links);
    }
    return st;
}

/* **: the folder of w->path and all below it, then, in rounds, what links lead to. */
static vg_status match_deep(walk *w, size_t length, const char *rest)
{
    base_str folders = {0}, links = {0};
    folder_set seen = {0};
    w->path[length] = '\0';
    vg_status st = keep(&folders, w->path, w);
    while (st == VG_OK && folders.length > 0) {
        const char **order = NULL;
        size_t n = 0;
        st = visit_all(w, &folders, &links, &seen, rest);
        folders.length = 0;
        if (st == VG_OK)
            st = sort_list(&order, &n, &links, w);
        for (size_t i = 0; i < n && st == VG_OK; i++)
            st = keep(&folders, order[i], w);
        base_free(order);
        links.length = 0;
    }
    base_str_fini(&folders);
    base_str_fini(&links);
    base_free(seen.slots);
    return st;
}

/* A component without a meaning, its \ taken away. */
static vg_status match_name(walk *w, size_t length, const char *name, size_t n, const char *rest)
{
    struct stat info;
    size_t at = length;
    for (size_t i = 0; i < n; i++) {
        i += name[i] == '\\' && i + 1 < n;
        if (at + 2 >= PATH_BYTES)
            return too_long(w);
        w->path[at++] = name[i];
    }
    w->path[at] = '\0';
    if (stat(w->path, &info) != 0)
        return VG_OK;
    if (*rest == '\0')
        return S_ISDIR(info.st_mode) ? VG_OK : keep(&w->out->text, w->path, w);
    if (!S_ISDIR(info.st_mode))
        return VG_OK;
    w->path[at++] = '/';
    w->path[at] = '\0';
    return match(w, at, rest);
}

/* A component with *, ? or [. */
static vg_status match_names(walk *w, size_t length, const char *component, const char *rest)
{
    DIR *dir = NULL;
    vg_status st = open_folder(&dir, w);
    if (dir == NULL)
        return st;
    base_str folders = {0}; /* entered when this one is closed */
    for (struct dirent *e; st == VG_OK && (e = readdir(dir)) != NULL;) {
        if (is_dots(e->d_name) || fnmatch(component, e->d_name, FNM_PERIOD) != 0)
            continue;
        st = append(w, length, e->d_name, strlen(e->d_name), false);
        if (st != VG_OK)
            break;
        const bool folder = is_folder(e, w->path, NULL);
        if (*rest == '\0' && !folder)
            st = keep(&w->out->text, w->path, w);
        else if (*rest != '\0' && folder)
            st = append(w, length, e->d_name, strlen(e->d_name), true);
        if (st == VG_OK && *rest != '\0' && folder)
            st = keep(&folders, w->path, w);
        w->path[length] = '\0';
    }
    closedir(dir);
    for (size_t at = 0; st == VG_OK && at < folders.length; at += strlen(folders.text + at) + 1) {
        const size_t n = strlen(folders.text + at);
        memcpy(w->path, folders.text + at, n + 1);
        st = match(w, n, rest);
    }
    base_str_fini(&folders);
    return st;
}

static vg_status match(walk *w, size_t length, const char *pattern)
{
    char component[COMPONENT_BYTES];
    w->path[length] = '\0';
    const size_t n = strcspn(pattern, "/");
    const char *rest = pattern + n + strspn(pattern + n, "/");
    if (n == 0 || (pattern[n] == '/' && *rest == '\0')) /* "x/" is no file */
        return VG_OK;
    if (n == 2 && memcmp(pattern, "**", 2) == 0)
        return match_deep(w, length, *rest != '\0' ? rest : "*");
    if (n >= sizeof component)
        return too_long(w);
    memcpy(component, pattern, n);
    component[n] = '\0';
    return base_is_glob(component) ? match_names(w, length, component, rest)
                                   : match_name(w, length, component, n, rest);
}

bool base_is_glob(const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\\' && p[1] != '\0')
            p++;
        else if (*p == '*' || *p == '?' || *p == '[')
            return true;
    }
    return false;
}

vg_status base_glob(base_glob_found *out, const char *pattern, base_mem *mem, vg_error *err)
{
    *out = (base_glob_found){0};
    walk *w = base_alloc_zero(mem, 1, sizeof *w, err);
    if (w == NULL)
        return VG_ERR_MEMORY;
    *w = (walk){.out = out, .mem = mem, .err = err};
    size_t root = 0;
    if (pattern[0] == '/') {
        w->path[root++] = '/';
        pattern += strspn(pattern, "/");
    }
    vg_status st = match(w, root, pattern);
    if (st == VG_OK)
        st = sort_list(&out->paths, &out->n, &out->text, w);
    size_t n = 0;
    for (size_t i = 0; st == VG_OK && i < out->n; i++) /* several ** reach a file several times */
        if (n == 0 || strcmp(out->paths[n - 1], out->paths[i]) != 0)
            out->paths[n++] = out->paths[i];
    out->n = n;
    base_free(w);
    if (st != VG_OK)
        base_glob_fini(out);
    return st;
}

vg_status base_glob_or_warn(base_glob_found *out, const char *pattern, base_mem *mem, vg_error *err)
{
    const vg_status st = base_glob(out, pattern, mem, err);
    if (st == VG_OK && out->n_closed > 0)
        base_log(BASE_LOG_WARN, "folders not entered",
                 "n=%zu first=%s pattern=%s reason=permission", out->n_closed, out->closed,
                 pattern);
    return st;
}

void base_glob_fini(base_glob_found *f)
{
    base_free(f->paths);
    base_str_fini(&f->text);
    *f = (base_glob_found){0};
}

bool base_glob_escape(char *buf, size_t n, const char *path)
{
    size_t at = 0;
    for (; *path != '\0'; path++) {
        if (strchr("*?[]\\", *path) != NULL) {
            if (at + 1 >= n)
                return false;
            buf[at++] = '\\';
        }
        if (at + 1 >= n)
            return false;
        buf[at++] = *path;
    }
    if (n == 0)
        return false;
    buf[at] = '\0';
    return true;
}
