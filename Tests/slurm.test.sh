#!/usr/bin/env bash
# The pipeline under a real Slurm of one node: the smoke matrix, in fewer steps, through LAUNCH, several stages at a time, and
# one training and one distillation as two MPI ranks, which end together. Needs root and Debian's slurm-wlm and munge, which it installs; touches no Slurm that is already there.
#
#   Tests/slurm.test.sh [folder of the programs, by default .build/release [folder of those built with MPI, by default .build-mpi/release]]
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8
source=$PWD bin=$(realpath "${1:-.build/release}") mpi=$(realpath "${2:-.build-mpi/release}")
[ "$(id -u)" = 0 ] || { echo "slurm.test.sh: expected root, which Slurm's daemons need, found $(id -un)" >&2; exit 77; }
[ -x "$mpi/train" ] && [ -x "$mpi/distill" ] || { echo "slurm.test.sh: $mpi: expected train and distill built with MPI, found none; 'make -f pipeline.mk .build-mpi/release.stamp' makes it" >&2; exit 66; }
command -v slurmctld > /dev/null && command -v munged > /dev/null || {
  apt-get update --quiet && apt-get install --yes --quiet --no-install-recommends slurm-wlm munge; } > /dev/null
room=$(mktemp -d)
finish() {
  for daemon in slurmd slurmctld; do [ ! -f "$room/$daemon.pid" ] || kill "$(cat "$room/$daemon.pid")" 2> /dev/null || true; done
  [ -z "${munge:-}" ] || kill "$munge" 2> /dev/null || true
  sleep 1
  rm -rf "$room"
}
trap finish EXIT

host=$(hostname -s)
mkdir "$room/state" "$room/spool"
cat > "$room/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
SlurmctldPidFile=$room/slurmctld.pid
SlurmdPidFile=$room/slurmd.pid
SlurmdSpoolDir=$room/spool
StateSaveLocation=$room/state
SlurmctldLogFile=$room/slurmctld.log
SlurmdLogFile=$room/slurmd.log
SlurmUser=root
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=2000 State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:8
CONF
export SLURM_CONF=$room/slurm.conf
chmod 755 "$room"
if ! pgrep -x munged > /dev/null; then
  mkdir -p /run/munge && chown munge /run/munge
  su -s /bin/sh munge -c munged
  munge=$(pgrep -x munged)
fi
slurmctld -f "$room/slurm.conf"
slurmd -f "$room/slurm.conf"
for _ in {1..60}; do sinfo -h -o %T 2> /dev/null | grep -q idle && break; sleep 0.5; done
sinfo -h -o %T | grep -q idle || { echo "slurm.test.sh: expected an idle node, found '$(sinfo -h -o %T)'" >&2; tail -5 "$room"/*.log >&2; exit 71; }

# A copy of the tree's pipeline, whose runs are its own.
mkdir "$room/tree"
cd "$room/tree"
cp "$source/pipeline.mk" .
ln -s "$source/Sources" "$source/Tests" "$source/Package.swift" .
[ ! -d "$source/data" ] || ln -s "$source/data" .
make -f pipeline.mk -j4 all CORPUS=phrasebook RUN=smoke NETWORKS="alr-xs mix-xs" INPLACE=mix-xs.encoder+mix-xs.decoder+mix-xs.cross MAPS=2 \
  TOKENIZE_FLAGS="--vocabulary-size 1000 --hold-out-valid 50 --hold-out-test 50" TRAIN_FLAGS="--max-steps 80" \
  DISTILL_FLAGS="--max-steps 20" INPLACE_FLAGS="--max-steps 10" BIN="$bin" LAUNCH="srun --overlap -n1 -c1" THREADS=1 > "$room/smoke.log" 2>&1 ||
  { tail -20 "$room/smoke.log" >&2; echo "FAILED: the smoke matrix through srun" >&2; exit 1; }
echo "ok: the smoke matrix through srun, four stages at a time"
ran=$(sqlite3 runs/registry.sqlite "select group_concat(stage, ' ') from (select distinct stage from runs where status = 'finished' order by stage)")
[ "$ran" = "capture distill score splice tokenize train" ] || { echo "FAILED: expected every stage in the registry, found $ran" >&2; exit 1; }

train() { "$@" --tokens runs/smoke/tokens --preset small --width 32 --heads 2 --hidden 64 --shares 2 --threads 1 --quiet; }
train "$mpi/train" --max-steps 20 --output alone/train
train srun --mpi=pmix --overlap -n2 "$mpi/train" --max-steps 20 --output ranks/train
cmp alone/train/model.safetensors ranks/train/model.safetensors
echo "ok: two ranks under srun train the bytes of one process"

"$bin/capture" --model runs/smoke/train --tokens runs/smoke/tokens --attentions encoder --families mix --quiet --output alone/capture
distil() { "$@" --capture alone/capture --spec mix-xs.encoder --max-steps 20 --threads 1 --quiet; }
distil "$mpi/distill" --output alone/distill > "$room/alone.table"
distil srun --mpi=pmix --overlap -n2 "$mpi/distill" --output ranks/distill > "$room/ranks.table"
for file in alone/distill/*.safetensors; do cmp "$file" "ranks/distill/${file##*/}"; done
cmp "$room/alone.table" "$room/ranks.table"
echo "ok: and distil the bytes of one, layer by layer"

# One of two is killed: -K ends the other.
train srun --mpi=pmix -K --overlap -n2 "$mpi/train" --epochs 1000 --checkpoint-seconds 0 --registry killed.sqlite --output killed/train \
  > "$room/killed.log" 2>&1 &
step=$!
for _ in {1..150}; do [ ! -f killed/train/.unfinished/checkpoint.safetensors ] || break; sleep 0.2; done
[ -f killed/train/.unfinished/checkpoint.safetensors ] || { echo "FAILED: no checkpoint within half a minute" >&2; exit 1; }
kill -9 "$(sqlite3 killed.sqlite "select pid from runs where status = 'running'")"
SECONDS=0
wait $step && { echo "FAILED: expected the step to fail, found exit code 0" >&2; exit 1; }
[ $SECONDS -lt 60 ] && [ ! -f killed/train/manifest.json ] || { echo "FAILED: a rank that dies under srun -K takes the other with it" >&2; exit 1; }
echo "ok: a rank that dies under srun -K takes the other with it"
