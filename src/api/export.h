/* export.h: what training and vg_export share. Internal to api. */
#ifndef API_EXPORT_H
#define API_EXPORT_H

#include "export/export.h"

/* The weights' checkpoint for the Python tool. Takes no more than train's plan has for it. */
vg_status api_export_pt(const char *weights, const char *path, base_mem *mem, vg_error *err);

#endif
