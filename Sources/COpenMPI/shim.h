#pragma once
#include <mpi.h>
#include <stdlib.h>

// MPI's constants are macros that Swift does not see. Errors end all processes, as is MPI's default.

/// MPI is called from the main thread alone.
static inline void group_start(int *rank, int *count) {
    int provided;
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, rank);
    MPI_Comm_size(MPI_COMM_WORLD, count);
}

static inline void group_finish(void) { MPI_Finalize(); }
static inline void group_abort(int code) { MPI_Abort(MPI_COMM_WORLD, code); }

/// What the first process has goes to all.
static inline void group_broadcast(void *bytes, int count) { MPI_Bcast(bytes, count, MPI_BYTE, 0, MPI_COMM_WORLD); }
static inline void group_sum(double *values, int count) {
    MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
}

/// What each process has goes to all: first how much it is, then the bytes of all, one after another.
static inline void group_gather_counts(int count, int *counts) {
    MPI_Allgather(&count, 1, MPI_INT, counts, 1, MPI_INT, MPI_COMM_WORLD);
}
static inline void group_gather(const void *bytes, int count, void *all, const int *counts, const int *starts) {
    MPI_Allgatherv(bytes, count, MPI_BYTE, all, counts, starts, MPI_BYTE, MPI_COMM_WORLD);
}

/// Ranges of numbers, by first and count, go to a process and others come from it.
static inline void group_exchange(
    int partner, float *from, const long *sent, int sends, float *to, const long *received, int receives) {
    MPI_Request *requests = malloc(sizeof(MPI_Request) * (size_t)(sends + receives + 1));
    for (int i = 0; i < receives; i++)
        MPI_Irecv(to + received[2 * i], (int)received[2 * i + 1], MPI_FLOAT, partner, i, MPI_COMM_WORLD, requests + i);
    for (int i = 0; i < sends; i++)
        MPI_Isend(
            from + sent[2 * i], (int)sent[2 * i + 1], MPI_FLOAT, partner, i, MPI_COMM_WORLD, requests + receives + i);
    MPI_Waitall(sends + receives, requests, MPI_STATUSES_IGNORE);
    free(requests);
}
