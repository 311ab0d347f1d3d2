/* pickle_objects.c: opcodes of classes, calls, states and the memo. Nothing is called: records are
 * made. */
#include <string.h>

#include "pickle_machine.h"

/* ---- classes and objects ---- */

static vg_status take_line(pickle_machine *m, const char **out, size_t *n)
{
    const uint8_t *from = m->bytes + m->at;
    const uint8_t *end = m->at < m->n ? memchr(from, '\n', m->n - m->at) : NULL;
    if (end == NULL)
        return pickle_broken(m, "the pickle ends in the middle of a name");
    *out = (const char *)from;
    *n = (size_t)(end - from);
    m->at += *n + 1;
    return VG_OK;
}

/* Names are compared often, and one text may stand for many classes. */
enum { MOST_CLASS_BYTES = 1024 };

static vg_status push_class(pickle_machine *m, const char *module, size_t n_module,
                            const char *name, size_t n_name)
{
    pickle_node *n;
    if (n_module > MOST_CLASS_BYTES || n_name > MOST_CLASS_BYTES)
        return pickle_broken(m, "the name of a class is longer than 1024 bytes");
    vg_status st = pickle_make_and_push(m, &n, PICKLE_CLASS);
    if (st != VG_OK)
        return st;
    n->as.type.module = module;
    n->as.type.n_module = (uint32_t)n_module;
    n->as.type.name = name;
    n->as.type.n_name = (uint32_t)n_name;

    pickle_cell *c = arena_take(m->values, 1, sizeof *c, m->err);
    if (c == NULL)
        return m->err->status;
    c->value = n;
    if (m->last_class == NULL)
        m->first_class = c;
    else
        m->last_class->next = c;
    m->last_class = c;
    return VG_OK;
}

vg_status pickle_op_global(pickle_machine *m)
{
    const char *module = NULL, *name = NULL;
    size_t n_module = 0, n_name = 0;
    vg_status st = take_line(m, &module, &n_module);
    if (st == VG_OK)
        st = take_line(m, &name, &n_name);
    return st == VG_OK ? push_class(m, module, n_module, name, n_name) : st;
}

vg_status pickle_op_stack_global(pickle_machine *m)
{
    pickle_node *module = NULL, *name = NULL;
    vg_status st = pickle_pop(m, &name);
    if (st == VG_OK)
        st = pickle_pop(m, &module);
    if (st != VG_OK)
        return st;
    if (module->kind != PICKLE_TEXT || name->kind != PICKLE_TEXT)
        return pickle_broken(m, "a class's module and name are not texts");
    return push_class(m, module->as.text.bytes, module->as.text.n, name->as.text.bytes,
                      name->as.text.n);
}

static bool is_dict_class(const pickle_node *type)
{
    return pickle_is_class(type, "collections", "OrderedDict") ||
           pickle_is_class(type, "__builtin__", "dict") ||
           pickle_is_class(type, "builtins", "dict");
}

/* OrderedDict([[key, value], ...]), as Python 2 wrote them; anything else in the arguments is
 * refused. */
static vg_status fill_dict(pickle_machine *m, pickle_node *dict, const pickle_node *args)
{
    const pickle_node *list = pickle_item(args, 0);
    if (args->kind != PICKLE_TUPLE || args->as.items.n > 1)
        return pickle_broken(m, "a dict is made of unknown arguments");
    if (list == NULL)
        return VG_OK;
    if (list->kind != PICKLE_LIST)
        return pickle_broken(m, "a dict is made of something other than a list of pairs");
    for (const pickle_cell *c = list->as.items.first; c != NULL; c = c->next) {
        const pickle_node *key = pickle_item(c->value, 0), *value = pickle_item(c->value, 1);
        if (key == NULL || value == NULL || c->value->as.items.n != 2)
            return pickle_broken(m, "a dict is made of something other than a list of pairs");
        vg_status st = pickle_add(m, dict, key, value);
        if (st != VG_OK)
            return st;
    }
    return VG_OK;
}

static vg_status push_record(pickle_machine *m, const pickle_node *type, const pickle_node *args)
{
    pickle_node *n;
    if (is_dict_class(type)) {
        vg_status st = pickle_make(m, &n, PICKLE_DICT);
        if (st == VG_OK)
            st = fill_dict(m, n, args);
        return st == VG_OK ? pickle_push(m, n) : st;
    }
    vg_status st = pickle_make_and_push(m, &n, PICKLE_OBJECT);
    if (st != VG_OK)
        return st;
    n->as.object.type = type;
    n->as.object.args = args;
    return VG_OK;
}

