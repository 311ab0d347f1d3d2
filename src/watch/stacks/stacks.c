/* stacks.c: the sampler's tables, added up. A table is the job's: every number of it is checked
 * before it is used. It is read into a block of our own, so that the job cannot pull it away. */
#include "stacks.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stacks_library.h"
#include "watch/sample/proc.h"

enum { MOST_NAMES = 8192, MOST_PROBES = 256 };

typedef struct name {
    char function[STACKS_FUNCTION_BYTES], file[STACKS_FILE_BYTES];
} name;

/* One table file at a look. */
typedef struct found {
    bool is_there, lives;
    int pid;
    uint64_t opened_ns;
} found;

struct watch_stacks {
    char tables[4200];
    stacks_table *table; /* the one being read */
    watch_stack *stacks; /* (WATCH_MOST_STACKS), open addressing */
    char (*modules)[STACKS_PATH_BYTES];
    name *names; /* (MOST_NAMES), open addressing; 0 is not used */
    uint32_t n_modules;
    uint64_t n_no_stack; /* stacks that found no room here, at this look */
    double times_s[WATCH_STACK_MOMENTS];
    size_t n_moments;
    double spacing_s;
    double looked_s;
    const watch_stack **sorted;
    watch_stacks_facts facts;
    found files[STACKS_MOST_PROCESSES];
    /* Of the table being read: its numbers in ours. */
    uint16_t module_of[STACKS_MOST_MODULES];
    uint16_t name_of[STACKS_MOST_NAMES];
    uint16_t stack_of[STACKS_MOST_STACKS]; /* + 1; 0: not yet */
};

/* ---- create ---- */

static bool table_path(char *buf, size_t n, const char *tables, int i)
{
    return base_format(buf, n, "%s/%02d.stacks", tables, i);
}

static bool absolute(char *out, size_t n, const char *folder, const char *last)
{
    char here[4096] = "";
    if (folder[0] != '/' && getcwd(here, sizeof here) == NULL)
        return false;
    return base_format(out, n, "%s%s%s/%s", here, here[0] != '\0' ? "/" : "", folder, last);
}

static vg_status make_paths(char *library, char *tables, size_t n, const char *folder,
                            vg_error *err)
{
    if (!absolute(library, n, folder, "libvigil-stacks.so") ||
        !absolute(tables, n, folder, "stacks"))
        return base_fail(err, VG_ERR_LIMIT, folder, "use a shorter path", "a path too long");
    if (strpbrk(library, " :\t\n") != NULL)
        return base_fail(err, VG_ERR_LIMIT, library,
                         "give --project a folder without blanks and colons",
                         "a path that the loader cannot preload from");
    return VG_OK;
}

static void clear_tables(watch_stacks *s, bool keeps_living);

vg_status watch_stacks_create(watch_stacks **out, const char *folder, base_mem *mem, vg_error *err)
{
    char library[4200], tables[4200];
    *out = NULL;
    vg_status st = make_paths(library, tables, sizeof library, folder, err);
    if (st == VG_OK)
        st = base_file_replace(library, watch_stacks_library,
                               (size_t)(watch_stacks_library_end - watch_stacks_library), err);
    if (st == VG_OK)
        st = base_make_dirs(tables, err);
    if (st != VG_OK)
        return st;
    watch_stacks *s = base_alloc_zero(mem, 1, sizeof *s, err);
    if (s == NULL)
        return VG_ERR_MEMORY;
    memcpy(s->tables, tables, sizeof tables);
    s->table = base_alloc_zero(mem, 1, sizeof *s->table, err);
    s->stacks = base_alloc_zero(mem, WATCH_MOST_STACKS, sizeof *s->stacks, err);
    s->modules = base_alloc_zero(mem, WATCH_MOST_MODULES, sizeof *s->modules, err);
    s->names = base_alloc_zero(mem, MOST_NAMES, sizeof *s->names, err);
    s->sorted = base_alloc_zero(mem, WATCH_MOST_STACKS, sizeof *s->sorted, err);
    s->looked_s = NAN;
    *out = s;
    if (s->table != NULL)
        clear_tables(s, true); /* a guard before this one may have left a job that lives */
    if (s->table != NULL && s->stacks != NULL && s->modules != NULL && s->names != NULL &&
        s->sorted != NULL)
        return VG_OK;
    watch_stacks_destroy(out);
    return VG_ERR_MEMORY;
}

