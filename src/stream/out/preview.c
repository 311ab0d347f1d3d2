/* preview.c: motion JPEG: parts of a multipart that replace each other. */
#include "preview.h"

#include <pthread.h>
#include <string.h>

enum {
    HEAD_BYTES = 128,
    N_PICTURES =
        2 * STREAM_MOST_LOOKERS + 1, /* each holds one, another is newest; one in the making */
    REPEAT_S = 2,                    /* what is sent to one who has left is how that is noticed */
    ONCE_S = 5,                      /* one who wants a single picture waits so long */
    FIRST_QUALITY = 80,
    LEAST_QUALITY = 20
};

typedef struct picture {
    int n_holders; /* lookers, and the channel whose newest it is */
    size_t n;
    uint64_t number; /* from 1 */
    uint8_t *bytes;  /* (capacity) */
} picture;

typedef struct looker {
    stream_preview *preview; /* NULL: free */
    int channel;
    bool is_single, is_done;
    picture *sending;  /* NULL: none */
    size_t at, n_head; /* of head, bytes and tail together */
    uint64_t seen;
    int64_t sent_ns;
    char head[HEAD_BYTES];
} looker;

typedef struct looked_at {
    int n_lookers;
    picture *newest;
    int64_t due_ns; /* the writer's */
} looked_at;

struct stream_preview {
    pthread_mutex_t lock;
    int n_channels, width;
    double fps;
    uint64_t n_shown;
    size_t capacity;
    image_encoder *encoder; /* the writer's, as scaled and scratch */
    image_buffer scaled;
    image_scratch scratch;
    looked_at channels[STREAM_MOST_CHANNELS];
    looker lookers[STREAM_MOST_LOOKERS];
    picture pictures[N_PICTURES];
    uint8_t *block; /* (N_PICTURES, capacity) */
};

/* Four bits a pixel: what quality 80 takes of a busy picture is half of it. */
static size_t capacity_of(int width)
{
    return base_round_up((size_t)width * (size_t)width / 2 + (16 << 10), 64);
}

static image_encoder_need encoder_need(int width)
{
    image_encoder_need need = {0};
    image_encoder_need_raise(&need, width, width, ".jpg");
    return need;
}

size_t stream_preview_bytes(int n_channels, int width)
{
    const image_encoder_need need = encoder_need(width);
    (void)n_channels;
    return sizeof(stream_preview) + N_PICTURES * capacity_of(width) + image_encoder_bytes(&need) +
           (size_t)width * (size_t)width * 3;
}

vg_status stream_preview_create(stream_preview **out, int n_channels, int width, double fps,
                                base_mem *mem, vg_error *err)
{
    const image_encoder_need need = encoder_need(width);
    *out = NULL;
    stream_preview *p = base_alloc_zero(mem, 1, sizeof *p, err);
    if (p == NULL)
        return VG_ERR_MEMORY;
    pthread_mutex_init(&p->lock, NULL);
    p->n_channels = n_channels < STREAM_MOST_CHANNELS ? n_channels : STREAM_MOST_CHANNELS;
    p->width = width;
    p->fps = fps;
    p->capacity = capacity_of(width);
    p->block = base_alloc(mem, N_PICTURES * p->capacity, err);
    vg_status st = p->block != NULL ? VG_OK : VG_ERR_MEMORY;
    for (int i = 0; i < N_PICTURES && st == VG_OK; i++)
        p->pictures[i].bytes = p->block + (size_t)i * p->capacity;
    if (st == VG_OK)
        st = image_buffer_reserve(&p->scaled, width, width, mem, err);
    if (st == VG_OK)
        st = image_encoder_create(&p->encoder, mem, err);
    if (st == VG_OK)
        st = image_encoder_reserve(p->encoder, &need, mem, err);
    if (st != VG_OK)
        stream_preview_destroy(&p);
    *out = p;
    return st;
}

void stream_preview_destroy(stream_preview **preview)
{
    stream_preview *p = *preview;
    if (p == NULL)
        return;
    pthread_mutex_destroy(&p->lock);
    image_encoder_destroy(&p->encoder);
    image_buffer_fini(&p->scaled);
    image_scratch_fini(&p->scratch);
    base_free(p->block);
    base_free(p);
    *preview = NULL;
}

/* ---- the writer ---- */

bool stream_preview_wants(stream_preview *p, int channel, int64_t now_ns)
{
    if (channel < 0 || channel >= p->n_channels || now_ns < p->channels[channel].due_ns)
        return false;
    pthread_mutex_lock(&p->lock);
    const bool is_looked_at = p->channels[channel].n_lookers > 0;
    pthread_mutex_unlock(&p->lock);
    return is_looked_at;
}

static vg_status scale(stream_preview *p, image_view *out, const image_view *in, base_mem *mem,
                       vg_error *err)
{
    const int side = in->w > in->h ? in->w : in->h;
    *out = *in;
    if (side <= p->width)
        return VG_OK;
    const double ratio = (double)p->width / side;
    const int w = (int)(in->w * ratio + 0.5), h = (int)(in->h * ratio + 0.5);
    vg_status st = image_buffer_reserve(&p->scaled, w > 0 ? w : 1, h > 0 ? h : 1, mem, err);
    if (st == VG_OK)
        st = image_resize(&p->scaled.view, in, &p->scratch, mem, err);
    *out = p->scaled.view;
    return st;
}

/* One that nobody holds: there always is one, for lookers and newest ones hold all but one at most.
 */
static picture *blank(stream_preview *p)
{
    picture *found = NULL;
    pthread_mutex_lock(&p->lock);
    for (int i = 0; i < N_PICTURES && found == NULL; i++)
        if (p->pictures[i].n_holders == 0)
            found = &p->pictures[i];
    found->n_holders = 1;
    pthread_mutex_unlock(&p->lock);
    return found;
}

