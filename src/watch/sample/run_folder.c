/* run_folder.c: by open files, then by what is new on disk. */
#include "run_folder.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dir.h"

enum { MOST_FDS = 1024, MOST_ASKED = 16, MOST_FOLDERS = 512, DEEPEST = 3 };

static bool has_suffix(const char *name, const char *const *list)
{
    const char *suffix = base_path_suffix(name);
    for (; *list != NULL; list++)
        if (strcmp(suffix, *list) == 0)
            return true;
    return false;
}

watch_run_file watch_run_file_kind(const char *name)
{
    static const char *const checkpoints[] = {".pt",  ".pth",   ".ckpt", ".safetensors",
                                              ".bin", ".keras", ".h5",   NULL};
    static const char *const logs[] = {".log", NULL};
    if (strcmp(name, "results.csv") == 0 || strcmp(name, "metrics.csv") == 0)
        return WATCH_RUN_RESULTS;
    if (base_starts_with(name, "events.out.tfevents"))
        return WATCH_RUN_EVENTS;
    if (strcmp(name, "args.yaml") == 0 || strcmp(name, "hparams.yaml") == 0 ||
        strcmp(name, "vigil.progress") == 0)
        return WATCH_RUN_ARGS;
    if (has_suffix(name, checkpoints))
        return WATCH_RUN_CHECKPOINT;
    return has_suffix(name, logs) ? WATCH_RUN_LOG : WATCH_RUN_OTHER;
}

typedef struct best {
    char *path; /* (WATCH_PATH_BYTES) */
    int64_t mtime_ns;
    int rank; /* a log alone is a weak hint */
} best;

static int64_t mtime_of(const struct stat *info)
{
    return (int64_t)info->st_mtim.tv_sec * 1000000000 + info->st_mtim.tv_nsec;
}

static void offer(best *b, const char *path, size_t n, int rank, int64_t mtime_ns)
{
    if (rank < b->rank || (rank == b->rank && mtime_ns <= b->mtime_ns) || n >= WATCH_PATH_BYTES)
        return;
    memcpy(b->path, path, n);
    b->path[n] = '\0';
    b->mtime_ns = mtime_ns;
    b->rank = rank;
}

/* ---- open files ---- */

static void ask_member(best *b, const watch_tree *t, const watch_member *m)
{
    char target[WATCH_PATH_BYTES];
    struct stat link, info;
    watch_dir list;
    int seen = 0;
    const int fd = watch_member_open(t, m, "fd", O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return;
    watch_dir_take(&list, fd);
    for (const char *name; seen < MOST_FDS && (name = watch_dir_next(&list, NULL)) != NULL;
         seen++) {
        const ssize_t k = readlinkat(fd, name, target, sizeof target - 1);
        if (k <= 0 || target[0] != '/')
            continue;
        target[k] = '\0';
        const watch_run_file kind = watch_run_file_kind(base_path_name(target));
        /* A link's permissions tell how the file was opened. */
        if (kind == WATCH_RUN_OTHER || base_starts_with(target, "/var/log/") ||
            fstatat(fd, name, &link, AT_SYMLINK_NOFOLLOW) != 0 || !(link.st_mode & S_IWUSR) ||
            fstatat(fd, name, &info, 0) != 0 || !S_ISREG(info.st_mode))
            continue;
        size_t n = (size_t)(base_path_name(target) - target);
        while (n > 1 && target[n - 1] == '/')
            n--;
        if (kind == WATCH_RUN_CHECKPOINT) { /* in the run's folder, or in one of its own in it */
            static const char *const own[] = {"/weights", "/checkpoints"};
            for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
                const size_t tail = strlen(own[i]);
                if (n > tail && memcmp(target + n - tail, own[i], tail) == 0)
                    n -= tail;
            }
        }
        offer(b, target, n, kind == WATCH_RUN_LOG ? 1 : 3, mtime_of(&info));
    }
    watch_dir_close(&list);
}

/* ---- on disk ---- */