void watch_stacks_destroy(watch_stacks **stacks)
{
    watch_stacks *s = *stacks;
    if (s == NULL)
        return;
    clear_tables(s, false);
    rmdir(s->tables);
    base_free(s->table);
    base_free(s->stacks);
    base_free(s->modules);
    base_free(s->names);
    base_free(s->sorted);
    base_free(s);
    *stacks = NULL;
}

/* ---- one table ---- */

static bool read_bytes(watch_stacks *s, int i, size_t n_bytes)
{
    char path[4224];
    size_t have = 0;
    if (!table_path(path, sizeof path, s->tables, i))
        return false;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return false;
    while (have < n_bytes) {
        const ssize_t k = read(fd, (char *)s->table + have, n_bytes - have);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            break;
        have += (size_t)k;
    }
    close(fd);
    return have == n_bytes;
}

static bool read_table(watch_stacks *s, int i, size_t n_bytes)
{
    const stacks_header *h = &s->table->header;
    return read_bytes(s, i, n_bytes) && h->magic == STACKS_MAGIC &&
           h->n_bytes == sizeof *s->table && h->rate_bytes > 0;
}

/* The process that opened the table, and no later one with its number. */
static bool lives(int pid, uint64_t opened_ns)
{
    proc_stat stat;
    if (pid <= 0 || !proc_stat_read(&stat, pid) || stat.state == 'Z')
        return false;
    const double began_s = (double)stat.start_ticks / (double)sysconf(_SC_CLK_TCK);
    return began_s <= (double)opened_ns * 1e-9 + 0.1;
}

static uint32_t our_module(watch_stacks *s, uint32_t theirs)
{
    stacks_module *m = &s->table->module[theirs];
    if (s->module_of[theirs] != 0)
        return s->module_of[theirs];
    uint32_t i = 0;
    m->path[STACKS_PATH_BYTES - 1] = '\0';
    if (m->state != STACKS_READY)
        return 0;
    while (i < s->n_modules && strcmp(s->modules[i], m->path) != 0)
        i++;
    if (i == WATCH_MOST_MODULES)
        return 0;
    if (i == s->n_modules)
        memcpy(s->modules[s->n_modules++], m->path, STACKS_PATH_BYTES);
    s->module_of[theirs] = (uint16_t)(i + 1);
    return i + 1;
}

static uint32_t our_name(watch_stacks *s, uint32_t theirs)
{
    if (theirs == 0 || theirs >= STACKS_MOST_NAMES || s->table->name[theirs].state != STACKS_READY)
        return 0;
    if (s->name_of[theirs] != 0)
        return s->name_of[theirs];
    stacks_name *n = &s->table->name[theirs];
    n->function[STACKS_FUNCTION_BYTES - 1] = n->file[STACKS_FILE_BYTES - 1] = '\0';
    uint64_t h = base_hash(BASE_HASH_START, n->function, strlen(n->function));
    h = base_hash(h, n->file, strlen(n->file));
    for (uint32_t probe = 0; probe < MOST_PROBES; probe++) {
        const uint32_t i = (uint32_t)((h + probe) % MOST_NAMES);
        name *ours = &s->names[i];
        if (i == 0)
            continue;
        if (ours->function[0] == '\0') {
            base_format(ours->function, sizeof ours->function, "%s",
                        n->function[0] != '\0' ? n->function : "?");
            base_format(ours->file, sizeof ours->file, "%s", n->file);
        } else if (strcmp(ours->function, n->function) != 0 || strcmp(ours->file, n->file) != 0) {
            continue;
        }
        s->name_of[theirs] = (uint16_t)i;
        return i;
    }
    return 0;
}

