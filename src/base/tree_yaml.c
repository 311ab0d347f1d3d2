/* tree_yaml.c: YAML through libyaml's events, one at a time, into our nodes.
 *
 * A stack of at most TREE_MOST_DEPTH open lists and maps. An alias copies the nodes of its anchor,
 * and copies count like all others, so that aliases of aliases end at the node limit. Not read, and
 * said so: several documents, keys that are lists or maps, merge keys (<<), tags that are not
 * YAML's own. */
#define BASE_IMPLEMENTATION
#include "tree.h"

#include <math.h>
#include <string.h>
#include <yaml.h>

#include "status.h"
#include "text.h"
#include "tree_build.h"

enum { MOST_ANCHORS = 256 };

typedef struct open_node {
    base_node *node;
    base_node *last; /* newest child */
    const char *key; /* in a map, the key whose value comes next; NULL: a key comes next */
    int key_line;
} open_node;

typedef struct yaml_anchor {
    const char *name;
    base_node *node;
} yaml_anchor;

typedef struct yaml_reader {
    base_tree *tree;
    base_mem *mem;
    vg_error *err;
    int depth; /* open nodes */
    open_node open[TREE_MOST_DEPTH];
    int n_anchors;
    yaml_anchor anchors[MOST_ANCHORS];
} yaml_reader;

static int line_of(const yaml_event_t *event)
{
    return event->start_mark.line < INT32_MAX ? (int)event->start_mark.line + 1 : INT32_MAX;
}

#define fail_at(r, line, mend, ...)                                                                \
    base_fail((r)->err, VG_ERR_FORMAT, base_where("%s:%d", (r)->tree->source, (line)), (mend),     \
              __VA_ARGS__)

/* ---- scalars ---- */

static bool is_one_of(const char *s, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(s, words[i]) == 0)
            return true;
    return false;
}

#define IS_ONE_OF(s, ...)                                                                          \
    is_one_of((s), (const char *const[]){__VA_ARGS__},                                             \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 99;
}

