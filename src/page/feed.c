/* feed.c: readers' places, each with the event that it is being sent. */
#include "feed.h"

#include <pthread.h>
#include <stdarg.h>

enum { SENT_BYTES = PAGE_NEWS_BYTES + 64 };
/* So often at least something is sent: a reader who left is noticed by it. */
static const int64_t QUIET_NS = INT64_C(10000000000);

typedef struct reader {
    page_feed *feed; /* NULL: free */
    uint64_t seen;
    size_t n, sent; /* of text */
    int64_t sent_ns;
    char topic[PAGE_TOPIC_BYTES], text[SENT_BYTES];
} reader;

struct page_feed {
    page_feed_options o;
    pthread_mutex_t lock; /* of which places are taken */
    page_news news;       /* the server's thread's */
    reader readers[];     /* (most_readers) */
};

/* ---- an event ---- */

enum { GROUP_NONE, GROUP_PARTS, GROUP_FIGURES, GROUP_BARS, GROUP_END };

/* Appends whole, or leaves it out; room for the braces that end it is kept. */
static void add(page_news *e, int group, const char *format, ...) VG_PRINTF(3, 4);
static void add(page_news *e, int group, const char *format, ...)
{
    static const char *const names[] = {"", "parts", "figures", "bars", ""};
    char item[PAGE_NEWS_BYTES], head[32] = "";
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(item, sizeof item, format, args);
    va_end(args);
    if (e->group != group && group != GROUP_END)
        base_format(head, sizeof head, "%s\"%s\":{", e->group == GROUP_NONE ? "{" : "},",
                    names[group]);
    else if (e->group != group)
        base_format(head, sizeof head, "%s", e->group == GROUP_NONE ? "{" : "},");
    else
        base_format(head, sizeof head, ",");
    if (n < 0 || (size_t)n >= sizeof item || e->n + strlen(head) + (size_t)n + 8 > sizeof e->text)
        return;
    base_format(e->text + e->n, sizeof e->text - e->n, "%s%s", head, item);
    e->n += strlen(e->text + e->n);
    e->group = group;
}

void page_news_part(page_news *e, const char *name, uint64_t version)
{
    char shown[128];
    base_json_escape(shown, sizeof shown, name);
    add(e, GROUP_PARTS, "\"%s\":\"%llu\"", shown, (unsigned long long)version);
}

void page_news_figure(page_news *e, const char *name, const char *text)
{
    char key[128], shown[1024];
    base_json_escape(key, sizeof key, name);
    base_json_escape(shown, sizeof shown, text);
    add(e, GROUP_FIGURES, "\"%s\":\"%s\"", key, shown);
}

void page_news_bar(page_news *e, const char *name, double part_0_1)
{
    char key[128];
    base_json_escape(key, sizeof key, name);
    add(e, GROUP_BARS, "\"%s\":%.4f", key, part_0_1 >= 0 && part_0_1 <= 1 ? part_0_1 : 0);
}

void page_news_state(page_news *e, const char *state)
{
    char shown[128];
    base_json_escape(shown, sizeof shown, state);
    add(e, GROUP_END, "\"state\":\"%s\"", shown);
}

static const char *end_of(const page_news *e)
{
    return e->group == GROUP_NONE ? "{}" : e->group == GROUP_END ? "}" : "}}";
}

/* ---- a reader ---- */

static void make_text(reader *k, int64_t now_ns)
{
    page_feed *f = k->feed;
    k->n = k->sent = 0;
    f->news.n = 0;
    f->news.group = GROUP_NONE;
    f->news.text[0] = '\0';
    if (f->o.news(f->o.ctx, k->topic, &k->seen, &f->news))
        base_format(k->text, sizeof k->text, "data: %s%s\n\n", f->news.text, end_of(&f->news));
    else if (now_ns - k->sent_ns >= QUIET_NS)
        base_format(k->text, sizeof k->text, ":\n\n");
    else
        return;
    k->n = strlen(k->text);
    k->sent_ns = now_ns;
}

static net_more read_(void *ctx, char *out, size_t most, size_t *n)
{
    reader *k = ctx;
    if (k->sent == k->n)
        make_text(k, base_now_ns());
    const size_t left = k->n - k->sent;
    *n = left < most ? left : most;
    memcpy(out, k->text + k->sent, *n);
    k->sent += *n;
    return *n > 0 ? NET_MORE_BYTES : NET_MORE_LATER;
}

static void leave(void *ctx)
{
    reader *k = ctx;
    page_feed *f = k->feed;
    pthread_mutex_lock(&f->lock);
    k->feed = NULL;
    pthread_mutex_unlock(&f->lock);
}

/* ---- the feed ---- */

size_t page_feed_bytes(int most_readers)
{
    return sizeof(page_feed) + (size_t)most_readers * sizeof(reader);
}

vg_status page_feed_create(page_feed **out, const page_feed_options *o, base_mem *mem,
                           vg_error *err)
{
    *out = NULL;
    const int n = o->most_readers < PAGE_MOST_READERS ? o->most_readers : PAGE_MOST_READERS;
    page_feed *f = base_alloc_zero(mem, 1, page_feed_bytes(n), err);
    if (f == NULL)
        return VG_ERR_MEMORY;
    f->o = *o;
    f->o.most_readers = n;
    pthread_mutex_init(&f->lock, NULL);
    *out = f;
    return VG_OK;
}

void page_feed_destroy(page_feed **feed)
{
    page_feed *f = *feed;
    if (f == NULL)
        return;
    pthread_mutex_destroy(&f->lock);
    base_free(f);
    *feed = NULL;
}

void page_feed_join(page_feed *f, const char *topic, net_answer *a)
{
    reader *k = NULL;
    pthread_mutex_lock(&f->lock);
    for (int i = 0; i < f->o.most_readers && k == NULL; i++)
        if (f->readers[i].feed == NULL)
            k = &f->readers[i];
    if (k != NULL) {
        *k = (reader){.feed = f};
        base_format(k->topic, sizeof k->topic, "%s", topic);
    }
    pthread_mutex_unlock(&f->lock);
    if (k == NULL) {
        net_answer_busy(a);
        return;
    }
    a->type = "text/event-stream";
    a->stream = (net_stream){.ctx = k, .read = read_, .close = leave};
}

int page_feed_n_readers(page_feed *f)
{
    int n = 0;
    pthread_mutex_lock(&f->lock);
    for (int i = 0; i < f->o.most_readers; i++)
        n += f->readers[i].feed != NULL;
    pthread_mutex_unlock(&f->lock);
    return n;
}
