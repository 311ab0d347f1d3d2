/* roll.h: what ranks are made of, and waiting for them with an end. For this folder. */
#ifndef RANKS_ROLL_H
#define RANKS_ROLL_H

#include <sched.h>

#include "mpi_api.h"
#include "ranks.h"

/* What a rank tells of its machine. */
typedef struct seat {
    char host[RANKS_HOST_BYTES];
    cpu_set_t processors; /* that it may run on */
    int n_online;         /* of its machine */
} seat;

typedef struct mpi_library {
    void *handle;
#define X(name, arguments) int(*name) arguments;
    MPI_FUNCTIONS(X)
#undef X
#define X(type, name) type name;
    MPI_OBJECTS(X)
#undef X
} mpi_library;

struct ranks {
    mpi_library mpi;
    int n, me, n_neighbours;
    seat *seats;         /* (n) */
    int *sizes, *places; /* (n) of a collection */
    mpi_request *sums;   /* (RANKS_MOST_SUMS) under way */
    int n_sums;
    int64_t bear_ns;   /* 0: for ever */
    mpi_request *roll; /* (2 n) of a roll call: what is heard, what is said */
    uint64_t *answers; /* (n) */
    bool is_missing;   /* a rank does not answer: the others must not wait for it at their end */
    bool is_ended, is_settled;
    vg_error failure; /* status VG_OK: none */
    ranks_figures figures;
};

/* What an MPI function returned; the first failure stays. */
vg_status ranks_settle_call(ranks *r, int code, const char *what, vg_error *err);
/* Until these are done. MPI's code; a rank that does not answer is the failure of r. */
int roll_wait(ranks *r, mpi_request *requests, int n);

#endif
