/* ok.h: OK(call(..., err)): a call of ours must succeed; if not, its error is the test's. */
#ifndef TESTS_OK_H
#define TESTS_OK_H

#include "support/test.h"
#include "vigil/error.h"

#define OK(call)                                                                                   \
    do {                                                                                           \
        vg_error err_ = {0}, *err = &err_;                                                         \
        if ((call) != VG_OK)                                                                       \
            fail_msg("%s: %s, at %s", #call, err_.what, err_.where);                               \
    } while (0)

#endif
