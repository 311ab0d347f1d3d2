/* SPDX-License-Identifier: Apache-2.0 */
/* types.h: the values that vigil hands to its callers: boxes, results, numbers of training and
 * validation, memory tables.
 *
 * Every one is a plain struct; zeroed is valid. Each is defined once, in a header of types/, and
 * every part of vigil that makes or reads it uses this definition, so nothing is converted on its
 * way out. Strings and arrays are borrowed: the function that hands out a value says for how long.
 */
#ifndef VIGIL_TYPES_H
#define VIGIL_TYPES_H

#include "error.h"
#include "types/bench.h"
#include "types/dataset.h"
#include "types/engine.h"
#include "types/result.h"
#include "types/stream.h"
#include "types/terminal.h"
#include "types/train.h"

#endif
