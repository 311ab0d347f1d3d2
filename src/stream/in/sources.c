/* sources.c: from what a user typed behind --source, or wrote into a list or a configuration,
 * to channels. */
#include "sources.h"

#include <dirent.h>
#include <string.h>

#include "image/image.h"
#include "source_names.h"
#include "source_text.h"
#include "stream/fleet/shard.h"

enum { MOST_TEXT_BYTES = 64 << 20, MOST_TEXTS = 1000000 };

/* Strings stand one behind the other in `strings`, each ended by a 0: of every draft its texts,
 * then format, size and rate. */
typedef struct draft {
    stream_source s; /* its pointers are set at the end */
    stream_meaning meaning;
} draft;

typedef struct builder {
    draft *drafts; /* (n_room) */
    size_t n, n_room, n_texts;
    stream_shard shard;
    base_str strings;
    stream_options entry; /* of the entry of a configuration that is being read */
    int line;             /* of what is wrong in it; 0: all of it */
    bool has_pipe;
    base_mem *mem;
} builder;

/* A slip in the scheme (rstp://) makes a URL no URL, and its password no less a secret. */
static base_text shown(const char *text)
{
    base_text out;
    video_public_name(out.text, sizeof out.text, text);
    return out;
}

static vg_status add_string(builder *b, const char *text, vg_error *err)
{
    return base_str_add_bytes(&b->strings, MOST_TEXT_BYTES, text, strlen(text) + 1, b->mem, err);
}

static vg_status add_text(builder *b, draft *d, const char *folder, const char *name, vg_error *err)
{
    char path[4096];
    if (folder != NULL && !base_path_join(path, sizeof path, folder, name))
        return base_fail(err, VG_ERR_LIMIT, folder, "use shorter names", "a path that is too long");
    if (b->n_texts == MOST_TEXTS)
        return base_fail(err, VG_ERR_LIMIT, name, "use fewer files", "more than %d files",
                         MOST_TEXTS);
    b->n_texts++;
    d->s.n_texts++;
    return add_string(b, folder != NULL ? path : name, err);
}

/* ---- files that are played one after the other ---- */

typedef struct names {
    char **items; /* (n) blocks of mem */
    size_t n, capacity;
} names;

static vg_status names_add(names *l, const char *name, base_mem *mem, vg_error *err)
{
    if (l->n == l->capacity) {
        const size_t capacity = l->capacity > 0 ? 2 * l->capacity : 64;
        char **items = base_realloc(mem, l->items, capacity * sizeof *items, err);
        if (items == NULL)
            return VG_ERR_MEMORY;
        l->items = items;
        l->capacity = capacity;
    }
    l->items[l->n] = base_strdup(mem, name, err);
    return l->items[l->n] != NULL ? (l->n++, VG_OK) : VG_ERR_MEMORY;
}

static void names_fini(names *l)
{
    for (size_t i = 0; i < l->n; i++)
        base_free(l->items[i]);
    base_free(l->items);
}

static int by_name(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return strcmp(*(char *const *)a, *(char *const *)b) < 0;
}

/* What a file says that is wrong is the file's fault, not the command line's that named it. */
static vg_status told_at(vg_status st, const char *where, vg_error *err)
{
    if (err != NULL)
        base_error_prefix_where(err, where);
    if (st == VG_ERR_ARGUMENT && err != NULL)
        err->status = VG_ERR_FORMAT;
    return st == VG_ERR_ARGUMENT ? VG_ERR_FORMAT : st;
}

/* In the order of their names. */
static vg_status add_sorted(builder *b, draft *d, names *l, const char *folder, vg_error *err)
{
    vg_status st = VG_OK;
    bool has_video = false;
    if (l->n > 0)
        base_sort(l->items, l->n, sizeof *l->items, by_name, NULL);
    for (size_t i = 0; i < l->n && st == VG_OK; i++) {
        has_video = has_video || video_is_video_name(l->items[i]);
        st = add_text(b, d, folder, l->items[i], err);
    }
    if (st == VG_OK && !has_video)
        st = base_fail(err, VG_ERR_IO, folder,
                       "name files such as .mp4, .mkv or .avi; pictures alone are for vigil "
                       "predict --source",
                       "no videos there");
    return st;
}

