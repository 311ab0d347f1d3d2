/* fake_fault.c: failures and a report by the environment. */
#include "fake_fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NAMES = 64 };

static long n_calls, n_matched;
static const char *seen[MOST_NAMES]; /* literals of the stand-in's */

void fake_report(const char *what, const char *text)
{
    const char *path = getenv("FAKE_GPU_REPORT");
    FILE *f = path ? fopen(path, "a") : NULL;
    if (f) {
        fprintf(f, "%s %s\n", what, text);
        fclose(f);
    }
}

static void note(const char *name)
{
    for (int i = 0; i < MOST_NAMES; i++) {
        if (seen[i] == name)
            return;
        if (!seen[i]) {
            seen[i] = name;
            fake_report("called", name);
            return;
        }
    }
}

int fake_fault(const char *name)
{
    const char *wish = getenv("FAKE_GPU_FAIL"), *colon = wish ? strchr(wish, ':') : NULL;
    n_calls++;
    note(name);
    if (!colon || (strncmp(wish, "*:", 2) != 0 && ((size_t)(colon - wish) != strlen(name) ||
                                                   strncmp(wish, name, strlen(name)) != 0)))
        return 0;
    char *end = NULL;
    const long at = strtol(colon + 1, &end, 10);
    const int is_for_good = *end == '+';
    n_matched++;
    if (n_matched != at && !(is_for_good && n_matched > at))
        return 0;
    fake_report("failed", name);
    return atoi(end + is_for_good + 1);
}

__attribute__((destructor)) static void tell(void)
{
    char n[32];
    snprintf(n, sizeof n, "%ld", n_calls);
    if (n_calls > 0)
        fake_report("calls", n);
}
