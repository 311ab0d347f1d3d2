/* pickle_ops.c: what each opcode does. Names and meanings as in Python's pickletools. */
#include <string.h>

#include "pickle.h"

/* ---- reading and failing ---- */

static vg_status broken(const pickle_machine *m, const char *what)
{
    return base_fail(m->err, VG_ERR_FORMAT, base_where("%s, byte %zu", m->source, m->op_at),
                     "copy or download the file again", "%s (pickle opcode %s)", what,
                     pickle_ops[m->bytes[m->op_at]].name);
}

static vg_status take(pickle_machine *m, const uint8_t **out, uint64_t n)
{
    if (n > m->n - m->at)
        return broken(m, "the pickle ends in the middle of a value");
    *out = m->bytes + m->at;
    m->at += (size_t)n;
    return VG_OK;
}

/* Little-endian, 1 to 8 bytes. */
static uint64_t number(const uint8_t *p, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value |= (uint64_t)p[i] << (8 * i);
    return value;
}

static vg_status take_number(pickle_machine *m, uint64_t *out, size_t n_bytes)
{
    const uint8_t *p = NULL;
    vg_status st = take(m, &p, n_bytes);
    *out = st == VG_OK ? number(p, n_bytes) : 0;
    return st;
}

/* ---- stack ---- */

/* Room for one more of size bytes; a machine's tables grow by half. */
static vg_status reserve(pickle_machine *m, void **table, size_t *capacity, size_t needed,
                         size_t size)
{
    if (needed <= *capacity)
        return VG_OK;
    const size_t grown = *capacity + *capacity / 2;
    const size_t wanted = needed > grown ? needed + 64 : grown;
    void *more = base_realloc(m->mem, *table, wanted * size, m->err);
    if (more == NULL)
        return VG_ERR_MEMORY;
    *table = more;
    *capacity = wanted;
    return VG_OK;
}

static vg_status push(pickle_machine *m, pickle_node *n)
{
    void *table = m->stack;
    vg_status st = reserve(m, &table, &m->stack_capacity, m->n_stack + 1, sizeof(pickle_node *));
    m->stack = table;
    if (st == VG_OK)
        m->stack[m->n_stack++] = n;
    return st;
}

/* What lies below the newest MARK belongs to an outer value. */
static size_t floor_of(const pickle_machine *m)
{
    return m->n_marks > 0 ? m->marks[m->n_marks - 1] : 0;
}

static vg_status pop(pickle_machine *m, pickle_node **out)
{
    if (m->n_stack <= floor_of(m))
        return broken(m, "the pickle takes a value from an empty stack");
    *out = m->stack[--m->n_stack];
    return VG_OK;
}

static vg_status top(pickle_machine *m, pickle_node **out)
{
    if (m->n_stack <= floor_of(m))
        return broken(m, "the pickle asks for a value of an empty stack");
    *out = m->stack[m->n_stack - 1];
    return VG_OK;
}

static vg_status make(pickle_machine *m, pickle_node **out, pickle_kind kind)
{
    *out = arena_take(m->values, 1, sizeof **out, m->err);
    if (*out == NULL)
        return m->err->status;
    (*out)->kind = kind;
    (*out)->at = (uint32_t)m->op_at;
    return VG_OK;
}

static vg_status make_and_push(pickle_machine *m, pickle_node **out, pickle_kind kind)
{
    vg_status st = make(m, out, kind);
    return st == VG_OK ? push(m, *out) : st;
}

/* ---- scalars ---- */

static vg_status op_none(pickle_machine *m)
{
    pickle_node *n;
    return make_and_push(m, &n, PICKLE_NONE);
}

static vg_status push_bool(pickle_machine *m, bool value)
{
    pickle_node *n;
    vg_status st = make_and_push(m, &n, PICKLE_BOOL);
    if (st == VG_OK)
        n->as.i = value;
    return st;
}

static vg_status op_true(pickle_machine *m)
{
    return push_bool(m, true);
}

static vg_status op_false(pickle_machine *m)
{
    return push_bool(m, false);
}