static vg_status from_folder(builder *b, draft *d, const char *path, vg_error *err)
{
    names l = {0};
    vg_status st = VG_OK;
    DIR *dir = opendir(path);
    if (dir == NULL)
        return base_fail_errno(err, VG_ERR_IO, path, "check its permissions",
                               "the folder cannot be opened");
    for (const struct dirent *e; st == VG_OK && (e = readdir(dir)) != NULL;)
        if (stream_source_is_playable_name(e->d_name))
            st = names_add(&l, e->d_name, b->mem, err);
    closedir(dir);
    if (st == VG_OK)
        st = add_sorted(b, d, &l, path, err);
    names_fini(&l);
    return st;
}

static vg_status from_glob(builder *b, draft *d, const char *pattern, vg_error *err)
{
    names l = {0};
    base_glob_found found;
    vg_status st = base_glob_or_warn(&found, pattern, b->mem, err);
    if (st != VG_OK)
        return st;
    for (size_t i = 0; st == VG_OK && i < found.n; i++)
        if (stream_source_is_playable_name(base_path_name(found.paths[i])))
            st = names_add(&l, found.paths[i], b->mem, err);
    base_glob_fini(&found);
    if (st == VG_OK)
        st = add_sorted(b, d, &l, NULL, err);
    names_fini(&l);
    return st;
}

/* A list's text, and its folder with a slash behind it; "" when it has none. */
static vg_status open_list(char **text, char folder[4096], const char *path, base_mem *mem,
                           vg_error *err)
{
    return base_format(folder, 4096, "%.*s", (int)(base_path_name(path) - path), path)
               ? stream_list_read(text, path, mem, err)
               : base_fail(err, VG_ERR_LIMIT, path, "use a shorter path",
                           "a path that is too long");
}

/* "./name" in a list is beside the list. False: it is another path, or too long. */
static bool beside(char *out, size_t n, const char *folder, const char *word)
{
    return base_starts_with(word, "./") && base_format(out, n, "%s%s", folder, word + 2);
}

static vg_status add_listed(builder *b, draft *d, const char *folder, const char *word,
                            vg_error *err)
{
    char path[4096];
    video_kind kind;
    if (!beside(path, sizeof path, folder, word))
        base_format(path, sizeof path, "%s", word);
    switch (stream_source_meaning(path, &kind)) {
    case STREAM_MEANS_ONE:
        if (kind == VIDEO_FILE || kind == VIDEO_DRAWN)
            return add_text(b, d, NULL, path, err);
        return base_fail(err, VG_ERR_FORMAT, NULL,
                         "a list that ends in .streams holds sources that are watched side by side",
                         "a live source in a list that is played one after the other");
    case STREAM_MEANS_PICTURE:
        return add_text(b, d, NULL, path, err);
    case STREAM_MEANS_NOTHING:
        return base_fail(err, VG_ERR_FORMAT, NULL, "correct the line, or put # before it",
                         "no such file: %s", shown(path).text);
    default:
        return base_fail(err, VG_ERR_FORMAT, NULL, "name files, one a line",
                         "a folder, pattern or list within a list: %s", shown(path).text);
    }
}

static vg_status from_list(builder *b, draft *d, const char *path, vg_error *err)
{
    char *text = NULL, folder[4096];
    int line = 0;
    vg_status st = open_list(&text, folder, path, b->mem, err);
    for (char *at = text, *word; st == VG_OK && (word = stream_list_line(&at, &line)) != NULL;) {
        st = add_listed(b, d, folder, word, err);
        if (st != VG_OK)
            st = told_at(st, base_where("%.400s:%d", path, line), err);
    }
    if (st == VG_OK && d->s.n_texts == 0)
        st = base_fail(err, VG_ERR_FORMAT, path, "write one file a line", "an empty list");
    base_free(text);
    return st;
}

/* ---- a channel ---- */

