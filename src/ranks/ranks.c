/* ranks.c: Open MPI's functions behind ranks.h. */
#include "roll.h"

#include <sched.h>
#include <unistd.h>

/* Of one message: MPI counts by int. */
enum { MOST_BYTES = 1 << 30 };

enum { THREADS_OF_CORE = 2 };

enum { BEAR_S = 1800 };

int ranks_n(const ranks *r)
{
    return r != NULL ? r->n : 1;
}

int ranks_me(const ranks *r)
{
    return r != NULL ? r->me : 0;
}

const char *ranks_host(const ranks *r, int rank)
{
    return r != NULL ? r->seats[rank].host : "";
}

int ranks_neighbours(const ranks *r)
{
    return r != NULL ? r->n_neighbours : 1;
}

bool ranks_is_bound(int n, int n_online, int n_here)
{
    return n <= THREADS_OF_CORE && n * n_here * 2 <= n_online;
}

int ranks_first_bound(const ranks *r, int *n, int *n_online)
{
    for (int i = 0; r != NULL && i < r->n; i++) {
        const seat *s = &r->seats[i];
        int n_here = 0;
        for (int k = 0; k < r->n; k++)
            n_here += strcmp(r->seats[k].host, s->host) == 0;
        *n = CPU_COUNT(&s->processors);
        *n_online = s->n_online;
        if (ranks_is_bound(*n, *n_online, n_here))
            return i;
    }
    return -1;
}

const char *ranks_name(char *out, size_t n, const ranks *r, int rank)
{
    if (r == NULL)
        base_format(out, n, "this process");
    else
        base_format(out, n, "rank %d on %s", rank, r->seats[rank].host);
    return out;
}

vg_status ranks_check(const ranks *r, vg_error *err)
{
    if (r == NULL || r->failure.status == VG_OK)
        return VG_OK;
    if (err != NULL)
        *err = r->failure;
    return r->failure.status;
}

bool ranks_are_settled(const ranks *r)
{
    return r != NULL && r->is_settled;
}

void ranks_bear(ranks *r, double seconds)
{
    if (r != NULL)
        r->bear_ns = (int64_t)(seconds * 1e9);
}

ranks_figures ranks_figures_get(const ranks *r)
{
    return r != NULL ? r->figures : (ranks_figures){0};
}

/* ---- calls ---- */

static bool is_down(const ranks *r)
{
    return r == NULL || r->failure.status != VG_OK;
}

/* What an MPI function returned; the first failure stays. */
vg_status ranks_settle_call(ranks *r, int code, const char *what, vg_error *err)
{
    if (code != MPI_SUCCESS && r->failure.status == VG_OK) {
        char text[MPI_MAX_ERROR_TEXT + 1] = "", name[RANKS_HOST_BYTES + 32];
        int n = 0;
        if (r->mpi.MPI_Error_string(code, text, &n) != MPI_SUCCESS)
            base_format(text, sizeof text, "MPI's error %d", code);
        base_fail(&r->failure, VG_ERR_SYSTEM, ranks_name(name, sizeof name, r, r->me),
                  "look at what the other ranks said; go on with --resume RUN",
                  "%s among %d ranks failed: %s", what, r->n, text);
    }
    return ranks_check(r, err);
}

/* Until it is done; counts the time. `code`: of the call that began it. */
static int finish(ranks *r, int code, mpi_request *request)
{
    const int64_t began = base_now_ns();
    if (code == MPI_SUCCESS)
        code = roll_wait(r, request, 1);
    r->figures.wait_ns += (uint64_t)(base_now_ns() - began);
    r->figures.n_calls++;
    return code;
}