static vg_status push_int(pickle_machine *m, size_t n_bytes, bool is_signed)
{
    uint64_t value = 0;
    pickle_node *n;
    vg_status st = take_number(m, &value, n_bytes);
    if (st == VG_OK)
        st = make_and_push(m, &n, PICKLE_INT);
    if (st == VG_OK)
        n->as.i = is_signed ? (int32_t)(uint32_t)value : (int64_t)value;
    return st;
}

static vg_status op_binint(pickle_machine *m)
{
    return push_int(m, 4, true);
}

static vg_status op_binint1(pickle_machine *m)
{
    return push_int(m, 1, false);
}

static vg_status op_binint2(pickle_machine *m)
{
    return push_int(m, 2, false);
}

static vg_status push_long(pickle_machine *m, size_t n_length_bytes)
{
    uint64_t length = 0;
    const uint8_t *p = NULL;
    pickle_node *n;
    vg_status st = take_number(m, &length, n_length_bytes);
    if (st == VG_OK)
        st = take(m, &p, length);
    if (st == VG_OK)
        st = make_and_push(m, &n, length > 8 ? PICKLE_BIG : PICKLE_INT);
    if (st != VG_OK || length > 8)
        return st;
    uint64_t value = number(p, (size_t)length);
    if (length > 0 && length < 8 &&
        (p[length - 1] & 0x80) != 0) /* two's complement of any length */
        value |= UINT64_MAX << (8 * length);
    n->as.i = (int64_t)value;
    return VG_OK;
}

static vg_status op_long1(pickle_machine *m)
{
    return push_long(m, 1);
}

static vg_status op_long4(pickle_machine *m)
{
    return push_long(m, 4);
}

static vg_status op_binfloat(pickle_machine *m)
{
    const uint8_t *p = NULL;
    pickle_node *n;
    vg_status st = take(m, &p, 8);
    if (st == VG_OK)
        st = make_and_push(m, &n, PICKLE_REAL);
    if (st != VG_OK)
        return st;
    uint64_t bits = 0; /* the one big-endian number of the format */
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | p[i];
    memcpy(&n->as.real, &bits, sizeof bits);
    return VG_OK;
}

static vg_status push_text(pickle_machine *m, size_t n_length_bytes, pickle_kind kind)
{
    uint64_t length = 0;
    const uint8_t *p = NULL;
    pickle_node *n;
    vg_status st = take_number(m, &length, n_length_bytes);
    if (st == VG_OK)
        st = take(m, &p, length);
    if (st == VG_OK)
        st = make_and_push(m, &n, kind);
    if (st != VG_OK)
        return st;
    n->as.text.bytes = (const char *)p;
    n->as.text.n = (size_t)length;
    return VG_OK;
}

static vg_status op_text1(pickle_machine *m)
{
    return push_text(m, 1, PICKLE_TEXT);
}

static vg_status op_text4(pickle_machine *m)
{
    return push_text(m, 4, PICKLE_TEXT);
}

static vg_status op_text8(pickle_machine *m)
{
    return push_text(m, 8, PICKLE_TEXT);
}

static vg_status op_bytes1(pickle_machine *m)
{
    return push_text(m, 1, PICKLE_BYTES);
}

static vg_status op_bytes4(pickle_machine *m)
{
    return push_text(m, 4, PICKLE_BYTES);
}

static vg_status op_bytes8(pickle_machine *m)
{
    return push_text(m, 8, PICKLE_BYTES);
}

/* ---- lists, tuples, dicts, sets ---- */

static vg_status add(pickle_machine *m, pickle_node *to, const pickle_node *key,
                     const pickle_node *value)
{
    pickle_cell *c = arena_take(m->values, 1, sizeof *c, m->err);
    if (c == NULL)
        return m->err->status;
    c->key = key;
    c->value = value;
    if (to->as.items.last == NULL)
        to->as.items.first = c;
    else
        to->as.items.last->next = c;
    to->as.items.last = c;
    to->as.items.n++;
    return VG_OK;
}

static vg_status push_empty(pickle_machine *m, pickle_kind kind)
{
    pickle_node *n;
    return make_and_push(m, &n, kind);
}

static vg_status op_empty_list(pickle_machine *m)
{
    return push_empty(m, PICKLE_LIST);
}

