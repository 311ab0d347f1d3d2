/* board.c: the server of a board, who may do what there, and the thread that looks at the folder.
 */
#include "board.h"

#include <pthread.h>
#include <sys/random.h>
#include <unistd.h>

#include "draw.h"

enum {
    MOST_CONNECTIONS = 48,
    MOST_STREAMS = 24,
    MOST_ANSWER_BYTES = 48 << 20,
    LOOK_EVERY_MS = 1000,
    LEAST_SCAN_MS = 2000, /* between two scans; and nineteen times as long as one took */
    TOKEN_BYTES = 12,
    MOST_TOKEN_BYTES = 128,
    STACK_BYTES = 512 << 10
};

struct board {
    board_options o;
    base_mem *mem;
    base_mem looking; /* what a look takes for a while */
    board_runs *runs;
    board_pages pages;
    net_server *server;
    pthread_t thread;
    bool has_thread, stops;
    pthread_mutex_t lock; /* of stops */
    pthread_cond_t wake;
    char token[MOST_TOKEN_BYTES], url[512];
};

/* ---- looking ---- */

static bool waits(board *b, int64_t until_ns)
{
    pthread_mutex_lock(&b->lock);
    while (!b->stops && base_cond_wait(&b->wake, &b->lock, until_ns)) {
    }
    const bool goes_on = !b->stops;
    pthread_mutex_unlock(&b->lock);
    return goes_on;
}

static void *look(void *ctx)
{
    board *b = ctx;
    int64_t next_scan_ns = 0;
    for (int64_t now_ns = base_now_ns(); waits(b, now_ns + LOOK_EVERY_MS * INT64_C(1000000));) {
        now_ns = base_now_ns();
        bool is_new = board_runs_look(b->runs, &b->looking);
        if (now_ns >= next_scan_ns) {
            is_new |= board_runs_scan(b->runs, &b->looking);
            const int64_t took_ns = base_now_ns() - now_ns,
                          least_ns = LEAST_SCAN_MS * INT64_C(1000000);
            next_scan_ns = base_now_ns() + (19 * took_ns > least_ns ? 19 * took_ns : least_ns);
        }
        if (is_new)
            net_server_wake(b->server);
        now_ns = base_now_ns();
    }
    return NULL;
}

/* ---- answers: by the server's thread ---- */

/* What follows prefix in path; NULL: it does not begin so. */
static const char *behind(const char *path, const char *prefix)
{
    return base_starts_with(path, prefix) ? path + strlen(prefix) : NULL;
}

static bool news(void *ctx, const char *topic, uint64_t *seen, page_news *e)
{
    board *b = ctx;
    const char *path = behind(topic, "run:");
    uint64_t version = 0;
    board_runs_lock(b->runs);
    const board_run *run = path != NULL ? board_runs_find(b->runs, path) : NULL;
    const board_living *k = path != NULL ? board_runs_living(b->runs, path) : NULL;
    if (run != NULL)
        version = board_run_version(run, k);
    else if (path == NULL)
        version = board_runs_version(b->runs) + 1;
    const bool is_new = version != 0 && version != *seen;
    if (is_new && run != NULL)
        board_tell_run(e, run, k);
    else if (is_new)
        page_news_part(e, "runs", version - 1);
    board_runs_unlock(b->runs);
    *seen = is_new ? version : *seen;
    return is_new;
}

static bool answer_stop(board *b, const char *path, net_answer *a, base_mem *mem)
{
    vg_error err = {.status = VG_OK};
    train_other other;
    char folder[TRAIN_PATH_BYTES];
    board_runs_lock(b->runs);
    const board_run *run = board_runs_find(b->runs, path);
    const bool is_living = run != NULL && run->facts.is_alive && run->facts.kind == BOARD_TRAIN;
    board_runs_unlock(b->runs);
    if (run == NULL)
        return false;
    vg_status st = VG_OK;
    if (!is_living)
        st = base_fail(&err, VG_ERR_ARGUMENT, NULL, NULL, "the run is not running");
    else if (b->o.stop != NULL)
        b->o.stop(b->o.ctx);
    else if (!base_format(folder, sizeof folder, "%s%s%s", board_runs_folder(b->runs),
                          path[0] != '\0' ? "/" : "", path))
        st = base_fail(&err, VG_ERR_LIMIT, NULL, NULL, "a path too long");
    else if ((st = train_other_open(&other, folder, NULL, mem, &err)) == VG_OK) {
        st = train_other_stop(&other, mem, &err);
        train_other_close(&other);
    }
    if (st == VG_OK)
        base_log(BASE_LOG_INFO, "asked to stop from the page", "run=%s",
                 path[0] != '\0' ? path : ".");
    a->status = st == VG_OK ? 200 : 409;
    if (base_str_add(&a->body, 4096, mem, NULL, "%s\n",
                     st == VG_OK ? "the run will end after this batch, with a checkpoint"
                                 : err.what) != VG_OK)
        net_answer_busy(a);
    return true;
}

static bool answer_file(board *b, const char *rest, net_answer *a, base_mem *mem)
{
    char path[BOARD_PATH_BYTES];
    const char *slash = strrchr(rest, '/');
    return slash != NULL && base_format(path, sizeof path, "%.*s", (int)(slash - rest), rest) &&
           board_answer_file(&b->pages, path, slash + 1, a, mem);
}

static bool answer_stop_or_go(board *b, const char *path, net_answer *a, base_mem *mem)
{
    if (!answer_stop(b, path, a, mem))
        return false;
    /* A browser without a script is shown the run again. */
    if (a->status == 200)
        a->go_to = "/";
    return true;
}