/* path: the folder, which grows at its end as the search goes down. */
static void ask_folder(best *b, char path[WATCH_PATH_BYTES], int depth, int64_t began_ns, int *left)
{
    const size_t n = strlen(path);
    watch_dir list;
    unsigned char type;
    struct stat info;
    if (--*left < 0 || !watch_dir_open(&list, AT_FDCWD, path))
        return;
    for (const char *name; (name = watch_dir_next(&list, &type)) != NULL;) {
        if (type == DT_DIR && depth < DEEPEST && name[0] != '.' &&
            base_format(path + n, WATCH_PATH_BYTES - n, "/%s", name))
            ask_folder(b, path, depth + 1, began_ns, left);
        path[n] = '\0';
        const watch_run_file kind = watch_run_file_kind(name);
        if (kind != WATCH_RUN_OTHER && kind != WATCH_RUN_LOG && kind != WATCH_RUN_CHECKPOINT &&
            fstatat(list.fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode) &&
            mtime_of(&info) >= began_ns)
            offer(b, path, n, 2, mtime_of(&info));
    }
    watch_dir_close(&list);
}

const char *watch_run_argument(const char *words, size_t n, size_t *at)
{
    static const char *const keys[] = {"project",  "output_dir", "output-dir",       "save_dir",
                                       "save-dir", "logdir",     "log_dir",          "log-dir",
                                       "work_dir", "work-dir",   "default_root_dir", "run_dir"};
    while (*at < n && words[*at] != '\0') {
        const char *word = words + *at;
        const size_t size = strnlen(word, n - *at);
        if (*at + size == n) /* cut off */
            return NULL;
        *at += size + 1;
        const char *name = word + strspn(word, "-");
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
            const size_t k = strlen(keys[i]);
            if (strncmp(name, keys[i], k) != 0)
                continue;
            if (name[k] == '=' && name[k + 1] != '\0')
                return name + k + 1;
            if (name[k] == '\0' && name > word && *at < n && words[*at] != '\0' &&
                strnlen(words + *at, n - *at) < n - *at)
                return words + *at;
        }
    }
    return NULL;
}

static void ask_named(best *b, const watch_tree *t, const watch_member *main, const char *cwd,
                      int64_t began_ns, int *left)
{
    char words[8192], path[WATCH_PATH_BYTES];
    const ssize_t n = watch_member_read(t, main, "cmdline", words, sizeof words);
    size_t at = 0;
    for (const char *name; n > 0 && (name = watch_run_argument(words, (size_t)n, &at)) != NULL;)
        if (name[0] == '/' ? base_format(path, sizeof path, "%s", name)
                           : base_path_join(path, sizeof path, cwd, name))
            ask_folder(b, path, 0, began_ns, left);
}

bool watch_run_folder_find(char out[WATCH_PATH_BYTES], watch_tree *t, int64_t began_ns)
{
    static const char *const usual[] = {"runs", "lightning_logs", "logs"};
    char found[WATCH_PATH_BYTES] = "", path[WATCH_PATH_BYTES], cwd[WATCH_PATH_BYTES];
    best b = {.path = found};
    const size_t at_main = watch_tree_main(t);
    if (at_main == (size_t)-1)
        return false;
    const watch_member *main = watch_tree_at(t, at_main);
    ask_member(&b, t, main);
    for (size_t i = 0, asked = 0; i < watch_tree_size(t) && asked < MOST_ASKED && b.rank < 3; i++)
        if (i != at_main) {
            ask_member(&b, t, watch_tree_at(t, i));
            asked++;
        }
    const ssize_t k =
        b.rank < 3 && main->dir >= 0 ? readlinkat(main->dir, "cwd", cwd, sizeof cwd - 1) : -1;
    if (k > 0) {
        cwd[k] = '\0';
        int left = MOST_FOLDERS;
        for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
            if (base_path_join(path, sizeof path, cwd, usual[i]))
                ask_folder(&b, path, 0, began_ns, &left);
        ask_named(&b, t, main, cwd, began_ns, &left);
    }
    if (b.rank == 0)
        return false;
    memcpy(out, found, sizeof found);
    return true;
}
