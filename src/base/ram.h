/* ram.h: base's own: the control groups' part of base_ram_available, apart so that tests can give
 * it a made-up system. */
#ifndef BASE_RAM_H
#define BASE_RAM_H

#include <stddef.h>

/* Bytes that control groups allow; 0: no limit. As base_cpu_quota. */
size_t base_ram_limit(const char *root, const char *membership);

#endif