static bool answer(void *ctx, const net_request *r, const char *path, net_answer *a, base_mem *mem)
{
    board *b = ctx;
    const char *rest;
    if (net_request_is_post(r))
        return (rest = behind(path, "/stop/")) != NULL && answer_stop_or_go(b, rest, a, mem);
    if (page_answer_asset(a, path, mem))
        return true;
    if (strcmp(path, "/events") == 0) {
        const char *topic = net_request_query(r, "topic");
        page_feed_join(b->pages.feed, topic != NULL ? topic : "list", a);
        return true;
    }
    if ((rest = behind(path, "/file/")) != NULL)
        return answer_file(b, rest, a, mem);
    if ((rest = behind(path, "/run/")) != NULL)
        return board_answer_run(&b->pages, r, rest, a, mem);
    if (b->o.is_single)
        return strcmp(path, "/") == 0 && board_answer_run(&b->pages, r, "", a, mem);
    if (strcmp(path, "/compare") == 0)
        board_answer_compare(&b->pages, r, a, mem);
    else if (strcmp(path, "/") == 0)
        board_answer_list(&b->pages, r, a, mem);
    else
        return false;
    return true;
}

/* ---- open ---- */

static const char *address_of(const char *where)
{
    return strcmp(where, "true") == 0 ? "127.0.0.1:0" : where;
}

vg_status board_check(const char *where, const char *token, vg_error *err)
{
    net_address address;
    if (strlen(token) >= MOST_TOKEN_BYTES)
        return base_fail(err, VG_ERR_ARGUMENT, "--token", "a shorter one",
                         "a token of more than %d bytes", MOST_TOKEN_BYTES - 1);
    return net_address_parse(&address, address_of(where), err);
}

static vg_status make_token(board *b, const char *given, vg_error *err)
{
    unsigned char bytes[TOKEN_BYTES];
    if (given[0] != '\0') {
        base_format(b->token, sizeof b->token, "%s", given);
        return VG_OK;
    }
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return base_fail_errno(err, VG_ERR_SYSTEM, "--token", "give one", "no token can be made");
    for (size_t i = 0; i < sizeof bytes; i++)
        base_format(b->token + 2 * i, 3, "%02x", (unsigned)bytes[i]);
    return VG_OK;
}

static void make_url(board *b, const char *where)
{
    char host[64] = "";
    const char *colon = strrchr(where, ':');
    if (colon != NULL)
        base_format(host, sizeof host, "%.*s", (int)(colon - where), where);
    base_format(b->url, sizeof b->url, "http://%s:%d/?token=%s",
                host[0] != '\0' ? host : "127.0.0.1", net_server_port(b->server), b->token);
}

static vg_status serve(board *b, const board_options *o, vg_error *err)
{
    net_address address;
    const char *where = address_of(o->where);
    const page_feed_options feed = {.most_readers = MOST_STREAMS, .ctx = b, .news = news};
    vg_status st = board_check(where, o->token, err);
    if (st == VG_OK)
        st = net_address_parse(&address, where, err);
    if (st == VG_OK)
        st = make_token(b, o->token, err);
    if (st == VG_OK)
        st = page_feed_create(&b->pages.feed, &feed, b->mem, err);
    if (st != VG_OK)
        return st;
    const net_server_options server = {
        .where = where,
        .token = o->token[0] != '\0' || !address.is_loopback ? b->token : "",
        .act_token = b->token,
        .pages = "there are / and /run/NAME",
        .most_connections = MOST_CONNECTIONS,
        .most_streams = MOST_STREAMS,
        .most_answer_bytes = MOST_ANSWER_BYTES,
        .ctx = b,
        .answer = answer};
    st = net_server_open(&b->server, &server, b->mem, err);
    if (st == VG_OK)
        make_url(b, where);
    return st;
}

vg_status board_open(board **out, const board_options *o, base_mem *mem, vg_error *err)
{
    *out = NULL;
    board *b = base_alloc_zero(mem, 1, sizeof *b, err);
    if (b == NULL)
        return VG_ERR_MEMORY;
    b->o = *o;
    b->mem = mem;
    base_mem_init(&b->looking, "looking", mem, 0);
    base_cond_init(&b->wake);
    pthread_mutex_init(&b->lock, NULL);
    vg_status st = board_runs_create(&b->runs, o->folder, o->is_single, mem, err);
    b->pages.runs = b->runs;
    b->pages.mem = mem;
    if (st == VG_OK) {
        board_runs_scan(b->runs, &b->looking); /* so that the first page has them */
        board_runs_look(b->runs, &b->looking);
        st = serve(b, o, err);
    }
    if (st == VG_OK) {
        st = base_thread_start(&b->thread, "vigil-board", STACK_BYTES, look, b, err);
        b->has_thread = st == VG_OK;
    }
    if (st != VG_OK)
        board_close(&b);
    *out = b;
    return st;
}

const char *board_url(const board *b)
{
    return b->url;
}

void board_close(board **board_)
{
    board *b = *board_;
    if (b == NULL)
        return;
    pthread_mutex_lock(&b->lock);
    b->stops = true;
    pthread_cond_signal(&b->wake);
    pthread_mutex_unlock(&b->lock);
    if (b->has_thread)
        pthread_join(b->thread, NULL);
    net_server_close(&b->server);
    page_feed_destroy(&b->pages.feed);
    board_runs_destroy(&b->runs);
    base_free(b->pages.story);
    pthread_cond_destroy(&b->wake);
    pthread_mutex_destroy(&b->lock);
    base_free(b);
    *board_ = NULL;
}