static uint64_t our_frame(watch_stacks *s, uint64_t frame)
{
    const uint64_t kind = frame >> 48;
    if (kind == STACKS_UNKNOWN || kind == STACKS_NOTE)
        return frame;
    if (kind == STACKS_PYTHON)
        return (frame & ~STACKS_NAME) | our_name(s, (uint32_t)(frame & STACKS_NAME));
    const uint32_t m = kind <= STACKS_MOST_MODULES ? our_module(s, (uint32_t)kind - 1) : 0;
    return (uint64_t)m << 48 | (frame & STACKS_LOW);
}

/* NULL: no room, or not a stack. */
static watch_stack *our_stack(watch_stacks *s, uint32_t theirs)
{
    uint64_t frame[STACKS_MOST_FRAMES];
    const stacks_stack *k = &s->table->stack[theirs];
    if (s->stack_of[theirs] != 0)
        return &s->stacks[s->stack_of[theirs] - 1];
    if (k->state != STACKS_READY || k->n_frames > STACKS_MOST_FRAMES)
        return NULL;
    uint32_t n = k->n_frames;
    for (uint32_t i = 0; i < n; i++)
        frame[i] = our_frame(s, k->frame[i]);
    if (n == 0)
        frame[n++] = STACKS_UNKNOWN; /* a stack that could not be followed is one, too */
    const uint64_t h = base_hash(BASE_HASH_START, frame, n * sizeof *frame);
    watch_stack *ours = NULL, *hole = NULL; /* sweep() makes holes: they do not end the search */
    for (uint32_t probe = 0; probe < MOST_PROBES && ours == NULL; probe++) {
        watch_stack *at = &s->stacks[((uint32_t)(h ^ h >> 32) + probe) % WATCH_MOST_STACKS];
        if (at->n_frames == 0)
            hole = hole != NULL ? hole : at;
        else if (at->hash == h && at->n_frames == n &&
                 memcmp(at->frame, frame, n * sizeof *frame) == 0)
            ours = at;
    }
    if (ours == NULL && hole != NULL) {
        ours = hole;
        *ours = (watch_stack){.hash = h, .n_frames = n};
        memcpy(ours->frame, frame, n * sizeof *frame);
    }
    if (ours != NULL) {
        s->stack_of[theirs] = (uint16_t)(ours - s->stacks + 1);
        return ours;
    }
    s->n_no_stack++;
    return NULL;
}
_Static_assert(WATCH_MOST_STACKS < UINT16_MAX && MOST_NAMES < UINT16_MAX, "module_of and others");

static void add_python(watch_stacks_facts *f, watch_python p)
{
    size_t i = 0;
    while (i < f->n_pythons && f->pythons[i].version != p.version)
        i++;
    if (i == WATCH_MOST_PYTHONS)
        return;
    if (i == f->n_pythons)
        f->pythons[f->n_pythons++] = p;
    /* One that only just starts says nothing against the others. */
    else if (f->pythons[i].seen == STACKS_PYTHON_STARTS ||
             (p.seen < f->pythons[i].seen && p.seen != STACKS_PYTHON_STARTS))
        f->pythons[i] = p;
}

static void add_table(watch_stacks *s)
{
    const stacks_header *h = &s->table->header;
    const double rate = (double)h->rate_bytes;
    memset(s->module_of, 0, sizeof s->module_of);
    memset(s->name_of, 0, sizeof s->name_of);
    memset(s->stack_of, 0, sizeof s->stack_of);
    for (size_t b = 0; b < STACKS_N_BUCKETS; b++)
        for (size_t w = 0; w < STACKS_WAYS; w++) {
            const stacks_sample sample = s->table->sample[b][w];
            if (s->table->live[b].address[w] <= 1 || sample.stack >= STACKS_MOST_STACKS ||
                sample.bytes == 0)
                continue;
            watch_stack *k = our_stack(s, sample.stack);
            if (k == NULL)
                continue;
            const double chance = -expm1(-(double)sample.bytes / rate);
            k->bytes += (double)sample.bytes / chance;
            k->count += 1 / chance;
            k->n_samples++;
        }
    s->facts.n_processes++;
    s->facts.rate_bytes = h->rate_bytes;
    s->facts.n_samples += h->n_samples;
    s->facts.n_lost += h->n_no_room + h->n_no_stack;
    s->facts.n_unread += h->n_unread;
    if (h->python > STACKS_PYTHON_NONE && h->python < STACKS_N_PYTHON)
        add_python(&s->facts,
                   (watch_python){(uint32_t)h->python_version & 0xffff, (stacks_python)h->python});
}

