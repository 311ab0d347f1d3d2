/* remedy.c: three remedies that change no result of the job, and the book of what they did. */
#include "remedy.h"

#include <math.h>
#include <string.h>

static const double HELPS_BELOW = 0.5; /* of the rate before */

static const char *name_of(watch_remedy which)
{
    static const char *const names[] = {"arenas", "jemalloc", "workers", "none"};
    return names[which];
}

vg_status watch_remedies_read(watch_remedies *out, const char *text, vg_error *err)
{
    *out = (watch_remedies){.series = WATCH_NONE, .before_per_s = NAN};
    while (*text != '\0') {
        const size_t n = strcspn(text, ", ");
        watch_remedy found = WATCH_REMEDY_NONE;
        for (int i = 0; i < WATCH_REMEDY_MOST; i++)
            if (strlen(name_of((watch_remedy)i)) == n &&
                strncmp(name_of((watch_remedy)i), text, n) == 0)
                found = (watch_remedy)i;
        for (int i = 0; i < out->n; i++)
            if (out->allowed[i] == found)
                found = WATCH_REMEDY_NONE;
        if (n > 0 && found == WATCH_REMEDY_NONE)
            return base_fail(err, VG_ERR_ARGUMENT, "option remedies",
                             "give some of arenas, jemalloc, workers, each once", "remedies=%.100s",
                             text);
        if (n > 0)
            out->allowed[out->n++] = found;
        text += n + strspn(text + n, ", ");
    }
    return VG_OK;
}

/* ---- the book ---- */

static void tell_rates(char *said, size_t n_said, const watch_remedies *r, double after_per_s,
                       const char *verdict)
{
    char a[32], b[32];
    const watch_series_info *info = watch_series_get(r->series);
    const char *name = r->is_applied ? name_of(r->allowed[r->at]) : "a plain restart";
    if (info->unit == WATCH_BYTES)
        base_format(said, n_said, "%s: %s grows by %s/h, before by %s/h: %s", name, info->name,
                    base_format_bytes(a, sizeof a, after_per_s * 3600),
                    base_format_bytes(b, sizeof b, r->before_per_s * 3600), verdict);
    else
        base_format(said, n_said, "%s: %s grows by %.1f/h, before by %.1f/h: %s", name, info->name,
                    after_per_s * 3600, r->before_per_s * 3600, verdict);
}

bool watch_remedies_leak(watch_remedies *r, watch_series s, double slope_per_s, double now_s,
                         char *said, size_t n_said)
{
    const bool comparable = r->series == s && r->before_per_s > 0;
    if (r->series != WATCH_NONE && r->series != s)
        return false; /* one leak shows in several series: the first one is followed */
    if (!(slope_per_s > 0) || !(r->began_s > 0))
        return false;
    if (comparable) {
        const bool helps = slope_per_s < HELPS_BELOW * r->before_per_s;
        tell_rates(said, n_said, r, slope_per_s,
                   !r->is_applied ? "no remedy was in use"
                   : helps        ? "it helps, and is kept"
                                  : "it does not help");
        r->works |= r->is_applied && helps;
        if (r->is_applied && !helps) {
            r->at++;
            r->is_applied = false;
        }
    }
    r->series = s;
    r->before_per_s = slope_per_s;
    r->quiet_s = now_s - r->began_s;
    r->began_s = -INFINITY; /* reported once a run */
    return comparable;
}

bool watch_remedies_quiet(watch_remedies *r, double now_s, char *said, size_t n_said)
{
    if (!r->is_applied || r->works || !(r->began_s > 0) || now_s - r->began_s < 2 * r->quiet_s)
        return false;
    r->works = true;
    base_format(said, n_said,
                "%s: no leak for %.0f s; the run before was called a leak after %.0f s: it helps",
                name_of(r->allowed[r->at]), now_s - r->began_s, r->quiet_s);
    return true;
}

watch_remedy watch_remedies_next(watch_remedies *r, double now_s)
{
    r->began_s = now_s;
    r->is_applied = r->at < r->n && (r->before_per_s > 0 || r->works);
    return r->is_applied ? r->allowed[r->at] : WATCH_REMEDY_NONE;
}

/* ---- applying ---- */

static bool find_jemalloc(char *out, size_t n)
{
    static const char *const folders[] = {"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
                                          "/usr/lib64", "/usr/local/lib", "/usr/lib"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (base_path_join(out, n, folders[i], "libjemalloc.so.2") && base_path_exists(out))
            return true;
    return false;
}

static bool preload(char *env, char *said, size_t n_said)
{
    char library[256];
    const char *others = getenv("LD_PRELOAD");
    if (!find_jemalloc(library, sizeof library)) {
        base_format(said, n_said, "jemalloc is not installed (Debian: libjemalloc2)");
        return false;
    }
    const bool has = others != NULL && others[0] != '\0';
    return base_format(env, WATCH_REMEDY_ENV_BYTES, "LD_PRELOAD=%s%s%s", library, has ? ":" : "",
                       has ? others : "");
}

/* Where the number of workers begins: in "workers=8" or "--workers=8", or the next word's. */
static char *workers_value(char **argv, size_t *at)
{
    static const char *const names[] = {"workers",       "--workers",   "--num-workers",
                                        "--num_workers", "num_workers", "data.num_workers"};
    for (size_t i = 1; argv[i] != NULL; i++)
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            const size_t n = strlen(names[k]);
            if (strncmp(argv[i], names[k], n) != 0)
                continue;
            if (argv[i][n] == '=') {
                *at = i;
                return argv[i] + n + 1;
            }
            if (argv[i][n] == '\0' && names[k][0] == '-' && argv[i + 1] != NULL) {
                *at = i + 1;
                return argv[i + 1];
            }
        }
    return NULL;
}

static bool fewer_workers(char **argv, char *word, size_t n_word, char *said, size_t n_said)
{
    size_t at = 0;
    int64_t n;
    const char *value = workers_value(argv, &at);
    if (value == NULL || !base_parse_i64(&n, value, 1, 4096)) {
        base_format(said, n_said, "the command has no number of workers that could be halved");
        return false;
    }
    if (!base_format(word, n_word, "%.*s%lld", (int)(value - argv[at]), argv[at],
                     (long long)(n / 2)))
        return false;
    argv[at] = word;
    return true;
}

bool watch_remedy_apply(watch_remedy which, char **argv, char *env, char *word, size_t n_word,
                        char *said, size_t n_said)
{
    env[0] = said[0] = '\0';
    switch (which) {
    case WATCH_REMEDY_ARENAS:
        base_format(env, WATCH_REMEDY_ENV_BYTES, "MALLOC_ARENA_MAX=2");
        base_format(said, n_said, "remedy arenas: %s", env);
        return true;
    case WATCH_REMEDY_JEMALLOC:
        if (!preload(env, said, n_said))
            return false;
        base_format(said, n_said, "remedy jemalloc: %s", env);
        return true;
    case WATCH_REMEDY_WORKERS:
        if (!fewer_workers(argv, word, n_word, said, n_said))
            return false;
        base_format(said, n_said, "remedy workers: %s", word);
        return true;
    default:
        return false;
    }
}