vg_status ranks_sum(ranks *r, double *values, size_t n, vg_error *err)
{
    if (is_down(r))
        return ranks_check(r, err);
    mpi_request q;
    const int code = r->mpi.MPI_Iallreduce(MPI_IN_PLACE, values, (int)n, r->mpi.ompi_mpi_double,
                                           r->mpi.ompi_mpi_op_sum, r->mpi.ompi_mpi_comm_world, &q);
    r->figures.sum_bytes += n * sizeof *values;
    return ranks_settle_call(r, finish(r, code, &q), "a sum", err);
}

vg_status ranks_sum_counts(ranks *r, uint64_t *values, size_t n, vg_error *err)
{
    if (is_down(r))
        return ranks_check(r, err);
    int code = MPI_SUCCESS;
    for (size_t at = 0; at < n && code == MPI_SUCCESS;) {
        const size_t most = MOST_BYTES / sizeof *values, part = n - at < most ? n - at : most;
        mpi_request q;
        code = r->mpi.MPI_Iallreduce(MPI_IN_PLACE, values + at, (int)part, r->mpi.ompi_mpi_uint64_t,
                                     r->mpi.ompi_mpi_op_sum, r->mpi.ompi_mpi_comm_world, &q);
        code = finish(r, code, &q);
        at += part;
    }
    return ranks_settle_call(r, code, "a count", err);
}

static int spread_from(ranks *r, int root, void *data, size_t bytes)
{
    int code = MPI_SUCCESS;
    for (size_t at = 0; at < bytes && code == MPI_SUCCESS;) {
        const size_t part = bytes - at < MOST_BYTES ? bytes - at : MOST_BYTES;
        mpi_request q;
        code = r->mpi.MPI_Ibcast((char *)data + at, (int)part, r->mpi.ompi_mpi_byte, root,
                                 r->mpi.ompi_mpi_comm_world, &q);
        code = finish(r, code, &q);
        at += part;
    }
    return code;
}

vg_status ranks_spread(ranks *r, void *data, size_t bytes, vg_error *err)
{
    if (is_down(r))
        return ranks_check(r, err);
    return ranks_settle_call(r, spread_from(r, 0, data, bytes), "what rank 0 tells", err);
}

/* out: (n, bytes) */
static int share_all(ranks *r, void *out, const void *mine, size_t bytes)
{
    mpi_request q;
    const int code = r->mpi.MPI_Iallgather(mine, (int)bytes, r->mpi.ompi_mpi_byte, out, (int)bytes,
                                           r->mpi.ompi_mpi_byte, r->mpi.ompi_mpi_comm_world, &q);
    return finish(r, code, &q);
}

vg_status ranks_share(ranks *r, void *out, const void *mine, size_t bytes, vg_error *err)
{
    if (r == NULL)
        memcpy(out, mine, bytes);
    if (is_down(r))
        return ranks_check(r, err);
    return ranks_settle_call(r, share_all(r, out, mine, bytes), "an exchange", err);
}

vg_status ranks_collect(ranks *r, void *out, size_t room, const void *mine, const size_t *sizes,
                        vg_error *err)
{
    if (is_down(r))
        return ranks_check(r, err);
    size_t sum = 0;
    for (int i = 0; i < r->n; i++) {
        r->sizes[i] = (int)sizes[i];
        r->places[i] = (int)sum;
        sum += sizes[i];
        if (sum > INT32_MAX)
            return base_fail(err, VG_ERR_LIMIT, NULL, "validate on fewer pictures",
                             "more than 2 GiB of detections to bring together");
    }
    /* By all alike: who went on would wait for the others. */
    if (sum > room)
        return base_fail(err, VG_ERR_LIMIT, NULL, "validate on fewer pictures",
                         "%zu bytes of detections for %zu", sum, room);
    mpi_request q;
    const int code =
        r->mpi.MPI_Igatherv(mine, r->sizes[r->me], r->mpi.ompi_mpi_byte, out, r->sizes, r->places,
                            r->mpi.ompi_mpi_byte, 0, r->mpi.ompi_mpi_comm_world, &q);
    return ranks_settle_call(r, finish(r, code, &q), "bringing detections together", err);
}

