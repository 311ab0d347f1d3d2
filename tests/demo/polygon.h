/* polygon.h: whether a polygon holds a point, for tests. */
#ifndef TESTS_DEMO_POLYGON_H
#define TESTS_DEMO_POLYGON_H

#include <stdbool.h>

#include "demo/outline.h"

/* By the even-odd rule. */
static inline bool polygon_holds(const demo_spot *p, int n, float x, float y)
{
    bool holds = false;
    for (int i = 0, k = n - 1; i < n; k = i++)
        if ((p[i].y > y) != (p[k].y > y) &&
            x < p[k].x + (p[i].x - p[k].x) * (y - p[k].y) / (p[i].y - p[k].y))
            holds = !holds;
    return holds;
}

#endif
