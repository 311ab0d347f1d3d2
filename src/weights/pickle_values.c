/* pickle_values.c: opcodes of scalars, texts, lists, tuples, dicts, sets and the stack. Meanings as
 * in pickletools. */
#include <string.h>

#include "pickle_machine.h"

/* ---- scalars ---- */

vg_status pickle_op_none(pickle_machine *m)
{
    pickle_node *n;
    return pickle_make_and_push(m, &n, PICKLE_NONE);
}

static vg_status push_bool(pickle_machine *m, bool value)
{
    pickle_node *n;
    vg_status st = pickle_make_and_push(m, &n, PICKLE_BOOL);
    if (st == VG_OK)
        n->as.i = value;
    return st;
}

vg_status pickle_op_true(pickle_machine *m)
{
    return push_bool(m, true);
}

vg_status pickle_op_false(pickle_machine *m)
{
    return push_bool(m, false);
}

static vg_status push_int(pickle_machine *m, size_t n_bytes, bool is_signed)
{
    uint64_t value = 0;
    pickle_node *n;
    vg_status st = pickle_take_number(m, &value, n_bytes);
    if (st == VG_OK)
        st = pickle_make_and_push(m, &n, PICKLE_INT);
    if (st == VG_OK)
        n->as.i = is_signed ? (int32_t)(uint32_t)value : (int64_t)value;
    return st;
}

vg_status pickle_op_binint(pickle_machine *m)
{
    return push_int(m, 4, true);
}

vg_status pickle_op_binint1(pickle_machine *m)
{
    return push_int(m, 1, false);
}

vg_status pickle_op_binint2(pickle_machine *m)
{
    return push_int(m, 2, false);
}

static vg_status push_long(pickle_machine *m, size_t n_length_bytes)
{
    uint64_t length = 0;
    const uint8_t *p = NULL;
    pickle_node *n;
    vg_status st = pickle_take_number(m, &length, n_length_bytes);
    if (st == VG_OK)
        st = pickle_take(m, &p, length);
    if (st == VG_OK)
        st = pickle_make_and_push(m, &n, length > 8 ? PICKLE_BIG : PICKLE_INT);
    if (st != VG_OK || length > 8)
        return st;
    uint64_t value = pickle_number(p, (size_t)length);
    if (length > 0 && length < 8 &&
        (p[length - 1] & 0x80) != 0) /* two's complement of any length */
        value |= UINT64_MAX << (8 * length);
    n->as.i = (int64_t)value;
    return VG_OK;
}

vg_status pickle_op_long1(pickle_machine *m)
{
    return push_long(m, 1);
}

vg_status pickle_op_long4(pickle_machine *m)
{
    return push_long(m, 4);
}

vg_status pickle_op_binfloat(pickle_machine *m)
{
    const uint8_t *p = NULL;
    pickle_node *n;
    vg_status st = pickle_take(m, &p, 8);
    if (st == VG_OK)
        st = pickle_make_and_push(m, &n, PICKLE_REAL);
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
    vg_status st = pickle_take_number(m, &length, n_length_bytes);
    if (st == VG_OK)
        st = pickle_take(m, &p, length);
    if (st == VG_OK)
        st = pickle_make_and_push(m, &n, kind);
    if (st != VG_OK)
        return st;
    n->as.text.bytes = (const char *)p;
    n->as.text.n = (size_t)length;
    return VG_OK;
}

vg_status pickle_op_text1(pickle_machine *m)
{
    return push_text(m, 1, PICKLE_TEXT);
}

vg_status pickle_op_text4(pickle_machine *m)
{
    return push_text(m, 4, PICKLE_TEXT);
}

vg_status pickle_op_text8(pickle_machine *m)
{
    return push_text(m, 8, PICKLE_TEXT);
}

vg_status pickle_op_bytes1(pickle_machine *m)
{
    return push_text(m, 1, PICKLE_BYTES);
}

vg_status pickle_op_bytes4(pickle_machine *m)
{
    return push_text(m, 4, PICKLE_BYTES);
}

vg_status pickle_op_bytes8(pickle_machine *m)
{
    return push_text(m, 8, PICKLE_BYTES);
}

/* ---- lists, tuples, dicts, sets ---- */

static vg_status push_empty(pickle_machine *m, pickle_kind kind)
{
    pickle_node *n;
    return pickle_make_and_push(m, &n, kind);
}

vg_status pickle_op_empty_list(pickle_machine *m)
{
    return push_empty(m, PICKLE_LIST);
}

vg_status pickle_op_empty_tuple(pickle_machine *m)
{
    return push_empty(m, PICKLE_TUPLE);
}

