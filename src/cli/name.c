/* name.c: names of options and commands: equal, and near.
 *
 * A hint that is wrong costs more than none: a name is near when a slip of the fingers makes the
 * word of it. A slip is a letter left out, doubled, wrong, or changed places with its neighbour:
 * none in words of up to three letters, one up to seven, two up to eleven, three in longer ones. So
 * "cnof" is conf and "weight" weights, but neither "time" nor "save" is name. */
#include <stdint.h>
#include <string.h>

#include "options.h"

static char name_char(char c)
{
    return c == '_' ? '-' : c;
}

bool cli_name_equal(const char *a, const char *b)
{
    while (*a != '\0' && name_char(*a) == name_char(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool is_swapped(const char *a, size_t i, const char *b, size_t j)
{
    return i > 0 && j > 0 && name_char(a[i]) == name_char(b[j - 1]) &&
           name_char(a[i - 1]) == name_char(b[j]);
}

/* Slips between the two ("optimal string alignment"). Words longer than the rows have no near ones.
 */
static size_t name_distance(const char *a, const char *b)
{
    const size_t n = strlen(b);
    size_t rows[3][CLI_NAME_BYTES];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    if (n >= CLI_NAME_BYTES || strlen(a) >= CLI_NAME_BYTES)
        return SIZE_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = before[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t *free_row = before;
        before = last;
        last = row;
        row = free_row;
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            const size_t replaced = last[j] + (name_char(a[i]) != name_char(b[j]));
            row[j + 1] = least(replaced, least(row[j], last[j + 1]) + 1);
            if (is_swapped(a, i, b, j))
                row[j + 1] = least(row[j + 1], before[j - 1] + 1);
        }
    }
    return row[n];
}

const char *cli_name_nearest(const char *word, const char *(*at)(const void *context, size_t i),
                             const void *context, size_t n)
{
    const size_t length = strlen(word);
    size_t best = length < 4 ? 0 : length < 8 ? 1 : length < 12 ? 2 : 3;
    const char *nearest = NULL;
    for (size_t i = 0; i < n; i++) {
        const char *name = at(context, i);
        const size_t d = name == NULL ? SIZE_MAX : name_distance(word, name);
        if (d < best || (d == best && nearest == NULL)) {
            best = d;
            nearest = name;
        }
    }
    return nearest;
}