/* [-+] 0x1F, 0o17, 017, 1_000. False when it is none or does not fit. */
static bool parse_int(int64_t *out, const char *s)
{
    bool negative = *s == '-';
    if (*s == '-' || *s == '+')
        s++;
    int radix = 10;
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        radix = 16;
        s += 2;
    } else if (s[0] == '0' && s[1] == 'o') {
        radix = 8;
        s += 2;
    } else if (s[0] == '0' && s[1]) { /* YAML 1.1 */
        radix = 8;
        s++;
    }
    if (digit_value(*s) >= radix) /* an underscore does not come first */
        return false;
    int64_t value = 0;
    for (; *s; s++) {
        if (*s == '_')
            continue;
        int digit = digit_value(*s);
        if (digit >= radix || __builtin_mul_overflow(value, radix, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return false;
    }
    *out = value;
    return true;
}

static bool parse_real(double *out, const char *s)
{
    bool negative = *s == '-';
    const char *unsigned_s = s + (*s == '-' || *s == '+');
    if (IS_ONE_OF(unsigned_s, ".inf", ".Inf", ".INF")) {
        *out = negative ? -INFINITY : INFINITY;
        return true;
    }
    if (IS_ONE_OF(s, ".nan", ".NaN", ".NAN")) {
        *out = NAN;
        return true;
    }
    /* "08" is neither octal nor decimal: a text, as in YAML 1.1. */
    if (unsigned_s[0] == '0' && unsigned_s[1] && !strpbrk(unsigned_s, ".eE"))
        return false;
    return base_parse_double(out, s);
}

/* What a plain scalar means. */
static void resolve(base_node *node)
{
    const char *s = node->text;
    node->kind = BASE_NODE_TEXT;
    if (IS_ONE_OF(s, "", "~", "null", "Null", "NULL")) {
        node->kind = BASE_NODE_NULL;
    } else if (IS_ONE_OF(s, "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON")) {
        node->kind = BASE_NODE_BOOL;
        node->i = 1;
    } else if (IS_ONE_OF(s, "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF")) {
        node->kind = BASE_NODE_BOOL;
    } else if (parse_int(&node->i, s)) {
        node->kind = BASE_NODE_INT;
        node->real = (double)node->i;
    } else if (parse_real(&node->real, s)) {
        node->kind = BASE_NODE_REAL;
    }
}

/* ---- putting nodes in their places ---- */

static vg_status remember_anchor(yaml_reader *r, const yaml_char_t *name, base_node *node)
{
    if (!name)
        return VG_OK;
    const char *text = (const char *)name;
    for (int i = 0; i < r->n_anchors; i++) {
        if (strcmp(r->anchors[i].name, text) == 0) { /* YAML lets a name be given again */
            r->anchors[i].node = node;
            return VG_OK;
        }
    }
    if (r->n_anchors == MOST_ANCHORS)
        return base_fail(r->err, VG_ERR_LIMIT, base_where("%s:%d", r->tree->source, node->line),
                         NULL, "more than %d anchors", MOST_ANCHORS);
    yaml_anchor *a = &r->anchors[r->n_anchors];
    vg_status st = tree_add_text(r->tree, &a->name, text, strlen(text), r->mem, r->err);
    if (st != VG_OK)
        return st;
    a->node = node;
    r->n_anchors++;
    return VG_OK;
}

/* Hangs a finished or just opened node under the innermost open one. */
static void place(yaml_reader *r, base_node *node)
{
    if (r->depth == 0) {
        r->tree->root = node;
        return;
    }
    open_node *top = &r->open[r->depth - 1];
    if (top->node->kind == BASE_NODE_MAP) {
        node->key = top->key;
        top->key = NULL;
    }
    tree_link(top->node, top->last, node);
    top->last = node;
}

static bool awaits_key(const yaml_reader *r)
{
    return r->depth > 0 && r->open[r->depth - 1].node->kind == BASE_NODE_MAP &&
           !r->open[r->depth - 1].key;
}

static const char core_tags[] = "tag:yaml.org,2002:";

/* Tags of YAML's own are believed as far as they say "text"; others name types that we do not have.
 */
static vg_status check_tag(yaml_reader *r, const yaml_char_t *tag, int line, bool *is_text)
{
    const char *s = (const char *)tag;
    *is_text = false;
    if (!s)
        return VG_OK;
    if (strcmp(s, "!") == 0) {
        *is_text = true;
        return VG_OK;
    }
    const char *name = base_starts_with(s, core_tags) ? s + sizeof core_tags - 1 : NULL;
    if (!name || !IS_ONE_OF(name, "str", "int", "float", "bool", "null", "map", "seq"))
        return fail_at(r, line, "leave the tag out", "tag \"%.200s\", a type that is not read here",
                       s);
    *is_text = strcmp(name, "str") == 0;
    return VG_OK;
}

static vg_status on_key(yaml_reader *r, const yaml_event_t *event)
{
    open_node *top = &r->open[r->depth - 1];
    const char *s = (const char *)event->data.scalar.value;
    top->key_line = line_of(event);
    if (strcmp(s, "<<") == 0 && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return fail_at(r, top->key_line, "write the keys out",
                       "a merge key (<<), which is not read here");
    if (event->data.scalar.anchor)
        return fail_at(r, top->key_line, "put the anchor on the value", "an anchor on a key");
    return tree_add_text(r->tree, &top->key, s, event->data.scalar.length, r->mem, r->err);
}

static vg_status on_scalar(yaml_reader *r, const yaml_event_t *event)
{
    int line = line_of(event);
    const char *s = (const char *)event->data.scalar.value;
    size_t n = event->data.scalar.length;
    if (strlen(s) != n)
        return fail_at(r, line, "remove the \\0", "a text with a zero byte inside");
    bool is_text;
    vg_status st = check_tag(r, event->data.scalar.tag, line, &is_text);
    if (st != VG_OK)
        return st;
    if (awaits_key(r))
        return on_key(r, event);
    base_node *node;
    st = tree_add_node(r->tree, &node, BASE_NODE_TEXT, line, r->mem, r->err);
    if (st != VG_OK)
        return st;
    st = tree_add_text(r->tree, &node->text, s, n, r->mem, r->err);
    if (st != VG_OK)
        return st;
    if (!is_text && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        resolve(node);
    place(r, node);
    return remember_anchor(r, event->data.scalar.anchor, node);
}

static vg_status on_start(yaml_reader *r, const yaml_event_t *event)
{
    bool is_map = event->type == YAML_MAPPING_START_EVENT;
    int line = line_of(event);
    if (awaits_key(r))
        return fail_at(r, line, "use plain texts and numbers as keys", "a %s as a key",
                       is_map ? "map" : "list");
    bool is_text;
    vg_status st = check_tag(
        r, is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag, line, &is_text);
    if (st != VG_OK)
        return st;
    st = tree_check_depth(r->tree, r->depth + 1, line, r->err);
    if (st != VG_OK)
        return st;
    base_node *node;
    st = tree_add_node(r->tree, &node, is_map ? BASE_NODE_MAP : BASE_NODE_LIST, line, r->mem,
                       r->err);
    if (st != VG_OK)
        return st;
    place(r, node);
    r->open[r->depth++] = (open_node){.node = node};
    return remember_anchor(
        r, is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor, node);
}

static vg_status on_end(yaml_reader *r)
{
    const base_node *node = r->open[--r->depth].node;
    return node->kind == BASE_NODE_MAP ? tree_check_keys(r->tree, node, r->mem, r->err) : VG_OK;
}

/* Texts are shared with the original; nodes are not, for each has its own sibling. */
static vg_status copy(yaml_reader *r, base_node **out, const base_node *from, int depth, int line)
{
    bool is_open = from->kind == BASE_NODE_LIST || from->kind == BASE_NODE_MAP;
    vg_status st = is_open ? tree_check_depth(r->tree, depth, line, r->err) : VG_OK;
    if (st != VG_OK)
        return st;
    base_node *node;
    st = tree_add_node(r->tree, &node, from->kind, from->line, r->mem, r->err);
    if (st != VG_OK)
        return st;
    *node = *from;
    node->first = NULL;
    node->next = NULL;
    node->n_children = 0;
    base_node *last = NULL;
    for (const base_node *c = from->first; c; c = c->next) {
        base_node *child;
        st = copy(r, &child, c, depth + 1, line);
        if (st != VG_OK)
            return st;
        tree_link(node, last, child);
        last = child;
    }
    *out = node;
    return VG_OK;
}

static vg_status on_alias(yaml_reader *r, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    int line = line_of(event);
    if (awaits_key(r))
        return fail_at(r, line, "write the key out", "alias *%.100s as a key", name);
    const base_node *from = NULL;
    for (int i = 0; i < r->n_anchors && !from; i++)
        if (strcmp(r->anchors[i].name, name) == 0)
            from = r->anchors[i].node;
    if (!from)
        return fail_at(r, line, "define the anchor before it is used",
                       "alias *%.100s without its anchor", name);
    for (int i = 0; i < r->depth; i++)
        if (r->open[i].node == from)
            return fail_at(r, line, "write the values out", "alias *%.100s inside its own anchor",
                           name);
    base_node *node;
    vg_status st = copy(r, &node, from, r->depth + 1, line);
    if (st != VG_OK)
        return st;
    node->key = NULL;
    node->line = line;
    place(r, node);
    return VG_OK;
}

/* ---- events ---- */

/* What libyaml found wrong. Its reader (bad UTF-8) knows the byte only, its other parts the line.
 */
static vg_status fail_from_parser(yaml_reader *r, const yaml_parser_t *parser, const char *text,
                                  size_t n)
{
    const char *problem = parser->problem ? parser->problem : "not YAML";
    if (parser->error == YAML_MEMORY_ERROR)
        return base_fail(r->err, VG_ERR_MEMORY, r->tree->source, NULL,
                         "the YAML reader got no memory");
    if (parser->error == YAML_READER_ERROR) {
        int line = 1;
        for (size_t i = 0; i < n && i < parser->problem_offset; i++)
            line += text[i] == '\n';
        return base_fail(r->err, VG_ERR_FORMAT, base_where("%s:%d", r->tree->source, line),
                         "save the file as UTF-8", "%s (byte %zu)", problem,
                         parser->problem_offset);
    }
    bool is_tab = strstr(problem, "cannot start any token") || strstr(problem, " tab ");
    return base_fail(
        r->err, VG_ERR_FORMAT,
        base_where("%s:%zu, column %zu", r->tree->source, parser->problem_mark.line + 1,
                   parser->problem_mark.column + 1),
        is_tab ? "indent with spaces, not tabs; put quotes around texts with special characters"
               : "check the indentation, brackets and quotes there and above",
        "%s%s%s", problem, parser->context ? " " : "", parser->context ? parser->context : "");
}

static vg_status on_event(yaml_reader *r, const yaml_event_t *event, int *n_documents)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++*n_documents > 1)
            return fail_at(r, line_of(event), "keep one document in a file", "a second document");
        return VG_OK;
    case YAML_SCALAR_EVENT:
        return on_scalar(r, event);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return on_start(r, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_end(r);
    case YAML_ALIAS_EVENT:
        return on_alias(r, event);
    default:
        return VG_OK;
    }
}

static vg_status read_events(yaml_reader *r, yaml_parser_t *parser, const char *text, size_t n)
{
    int n_documents = 0;
    bool ended = false;
    vg_status st = VG_OK;
    while (!ended && st == VG_OK) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return fail_from_parser(r, parser, text, n);
        ended = event.type == YAML_STREAM_END_EVENT;
        st = on_event(r, &event, &n_documents);
        yaml_event_delete(&event);
    }
    if (st == VG_OK && !r->tree->root) /* an empty file is a null */
        st = tree_add_node(r->tree, &r->tree->root, BASE_NODE_NULL, 1, r->mem, r->err);
    return st;
}

vg_status base_tree_from_yaml(base_tree **out, const char *text, size_t n, const char *source,
                              base_mem *mem, vg_error *err)
{
    *out = NULL;
    base_tree *t = NULL;
    vg_status st = tree_create(&t, source, mem, err);
    if (st != VG_OK)
        return st;
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        base_tree_destroy(&t);
        return base_fail(err, VG_ERR_MEMORY, source, NULL, "the YAML reader got no memory");
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
    yaml_reader r = {.tree = t, .mem = mem, .err = err};
    st = read_events(&r, &parser, text, n);
    yaml_parser_delete(&parser);
    if (st == VG_OK)
        *out = t;
    else
        base_tree_destroy(&t);
    return st;
}
