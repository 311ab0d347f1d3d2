/* config.h: what `vigil fleet check` is told: machines, cameras, and the job that each shard runs.
 *
 *     job: streams.yaml          # a configuration of vigil predict; its sources do not matter
 *     machines:
 *       - name: rack
 *         count: 10
 *         bench: rack.json       # of vigil bench --json there; or frames_per_s: 95
 *         memory: 16G
 *     cameras:
 *       - name: doors
 *         count: 300
 *         fps: 10
 *         size: 1920x1080 */
#ifndef STREAM_FLEET_CONFIG_H
#define STREAM_FLEET_CONFIG_H

#include "base/base.h"
#include "vigil/types.h"

/* Reads the file; paths in it are relative to its folder. Errors: VG_ERR_IO, VG_ERR_FORMAT (with
 * file:line and the field), VG_ERR_MEMORY. */
vg_status stream_fleet_config_read(vg_fleet *out, const char *path, base_mem *mem, vg_error *err);
/* The same of text (n bytes), source being its name in errors; no other file is opened. */
vg_status stream_fleet_config_parse(vg_fleet *out, const char *text, size_t n, const char *source,
                                    base_mem *mem, vg_error *err);

#endif
