/* store_dir.c: leases as files of a shared folder.
 *
 *     shards/3-9f86d081884c7d65         a session; its text changes with every beat
 *     cameras/8c7a41b02e9d11f6          an empty file for each camera: its anchor, never removed
 *     cameras/8c7a41b02e9d11f6.HOLDER   the same file by another name: a session's id, or "free"
 *
 * A camera changes hands by rename(KEY.FROM, KEY.TO). The file server does one rename after the
 * other, and whoever comes second finds no KEY.FROM: so the name itself is compared and exchanged,
 * with no lock that a dead process could leave behind, and nothing to be cleaned up. An id is never
 * used twice, so KEY.FROM cannot have come back meanwhile either.
 *
 * The first holder of all makes KEY.ITS-ID and links it to the anchor, which succeeds once. Who
 * comes second takes its own file away; should it die before it has, the file has one name instead
 * of two, by which it is known as nobody's.
 *
 * What a listing shows may be old (NFS caches folders), and that is no harm: rename, link and
 * opening a file are answered by the server. */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_DIGITS = 16, RECORD_BYTES = 128, NAME_BYTES = KEY_DIGITS + 1 + STREAM_SESSION_BYTES };
static const char FREE[] = "free";
static const char MEND[] = "look at the shared folder: all shards need to write there";

typedef struct dir_store {
    char shards[4096], cameras[4096]; /* paths */
} dir_store;

size_t stream_store_dir_bytes(void)
{
    return sizeof(dir_store);
}

static vg_status fail_at(const char *folder, const char *name, const char *what, vg_error *err)
{
    return base_fail_errno(err, VG_ERR_IO, base_where("%.380s/%.60s", folder, name), MEND, "%s",
                           what);
}

/* *fd is of the folder at path. */
static vg_status open_folder(int *fd, const char *path, vg_error *err)
{
    *fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *fd >= 0 ? VG_OK
                    : base_fail_errno(err, VG_ERR_IO, path, MEND, "the folder cannot be opened");
}

/* Names of the folder, one after the other. */
static vg_status list_names(const char *path, void (*see)(void *ctx, int fd, const char *name),
                            void *ctx, vg_error *err)
{
    DIR *dir = opendir(path);
    if (dir == NULL)
        return base_fail_errno(err, VG_ERR_IO, path, MEND, "the folder cannot be opened");
    errno = 0;
    for (const struct dirent *e; (e = readdir(dir)) != NULL; errno = 0)
        if (e->d_name[0] != '.')
            see(ctx, dirfd(dir), e->d_name);
    const vg_status st =
        errno == 0 ? VG_OK
                   : base_fail_errno(err, VG_ERR_IO, path, MEND, "the folder cannot be listed");
    closedir(dir);
    return st;
}

static bool is_id(const char *text)
{
    return text[0] != '\0' && strlen(text) < STREAM_SESSION_BYTES &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
               strlen(text);
}

static bool is_without_links(int why)
{
    return why == EPERM || why == EOPNOTSUPP || why == ENOSYS;
}

static vg_status fail_without_links(const char *path, vg_error *err)
{
    return base_fail(err, VG_ERR_UNSUPPORTED, path,
                     "put it on NFS or on a disk of Linux, or use Kubernetes' leases",
                     "the shared folder's file system has no hard links");
}

/* ---- sessions ---- */

static vg_status beat(void *self, const stream_session *me, uint64_t n, bool *is_gone,
                      vg_error *err)
{
    const dir_store *d = self;
    char text[RECORD_BYTES + 1];
    int folder;
    *is_gone = false;
    vg_status st = open_folder(&folder, d->shards, err);
    if (st != VG_OK)
        return st;
    memset(text, ' ', RECORD_BYTES); /* of one length, so that no write leaves a rest */
    const int k = snprintf(text, sizeof text,
                           "vigil 1 beats=%" PRIu64 " changes=%" PRIu64 " shard=%d room=%d", n,
                           me->n_changes, me->shard, me->n_room);
    text[k] = ' ';
    text[RECORD_BYTES - 1] = '\n';
    const int fd =
        openat(folder, me->id, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | (n == 1 ? O_CREAT : 0), 0644);
    if (fd < 0) {
        *is_gone = n > 1 && (errno == ENOENT || errno == ESTALE);
        st = fail_at(d->shards, me->id, "this shard's file cannot be written", err);
    } else if (pwrite(fd, text, RECORD_BYTES, 0) != RECORD_BYTES || fsync(fd) != 0) {
        st = fail_at(d->shards, me->id, "this shard's file cannot be written", err);
    }
    if (fd >= 0 && close(fd) != 0 && st == VG_OK)
        st = fail_at(d->shards, me->id, "this shard's file cannot be written", err);
    close(folder);
    return st;
}