static vg_status op_empty_tuple(pickle_machine *m)
{
    return push_empty(m, PICKLE_TUPLE);
}

static vg_status op_empty_dict(pickle_machine *m)
{
    return push_empty(m, PICKLE_DICT);
}

static vg_status op_empty_set(pickle_machine *m)
{
    return push_empty(m, PICKLE_SET);
}

static vg_status op_mark(pickle_machine *m)
{
    void *table = m->marks;
    vg_status st = reserve(m, &table, &m->marks_capacity, m->n_marks + 1, sizeof(size_t));
    m->marks = table;
    if (st == VG_OK)
        m->marks[m->n_marks++] = m->n_stack;
    return st;
}

/* The values above the newest MARK are stack[*first..n_stack); the MARK is gone, they are the
 * caller's to drop. */
static vg_status to_mark(pickle_machine *m, size_t *first)
{
    if (m->n_marks == 0)
        return broken(m, "the pickle goes back to a MARK that was never set");
    *first = m->marks[--m->n_marks];
    return VG_OK;
}

static vg_status op_pop_mark(pickle_machine *m)
{
    size_t first = 0;
    vg_status st = to_mark(m, &first);
    if (st == VG_OK)
        m->n_stack = first;
    return st;
}

/* Adds stack[first..n_stack) to `to`, one by one or in pairs, and drops them. */
static vg_status add_all(pickle_machine *m, pickle_node *to, size_t first, bool pairs)
{
    if (pairs && (m->n_stack - first) % 2 != 0)
        return broken(m, "a dict is given a key without a value");
    for (size_t i = first; i < m->n_stack; i += pairs ? 2 : 1) {
        vg_status st =
            pairs ? add(m, to, m->stack[i], m->stack[i + 1]) : add(m, to, NULL, m->stack[i]);
        if (st != VG_OK)
            return st;
    }
    m->n_stack = first;
    return VG_OK;
}

static vg_status gather_new(pickle_machine *m, pickle_kind kind)
{
    size_t first = 0;
    pickle_node *n;
    vg_status st = to_mark(m, &first);
    if (st == VG_OK)
        st = make(m, &n, kind);
    if (st == VG_OK)
        st = add_all(m, n, first, kind == PICKLE_DICT);
    return st == VG_OK ? push(m, n) : st;
}

static vg_status op_list(pickle_machine *m)
{
    return gather_new(m, PICKLE_LIST);
}

static vg_status op_tuple(pickle_machine *m)
{
    return gather_new(m, PICKLE_TUPLE);
}

static vg_status op_dict(pickle_machine *m)
{
    return gather_new(m, PICKLE_DICT);
}

static vg_status op_frozenset(pickle_machine *m)
{
    return gather_new(m, PICKLE_SET);
}

static vg_status small_tuple(pickle_machine *m, size_t n_items)
{
    pickle_node *n;
    if (m->n_stack - floor_of(m) < n_items)
        return broken(m, "a tuple has fewer values than it needs");
    vg_status st = make(m, &n, PICKLE_TUPLE);
    if (st == VG_OK)
        st = add_all(m, n, m->n_stack - n_items, false);
    return st == VG_OK ? push(m, n) : st;
}

static vg_status op_tuple1(pickle_machine *m)
{
    return small_tuple(m, 1);
}

static vg_status op_tuple2(pickle_machine *m)
{
    return small_tuple(m, 2);
}

static vg_status op_tuple3(pickle_machine *m)
{
    return small_tuple(m, 3);
}

/* Adds what lies from `first` to the container below it. Objects that act as containers keep no
 * items. */
static vg_status extend(pickle_machine *m, size_t first, pickle_kind kind)
{
    if (first <= floor_of(m))
        return broken(m, "there is no container to add to");
    pickle_node *to = m->stack[first - 1];
    if (to->kind == PICKLE_OBJECT) {
        to->as.object.has_items = true;
        m->n_stack = first;
        return VG_OK;
    }
    if (to->kind != kind)
        return broken(m, "values are added to something of another kind");
    return add_all(m, to, first, kind == PICKLE_DICT);
}

