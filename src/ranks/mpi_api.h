/* mpi_api.h: the part of MPI that vigil calls, as the standard has it (MPI 3.1), with the binary
 * interface of Open MPI 3 to 5 (libmpi.so.40), so that nothing of MPI is needed to build. Open
 * MPI's handles are pointers to objects in the library; another MPI's are numbers, and its library
 * has another name, so the two are not taken for one another. */
#ifndef RANKS_MPI_API_H
#define RANKS_MPI_API_H

#include <stddef.h>

typedef struct mpi_object *mpi_comm, *mpi_type, *mpi_op, *mpi_request, *mpi_handler;

#define MPI_SONAME         "libmpi.so.40"
#define MPI_IN_PLACE       ((void *)1)
#define MPI_IGNORE         NULL /* a status that nobody wants */
#define MPI_SUCCESS        0
#define MPI_FUNNELED       1 /* one thread of several calls */
#define MPI_ANYBODY        (-1)
#define MPI_MAX_ERROR_TEXT 256

/* Name, arguments: what the table of loaded functions is made of. All give an int. */
#define MPI_FUNCTIONS(X)                                                                           \
    X(MPI_Init_thread, (int *, char ***, int, int *))                                              \
    X(MPI_Initialized, (int *))                                                                    \
    X(MPI_Finalized, (int *))                                                                      \
    X(MPI_Finalize, (void))                                                                        \
    X(MPI_Abort, (mpi_comm, int))                                                                  \
    X(MPI_Comm_rank, (mpi_comm, int *))                                                            \
    X(MPI_Comm_size, (mpi_comm, int *))                                                            \
    X(MPI_Comm_set_errhandler, (mpi_comm, mpi_handler))                                            \
    X(MPI_Error_string, (int, char *, int *))                                                      \
    X(MPI_Iallreduce, (const void *, void *, int, mpi_type, mpi_op, mpi_comm, mpi_request *))      \
    X(MPI_Iallgather,                                                                              \
      (const void *, int, mpi_type, void *, int, mpi_type, mpi_comm, mpi_request *))               \
    X(MPI_Igatherv, (const void *, int, mpi_type, void *, const int *, const int *, mpi_type, int, \
                     mpi_comm, mpi_request *))                                                     \
    X(MPI_Ibcast, (void *, int, mpi_type, int, mpi_comm, mpi_request *))                           \
    X(MPI_Ibarrier, (mpi_comm, mpi_request *))                                                     \
    X(MPI_Isend, (const void *, int, mpi_type, int, int, mpi_comm, mpi_request *))                 \
    X(MPI_Irecv, (void *, int, mpi_type, int, int, mpi_comm, mpi_request *))                       \
    X(MPI_Iprobe, (int, int, mpi_comm, int *, void *))                                             \
    X(MPI_Test, (mpi_request *, int *, void *))                                                    \
    X(MPI_Testall, (int, mpi_request *, int *, void *))

/* Objects of the library, by their addresses. */
#define MPI_OBJECTS(X)                                                                             \
    X(mpi_comm, ompi_mpi_comm_world)                                                               \
    X(mpi_type, ompi_mpi_byte)                                                                     \
    X(mpi_type, ompi_mpi_float)                                                                    \
    X(mpi_type, ompi_mpi_double)                                                                   \
    X(mpi_type, ompi_mpi_uint64_t)                                                                 \
    X(mpi_op, ompi_mpi_op_sum)                                                                     \
    X(mpi_request, ompi_request_null)                                                              \
    X(mpi_handler, ompi_mpi_errors_return)

#endif
