/* name.c: names of options, commands, zones: equal, and near.
 *
 * A hint that is wrong costs more than none: a name is near when a slip of the fingers makes the
 * word of it. A slip is a letter left out, doubled, wrong, or changed places with its neighbour:
 * none in words of up to three letters, one up to seven, two up to eleven, three in longer ones;
 * one more when the letters are the same ("ephocs"). So "cnof" is conf and "weight" weights, but
 * neither "time" nor "save" is name. */
#include "name.h"

#include <stdint.h>
#include <string.h>

static char letter(char c)
{
    return c == '_' ? '-' : c;
}

bool vg_name_equal(const char *a, const char *b)
{
    while (*a != '\0' && letter(*a) == letter(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The i-th and the j-th letter are those before them, crosswise. */
static bool is_swapped(const char *a, size_t i, const char *b, size_t j)
{
    return i > 0 && j > 0 && letter(a[i]) == letter(b[j - 1]) && letter(a[i - 1]) == letter(b[j]);
}

size_t base_edit_distance(const char *a, const char *b)
{
    enum { MOST = 63 };
    const size_t n = strnlen(a, MOST), m = strnlen(b, MOST);
    /* row[j]: distance of the first letters of a, up to this one, and the first j of b; the two
     * rows above it */
    size_t rows[3][MOST + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= m; j++)
        row[j] = before[j] = j;
    for (size_t i = 0; i < n; i++) {
        size_t *const free_row = before;
        before = last;
        last = row;
        row = free_row;
        row[0] = i + 1;
        for (size_t j = 0; j < m; j++) {
            const size_t replaced = last[j] + (letter(a[i]) != letter(b[j]));
            row[j + 1] = least(replaced, least(row[j], last[j + 1]) + 1);
            if (is_swapped(a, i, b, j))
                row[j + 1] = least(row[j + 1], before[j - 1] + 1);
        }
    }
    return row[m];
}

static bool has_same_letters(const char *a, const char *b)
{
    int balance[256] = {0};
    if (strlen(a) != strlen(b))
        return false;
    for (; *a != '\0'; a++, b++) {
        balance[(unsigned char)letter(*a)]++;
        balance[(unsigned char)letter(*b)]--;
    }
    for (size_t i = 0; i < sizeof balance / sizeof *balance; i++)
        if (balance[i] != 0)
            return false;
    return true;
}

static size_t most_slips(const char *word, const char *name)
{
    const size_t n = strlen(word);
    return (n < 4 ? 0U : n < 8 ? 1U : n < 12 ? 2U : 3U) + has_same_letters(word, name);
}

bool vg_name_is_near(const char *word, const char *name)
{
    return base_edit_distance(word, name) <= most_slips(word, name);
}

const char *vg_name_nearest(const char *word, const char *(*at)(const void *context, size_t i),
                            const void *context, size_t n)
{
    size_t best = SIZE_MAX;
    const char *nearest = NULL;
    for (size_t i = 0; i < n; i++) {
        const char *name = at(context, i);
        const size_t distance = name != NULL ? base_edit_distance(word, name) : SIZE_MAX;
        if (distance < best && vg_name_is_near(word, name)) {
            best = distance;
            nearest = name;
        }
    }
    return nearest;
}