static vg_status check_input(builder *b, draft *d, const stream_options *o, vg_error *err)
{
    if (d->s.kind != VIDEO_PIPE)
        return VG_OK;
    if (o->end == STREAM_END_STAY)
        return base_fail(err, VG_ERR_ARGUMENT, "option exit_on_end", "leave exit_on_end out",
                         "standard input cannot begin again");
    if (b->has_pipe)
        return base_fail(err, VG_ERR_ARGUMENT, "source -", "name it once",
                         "standard input is given twice");
    b->has_pipe = true;
    return VG_OK;
}

static vg_status add_texts(builder *b, draft *d, const char *text, vg_error *err)
{
    switch (d->meaning) {
    case STREAM_MEANS_ONE:
        return add_text(b, d, NULL, text, err);
    case STREAM_MEANS_FOLDER:
        return from_folder(b, d, text, err);
    case STREAM_MEANS_GLOB:
        return from_glob(b, d, text, err);
    case STREAM_MEANS_LIST:
        return from_list(b, d, text, err);
    case STREAM_MEANS_SEVERAL:
        return base_fail(err, VG_ERR_FORMAT, NULL, "write its lines here",
                         "a .streams list within a list: %s", shown(text).text);
    case STREAM_MEANS_PICTURE:
        return base_fail(err, VG_ERR_ARGUMENT, NULL,
                         "name a video, stream or camera; pictures alone are for vigil predict "
                         "--source",
                         "no video: %s", shown(text).text);
    case STREAM_MEANS_NOTHING:
        break;
    }
    return base_fail(err, VG_ERR_IO, NULL,
                     "give a video, a folder, a glob, a .txt or .streams list, a URL such as "
                     "rtsp://, a camera (0), - or lavfi:testsrc2",
                     "no such file or folder: %s", shown(text).text);
}

/* http://host/bus.jpg?size=full: one picture, which ends; a camera that sends many under such a
 * name does not. */
static bool is_picture_address(const char *text)
{
    char path[1024];
    const size_t n = strcspn(text, "?#");
    return base_starts_with(text, "http") && base_format(path, sizeof path, "%.*s", (int)n, text) &&
           image_is_picture_name(path);
}

/* For one more draft. */
static vg_status make_room(builder *b, vg_error *err)
{
    const size_t most = b->shard.of > 0 ? STREAM_MOST_LISTED : STREAM_MOST_CHANNELS;
    if (b->n == most)
        return base_fail(err, VG_ERR_LIMIT, NULL,
                         b->shard.of > 0 ? "make several lists of it"
                                         : "deal them to several vigil processes: shard",
                         "more than %zu sources", most);
    if (b->n < b->n_room)
        return VG_OK;
    const size_t n_room = b->n_room > 0 ? 2 * b->n_room : 16;
    draft *drafts = base_realloc(b->mem, b->drafts, n_room * sizeof *drafts, err);
    if (drafts == NULL)
        return VG_ERR_MEMORY;
    b->drafts = drafts;
    b->n_room = n_room;
    return VG_OK;
}

