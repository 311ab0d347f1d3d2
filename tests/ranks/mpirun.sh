#!/bin/sh
# mpirun.sh MPIRUN N COMMAND...: N processes of the command on this machine, or 77 (skipped) where there is no Open MPI.
# In containers too: as root, with more processes than processors, and without the system call that they refuse.
mpirun=$1 n=$2
shift 2
if [ ! -x "$mpirun" ] || ! "$mpirun" --version 2>/dev/null | grep -q 'Open MPI\|OpenRTE'; then
    echo "skipped: no mpirun of Open MPI here (apt-get install openmpi-bin)"
    exit 77
fi
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_plm_rsh_agent= OMPI_MCA_btl=${OMPI_MCA_btl-self,vader,tcp}
# Open MPI leaves blocks behind in modules that it unloads, where no suppression finds them; vigil's own are counted by its accounts.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
exec "$mpirun" -n "$n" "$@"