vg_status ranks_settle(ranks *r, vg_status my_status, vg_error *err)
{
    vg_error local = {.status = VG_OK};
    vg_error *e = err != NULL ? err : &local;
    if (is_down(r))
        return my_status != VG_OK ? my_status : ranks_check(r, err);
    int32_t first = my_status != VG_OK ? r->me : r->n;
    for (int rank = 0; rank < r->n; rank++)
        r->sizes[rank] = r->n;
    int code = share_all(r, r->sizes, &first, sizeof first);
    for (int rank = 0; rank < r->n; rank++)
        first = r->sizes[rank] < first ? r->sizes[rank] : first;
    if (code != MPI_SUCCESS || first == r->n || is_down(r))
        return ranks_settle_call(r, code, "agreeing", err);
    vg_error said = {.status = my_status};
    if (first == r->me && err != NULL)
        said = *err;
    said.status = first == r->me ? my_status : said.status;
    if (first == r->me && r->me != 0) {
        char name[RANKS_HOST_BYTES + 32];
        ranks_name(name, sizeof name, r, r->me);
        base_error_prefix_where(&said, name);
    }
    code = spread_from(r, first, &said, sizeof said);
    *e = said;
    r->is_settled = code == MPI_SUCCESS && !is_down(r);
    return r->is_settled ? said.status : ranks_settle_call(r, code, "agreeing", err);
}

/* ---- sums beside other work ---- */

static void begin_sum(ranks *r, void *values, size_t n, mpi_type type)
{
    if (is_down(r))
        return;
    if (r->n_sums == RANKS_MOST_SUMS) {
        base_fail(&r->failure, VG_ERR_LIMIT, NULL, NULL, "more than %d sums at a time",
                  RANKS_MOST_SUMS);
        return;
    }
    const int64_t began = base_now_ns();
    const int code =
        r->mpi.MPI_Iallreduce(MPI_IN_PLACE, values, (int)n, type, r->mpi.ompi_mpi_op_sum,
                              r->mpi.ompi_mpi_comm_world, &r->sums[r->n_sums]);
    r->figures.push_ns += (uint64_t)(base_now_ns() - began);
    if (ranks_settle_call(r, code, "beginning a sum", NULL) == VG_OK)
        r->n_sums++;
}

void ranks_sum_begin(ranks *r, float *values, size_t n)
{
    if (r == NULL)
        return;
    begin_sum(r, values, n, r->mpi.ompi_mpi_float);
    r->figures.sum_bytes += n * sizeof *values;
}

void ranks_sum_begin_doubles(ranks *r, double *values, size_t n)
{
    if (r != NULL)
        begin_sum(r, values, n, r->mpi.ompi_mpi_double);
}

void ranks_push(ranks *r)
{
    int are_done;
    if (is_down(r) || r->n_sums == 0)
        return;
    const int64_t began = base_now_ns();
    const int code = r->mpi.MPI_Testall(r->n_sums, r->sums, &are_done, MPI_IGNORE);
    r->figures.push_ns += (uint64_t)(base_now_ns() - began);
    ranks_settle_call(r, code, "a sum", NULL);
}

vg_status ranks_wait(ranks *r, vg_error *err)
{
    if (is_down(r) || r->n_sums == 0)
        return ranks_check(r, err);
    const int64_t began = base_now_ns();
    const int code = roll_wait(r, r->sums, r->n_sums);
    r->figures.wait_ns += (uint64_t)(base_now_ns() - began);
    r->figures.n_calls++;
    r->n_sums = 0;
    return ranks_settle_call(r, code, "a sum", err);
}

/* ---- life ---- */