/* A text as a channel with o's options. name: the user's, or "". */
static vg_status add_channel(builder *b, const char *text, const char *name,
                             const stream_options *o, vg_error *err)
{
    vg_status st = make_room(b, err);
    if (st != VG_OK)
        return st;
    draft *d = &b->drafts[b->n];
    *d = (draft){0};
    d->meaning = stream_source_meaning(text, &d->s.kind);
    st = video_check_address(text, err);
    if (st == VG_OK && d->s.kind == VIDEO_PUSHED && o->ports == NULL)
        st = base_fail(err, VG_ERR_ARGUMENT, NULL,
                       "from C vg_stream_push, from Python vigil.Stream; here a file, a URL, a "
                       "camera or - (standard input)",
                       "nobody can push pictures to a source of the command line");
    if (st == VG_OK)
        st = add_texts(b, d, text, err);
    if (st != VG_OK)
        return st;
    if (d->meaning != STREAM_MEANS_ONE)
        d->s.kind = VIDEO_FILE; /* whatever the first is: files, that is what they have in common */
    const bool is_live = video_is_live(d->s.kind);
    d->s.keeps_all = o->policy == STREAM_POLICY_EVERY ||
                     (o->policy == STREAM_POLICY_AUTO && (!is_live || o->stream_buffer));
    d->s.ends =
        o->end == STREAM_END_EXIT || (o->end == STREAM_END_AUTO && !stream_options_have_leases(o) &&
                                      (!is_live || is_picture_address(text)));
    d->s.retry_first_s = o->retry_first_s;
    d->s.retry_most_s = o->retry_most_s;
    d->s.max_retries = o->max_retries;
    d->s.waits = o->wait_for_source || o->max_retries > 0 || b->shard.of > 0;
    d->s.video = (video_source_options){.rtsp_udp = strcmp(o->rtsp_transport, "udp") == 0,
                                        .decode_threads = o->decode_threads,
                                        .connect_s = o->connect_timeout_s,
                                        .stall_s = o->stall_timeout_s,
                                        .stride = o->vid_stride,
                                        .is_low_delay = is_live};
    d->s.is_named = name[0] != '\0';
    if (d->s.is_named) {
        base_format(d->s.name, sizeof d->s.name, "%s", name);
        stream_stem_clean(d->s.stem, name);
    } else {
        video_public_name(d->s.name, sizeof d->s.name, text);
        stream_stem_of(d->s.stem, text, d->meaning, d->s.kind);
    }
    st = check_input(b, d, o, err);
    /* Only of those for which it means something: two sources are not different by it. */
    const bool takes = d->s.kind == VIDEO_CAMERA || d->s.kind == VIDEO_PIPE;
    const char *const inputs[] = {o->input_format, o->input_size, o->input_rate};
    for (size_t i = 0; i < 3 && st == VG_OK; i++)
        st = add_string(b, takes ? inputs[i] : "", err);
    b->n += st == VG_OK;
    return st;
}

/* ---- many ---- */

static vg_status from_streams(builder *b, const char *path, const stream_options *o, vg_error *err)
{
    char *text = NULL, folder[4096];
    int line = 0;
    vg_status st = open_list(&text, folder, path, b->mem, err);
    for (char *at = text, *word; st == VG_OK && (word = stream_list_line(&at, &line)) != NULL;) {
        char source[STREAM_TEXT_BYTES], near[STREAM_TEXT_BYTES];
        st = base_text_expand(source, sizeof source, word, err);
        if (st == VG_OK) {
            const bool is_beside = beside(near, sizeof near, folder, source);
            st = add_channel(b, is_beside ? near : source, "", o, err);
        }
        if (st != VG_OK)
            st = told_at(st, base_where("%.400s:%d", path, line), err);
    }
    if (st == VG_OK && b->n == 0)
        st = base_fail(err, VG_ERR_FORMAT, path, "write one source a line", "an empty list");
    base_free(text);
    return st;
}

static vg_status bad_key(const char *key, vg_error *err)
{
    const vg_option *o = base_options_find(&stream_option_table, key);
    if (o != NULL)
        return base_fail(err, VG_ERR_ARGUMENT, NULL, "write it outside of `sources`",
                         "%s is an option of the whole job", o->name);
    return base_fail(err, VG_ERR_ARGUMENT, NULL, base_options_hint(&stream_option_table, key),
                     "no option of a source is named %.100s", key);
}

/* A map: source, name, and options that then hold for it alone. */
static vg_status add_entry(builder *b, const base_node *map, const stream_options *o, vg_error *err)
{
    char name[STREAM_NAME_BYTES] = "", value[STREAM_TEXT_BYTES];
    stream_options *e = &b->entry;
    vg_status st = VG_OK;
    *e = *o;
    e->source[0] = '\0';
    for (const base_node *c = map->first; c != NULL && st == VG_OK; c = c->next) {
        const vg_option *option = base_options_find(&stream_option_table, c->key);
        st = base_node_value(value, sizeof value, c, NULL, err);
        if (st == VG_OK && strcmp(c->key, "name") == 0) {
            if (value[0] == '\0' || !base_format(name, sizeof name, "%s", value))
                st = base_fail(err, VG_ERR_ARGUMENT, NULL,
                               base_mend("use 1 to %d characters", STREAM_NAME_BYTES - 1),
                               "a name of %zu characters", strlen(value));
        } else if (st == VG_OK && (option == NULL || !option->is_per_source)) {
            st = bad_key(c->key, err);
        } else if (st == VG_OK) {
            st = stream_options_set(e, c->key, value, err);
        }
        if (st != VG_OK)
            b->line = c->line;
    }
    if (st == VG_OK && e->retry_most_s < e->retry_first_s)
        st = base_fail(
            err, VG_ERR_ARGUMENT, "retry_first, retry_most", "make retry_most the larger one",
            "a longest wait of %g s, and a first one of %g s", e->retry_most_s, e->retry_first_s);
    if (st == VG_OK && e->source[0] == '\0')
        st = base_fail(err, VG_ERR_ARGUMENT, NULL, "write source: rtsp://...",
                       "an entry without its source");
    return st == VG_OK ? add_channel(b, e->source, name, e, err) : st;
}

