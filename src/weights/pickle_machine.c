/* pickle_machine.c: reading, the stack, its marks, and making values. */
#include "pickle_machine.h"

/* ---- reading and failing ---- */

vg_status pickle_broken(const pickle_machine *m, const char *what)
{
    return base_fail(m->err, VG_ERR_FORMAT, base_where("%s, byte %zu", m->source, m->op_at),
                     "copy or download the file again", "%s (pickle opcode %s)", what, m->op->name);
}

vg_status pickle_take(pickle_machine *m, const uint8_t **out, uint64_t n)
{
    if (n > m->n - m->at)
        return pickle_broken(m, "the pickle ends in the middle of a value");
    *out = m->bytes + m->at;
    m->at += (size_t)n;
    return VG_OK;
}

/* Little-endian, 1 to 8 bytes. */
uint64_t pickle_number(const uint8_t *p, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value |= (uint64_t)p[i] << (8 * i);
    return value;
}

vg_status pickle_take_number(pickle_machine *m, uint64_t *out, size_t n_bytes)
{
    const uint8_t *p = NULL;
    vg_status st = pickle_take(m, &p, n_bytes);
    *out = st == VG_OK ? pickle_number(p, n_bytes) : 0;
    return st;
}

/* ---- stack ---- */

/* Room for one more of size bytes; a machine's tables grow by half. */
vg_status pickle_reserve(pickle_machine *m, void **table, size_t *capacity, size_t needed,
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

vg_status pickle_push(pickle_machine *m, pickle_node *n)
{
    void *table = m->stack;
    vg_status st =
        pickle_reserve(m, &table, &m->stack_capacity, m->n_stack + 1, sizeof(pickle_node *));
    m->stack = table;
    if (st == VG_OK)
        m->stack[m->n_stack++] = n;
    return st;
}

/* What lies below the newest MARK belongs to an outer value. */
size_t pickle_floor(const pickle_machine *m)
{
    return m->n_marks > 0 ? m->marks[m->n_marks - 1] : 0;
}

vg_status pickle_pop(pickle_machine *m, pickle_node **out)
{
    if (m->n_stack <= pickle_floor(m))
        return pickle_broken(m, "the pickle takes a value from an empty stack");
    *out = m->stack[--m->n_stack];
    return VG_OK;
}

vg_status pickle_top(pickle_machine *m, pickle_node **out)
{
    if (m->n_stack <= pickle_floor(m))
        return pickle_broken(m, "the pickle asks for a value of an empty stack");
    *out = m->stack[m->n_stack - 1];
    return VG_OK;
}

vg_status pickle_make(pickle_machine *m, pickle_node **out, pickle_kind kind)
{
    *out = arena_take(m->values, 1, sizeof **out, m->err);
    if (*out == NULL)
        return m->err->status;
    (*out)->kind = kind;
    (*out)->at = (uint32_t)m->op_at;
    return VG_OK;
}

vg_status pickle_make_and_push(pickle_machine *m, pickle_node **out, pickle_kind kind)
{
    vg_status st = pickle_make(m, out, kind);
    return st == VG_OK ? pickle_push(m, *out) : st;
}

vg_status pickle_add(pickle_machine *m, pickle_node *to, const pickle_node *key,
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

/* The values above the newest MARK are stack[*first..n_stack); the MARK is gone, they are the
 * caller's to drop. */
vg_status pickle_to_mark(pickle_machine *m, size_t *first)
{
    if (m->n_marks == 0)
        return pickle_broken(m, "the pickle goes back to a MARK that was never set");
    *first = m->marks[--m->n_marks];
    return VG_OK;
}