static vg_status load(mpi_library *mpi, vg_error *err)
{
    vg_status st =
        base_library_open(&mpi->handle, MPI_SONAME, "training in several processes needs Open MPI",
                          "install it on every machine: apt-get install openmpi-bin", err);
#define X(name, arguments)                                                                         \
    if (st == VG_OK)                                                                               \
        st = base_library_find(&mpi->name, mpi->handle, #name, err);
    MPI_FUNCTIONS(X)
#undef X
#define X(type, name)                                                                              \
    if (st == VG_OK)                                                                               \
        st = base_library_find(&mpi->name, mpi->handle, #name, err);
    MPI_OBJECTS(X)
#undef X
    return st;
}

static vg_status start(ranks *r, vg_error *err)
{
    int was = 0, granted = 0;
    mpi_library *mpi = &r->mpi;
    if (mpi->MPI_Finalized(&was) == MPI_SUCCESS && was)
        return base_fail(err, VG_ERR_ARGUMENT, NULL, "start another process for the next training",
                         "a second training in a process of several ranks: MPI has ended");
    if (mpi->MPI_Initialized(&was) == MPI_SUCCESS && was)
        granted = MPI_FUNNELED;
    else if (mpi->MPI_Init_thread(NULL, NULL, MPI_FUNNELED, &granted) != MPI_SUCCESS)
        return base_fail(err, VG_ERR_SYSTEM, NULL, "see what Open MPI has said above",
                         "MPI does not start");
    r->n = 0;
    if (granted < MPI_FUNNELED ||
        mpi->MPI_Comm_set_errhandler(mpi->ompi_mpi_comm_world, mpi->ompi_mpi_errors_return) !=
            MPI_SUCCESS ||
        mpi->MPI_Comm_size(mpi->ompi_mpi_comm_world, &r->n) != MPI_SUCCESS ||
        mpi->MPI_Comm_rank(mpi->ompi_mpi_comm_world, &r->me) != MPI_SUCCESS)
        return base_fail(err, VG_ERR_SYSTEM, NULL, "install Open MPI as the distribution has it",
                         "this MPI serves no program that has threads");
    if (r->n > RANKS_MOST)
        return base_fail(err, VG_ERR_LIMIT, NULL, NULL, "%d ranks, more than %d", r->n, RANKS_MOST);
    return VG_OK;
}

/* What everybody must know of everybody before anything else is exchanged. */
static vg_status compare_versions(ranks *r, const char *version, vg_error *err)
{
    char mine[RANKS_HOST_BYTES] = "", theirs[RANKS_HOST_BYTES], name[RANKS_HOST_BYTES + 32];
    base_format(mine, sizeof mine, "%s", version);
    memcpy(theirs, mine, sizeof theirs);
    vg_status st = ranks_spread(r, theirs, sizeof theirs, err);
    if (st == VG_OK && memcmp(mine, theirs, sizeof mine) != 0)
        st = base_fail(err, VG_ERR_ARGUMENT, ranks_name(name, sizeof name, r, r->me),
                       "install the same version on every machine",
                       "vigil %s among ranks of vigil %s", mine, theirs);
    return ranks_settle(r, st, err);
}

static vg_status meet(ranks *r, const char *version, base_mem *mem, vg_error *err)
{
    seat mine = {.host = ""};
    r->seats = base_alloc_zero(mem, (size_t)r->n, sizeof *r->seats, err);
    r->sizes = base_alloc_zero(mem, (size_t)r->n, sizeof *r->sizes, err);
    r->places = base_alloc_zero(mem, (size_t)r->n, sizeof *r->places, err);
    r->sums = base_alloc_zero(mem, RANKS_MOST_SUMS, sizeof(mpi_request), err);
    r->roll = base_alloc_zero(mem, 2 * (size_t)r->n, sizeof *r->roll, err);
    r->answers = base_alloc_zero(mem, (size_t)r->n, sizeof *r->answers, err);
    if (r->seats == NULL || r->sizes == NULL || r->places == NULL || r->sums == NULL ||
        r->roll == NULL || r->answers == NULL)
        return VG_ERR_MEMORY;
    ranks_bear(r, BEAR_S);
    gethostname(mine.host, sizeof mine.host - 1);
    mine.n_online = (int)sysconf(_SC_NPROCESSORS_ONLN);
    sched_getaffinity(0, sizeof mine.processors, &mine.processors);
    const vg_status st = ranks_share(r, r->seats, &mine, sizeof mine, err);
    for (int i = 0; i < r->n; i++) {
        cpu_set_t both;
        CPU_AND(&both, &mine.processors, &r->seats[i].processors);
        r->n_neighbours +=
            i == r->me || (strcmp(r->seats[i].host, mine.host) == 0 && CPU_COUNT(&both) > 0);
    }
    return st == VG_OK ? compare_versions(r, version, err) : st;
}

/* A library whose PMIx is not the launcher's knows of no other process: each would train alone, and
 * all into one folder. */
static vg_status check_size(const ranks *r, vg_error *err)
{
    const int n = ranks_launch_n(getenv);
    if (r->n > 1 || n <= 1)
        return VG_OK;
    return base_fail(
        err, VG_ERR_UNSUPPORTED, MPI_SONAME,
        "use the mpirun of that Open MPI, or srun --mpi=pmix with the PMIx that it was "
        "built with",
        "%d processes were started and MPI knows of one", n);
}

vg_status ranks_open(ranks **out, const char *version, base_mem *mem, vg_error *err)
{
    *out = NULL;
    const ranks_launch launch = ranks_launch_of(getenv);
    if (launch == RANKS_ALONE)
        return VG_OK;
    if (launch == RANKS_FOREIGN)
        return base_fail(err, VG_ERR_UNSUPPORTED, "PMI_RANK in the environment",
                         "start it with Open MPI: mpirun of openmpi-bin, or srun --mpi=pmix",
                         "several processes of an MPI other than Open MPI (MPICH or its like)");
    if (launch == RANKS_APART)
        return base_fail(err, VG_ERR_UNSUPPORTED, "SLURM_STEP_NUM_TASKS in the environment",
                         "start it by srun --mpi=pmix; for trainings of their own, unset that "
                         "variable in each task",
                         "%d processes were started by srun without an MPI, which do not know of "
                         "one another",
                         ranks_launch_n(getenv));
    ranks *r = base_alloc_zero(mem, 1, sizeof *r, err);
    if (r == NULL)
        return VG_ERR_MEMORY;
    vg_status st = load(&r->mpi, err);
    if (st == VG_OK)
        st = start(r, err);
    if (st == VG_OK)
        st = check_size(r, err);
    if (st == VG_OK)
        st = meet(r, version, mem, err);
    *out = r;
    if (st != VG_OK || r->n == 1) {
        r->is_ended = r->n == 1;
        ranks_close(out);
    }
    return st;
}

vg_status ranks_end(ranks *r, vg_error *err)
{
    if (is_down(r))
        return ranks_check(r, err);
    mpi_request q;
    const int code = r->mpi.MPI_Ibarrier(r->mpi.ompi_mpi_comm_world, &q);
    const vg_status st = ranks_settle_call(r, finish(r, code, &q), "coming to the end", err);
    r->is_ended = st == VG_OK;
    return st;
}

void ranks_close(ranks **ranks_)
{
    ranks *r = *ranks_;
    int is_open = 0;
    *ranks_ = NULL;
    if (r == NULL)
        return;
    if (r->mpi.MPI_Initialized != NULL && r->mpi.MPI_Initialized(&is_open) == MPI_SUCCESS &&
        is_open) {
        if ((r->is_ended || r->is_settled) && !r->is_missing)
            r->mpi.MPI_Finalize();
        else
            r->mpi.MPI_Abort(r->mpi.ompi_mpi_comm_world, 1);
    }
    base_free(r->seats);
    base_free(r->sizes);
    base_free(r->places);
    base_free(r->sums);
    base_free(r->roll);
    base_free(r->answers);
    base_free(r);
}