typedef struct session_seer {
    void (*see)(void *ctx, const stream_session *s);
    void *ctx;
    const char *folder;
    vg_status st;
    vg_error *err;
} session_seer;

static uint64_t field(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at != NULL ? strtoull(at + strlen(name), NULL, 10) : 0;
}

/* Whoever has just left, and what is no file of ours. */
static bool is_no_session(int why)
{
    return why == ENOENT || why == ESTALE || why == EISDIR || why == ELOOP || why == ENXIO;
}

/* A text that is half written, or none, is one that changes or does not: what counts is that. One
 * that cannot be read is not one that has left: then nothing is known of who is there. */
static void see_session(void *ctx, int folder, const char *name)
{
    session_seer *s = ctx;
    char text[RECORD_BYTES + 1];
    stream_session one = {0};
    if (!is_id(name))
        return;
    const int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    const ssize_t n = fd >= 0 ? pread(fd, text, RECORD_BYTES, 0) : -1;
    const int why = errno;
    if (fd >= 0)
        close(fd);
    errno = why;
    if (n < 0 && !is_no_session(why) && s->st == VG_OK)
        s->st = fail_at(s->folder, name, "a shard's file cannot be read", s->err);
    if (n < 0)
        return;
    text[n] = '\0';
    base_format(one.id, sizeof one.id, "%s", name);
    one.shard = (int)(field(text, " shard=") % INT32_MAX);
    one.n_room = (int)(field(text, " room=") % INT32_MAX);
    one.n_changes = field(text, " changes=");
    one.mark = base_hash(BASE_HASH_START, text, (size_t)n);
    s->see(s->ctx, &one);
}

static vg_status sessions(void *self, void (*see)(void *ctx, const stream_session *s), void *ctx,
                          vg_error *err)
{
    const dir_store *d = self;
    session_seer s = {.see = see, .ctx = ctx, .folder = d->shards, .err = err};
    const vg_status st = list_names(d->shards, see_session, &s, err);
    return st != VG_OK ? st : s.st;
}

static vg_status leave(void *self, const char *id, vg_error *err)
{
    const dir_store *d = self;
    int folder;
    vg_status st = open_folder(&folder, d->shards, err);
    if (st != VG_OK)
        return st;
    if (unlinkat(folder, id, 0) != 0 && errno != ENOENT)
        st = fail_at(d->shards, id, "a shard's file cannot be removed", err);
    close(folder);
    return st;
}

/* ---- cameras ---- */

typedef struct claim_seer {
    void (*see)(void *ctx, const stream_claim *c);
    void *ctx;
} claim_seer;

static void see_claim(void *ctx, int folder, const char *name)
{
    const claim_seer *s = ctx;
    char *end;
    stream_claim c = {.version = "1"};
    (void)folder;
    if (strlen(name) < KEY_DIGITS + 2 || name[KEY_DIGITS] != '.' || !is_id(name + KEY_DIGITS + 1))
        return; /* an anchor */
    c.key = strtoull(name, &end, 16);
    if (end != name + KEY_DIGITS)
        return;
    if (strcmp(end + 1, FREE) != 0)
        base_format(c.holder, sizeof c.holder, "%s", end + 1);
    s->see(s->ctx, &c);
}

static vg_status claims(void *self, void (*see)(void *ctx, const stream_claim *c),
                        vg_status (*turn)(void *ctx, vg_error *err), void *ctx, vg_error *err)
{
    (void)turn; /* one folder is one page */
    claim_seer s = {see, ctx};
    return list_names(((const dir_store *)self)->cameras, see_claim, &s, err);
}

static void name_of(char out[NAME_BYTES], uint64_t key, const char *holder)
{
    base_format(out, NAME_BYTES, "%016" PRIx64 ".%s", key, holder[0] != '\0' ? holder : FREE);
}

/* Names that the file has, as the server knows them; 0: it is not there. */
static int count_names(int folder, const char *name)
{
    struct stat info;
    const int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    const bool is_there = fd >= 0 && fstat(fd, &info) == 0;
    if (fd >= 0)
        close(fd);
    return is_there ? (int)info.st_nlink : 0;
}

/* `from` had one name, and the anchor is another file: it holds nothing, and must not be taken for
 * the holder again. It is renamed to a name that nobody else uses and looked at there, in case it
 * has become the holder's meanwhile. */
static bool take_or_bury(int folder, const char *from, const char *mine)
{
    if (renameat(folder, from, folder, mine) != 0)
        return false;
    if (count_names(folder, mine) == 2)
        return true;
    unlinkat(folder, mine, 0);
    return false;
}

