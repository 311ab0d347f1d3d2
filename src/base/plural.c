/* plural.c: English plurals by the end of a word, and the few that have their own. */
#include "plural.h"

#include <inttypes.h>
#include <string.h>

#include "text.h"

/* By the last word; "" for the plural: it stays as it is. */
static const struct {
    const char *one, *many;
} odd[] = {{"man", "men"},         {"woman", "women"},
           {"child", "children"},  {"mouse", "mice"},
           {"knife", "knives"},    {"leaf", "leaves"},
           {"shelf", "shelves"},   {"fish", ""},
           {"sheep", ""},          {"deer", ""},
           {"aircraft", ""},       {"series", ""},
           {"broccoli", ""},       {"lens", "lenses"},
           {"gas", "gases"},       {"goose", "geese"},
           {"foot", "feet"},       {"tooth", "teeth"},
           {"person", "persons"},  {"loaf", "loaves"},
           {"epoch", "epochs"},    {"stomach", "stomachs"},
           {"chassis", ""},        {"species", ""},
           {"potato", "potatoes"}, {"tomato", "tomatoes"}};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_vowel(char c)
{
    return strchr("aeiou", lower(c)) != NULL;
}

/* How many of the noun's bytes stay, and what follows them. */
static size_t many_of(const char **end, const char *noun)
{
    const size_t n = strlen(noun);
    size_t start = n;
    while (start > 0 && noun[start - 1] != ' ' && noun[start - 1] != '-' && noun[start - 1] != '_')
        start--;
    const char *word = noun + start;
    *end = "";
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        if (base_equal_nocase(word, odd[i].one)) {
            *end = odd[i].many[0] != '\0' ? odd[i].many + 1 : "";
            return odd[i].many[0] != '\0' ? start + 1 : n;
        }
    const char last = lower(n > start ? word[n - start - 1] : '\0');
    const char before = lower(n > start + 1 ? word[n - start - 2] : '\0');
    const bool is_letter = last >= 'a' && last <= 'z', is_digit = last >= '0' && last <= '9';
    const bool hisses = last == 'x' || (last == 's' && (before == 's' || before == 'u')) ||
                        last == 'z' || (last == 'h' && (before == 'c' || before == 's'));
    if (last == 'y' && before != '\0' && !is_vowel(before)) {
        *end = "ies";
        return n - 1;
    }
    if (hisses)
        *end = "es";
    else if ((is_letter && last != 's') || is_digit)
        *end = "s";
    return n;
}

const char *base_count(char *buf, size_t n, uint64_t count, const char *noun)
{
    const char *end = "";
    const size_t kept = count == 1 ? strlen(noun) : many_of(&end, noun);
    base_format(buf, n, "%" PRIu64 " %.*s%s", count, (int)kept, noun, end);
    return buf;
}