static vg_status op_append(pickle_machine *m)
{
    return m->n_stack == 0 ? broken(m, "there is nothing to add")
                           : extend(m, m->n_stack - 1, PICKLE_LIST);
}

static vg_status op_setitem(pickle_machine *m)
{
    return m->n_stack < 2 ? broken(m, "there is nothing to add")
                          : extend(m, m->n_stack - 2, PICKLE_DICT);
}

static vg_status extend_from_mark(pickle_machine *m, pickle_kind kind)
{
    size_t first = 0;
    vg_status st = to_mark(m, &first);
    return st == VG_OK ? extend(m, first, kind) : st;
}

static vg_status op_appends(pickle_machine *m)
{
    return extend_from_mark(m, PICKLE_LIST);
}

static vg_status op_setitems(pickle_machine *m)
{
    return extend_from_mark(m, PICKLE_DICT);
}

static vg_status op_additems(pickle_machine *m)
{
    return extend_from_mark(m, PICKLE_SET);
}

/* ---- classes and objects ---- */

static vg_status take_line(pickle_machine *m, const char **out, size_t *n)
{
    const uint8_t *from = m->bytes + m->at;
    const uint8_t *end = m->at < m->n ? memchr(from, '\n', m->n - m->at) : NULL;
    if (end == NULL)
        return broken(m, "the pickle ends in the middle of a name");
    *out = (const char *)from;
    *n = (size_t)(end - from);
    m->at += *n + 1;
    return VG_OK;
}

