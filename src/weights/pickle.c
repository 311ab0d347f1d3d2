/* pickle.c: the loop over opcodes, and questions to the graph they left. */
#include "pickle_machine.h"

#include <string.h>

const pickle_node pickle_none = {.kind = PICKLE_NONE};

static vg_status run(pickle_machine *m)
{
    while (!m->stopped) {
        if (m->at == m->n)
            return base_fail(m->err, VG_ERR_FORMAT, base_where("%s, byte %zu", m->source, m->at),
                             "copy or download the file again", "the pickle ends without STOP");
        m->op_at = m->at;
        const uint8_t code = m->bytes[m->at++];
        const pickle_op *op = &pickle_ops[code];
        if (op->run == NULL)
            return base_fail(m->err, VG_ERR_UNSUPPORTED,
                             base_where("%s, byte %zu", m->source, m->op_at),
                             "save the model again with torch.save of a plain checkpoint",
                             "pickle opcode 0x%02x (%s) is not one that is read here", code,
                             op->name != NULL ? op->name : "unknown");
        m->op = op;
        vg_status st = op->run(m);
        if (st != VG_OK)
            return st;
    }
    return VG_OK;
}

vg_status pickle_read(pickle_graph *out, const uint8_t *bytes, size_t n, const char *source,
                      arena *values, base_mem *mem, vg_error *err)
{
    *out = (pickle_graph){0};
    if (n > PICKLE_MOST_BYTES)
        return base_fail(err, VG_ERR_LIMIT, source, NULL, "the pickle has %zu bytes, more than %d",
                         n, PICKLE_MOST_BYTES);
    pickle_machine m = {
        .bytes = bytes, .n = n, .source = source, .values = values, .mem = mem, .err = err};
    vg_status st = run(&m);
    if (st == VG_OK)
        *out = (pickle_graph){.root = m.stack[0], .classes = m.first_class};
    base_free(m.stack);
    base_free(m.marks);
    base_free(m.memo);
    return st;
}

bool pickle_is_text(const pickle_node *n, const char *text)
{
    return n != NULL && n->kind == PICKLE_TEXT && n->as.text.n == strlen(text) &&
           memcmp(n->as.text.bytes, text, n->as.text.n) == 0;
}

bool pickle_is_class(const pickle_node *n, const char *module, const char *name)
{
    return n != NULL && n->kind == PICKLE_CLASS && n->as.type.n_module == strlen(module) &&
           n->as.type.n_name == strlen(name) &&
           memcmp(n->as.type.module, module, n->as.type.n_module) == 0 &&
           memcmp(n->as.type.name, name, n->as.type.n_name) == 0;
}

const pickle_node *pickle_get(const pickle_node *n, const char *key)
{
    const pickle_node *found = NULL;
    if (n == NULL || n->kind != PICKLE_DICT)
        return NULL;
    for (const pickle_cell *c = n->as.items.first; c != NULL; c = c->next)
        if (pickle_is_text(c->key, key))
            found = c->value;
    return found;
}

const pickle_node *pickle_item(const pickle_node *n, size_t index)
{
    if (n == NULL || (n->kind != PICKLE_LIST && n->kind != PICKLE_TUPLE) || index >= n->as.items.n)
        return NULL;
    const pickle_cell *c = n->as.items.first;
    for (size_t i = 0; i < index; i++)
        c = c->next;
    return c->value;
}

const pickle_node *pickle_attribute(const pickle_node *n, const char *name)
{
    return n != NULL && n->kind == PICKLE_OBJECT ? pickle_get(n->as.object.state, name) : NULL;
}

const pickle_node *pickle_type(const pickle_node *n)
{
    const pickle_node *type = n != NULL && n->kind == PICKLE_OBJECT ? n->as.object.type : NULL;
    return type != NULL && type->kind == PICKLE_CLASS ? type : NULL;
}

const char *pickle_kind_name(pickle_kind kind)
{
    static const char *names[] = {"None", "bool",  "int",    "int",          "float",
                                  "str",  "bytes", "list",   "tuple",        "set",
                                  "dict", "class", "object", "persistent id"};
    return names[kind];
}

const char *pickle_format_class(char *buf, size_t n, const pickle_node *type)
{
    if (type == NULL || type->kind != PICKLE_CLASS) {
        base_format(buf, n, "?");
        return buf;
    }
    const size_t n_module = type->as.type.n_module, n_all = n_module + 1 + type->as.type.n_name;
    size_t at = 0;
    for (; at < n_all && at + 1 < n; at++) {
        const char c = at < n_module    ? type->as.type.module[at]
                       : at == n_module ? '.'
                                        : type->as.type.name[at - n_module - 1];
        buf[at] = c > ' ' && c < 0x7f ? c : '?';
    }
    buf[at] = '\0';
    return buf;
}