/* ---- a look ---- */

static void find_tables(watch_stacks *s, size_t *n_living)
{
    *n_living = 0;
    for (int i = 0; i < STACKS_MOST_PROCESSES; i++) {
        found *f = &s->files[i];
        *f = (found){.is_there = read_table(s, i, sizeof(stacks_header))};
        if (!f->is_there)
            continue;
        f->pid = s->table->header.pid;
        f->opened_ns = s->table->header.opened_ns;
        f->lives = lives(f->pid, f->opened_ns);
        for (int k = 0; k < i; k++) /* of one that became another program only the last counts */
            if (s->files[k].is_there && s->files[k].pid == f->pid)
                s->files[s->files[k].opened_ns < f->opened_ns ? k : i].lives = false;
    }
    for (int i = 0; i < STACKS_MOST_PROCESSES; i++)
        *n_living += s->files[i].lives;
}

/* A file without a whole header is one that a process is just opening; one that died there leaves a
 * place that is taken until the run ends. */
static bool may_be_in_use(watch_stacks *s, int i)
{
    const stacks_header *h = &s->table->header;
    return !read_bytes(s, i, sizeof *h) || lives(h->pid, h->opened_ns);
}

static void clear_tables(watch_stacks *s, bool keeps_living)
{
    char path[4224];
    for (int i = 0; i < STACKS_MOST_PROCESSES; i++) {
        if (keeps_living && may_be_in_use(s, i))
            continue;
        if (table_path(path, sizeof path, s->tables, i))
            unlink(path);
    }
}

static void drop_every_other(watch_stacks *s)
{
    const size_t n = WATCH_STACK_MOMENTS / 2;
    for (size_t m = 0; m < n; m++)
        s->times_s[m] = s->times_s[2 * m];
    for (size_t i = 0; i < WATCH_MOST_STACKS; i++)
        for (size_t m = 0; m < WATCH_STACK_MOMENTS; m++)
            s->stacks[i].past[m] = m < n ? s->stacks[i].past[2 * m] : 0;
    if (s->spacing_s == 0)
        s->spacing_s = (s->times_s[n - 1] - s->times_s[0]) / (double)(2 * (n - 1));
    s->n_moments = n;
    s->spacing_s *= 2;
}

/* A place whose stack is long gone serves others: or code that is never the same (closures, many
 * lines) would fill the table for good. Only a table that is filling is swept. */
static void sweep(watch_stacks *s)
{
    size_t n_used = 0;
    for (size_t i = 0; i < WATCH_MOST_STACKS; i++)
        n_used += s->stacks[i].n_frames > 0;
    if (n_used < WATCH_MOST_STACKS * 7 / 8)
        return;
    for (size_t i = 0; i < WATCH_MOST_STACKS; i++) {
        double most = s->stacks[i].bytes;
        for (size_t m = 0; m < s->n_moments; m++)
            most = fmax(most, s->stacks[i].past[m]);
        if (most == 0)
            s->stacks[i] = (watch_stack){0};
    }
}