static vg_status push_class(pickle_machine *m, const char *module, size_t n_module,
                            const char *name, size_t n_name)
{
    pickle_node *n;
    vg_status st = make_and_push(m, &n, PICKLE_CLASS);
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

static vg_status op_global(pickle_machine *m)
{
    const char *module = NULL, *name = NULL;
    size_t n_module = 0, n_name = 0;
    vg_status st = take_line(m, &module, &n_module);
    if (st == VG_OK)
        st = take_line(m, &name, &n_name);
    return st == VG_OK ? push_class(m, module, n_module, name, n_name) : st;
}

static vg_status op_stack_global(pickle_machine *m)
{
    pickle_node *module = NULL, *name = NULL;
    vg_status st = pop(m, &name);
    if (st == VG_OK)
        st = pop(m, &module);
    if (st != VG_OK)
        return st;
    if (module->kind != PICKLE_TEXT || name->kind != PICKLE_TEXT)
        return broken(m, "a class's module and name are not texts");
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
        return broken(m, "a dict is made of unknown arguments");
    if (list == NULL)
        return VG_OK;
    if (list->kind != PICKLE_LIST)
        return broken(m, "a dict is made of something else than a list of pairs");
    for (const pickle_cell *c = list->as.items.first; c != NULL; c = c->next) {
        const pickle_node *key = pickle_item(c->value, 0), *value = pickle_item(c->value, 1);
        if (key == NULL || value == NULL || c->value->as.items.n != 2)
            return broken(m, "a dict is made of something else than a list of pairs");
        vg_status st = add(m, dict, key, value);
        if (st != VG_OK)
            return st;
    }
    return VG_OK;
}

static vg_status push_record(pickle_machine *m, const pickle_node *type, const pickle_node *args)
{
    pickle_node *n;
    if (is_dict_class(type)) {
        vg_status st = make(m, &n, PICKLE_DICT);
        if (st == VG_OK)
            st = fill_dict(m, n, args);
        return st == VG_OK ? push(m, n) : st;
    }
    vg_status st = make_and_push(m, &n, PICKLE_OBJECT);
    if (st != VG_OK)
        return st;
    n->as.object.type = type;
    n->as.object.args = args;
    return VG_OK;
}

/* REDUCE would call, NEWOBJ would make: here both leave a record of what was asked for. */
static vg_status op_reduce(pickle_machine *m)
{
    pickle_node *type = NULL, *args = NULL;
    vg_status st = pop(m, &args);
    if (st == VG_OK)
        st = pop(m, &type);
    return st == VG_OK ? push_record(m, type, args) : st;
}

static vg_status op_newobj_ex(pickle_machine *m)
{
    pickle_node *keywords = NULL;
    vg_status st = pop(m, &keywords);
    return st == VG_OK ? op_reduce(m) : st;
}

static vg_status op_build(pickle_machine *m)
{
    pickle_node *state = NULL, *object = NULL;
    vg_status st = pop(m, &state);
    if (st == VG_OK)
        st = top(m, &object);
    if (st != VG_OK)
        return st;
    if (object->kind == PICKLE_OBJECT)
        object->as.object.state = state;
    else if (object->kind != PICKLE_DICT) /* a state dict's _metadata, say: nothing we need */
        return broken(m, "a state is given to a value that cannot have one");
    return VG_OK;
}

static vg_status op_binpersid(pickle_machine *m)
{
    pickle_node *id = NULL, *n;
    vg_status st = pop(m, &id);
    if (st == VG_OK)
        st = make_and_push(m, &n, PICKLE_PERSISTENT);
    if (st == VG_OK)
        n->as.id = id;
    return st;
}

/* ---- memo and frame ---- */

static vg_status put(pickle_machine *m, uint64_t index)
{
    pickle_node *n = NULL;
    vg_status st = top(m, &n);
    if (st != VG_OK)
        return st;
    if (index >= m->n) /* picklers number from 0, one opcode each: there are fewer than bytes */
        return broken(m, "a memo number is larger than the pickle");
    const size_t before = m->memo_capacity;
    void *table = m->memo;
    st = reserve(m, &table, &m->memo_capacity, (size_t)index + 1, sizeof(pickle_node *));
    m->memo = table;
    if (st != VG_OK)
        return st;
    for (size_t i = before; i < m->memo_capacity; i++)
        m->memo[i] = NULL;
    m->memo[index] = n;
    m->n_memo++;
    return VG_OK;
}

static vg_status op_binput(pickle_machine *m)
{
    uint64_t index = 0;
    vg_status st = take_number(m, &index, 1);
    return st == VG_OK ? put(m, index) : st;
}

static vg_status op_long_binput(pickle_machine *m)
{
    uint64_t index = 0;
    vg_status st = take_number(m, &index, 4);
    return st == VG_OK ? put(m, index) : st;
}

static vg_status op_memoize(pickle_machine *m)
{
    return put(m, m->n_memo);
}

static vg_status get(pickle_machine *m, size_t n_index_bytes)
{
    uint64_t index = 0;
    vg_status st = take_number(m, &index, n_index_bytes);
    if (st != VG_OK)
        return st;
    if (index >= m->memo_capacity || m->memo[index] == NULL)
        return broken(m, "the pickle refers to a memo that was never put");
    return push(m, m->memo[index]);
}

static vg_status op_binget(pickle_machine *m)
{
    return get(m, 1);
}

static vg_status op_long_binget(pickle_machine *m)
{
    return get(m, 4);
}

static vg_status op_frame(pickle_machine *m)
{
    uint64_t length = 0;
    vg_status st = take_number(m, &length, 8);
    if (st == VG_OK && length > m->n - m->at)
        return broken(m, "a frame reaches beyond the pickle");
    return st;
}

static vg_status op_proto(pickle_machine *m)
{
    uint64_t protocol = 0;
    vg_status st = take_number(m, &protocol, 1);
    if (st == VG_OK && protocol > 5)
        return base_fail(m->err, VG_ERR_UNSUPPORTED,
                         base_where("%s, byte %zu", m->source, m->op_at),
                         "save the model again with torch.save, which writes protocol 2",
                         "pickle protocol %u, newer than 5", (unsigned)protocol);
    return st;
}

static vg_status op_pop(pickle_machine *m)
{
    pickle_node *n = NULL;
    if (m->n_marks > 0 && m->n_stack == floor_of(m)) /* POP may also take a MARK */
        return op_pop_mark(m);
    return pop(m, &n);
}

static vg_status op_dup(pickle_machine *m)
{
    pickle_node *n = NULL;
    vg_status st = top(m, &n);
    return st == VG_OK ? push(m, n) : st;
}

static vg_status op_stop(pickle_machine *m)
{
    if (m->n_stack != 1 || m->n_marks != 0)
        return broken(m, "the pickle stops with a number of values other than one");
    m->stopped = true;
    return VG_OK;
}

/* Known and not supported (run == NULL): the text opcodes of protocols 0 and 1, which torch never
 * wrote into its zips, extension codes, and buffers beside the pickle. */
const pickle_op pickle_ops[256] = {
    ['('] = {"MARK", op_mark},
    ['.'] = {"STOP", op_stop},
    ['0'] = {"POP", op_pop},
    ['1'] = {"POP_MARK", op_pop_mark},
    ['2'] = {"DUP", op_dup},
    ['N'] = {"NONE", op_none},
    ['J'] = {"BININT", op_binint},
    ['K'] = {"BININT1", op_binint1},
    ['M'] = {"BININT2", op_binint2},
    ['G'] = {"BINFLOAT", op_binfloat},
    ['T'] = {"BINSTRING", op_text4},
    ['U'] = {"SHORT_BINSTRING", op_text1},
    ['X'] = {"BINUNICODE", op_text4},
    ['B'] = {"BINBYTES", op_bytes4},
    ['C'] = {"SHORT_BINBYTES", op_bytes1},
    [']'] = {"EMPTY_LIST", op_empty_list},
    ['l'] = {"LIST", op_list},
    ['a'] = {"APPEND", op_append},
    ['e'] = {"APPENDS", op_appends},
    [')'] = {"EMPTY_TUPLE", op_empty_tuple},
    ['t'] = {"TUPLE", op_tuple},
    ['}'] = {"EMPTY_DICT", op_empty_dict},
    ['d'] = {"DICT", op_dict},
    ['s'] = {"SETITEM", op_setitem},
    ['u'] = {"SETITEMS", op_setitems},
    ['c'] = {"GLOBAL", op_global},
    ['R'] = {"REDUCE", op_reduce},
    ['b'] = {"BUILD", op_build},
    ['Q'] = {"BINPERSID", op_binpersid},
    ['q'] = {"BINPUT", op_binput},
    ['r'] = {"LONG_BINPUT", op_long_binput},
    ['h'] = {"BINGET", op_binget},
    ['j'] = {"LONG_BINGET", op_long_binget},
    [0x80] = {"PROTO", op_proto},
    [0x81] = {"NEWOBJ", op_reduce},
    [0x85] = {"TUPLE1", op_tuple1},
    [0x86] = {"TUPLE2", op_tuple2},
    [0x87] = {"TUPLE3", op_tuple3},
    [0x88] = {"NEWTRUE", op_true},
    [0x89] = {"NEWFALSE", op_false},
    [0x8a] = {"LONG1", op_long1},
    [0x8b] = {"LONG4", op_long4},
    [0x8c] = {"SHORT_BINUNICODE", op_text1},
    [0x8d] = {"BINUNICODE8", op_text8},
    [0x8e] = {"BINBYTES8", op_bytes8},
    [0x8f] = {"EMPTY_SET", op_empty_set},
    [0x90] = {"ADDITEMS", op_additems},
    [0x91] = {"FROZENSET", op_frozenset},
    [0x92] = {"NEWOBJ_EX", op_newobj_ex},
    [0x93] = {"STACK_GLOBAL", op_stack_global},
    [0x94] = {"MEMOIZE", op_memoize},
    [0x95] = {"FRAME", op_frame},
    [0x96] = {"BYTEARRAY8", op_bytes8},
    ['I'] = {"INT", NULL},
    ['L'] = {"LONG", NULL},
    ['F'] = {"FLOAT", NULL},
    ['S'] = {"STRING", NULL},
    ['V'] = {"UNICODE", NULL},
    ['i'] = {"INST", NULL},
    ['o'] = {"OBJ", NULL},
    ['P'] = {"PERSID", NULL},
    ['p'] = {"PUT", NULL},
    ['g'] = {"GET", NULL},
    [0x82] = {"EXT1", NULL},
    [0x83] = {"EXT2", NULL},
    [0x84] = {"EXT4", NULL},
    [0x97] = {"NEXT_BUFFER", NULL},
    [0x98] = {"READONLY_BUFFER", NULL},
};
