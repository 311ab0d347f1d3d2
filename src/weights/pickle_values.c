/* pickle_values.c: opcodes of scalars, texts, lists, tuples, dicts, sets and the stack. Meanings as
 * in pickletools. Opcodes that are alike share a function; the table's row says what differs. */
#include <string.h>

#include "pickle_machine.h"

vg_status pickle_op_new(pickle_machine *m)
{
    pickle_node *n;
    return pickle_make_and_push(m, &n, m->op->kind);
}

/* ---- scalars ---- */

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

vg_status pickle_op_int(pickle_machine *m)
{
    uint64_t value = 0;
    pickle_node *n;
    vg_status st = pickle_take_number(m, &value, m->op->n);
    if (st == VG_OK)
        st = pickle_make_and_push(m, &n, PICKLE_INT);
    if (st == VG_OK) /* BININT alone is signed */
        n->as.i = m->op->n == 4 ? (int32_t)(uint32_t)value : (int64_t)value;
    return st;
}

vg_status pickle_op_long(pickle_machine *m)
{
    uint64_t length = 0;
    const uint8_t *p = NULL;
    pickle_node *n;
    vg_status st = pickle_take_number(m, &length, m->op->n);
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

vg_status pickle_op_text(pickle_machine *m)
{
    uint64_t length = 0;
    const uint8_t *p = NULL;
    pickle_node *n;
    vg_status st = pickle_take_number(m, &length, m->op->n);
    if (st == VG_OK)
        st = pickle_take(m, &p, length);
    if (st == VG_OK)
        st = pickle_make_and_push(m, &n, m->op->kind);
    if (st != VG_OK)
        return st;
    n->as.text.bytes = (const char *)p;
    n->as.text.n = (size_t)length;
    return VG_OK;
}

/* ---- lists, tuples, dicts, sets ---- */

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

/* A new container of stack[first..n_stack). */
static vg_status gather(pickle_machine *m, size_t first)
{
    pickle_node *n;
    vg_status st = pickle_make(m, &n, m->op->kind);
    if (st == VG_OK)
        st = add_all(m, n, first, m->op->kind == PICKLE_DICT);
    return st == VG_OK ? pickle_push(m, n) : st;
}

vg_status pickle_op_gather(pickle_machine *m)
{
    size_t first = 0;
    vg_status st = pickle_to_mark(m, &first);
    return st == VG_OK ? gather(m, first) : st;
}

vg_status pickle_op_gather_n(pickle_machine *m)
{
    if (m->n_stack - pickle_floor(m) < m->op->n)
        return pickle_broken(m, "a tuple has fewer values than it needs");
    return gather(m, m->n_stack - m->op->n);
}

/* Adds what lies from `first` to the container below it. Objects that act as containers keep no
 * items. */
static vg_status extend(pickle_machine *m, size_t first)
{
    if (first <= pickle_floor(m))
        return pickle_broken(m, "there is no container to add to");
    pickle_node *to = m->stack[first - 1];
    if (to->kind == PICKLE_OBJECT) {
        to->as.object.has_items = true;
        m->n_stack = first;
        return VG_OK;
    }
    if (to->kind != m->op->kind)
        return pickle_broken(m, "values are added to something of another kind");
    return add_all(m, to, first, to->kind == PICKLE_DICT);
}

vg_status pickle_op_extend(pickle_machine *m)
{
    size_t first = 0;
    vg_status st = pickle_to_mark(m, &first);
    return st == VG_OK ? extend(m, first) : st;
}

vg_status pickle_op_extend_n(pickle_machine *m)
{
    return m->n_stack < m->op->n ? pickle_broken(m, "there is nothing to add")
                                 : extend(m, m->n_stack - m->op->n);
}
