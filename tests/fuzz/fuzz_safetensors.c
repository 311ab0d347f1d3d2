/* fuzz_safetensors.c: any bytes as a safetensors file; what opens is read to its last element and
 * closed. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "weights/weights.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    base_mem mem;
    vg_error err;
    weights_file *f = NULL;
    base_mem_init(&mem, "fuzz", NULL, (size_t)256 << 20);
    if (n >= 2 && bytes[0] == 'P' && bytes[1] == 'K')
        return 0; /* zips are fuzz_pt's */
    if (weights_open_memory(&f, bytes, n, "fuzz", &mem, &err) == VG_OK) {
        float values[4096];
        for (size_t i = 0; i < weights_count(f); i++)
            if (weights_at(f, i)->n_elements <= 4096)
                weights_to_float(values, weights_at(f, i));
        if (weights_find(f, "a") != NULL && weights_get_meta(f)->n_classes > 0 &&
            weights_get_meta(f)->names[0] == NULL)
            abort();
    }
    weights_close(&f);
    if (mem.in_use_bytes != 0)
        abort();
    return 0;
}