/* Nobody has held it yet. from: what was seen of it, a file of one name; NULL: nothing. */
static vg_status make_first(const dir_store *d, int folder, uint64_t key, const char *from,
                            const char *mine, bool *is_done, vg_error *err)
{
    char anchor[KEY_DIGITS + 1];
    vg_status st = VG_OK;
    base_format(anchor, sizeof anchor, "%016" PRIx64, key);
    const int fd = openat(folder, mine, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return fail_at(d->cameras, mine, "a lease cannot be made", err);
    close(fd);
    /* An answer that was lost on the way is asked for again, and then the name is taken: by us. */
    const int why = linkat(folder, mine, folder, anchor, 0) == 0 ? 0 : errno;
    if (why == 0 || count_names(folder, mine) == 2) {
        *is_done = true;
        return VG_OK;
    }
    errno = why;
    if (is_without_links(why))
        st = fail_without_links(d->cameras, err);
    else if (why != EEXIST && why != ENOENT) /* another buried it, as below */
        st = fail_at(d->cameras, anchor, "a lease cannot be made", err);
    unlinkat(folder, mine, 0);
    if (why == EEXIST && from != NULL)
        *is_done = take_or_bury(folder, from, mine);
    return st;
}

static vg_status claim(void *self, stream_claim *c, const char *name, const char *holder,
                       bool *is_done, vg_error *err)
{
    const dir_store *d = self;
    char from[NAME_BYTES], to[NAME_BYTES];
    int folder;
    (void)name;
    *is_done = false;
    vg_status st = open_folder(&folder, d->cameras, err);
    if (st != VG_OK)
        return st;
    name_of(from, c->key, c->holder);
    name_of(to, c->key, holder);
    const int n_names = c->version[0] != '\0' ? count_names(folder, from) : 1;
    if (n_names == 1 && holder[0] != '\0')
        st = make_first(d, folder, c->key, c->version[0] != '\0' ? from : NULL, to, is_done, err);
    else if (n_names > 1 && renameat(folder, from, folder, to) == 0)
        *is_done = true;
    else if (n_names > 1 && errno != ENOENT && errno != ESTALE)
        st = fail_at(d->cameras, from, "a lease cannot be taken", err);
    close(folder);
    if (*is_done) {
        base_format(c->holder, sizeof c->holder, "%s", holder);
        base_format(c->version, sizeof c->version, "1");
    }
    return st;
}

/* ---- open and close ---- */

static void close_(void *self)
{
    base_free(self);
}

static const stream_store_functions functions = {.beat = beat,
                                                 .sessions = sessions,
                                                 .claims = claims,
                                                 .claim = claim,
                                                 .leave = leave,
                                                 .close = close_};

/* What is wrong with it from the beginning is said at the beginning. */
static vg_status try_folder(const char *path, vg_error *err)
{
    char name[64], other[64];
    uint64_t random = (uint64_t)base_boot_ns();
    int folder;
    vg_status st = open_folder(&folder, path, err);
    if (st != VG_OK)
        return st;
    if (getentropy(&random, sizeof random) != 0)
        random ^= (uint64_t)getpid() << 40;
    base_format(name, sizeof name, ".try-%016" PRIx64, random);
    base_format(other, sizeof other, "%s-link", name);
    const int fd = openat(folder, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        st = fail_at(path, name, "nothing can be written to the shared folder", err);
    else if (linkat(folder, name, folder, other, 0) != 0)
        st = is_without_links(errno)
                 ? fail_without_links(path, err)
                 : fail_at(path, other, "the shared folder takes no hard link", err);
    if (fd >= 0)
        close(fd);
    unlinkat(folder, other, 0);
    unlinkat(folder, name, 0);
    close(folder);
    return st;
}

vg_status stream_store_dir_open(stream_store *out, const char *folder, base_mem *mem, vg_error *err)
{
    *out = (stream_store){0};
    dir_store *d = base_alloc_zero(mem, 1, sizeof *d, err);
    if (d == NULL)
        return VG_ERR_MEMORY;
    vg_status st = VG_OK;
    if (!base_path_join(d->shards, sizeof d->shards, folder, "shards") ||
        !base_path_join(d->cameras, sizeof d->cameras, folder, "cameras"))
        st = base_fail(err, VG_ERR_LIMIT, "option lease_dir", "use a shorter path",
                       "a path that is too long");
    if (st == VG_OK)
        st = base_make_dirs(d->shards, err);
    if (st == VG_OK)
        st = base_make_dirs(d->cameras, err);
    if (st == VG_OK)
        st = try_folder(d->shards, err);
    if (st == VG_OK)
        st = try_folder(d->cameras, err);
    if (st != VG_OK) {
        base_free(d);
        return st;
    }
    *out = (stream_store){&functions, d};
    return VG_OK;
}