void watch_stacks_look(watch_stacks *s, double now_s)
{
    size_t n_living;
    find_tables(s, &n_living);
    if (n_living == 0 && s->facts.n_processes > 0)
        return; /* as they ended they gave back what they had: what they held before tells more */
    sweep(s);
    for (size_t i = 0; i < WATCH_MOST_STACKS; i++) {
        s->stacks[i].bytes = s->stacks[i].count = 0;
        s->stacks[i].n_samples = 0;
    }
    s->facts = (watch_stacks_facts){0};
    s->n_no_stack = 0;
    for (int i = 0; i < STACKS_MOST_PROCESSES; i++) {
        char path[4224];
        if (s->files[i].is_there && (s->files[i].lives || n_living == 0)) {
            if (read_table(s, i, sizeof *s->table))
                add_table(s);
        } else if (s->files[i].is_there && table_path(path, sizeof path, s->tables, i)) {
            unlink(path);
        }
    }
    s->facts.n_lost += s->n_no_stack;
    s->looked_s = now_s;
    if (s->facts.n_processes == 0)
        return;
    /* A moment that comes early, because someone asked, takes the newest one's place. */
    const size_t m = s->n_moments;
    const bool is_early = (m >= 1 && now_s <= s->times_s[m - 1]) ||
                          (m >= 2 && now_s - s->times_s[m - 2] < 1.5 * s->spacing_s);
    if (is_early)
        s->n_moments--;
    else if (s->n_moments == WATCH_STACK_MOMENTS)
        drop_every_other(s);
    s->times_s[s->n_moments] = now_s;
    for (size_t i = 0; i < WATCH_MOST_STACKS; i++)
        s->stacks[i].past[s->n_moments] = (float)s->stacks[i].bytes;
    s->n_moments++;
}

double watch_stacks_next_s(const watch_stacks *s, double interval_s)
{
    if (isnan(s->looked_s))
        return 0;
    return s->looked_s + fmax(interval_s, s->spacing_s);
}

void watch_stacks_restart(watch_stacks *s)
{
    for (size_t i = 0; i < WATCH_MOST_STACKS; i++)
        s->stacks[i] = (watch_stack){0};
    s->n_moments = 0;
    s->spacing_s = 0;
    s->looked_s = NAN;
    s->facts = (watch_stacks_facts){0};
}

/* ---- growth ---- */

static void judge(watch_stacks *s, watch_stack *k, size_t from)
{
    double slopes[WATCH_STACK_MOMENTS * WATCH_STACK_MOMENTS / 2];
    size_t n = 0;
    double most = 0;
    k->grows = false;
    k->slope_per_s = k->growth_bytes = NAN;
    if (s->n_moments - from < 2)
        return;
    for (size_t a = from; a < s->n_moments; a++) {
        most = fmax(most, k->past[a]);
        for (size_t b = a + 1; b < s->n_moments; b++)
            slopes[n++] =
                ((double)k->past[b] - (double)k->past[a]) / (s->times_s[b] - s->times_s[a]);
    }
    k->slope_per_s = base_median(slopes, n);
    k->growth_bytes = k->slope_per_s * (s->times_s[s->n_moments - 1] - s->times_s[from]);
    /* A sum of samples of `rate` each is off by sqrt(sum * rate); blocks that are larger than the
     * rate are all sampled, and are off by nothing. */
    const double per_sample = k->n_samples > 0 ? k->bytes / k->n_samples : 0;
    const double noise = sqrt(most * fmax((double)s->facts.rate_bytes, per_sample));
    k->grows = s->n_moments - from >= 3 && k->growth_bytes > 3 * noise;
}

static int goes_before(const void *a_, const void *b_, void *ctx)
{
    const watch_stack *a = *(const watch_stack *const *)a_, *b = *(const watch_stack *const *)b_;
    (void)ctx;
    if (a->grows != b->grows)
        return a->grows;
    const double x = a->grows ? a->growth_bytes : a->bytes,
                 y = b->grows ? b->growth_bytes : b->bytes;
    return x != y ? x > y : a->hash > b->hash;
}

