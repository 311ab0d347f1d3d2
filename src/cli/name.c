/* name.c: names of options and commands: equal, and near.
 *
 * A hint that is wrong costs more than none: a name is near when a slip of the fingers makes the
 * word of it. A slip is a letter left out, doubled, wrong, or changed places with its neighbour:
 * none in words of up to three letters, one up to seven, two up to eleven, three in longer ones;
 * one more when the letters are the same ("ephocs"). So "cnof" is conf and "weight" weights, but
 * neither "time" nor "save" is name. */
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

const char *cli_name_typed(char buf[CLI_NAME_BYTES], const char *name)
{
    size_t n = 0;
    for (; name[n] != '\0' && n < CLI_NAME_BYTES - 1; n++)
        buf[n] = name_char(name[n]);
    buf[n] = '\0';
    return buf;
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

static bool has_same_letters(const char *a, const char *b)
{
    int balance[256] = {0};
    if (strlen(a) != strlen(b))
        return false;
    for (; *a != '\0'; a++, b++) {
        balance[(unsigned char)name_char(*a)]++;
        balance[(unsigned char)name_char(*b)]--;
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

const char *cli_name_nearest(const char *word, const char *(*at)(const void *context, size_t i),
                             const void *context, size_t n)
{
    size_t best = SIZE_MAX;
    const char *nearest = NULL;
    for (size_t i = 0; i < n; i++) {
        const char *name = at(context, i);
        const size_t d = name == NULL ? SIZE_MAX : name_distance(word, name);
        if (d < best && d <= most_slips(word, name)) {
            best = d;
            nearest = name;
        }
    }
    return nearest;
}