static vg_status from_config(builder *b, const stream_options *o, vg_error *err)
{
    base_tree *tree = NULL;
    const char *path = o->config;
    vg_status st = base_tree_read(&tree, path, b->mem, err);
    if (st != VG_OK)
        return st;
    const base_node *list = base_node_get(base_tree_root(tree), "sources");
    if (list == NULL)
        st = base_fail(err, VG_ERR_ARGUMENT, path, "write source: rtsp://... or a list of sources",
                       "a configuration without a source, and no --source");
    else if (list->kind != BASE_NODE_LIST || list->first == NULL)
        st = base_fail(err, VG_ERR_FORMAT, base_where("%.400s:%d", path, list->line),
                       "write one `- source` a line below it", "sources that are not a list");
    for (const base_node *c = list != NULL ? list->first : NULL; c != NULL && st == VG_OK;
         c = c->next) {
        char value[STREAM_TEXT_BYTES], text[STREAM_TEXT_BYTES];
        if (c->kind == BASE_NODE_MAP) {
            st = add_entry(b, c, o, err);
        } else if (c->kind == BASE_NODE_LIST || c->text == NULL || c->text[0] == '\0') {
            st = base_fail(err, VG_ERR_FORMAT, NULL, "write a source, or source: and its options",
                           "an entry that is neither a text nor a map");
        } else {
            st = base_node_value(value, sizeof value, c, NULL, err);
            if (st == VG_OK)
                st = base_text_expand(text, sizeof text, value, err);
            if (st == VG_OK)
                st = add_channel(b, text, "", o, err);
        }
        if (st != VG_OK)
            st = told_at(st, base_where("%.400s:%d", path, b->line > 0 ? b->line : c->line), err);
    }
    base_tree_destroy(&tree);
    return st;
}

/* ---- all of it ---- */

static vg_status check_names(const builder *b, vg_error *err)
{
    for (size_t i = 0; i < b->n; i++)
        for (size_t j = 0; j < i; j++)
            if (b->drafts[i].s.is_named && b->drafts[j].s.is_named &&
                strcmp(b->drafts[i].s.name, b->drafts[j].s.name) == 0)
                return base_fail(err, VG_ERR_ARGUMENT, "sources", "give each a name of its own",
                                 "two sources named %.100s", b->drafts[i].s.name);
    return VG_OK;
}

/* One block: items, pointers, strings. */
static vg_status finish(stream_sources *out, const builder *b, vg_error *err)
{
    const size_t items_bytes = base_round_up(b->n * sizeof(stream_source), BASE_MEM_ALIGN);
    const size_t texts_bytes = b->n_texts * sizeof(char *);
    char *block = base_alloc_zero(b->mem, 1, items_bytes + texts_bytes + b->strings.length, err);
    if (block == NULL)
        return VG_ERR_MEMORY;
    stream_source *items = (stream_source *)(void *)block;
    const char **texts = (const char **)(void *)(block + items_bytes);
    const char *at = memcpy(block + items_bytes + texts_bytes, b->strings.text, b->strings.length);
    for (size_t i = 0; i < b->n; i++) {
        stream_source *s = &items[i];
        *s = b->drafts[i].s;
        s->n_name = strlen(s->name);
        s->n_stem = strlen(s->stem);
        s->texts = texts;
        for (size_t k = 0; k < s->n_texts; k++, at += strlen(at) + 1)
            *texts++ = at;
        const char **const inputs[] = {&s->video.format, &s->video.size, &s->video.rate};
        for (size_t k = 0; k < 3; k++, at += strlen(at) + 1)
            *inputs[k] = at;
    }
    stream_sources_number(items, b->n, NULL);
    *out = (stream_sources){.items = items, .n = b->n, .n_listed = b->n, .block = block};
    out->are_of_files = true;
    for (size_t i = 0; i < b->n; i++) {
        items[i].key = stream_shard_key(items[i].name);
        out->are_of_files = out->are_of_files && items[i].kind == VIDEO_FILE && items[i].ends;
    }
    return VG_OK;
}