const watch_stack *const *watch_stacks_judge(watch_stacks *s, size_t *n)
{
    const size_t from = s->n_moments / 3;
    *n = 0;
    s->facts.n_moments = s->n_moments - from;
    s->facts.first_s = s->n_moments > 0 ? s->times_s[from] : 0;
    s->facts.last_s = s->n_moments > 0 ? s->times_s[s->n_moments - 1] : 0;
    s->facts.bytes = s->facts.count = s->facts.growth_bytes = 0;
    for (size_t i = 0; i < WATCH_MOST_STACKS; i++) {
        watch_stack *k = &s->stacks[i];
        if (k->bytes <= 0)
            continue;
        judge(s, k, from);
        s->facts.bytes += k->bytes;
        s->facts.count += k->count;
        s->facts.growth_bytes += k->grows ? k->growth_bytes : 0;
        s->sorted[(*n)++] = k;
    }
    base_sort(s->sorted, *n, sizeof *s->sorted, goes_before, NULL);
    return s->sorted;
}

void watch_stacks_facts_get(watch_stacks_facts *out, const watch_stacks *s)
{
    *out = s->facts;
}

void watch_python_words(char *buf, size_t n_buf, const watch_python *p, bool *is_bad)
{
    static const char small[] = "; its objects of up to 512 bytes are not seen: run the job with "
                                "PYTHONMALLOC=malloc";
    static const char *const seen[STACKS_N_PYTHON] = {
        [STACKS_PYTHON_UNKNOWN] =
            "is not supported (3.9 to 3.13 with the lock are): native frames only",
        [STACKS_PYTHON_STARTS] = "has not been sampled yet",
        [STACKS_PYTHON_OTHERWISE] =
            "has its frames elsewhere than its version has: native frames only",
        [STACKS_PYTHON_OBJECTS] =
            "has its frames elsewhere than its version has: native frames only",
        [STACKS_PYTHON_FRAMES] = "is shown by its functions and lines",
        [STACKS_PYTHON_WHOLE] = "is shown by its functions and lines, small objects too"};
    const bool no_small = p->seen == STACKS_PYTHON_UNKNOWN || p->seen == STACKS_PYTHON_OTHERWISE ||
                          p->seen == STACKS_PYTHON_FRAMES;
    base_format(buf, n_buf, "Python %u.%u %s%s", p->version >> 8, p->version & 255, seen[p->seen],
                no_small ? small : "");
    *is_bad = no_small || p->seen == STACKS_PYTHON_OBJECTS;
}

const char *watch_stacks_module(const watch_stacks *s, uint64_t frame)
{
    const uint64_t m = frame >> 48;
    return m >= 1 && m <= s->n_modules ? s->modules[m - 1] : "";
}

void watch_stacks_python(const watch_stacks *s, uint64_t frame, const char **function,
                         const char **file)
{
    const uint64_t i = frame & STACKS_NAME;
    const bool known = i > 0 && i < MOST_NAMES;
    *function = known ? s->names[i].function : "?";
    *file = known ? s->names[i].file : "";
}

/* ---- the job's environment ---- */

vg_status watch_stacks_env_add(watch_stacks_env *room, const char **env, size_t n_env,
                               const watch_options *options, const char *folder, vg_error *err)
{
    char library[4200], tables[4200];
    size_t n = 0, at = n_env;
    if (!options->stacks)
        return VG_OK;
    vg_status st = make_paths(library, tables, sizeof library, folder, err);
    if (st != VG_OK)
        return st;
    const char *others = getenv("LD_PRELOAD");
    for (; n < n_env && env[n] != NULL; n++)
        if (strncmp(env[n], "LD_PRELOAD=", 11) == 0) {
            at = n;
            others = env[n] + 11;
        }
    if (at == n_env)
        at = n++;
    const bool has_others = others != NULL && others[0] != '\0';
    if (n + 3 > n_env || !base_format(room->preload, sizeof room->preload, "LD_PRELOAD=%s%s%s",
                                      library, has_others ? ":" : "", has_others ? others : ""))
        return base_fail(err, VG_ERR_LIMIT, "LD_PRELOAD", "set fewer variables for the job",
                         "no room in the job's environment");
    base_format(room->folder, sizeof room->folder, STACKS_ENV_FOLDER "=%s", tables);
    base_format(room->rate, sizeof room->rate, STACKS_ENV_RATE "=%zu", options->stacks_rate_bytes);
    env[at] = room->preload;
    env[n] = room->folder;
    env[n + 1] = room->rate;
    return VG_OK;
}