vg_status stream_preview_show(stream_preview *p, int place, const image_view *view, int64_t now_ns,
                              base_mem *mem, vg_error *err)
{
    looked_at *c = &p->channels[place];
    image_view small;
    const uint8_t *bytes = NULL;
    size_t n = SIZE_MAX;
    c->due_ns = now_ns + (int64_t)(1e9 / p->fps);
    vg_status st = scale(p, &small, view, mem, err);
    for (int q = FIRST_QUALITY; q >= LEAST_QUALITY && n > p->capacity && st == VG_OK; q -= 30)
        st = image_encode_jpeg(p->encoder, &small, q, &bytes, &n, mem, err);
    if (st == VG_OK && n > p->capacity)
        st = base_fail(err, VG_ERR_LIMIT, "preview", "a smaller preview_width",
                       "a picture of %zu bytes, for which there are %zu", n, p->capacity);
    if (st != VG_OK)
        return st;
    picture *made = blank(p);
    memcpy(made->bytes, bytes, n);
    made->n = n;
    pthread_mutex_lock(&p->lock);
    picture *old = c->newest;
    made->number = ++p->n_shown;
    if (c->n_lookers > 0)
        c->newest = made;
    else
        old = made; /* they have left meanwhile */
    if (old != NULL)
        old->n_holders--;
    pthread_mutex_unlock(&p->lock);
    return VG_OK;
}

/* ---- lookers: by the server's thread ---- */

static void end_sending(looker *l)
{
    if (l->sending != NULL)
        l->sending->n_holders--;
    l->sending = NULL;
}

/* The newest picture, if it is another or the last word was long ago. */
static bool begin_sending(looker *l, int64_t now_ns)
{
    picture *newest = l->preview->channels[l->channel].newest;
    if (newest == NULL ||
        (newest->number == l->seen && now_ns - l->sent_ns < REPEAT_S * INT64_C(1000000000)))
        return false;
    newest->n_holders++;
    l->sending = newest;
    l->at = l->n_head = 0;
    if (l->is_single)
        return true;
    base_format(l->head, sizeof l->head,
                "--vigilpicture\r\nContent-Type: image/jpeg\r\nContent-Length: %zu\r\n\r\n",
                newest->n);
    l->n_head = strlen(l->head);
    return true;
}

/* As many of head, picture and the line's end behind it as fit. */
static size_t send_some(looker *l, char *out, size_t most)
{
    size_t done = 0;
    const struct {
        const void *bytes;
        size_t n;
    } parts[] = {
        {l->head, l->n_head}, {l->sending->bytes, l->sending->n}, {"\r\n", l->is_single ? 0 : 2}};
    size_t begin = 0;
    for (size_t i = 0; i < 3; begin += parts[i++].n) {
        if (l->at < begin || l->at >= begin + parts[i].n)
            continue;
        const size_t from = l->at - begin, left = parts[i].n - from, room = most - done,
                     n = left < room ? left : room;
        memcpy(out + done, (const char *)parts[i].bytes + from, n);
        done += n;
        l->at += n;
    }
    if (l->at == begin) {
        l->seen = l->sending->number;
        l->is_done = l->is_single;
        end_sending(l);
    }
    return done;
}

static net_more read_looker(void *ctx, char *out, size_t most, size_t *n)
{
    looker *l = ctx;
    const int64_t now_ns = base_now_ns();
    net_more more = NET_MORE_BYTES;
    pthread_mutex_lock(&l->preview->lock);
    if (l->is_done || (l->is_single && l->sending == NULL &&
                       now_ns - l->sent_ns >= ONCE_S * INT64_C(1000000000))) {
        more = NET_MORE_NONE;
    } else if (l->sending != NULL || begin_sending(l, now_ns)) {
        *n = send_some(l, out, most);
        l->sent_ns = now_ns;
    } else if (!l->is_single && l->seen == 0 &&
               now_ns - l->sent_ns >= REPEAT_S * INT64_C(1000000000)) {
        memcpy(out, "\r\n",
               2); /* nothing to show yet: what stands before the first part is skipped */
        *n = 2;
        l->sent_ns = now_ns;
    } else {
        more = NET_MORE_LATER;
    }
    pthread_mutex_unlock(&l->preview->lock);
    return more;
}

static void close_looker(void *ctx)
{
    looker *l = ctx;
    stream_preview *p = l->preview;
    pthread_mutex_lock(&p->lock);
    looked_at *c = &p->channels[l->channel];
    end_sending(l);
    if (--c->n_lookers == 0 && c->newest != NULL) { /* old when the next one looks */
        c->newest->n_holders--;
        c->newest = NULL;
    }
    *l = (looker){0};
    pthread_mutex_unlock(&p->lock);
}

static bool look(stream_preview *p, int channel, bool is_single, net_stream *out)
{
    looker *found = NULL;
    if (channel < 0 || channel >= p->n_channels)
        return false;
    pthread_mutex_lock(&p->lock);
    for (int i = 0; i < STREAM_MOST_LOOKERS && found == NULL; i++)
        if (p->lookers[i].preview == NULL)
            found = &p->lookers[i];
    if (found != NULL) {
        *found = (looker){
            .preview = p, .channel = channel, .is_single = is_single, .sent_ns = base_now_ns()};
        p->channels[channel].n_lookers++;
        *out = (net_stream){.ctx = found, .read = read_looker, .close = close_looker};
    }
    pthread_mutex_unlock(&p->lock);
    return found != NULL;
}

bool stream_preview_look(stream_preview *p, int channel, net_stream *out)
{
    return look(p, channel, false, out);
}

bool stream_preview_look_once(stream_preview *p, int channel, net_stream *out)
{
    return look(p, channel, true, out);
}
