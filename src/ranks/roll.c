/* roll.c: waiting for other ranks, and who is missing when that lasts too long.
 *
 * A rank that dies is Open MPI's to notice. One that hangs (a machine that swaps or has lost its
 * disk, a process that somebody stopped) is nobody's: the others wait. None of MPI's collective
 * operations tells who has not come, so the roll is called: who has waited for the stated time
 * sends every other rank a message and expects one from each. Who waits, too, answers; it looks for
 * a call ten times a second once it has waited for a second. So all that are well have answered
 * within a moment, and who has not when the call's time is over, is missing.
 *
 * When all have answered (one was only slow, and came meanwhile), waiting begins anew. Each rank
 * sends and hears one message a call, and MPI keeps them in order, so calls do not mix. */
#include "roll.h"

#include <time.h>

enum { TAG = 1, LOOK_MS = 100, NAP_MS = 2, LEAST_CALL_S = 5, CALL_PART = 10, TELLERS_S = 10 };

/* A sum takes less; later on a look each tenth of a millisecond is enough. */
enum { POLL_NS = 2000000, POLL_NAP_US = 100 };

static void nap_us(int us)
{
    const struct timespec t = {.tv_nsec = us * 1000L};
    nanosleep(&t, NULL);
}

static void nap(int ms)
{
    nap_us(1000 * ms);
}

/* ---- the roll ---- */

static int send_and_hear(ranks *r)
{
    const mpi_library *mpi = &r->mpi;
    int code = MPI_SUCCESS;
    r->answers[r->me] = r->figures.n_calls;
    for (int i = 0; i < r->n && code == MPI_SUCCESS; i++) {
        r->roll[i] = r->roll[r->n + i] = mpi->ompi_request_null;
        if (i == r->me)
            continue;
        code = mpi->MPI_Irecv(&r->answers[i], 1, mpi->ompi_mpi_uint64_t, i, TAG,
                              mpi->ompi_mpi_comm_world, &r->roll[i]);
        if (code == MPI_SUCCESS)
            code = mpi->MPI_Isend(&r->answers[r->me], 1, mpi->ompi_mpi_uint64_t, i, TAG,
                                  mpi->ompi_mpi_comm_world, &r->roll[r->n + i]);
    }
    return code;
}

/* Whether all are through. A request that is done becomes null. */
static bool are_through(ranks *r, int *code)
{
    bool all = true;
    for (int i = 0; i < 2 * r->n && *code == MPI_SUCCESS; i++) {
        int is_done = 1;
        if (r->roll[i] != r->mpi.ompi_request_null)
            *code = r->mpi.MPI_Test(&r->roll[i], &is_done, MPI_IGNORE);
        all = all && is_done;
    }
    return all;
}

static bool is_present(const ranks *r, int rank)
{
    return rank == r->me || r->roll[rank] == r->mpi.ompi_request_null;
}

/* The lowest that is present says it, and ends all. Where it cannot, the next ones do. */
static void tell_missing(ranks *r, double waited_s)
{
    char name[RANKS_HOST_BYTES + 32], more[48] = "";
    int first = -1, teller = -1, n_missing = 0;
    for (int i = 0; i < r->n; i++) {
        if (is_present(r, i))
            teller = teller < 0 ? i : teller;
        else if (n_missing++ == 0)
            first = i;
    }
    if (n_missing > 1)
        base_format(more, sizeof more, ", nor do %d more", n_missing - 1);
    r->is_missing = true;
    if (r->failure.status == VG_OK)
        base_fail(
            &r->failure, VG_ERR_SYSTEM, NULL,
            "look at that machine and its network; go on with --resume RUN; where it was only "
            "slow, raise --rank-timeout",
            "%s does not answer%s; it was waited for %.0f s",
            ranks_name(name, sizeof name, r, first), more, waited_s);
    if (teller != r->me) {
        /* The teller's end is everybody's. */
        for (int ms = 0; ms < TELLERS_S * 1000; ms += LOOK_MS)
            nap(LOOK_MS);
    }
}

/* False: a rank is missing. */
static bool call_roll(ranks *r, int64_t began_ns, int *code)
{
    const int64_t called = base_now_ns(), least = LEAST_CALL_S * INT64_C(1000000000),
                  part = r->bear_ns / CALL_PART, end = called + (part > least ? part : least);
    *code = send_and_hear(r);
    while (*code == MPI_SUCCESS && !are_through(r, code)) {
        if (base_now_ns() > end) {
            tell_missing(r, (double)(base_now_ns() - began_ns) * 1e-9);
            return false;
        }
        nap(NAP_MS);
    }
    return true;
}

static bool is_called(const ranks *r, int *code)
{
    int there = 0;
    *code = r->mpi.MPI_Iprobe(MPI_ANYBODY, TAG, r->mpi.ompi_mpi_comm_world, &there, MPI_IGNORE);
    return *code == MPI_SUCCESS && there;
}

/* ---- waiting ---- */

int roll_wait(ranks *r, mpi_request *requests, int n)
{
    int64_t began = base_now_ns(), looked = began + INT64_C(1000000000);
    for (;;) {
        int are_done = 0, code = r->mpi.MPI_Testall(n, requests, &are_done, MPI_IGNORE);
        if (code != MPI_SUCCESS || are_done)
            return code;
        const int64_t now = base_now_ns();
        /* Who is waited for may need this very processor; messages of this length can wait. */
        if (now - began > POLL_NS)
            nap_us(POLL_NAP_US);
        if (now - looked < LOOK_MS * INT64_C(1000000))
            continue;
        looked = now;
        const bool is_long = r->bear_ns > 0 && now - began >= r->bear_ns;
        if (!is_long && !is_called(r, &code)) {
            if (code != MPI_SUCCESS)
                return code;
            continue;
        }
        if (!call_roll(r, began, &code) || code != MPI_SUCCESS)
            return code;
        began = base_now_ns();
    }
}
