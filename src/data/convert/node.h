/* node.h: values of JSON as sources mean them: a number that stands in quotes is one, too. For this
 * folder. */
#ifndef DATA_CONVERT_NODE_H
#define DATA_CONVERT_NODE_H

#include <math.h>

#include "base/base.h"

/* A finite number. */
static inline bool node_number(double *out, const base_node *n)
{
    if (n && n->kind == BASE_NODE_TEXT)
        return base_parse_double(out, n->text) && isfinite(*out);
    if (!n || (n->kind != BASE_NODE_INT && n->kind != BASE_NODE_REAL) || !isfinite(n->real))
        return false;
    *out = n->real;
    return true;
}

/* A whole number. */
static inline bool node_id(int64_t *out, const base_node *n)
{
    double real;
    if (n && n->kind == BASE_NODE_INT) {
        *out = n->i;
        return true;
    }
    if (n && n->kind == BASE_NODE_TEXT)
        return base_parse_i64(out, n->text, INT64_MIN, INT64_MAX);
    if (!node_number(&real, n) || real != floor(real) || fabs(real) > 9007199254740992.0)
        return false;
    *out = (int64_t)real;
    return true;
}

static inline const char *node_text(const base_node *n)
{
    return n && n->kind == BASE_NODE_TEXT && *n->text ? n->text : NULL;
}

/* A side of a picture; 0: not told, or no such. */
static inline int node_side(const base_node *n)
{
    double v;
    return node_number(&v, n) && v >= 1 && v <= 1 << 20 ? (int)v : 0;
}

#endif