/* REDUCE would call, NEWOBJ would make: here both leave a record of what was asked for. */
vg_status pickle_op_reduce(pickle_machine *m)
{
    pickle_node *type = NULL, *args = NULL;
    vg_status st = pickle_pop(m, &args);
    if (st == VG_OK)
        st = pickle_pop(m, &type);
    return st == VG_OK ? push_record(m, type, args) : st;
}

vg_status pickle_op_newobj_ex(pickle_machine *m)
{
    pickle_node *keywords = NULL;
    vg_status st = pickle_pop(m, &keywords);
    return st == VG_OK ? pickle_op_reduce(m) : st;
}

vg_status pickle_op_build(pickle_machine *m)
{
    pickle_node *state = NULL, *object = NULL;
    vg_status st = pickle_pop(m, &state);
    if (st == VG_OK)
        st = pickle_top(m, &object);
    if (st != VG_OK)
        return st;
    if (object->kind == PICKLE_OBJECT)
        object->as.object.state = state;
    else if (object->kind != PICKLE_DICT) /* a state dict's _metadata, say: nothing we need */
        return pickle_broken(m, "a state is given to a value that cannot have one");
    return VG_OK;
}

vg_status pickle_op_binpersid(pickle_machine *m)
{
    pickle_node *id = NULL, *n;
    vg_status st = pickle_pop(m, &id);
    if (st == VG_OK)
        st = pickle_make_and_push(m, &n, PICKLE_PERSISTENT);
    if (st == VG_OK)
        n->as.id = id;
    return st;
}

/* ---- memo and frame ---- */

static vg_status put(pickle_machine *m, uint64_t index)
{
    pickle_node *n = NULL;
    vg_status st = pickle_top(m, &n);
    if (st != VG_OK)
        return st;
    if (index >= m->n) /* picklers number from 0, one opcode each: there are fewer than bytes */
        return pickle_broken(m, "a memo number is larger than the pickle");
    const size_t before = m->memo_capacity;
    void *table = m->memo;
    st = pickle_reserve(m, &table, &m->memo_capacity, (size_t)index + 1, sizeof(pickle_node *));
    m->memo = table;
    if (st != VG_OK)
        return st;
    for (size_t i = before; i < m->memo_capacity; i++)
        m->memo[i] = NULL;
    m->memo[index] = n;
    m->n_memo++;
    return VG_OK;
}

vg_status pickle_op_put(pickle_machine *m)
{
    uint64_t index = 0;
    vg_status st = pickle_take_number(m, &index, m->op->n);
    return st == VG_OK ? put(m, index) : st;
}

vg_status pickle_op_memoize(pickle_machine *m)
{
    return put(m, m->n_memo);
}

vg_status pickle_op_get(pickle_machine *m)
{
    uint64_t index = 0;
    vg_status st = pickle_take_number(m, &index, m->op->n);
    if (st != VG_OK)
        return st;
    if (index >= m->memo_capacity || m->memo[index] == NULL)
        return pickle_broken(m, "the pickle refers to a memo that was never put");
    return pickle_push(m, m->memo[index]);
}

vg_status pickle_op_frame(pickle_machine *m)
{
    uint64_t length = 0;
    vg_status st = pickle_take_number(m, &length, 8);
    if (st == VG_OK && length > m->n - m->at)
        return pickle_broken(m, "a frame reaches beyond the pickle");
    return st;
}

vg_status pickle_op_proto(pickle_machine *m)
{
    uint64_t protocol = 0;
    vg_status st = pickle_take_number(m, &protocol, 1);
    if (st == VG_OK && protocol > 5)
        return base_fail(m->err, VG_ERR_UNSUPPORTED,
                         base_where("%s, byte %zu", m->source, m->op_at),
                         "save the model again with torch.save, which writes protocol 2",
                         "pickle protocol %u, newer than 5", (unsigned)protocol);
    return st;
}

vg_status pickle_op_pop(pickle_machine *m)
{
    pickle_node *n = NULL;
    if (m->n_marks > 0 && m->n_stack == pickle_floor(m)) /* POP may also take a MARK */
        return pickle_op_pop_mark(m);
    return pickle_pop(m, &n);
}

vg_status pickle_op_dup(pickle_machine *m)
{
    pickle_node *n = NULL;
    vg_status st = pickle_top(m, &n);
    return st == VG_OK ? pickle_push(m, n) : st;
}

vg_status pickle_op_stop(pickle_machine *m)
{
    if (m->n_stack != 1 || m->n_marks != 0)
        return pickle_broken(m, "the pickle stops with a number of values other than one");
    m->stopped = true;
    return VG_OK;
}
