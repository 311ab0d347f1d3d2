/* fuzz_vault_index.c: a list of copies that anybody may have written: what is read comes back when
 * it is written and read again. */
#include <stdlib.h>
#include <string.h>

#include "watch/guard/vault_index.h"

enum { ROOM = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static vault_copy copies[ROOM], again[1];
    static char row[VAULT_ROW_BYTES];
    size_t n_copies, n_again;
    uint64_t job;
    vault_index_read(copies, &n_copies, ROOM, &job, (const char *)data, n);
    for (size_t i = 0; i < n_copies; i++) {
        if (vault_index_number(copies[i].name) < 0 || strchr(copies[i].name, '/') != NULL ||
            copies[i].of[0] != '/')
            abort();
        if (!vault_index_row(row, &copies[i]))
            continue;
        vault_index_read(again, &n_again, 1, &job, row, strlen(row));
        if (n_again != 1 || strcmp(again->name, copies[i].name) != 0 ||
            strcmp(again->of, copies[i].of) != 0 || strcmp(again->link, copies[i].link) != 0 ||
            !watch_file_id_same(&again->id, &copies[i].id))
            abort();
    }
    return 0;
}
