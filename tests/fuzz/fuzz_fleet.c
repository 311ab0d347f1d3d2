/* Any bytes as a configuration of a fleet: machines and cameras within their bounds or an error
 * that says where, and every byte given back. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "stream/fleet/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static vg_fleet f;
    base_mem mem = {.tag = "fuzz"};
    vg_error err = {0};
    const vg_status st =
        stream_fleet_config_parse(&f, (const char *)data, size, "fuzz", &mem, &err);
    assert(mem.in_use_bytes == 0);
    if (st != VG_OK) {
        assert(err.status == st && err.what[0] && err.where[0]);
        return 0;
    }
    assert(f.job[0] && f.n_machines >= 1 && f.n_machines <= VG_FLEET_MOST);
    assert(f.n_cameras >= 1 && f.n_cameras <= VG_FLEET_MOST);
    for (size_t i = 0; i < f.n_machines; i++) {
        const vg_fleet_machine *m = &f.machines[i];
        assert(m->name[0] && m->count >= 1 && m->memory_bytes > 0);
        assert((m->frames_per_s > 0) != (m->bench[0] != 0));
    }
    for (size_t i = 0; i < f.n_cameras; i++) {
        const vg_fleet_cameras *c = &f.cameras[i];
        assert(c->name[0] && c->count >= 1 && c->fps > 0 && c->width >= 16 && c->height >= 16);
    }
    return 0;
}