/* Those of the shard alone. Names were made unlike each other before, so that all shards know a
 * camera by the same. */
static void keep_own(stream_sources *s, stream_shard shard)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        if (stream_shard_owner(s->items[i].key, shard.of) == shard.index)
            s->items[n++] = s->items[i];
    s->n = n;
}

static vg_status check_number(const stream_sources *s, const stream_options *o, vg_error *err)
{
    if (s->n > STREAM_MOST_CHANNELS)
        return base_fail(err, VG_ERR_LIMIT, "option shard", "make more shards of the list",
                         "%zu of %zu sources are of this shard, and a process reads %d at most",
                         s->n, s->n_listed, STREAM_MOST_CHANNELS);
    if (o->most_sources > 0 && s->n > (size_t)o->most_sources)
        return base_fail(err, VG_ERR_LIMIT, "option most_sources",
                         base_mend("raise most_sources to %zu", s->n),
                         "%zu sources, where most_sources allows %d", s->n, o->most_sources);
    return VG_OK;
}

static vg_status check_all(const builder *b, const stream_options *o, vg_error *err)
{
    bool takes_input = false;
    for (size_t i = 0; i < b->n; i++)
        takes_input =
            takes_input || b->drafts[i].s.kind == VIDEO_CAMERA || b->drafts[i].s.kind == VIDEO_PIPE;
    if (!takes_input && (o->input_format[0] || o->input_size[0] || o->input_rate[0]))
        return base_fail(err, VG_ERR_ARGUMENT, "options input_format, input_size, input_rate",
                         "leave them out",
                         "none of the sources is a camera or standard input, which they are for");
    return check_names(b, err);
}

static vg_status add_all(builder *b, const stream_options *o, vg_error *err)
{
    video_kind kind;
    if (o->source[0] == '\0' && o->config[0] == '\0')
        return base_fail(err, VG_ERR_ARGUMENT, "option source",
                         "give a video, a URL such as rtsp://, a camera (0), a .streams list, or "
                         "lavfi:testsrc2",
                         "no source given");
    if (o->source[0] == '\0')
        return from_config(b, o, err);
    if (stream_source_meaning(o->source, &kind) == STREAM_MEANS_SEVERAL)
        return from_streams(b, o->source, o, err);
    const vg_status st = add_channel(b, o->source, "", o, err);
    if (st != VG_OK && err != NULL && err->where[0] == '\0')
        base_error_prefix_where(err, "option source");
    return st;
}

vg_status stream_sources_open(stream_sources *out, const stream_options *o, base_mem *mem,
                              vg_error *err)
{
    *out = (stream_sources){0};
    builder *b = base_alloc_zero(mem, 1, sizeof *b, err);
    if (b == NULL)
        return VG_ERR_MEMORY;
    b->mem = mem;
    vg_status st = stream_shard_parse(&b->shard, o->shard, err);
    if (st == VG_OK)
        st = add_all(b, o, err);
    if (st == VG_OK)
        st = check_all(b, o, err);
    if (st == VG_OK)
        st = finish(out, b, err);
    if (st == VG_OK && b->shard.of > 0 && !stream_options_have_leases(o))
        keep_own(out, b->shard);
    if (st == VG_OK && !stream_options_have_leases(o))
        st = check_number(out, o, err);
    if (st != VG_OK)
        stream_sources_close(out);
    base_str_fini(&b->strings);
    base_free(b->drafts);
    base_free(b);
    return st;
}

void stream_sources_close(stream_sources *s)
{
    base_free(s->block);
    *s = (stream_sources){0};
}

bool stream_sources_are_files(const stream_sources *s)
{
    return s->are_of_files;
}