vg_status pickle_op_empty_dict(pickle_machine *m)
{
    return push_empty(m, PICKLE_DICT);
}

vg_status pickle_op_empty_set(pickle_machine *m)
{
    return push_empty(m, PICKLE_SET);
}

vg_status pickle_op_mark(pickle_machine *m)
{
    void *table = m->marks;
    vg_status st = pickle_reserve(m, &table, &m->marks_capacity, m->n_marks + 1, sizeof(size_t));
    m->marks = table;
    if (st == VG_OK)
        m->marks[m->n_marks++] = m->n_stack;
    return st;
}

vg_status pickle_op_pop_mark(pickle_machine *m)
{
    size_t first = 0;
    vg_status st = pickle_to_mark(m, &first);
    if (st == VG_OK)
        m->n_stack = first;
    return st;
}

/* Adds stack[first..n_stack) to `to`, one by one or in pairs, and drops them. */
static vg_status add_all(pickle_machine *m, pickle_node *to, size_t first, bool pairs)
{
    if (pairs && (m->n_stack - first) % 2 != 0)
        return pickle_broken(m, "a dict is given a key without a value");
    for (size_t i = first; i < m->n_stack; i += pairs ? 2 : 1) {
        vg_status st = pairs ? pickle_add(m, to, m->stack[i], m->stack[i + 1])
                             : pickle_add(m, to, NULL, m->stack[i]);
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
    vg_status st = pickle_to_mark(m, &first);
    if (st == VG_OK)
        st = pickle_make(m, &n, kind);
    if (st == VG_OK)
        st = add_all(m, n, first, kind == PICKLE_DICT);
    return st == VG_OK ? pickle_push(m, n) : st;
}

vg_status pickle_op_list(pickle_machine *m)
{
    return gather_new(m, PICKLE_LIST);
}

vg_status pickle_op_tuple(pickle_machine *m)
{
    return gather_new(m, PICKLE_TUPLE);
}

vg_status pickle_op_dict(pickle_machine *m)
{
    return gather_new(m, PICKLE_DICT);
}

vg_status pickle_op_frozenset(pickle_machine *m)
{
    return gather_new(m, PICKLE_SET);
}

static vg_status small_tuple(pickle_machine *m, size_t n_items)
{
    pickle_node *n;
    if (m->n_stack - pickle_floor(m) < n_items)
        return pickle_broken(m, "a tuple has fewer values than it needs");
    vg_status st = pickle_make(m, &n, PICKLE_TUPLE);
    if (st == VG_OK)
        st = add_all(m, n, m->n_stack - n_items, false);
    return st == VG_OK ? pickle_push(m, n) : st;
}

vg_status pickle_op_tuple1(pickle_machine *m)
{
    return small_tuple(m, 1);
}

vg_status pickle_op_tuple2(pickle_machine *m)
{
    return small_tuple(m, 2);
}

vg_status pickle_op_tuple3(pickle_machine *m)
{
    return small_tuple(m, 3);
}

/* Adds what lies from `first` to the container below it. Objects that act as containers keep no
 * items. */
static vg_status extend(pickle_machine *m, size_t first, pickle_kind kind)
{
    if (first <= pickle_floor(m))
        return pickle_broken(m, "there is no container to add to");
    pickle_node *to = m->stack[first - 1];
    if (to->kind == PICKLE_OBJECT) {
        to->as.object.has_items = true;
        m->n_stack = first;
        return VG_OK;
    }
    if (to->kind != kind)
        return pickle_broken(m, "values are added to something of another kind");
    return add_all(m, to, first, kind == PICKLE_DICT);
}

vg_status pickle_op_append(pickle_machine *m)
{
    return m->n_stack == 0 ? pickle_broken(m, "there is nothing to add")
                           : extend(m, m->n_stack - 1, PICKLE_LIST);
}

vg_status pickle_op_setitem(pickle_machine *m)
{
    return m->n_stack < 2 ? pickle_broken(m, "there is nothing to add")
                          : extend(m, m->n_stack - 2, PICKLE_DICT);
}

static vg_status extend_from_mark(pickle_machine *m, pickle_kind kind)
{
    size_t first = 0;
    vg_status st = pickle_to_mark(m, &first);
    return st == VG_OK ? extend(m, first, kind) : st;
}

vg_status pickle_op_appends(pickle_machine *m)
{
    return extend_from_mark(m, PICKLE_LIST);
}

vg_status pickle_op_setitems(pickle_machine *m)
{
    return extend_from_mark(m, PICKLE_DICT);
}

vg_status pickle_op_additems(pickle_machine *m)
{
    return extend_from_mark(m, PICKLE_SET);
}
