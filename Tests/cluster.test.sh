#!/usr/bin/env bash
# Training in several processes: the same shares give the same bytes in 1, 2 and 4 processes, with any number of threads,
# stopped and gone on with in another number of them; what goes wrong ends all processes with one clear line. The same of
# a distillation, whose layers the processes divide.
#
#   Tests/cluster.test.sh [folder of the programs, by default .build/release [of those built with MPI, by default .build-mpi/release]]
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
bin=$(realpath "${1:-.build/release}") mpi=$(realpath "${2:-.build-mpi/release}")
[ -x "$mpi/train" ] && [ -x "$mpi/distill" ] || { echo "cluster.test.sh: $mpi: expected train and distill built with MPI, found none; 'make -f pipeline.mk .build-mpi/release.stamp' makes it" >&2; exit 66; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir tmp
export TMPDIR=$work/tmp  # also of what followers keep
export PMIX_MCA_psec=native  # mpirun waits two seconds for munge, where it is installed and does not run
failures=0
# name, condition
check() {
  if eval "$2"; then echo "ok: $1"; else
    failures=$((failures + 1))
    echo "FAILED: $1"
    head -c 3000 err | sed 's/^/  | /'
  fi
}

for i in {1..240}; do
  echo "the cat number $((i * 7 % 60)) sees $((i % 5)) dogs and $((i % 11)) birds"
done > a.en
for i in {1..240}; do
  echo "die Katze Nummer $((i * 7 % 60)) sieht $((i % 5)) Hunde und $((i % 11)) Vögel"
done > a.de
"$bin/tokenize" --corpus mine --train-source a.en --train-target a.de --vocabulary-size 90 --hold-out-valid 16 --hold-out-test 8 \
  --threads 1 --quiet --output runs/m/tokens > /dev/null

# folder, processes, threads, further options; its exit code is in `code`
train() {
  local folder=$1 processes=$2 threads=$3
  shift 3
  command=("$mpi/train" --preset small --tokens runs/m/tokens --width 64 --heads 4 --hidden 128 --encoder-layers 2 --decoder-layers 2 --batch-tokens 300 --warmup 5
    --clip 1 --weight-decay 0.01 --threads "$threads" --quiet --output "runs/$folder/train" "$@")
  [ "$processes" = 1 ] || command=(mpirun -n "$processes" "${command[@]}")
  code=0
  "${command[@]}" > out 2> err || code=$?
}
digest() { sha256sum "runs/$1/train/model.safetensors" 2> /dev/null | cut -c1-16; }

train one 1 1 --shares 4 --epochs 3
check "four shares in one process" '[ $code = 0 ]'
expected=$(digest one)
for processes in 1 2 4; do
  for threads in 1 2 16; do
    train "p$processes.t$threads" $processes $threads --shares 4 --epochs 3
    check "four shares, $processes processes of $threads threads: the same bytes" '[ $code = 0 ] && [ "$(digest "p$processes.t$threads")" = "$expected" ]'
  done
done
train muon 1 1 --shares 4 --epochs 2 --optimizer muon
check "by Muon, other bytes" '[ $code = 0 ] && [ "$(digest muon)" != "$expected" ]'
for processes in 2 4; do
  train "muon$processes" $processes 2 --shares 4 --epochs 2 --optimizer muon
  check "by Muon in $processes processes of 2 threads: the same bytes" \
    '[ $code = 0 ] && [ "$(digest "muon$processes")" = "$(digest muon)" ]'
done
train plain 1 1 --epochs 3
check "one share gives other bytes than four" '[ $code = 0 ] && [ "$(digest plain)" != "$expected" ]'
code=0 && timeout 60 mpirun -n 1 "${command[@]}" --force > out 2> err || code=$?
check "one process that mpirun has started ends as well as any" '[ $code = 0 ]'
for processes in 1 2; do
  code=0 && timeout 60 mpirun -n $processes "$mpi/train" --version > out 2> err || code=$?
  check "the version, once, of $processes processes" '[ $code = 0 ] && [ "$(wc -l < out)" = 1 ] && ! grep -q finalize err'
done
train "default" 4 1 --epochs 3
check "by default there are as many shares as processes" '[ "$(digest default)" = "$expected" ]'
check "only one registry and one folder are written" '[ "$(ls runs/p4.t1)" = train ] && [ -z "$(ls -d tmp/follower-* 2> /dev/null)" ]'
check "bytes sent are recorded, less than twice the parameters" 'sqlite3 runs/registry.sqlite "
  select max(value) > 0 and max(value) < 8.0 * (select value from params where key = '"'parameters'"' limit 1) from metrics where key = '"'sent_bytes_per_step'"'" | grep -qx 1'

# Sends a signal to a command, or to the last process that it has started, as soon as there is a new checkpoint.
# signal, command or last, run, command...
strike() {
  local signal=$1 whom=$2 run=$3 before now child
  shift 3
  for _ in {1..20}; do # mpirun may be gone before its processes are, which then hold the folder
    before=$(checkpoints "$run")
    "$@" > out 2> err &
    child=$!
    for _ in {1..1200}; do
      now=$(checkpoints "$run")
      { [ -z "$now" ] || [ "$now" = "$before" ]; } && kill -0 $! 2> /dev/null || break
      sleep 0.05
    done
    [ "$whom" = command ] || child=$(pgrep -P $child | tail -1)
    kill -"$signal" "$child" || true
    code=0
    wait $! || code=$?
    [ $code = 75 ] || break
    sleep 0.5
  done
}
checkpoints() { find "runs/$1" -name checkpoint.safetensors -printf '%p %T@\n' 2> /dev/null || true; }

# folder, processes: a training that is long enough to be stopped
long() {
  command=("$mpi/train" --preset small --tokens runs/m/tokens --width 64 --heads 4 --hidden 128 --encoder-layers 2 --decoder-layers 2 --batch-tokens 300 --warmup 5
    --clip 1 --threads 1 --quiet --output "runs/$1/train" --shares 4 --epochs 100 --checkpoint-seconds 0)
  [ "$2" = 1 ] || command=(mpirun -n "$2" "${command[@]}")
}
# Runs `command` when nobody holds its folder any more; its exit code is in `code`.
run_when_free() {
  for _ in {1..20}; do
    code=0
    "${command[@]}" > out 2> err || code=$?
    [ $code = 75 ] || break
    sleep 0.5
  done
}
go_on() {
  long "$1" "$2"
  run_when_free
}
go_on whole 1
expected=$(digest whole)
long stopped 4
strike TERM command stopped "${command[@]}"
# mpirun kills what has not stopped within a second: such a run may not have come to say so
stopped() { sqlite3 runs/registry.sqlite "select count(*) from runs where name = 'stopped' and status in ('interrupted', 'running', 'lost')"; }
check "4 processes that are asked to stop leave a checkpoint" '[ $code != 0 ] && [ -n "$(checkpoints stopped)" ] && [ "$(stopped)" = 1 ]'
long stopped 2
strike TERM command stopped "${command[@]}"
check "2 processes go on from it" '[ $code != 0 ] && [ -n "$(checkpoints stopped)" ] && [ "$(stopped)" = 2 ]'
go_on stopped 1
check "stopped and gone on with in other numbers of processes: the same bytes" '[ $code = 0 ] && [ "$(digest stopped)" = "$expected" ]'
check "each went on from the one before" '[ "$(sqlite3 runs/registry.sqlite "select count(*) from runs where name = '"'stopped'"' and resumed_from is not null")" = 2 ]'

long asked 4
SECONDS=0
strike TERM last asked "${command[@]}"
check "when the last of four is asked to stop, all do, in time and with a checkpoint" '[ $code = 143 ] && [ $SECONDS -lt 120 ] && [ -n "$(checkpoints asked)" ]'
check "which is recorded as interrupted" '[ "$(sqlite3 runs/registry.sqlite "select status from runs where name = '"'asked'"'")" = interrupted ]'
long killed 4
SECONDS=0
strike KILL last killed "${command[@]}"
check "a process that dies takes the others with it" '[ $code != 0 ] && [ $SECONDS -lt 120 ]'
go_on killed 2
check "and 2 processes go on from the checkpoint: the same bytes" '[ $code = 0 ] && [ "$(digest killed)" = "$expected" ]'

train diverged 2 1 --epochs 30 --peak 1e30
check "a loss that is no number is said once and recorded" '[ $code = 65 ] && [ "$(grep -c "^train: " err)" = 1 ] &&
  [ "$(sqlite3 runs/registry.sqlite "select status from runs where name = '"'diverged'"'")" = failed ]'
train wrong 2 1 --shares 3 --epochs 1
check "a wrong number of shares: one line, exit code 64" '[ $code = 64 ] && grep -q "3 shares: expected a power of two" err'
train wrong 4 1 --shares 2 --epochs 1
check "more processes than shares: one line, exit code 64" '[ $code = 64 ] && grep -q "4 processes: expected" err'
train plain 2 1 --shares 1 --epochs 1
check "more processes than one share: refused" '[ $code = 64 ]'
code=0
mpirun -n 2 "$bin/train" --tokens runs/m/tokens --quiet --output runs/x/train > out 2> err || code=$?
check "programs without MPI refuse to be several" '[ $code = 64 ] && grep -q "built without MPI" err'
# command of the leader and of the other, up to --output
unequal() {
  code=0
  mpirun -n 1 "$mpi/train" --quiet --threads 1 $1 --epochs 1 --output runs/unequal/train : -n 1 "$mpi/train" --quiet --threads 1 $2 --epochs 1 \
    --output runs/unequal/train > out 2> err || code=$?
}
unequal "--tokens runs/m/tokens" "--tokens runs/m/none"
check "a process that lacks what the first has says so and ends all" '[ $code = 66 ] && grep -q "runs/m/none" err'
unequal "--tokens runs/m/tokens" "--tokens runs/m/tokens --warmup x"
check "one that was given nonsense, too" '[ $code = 64 ] && grep -q "warmup" err'
unequal "--tokens runs/m/tokens" "--tokens runs/m/tokens --warmup 9"
check "one that was given other settings, too" '[ $code = 65 ] && grep -q "process 1, .*: expected the settings and inputs of process 0" err'
mkdir -p runs/taken/train && echo mine > runs/taken/train/notes.txt
train taken 2 1 --epochs 1
check "what the leader refuses ends all processes with its exit code" '[ $code = 73 ] && grep -q notes.txt err'

# A distillation of two layers: threads and processes, stopped and gone on with.
rm -rf tmp/follower-* # of killed processes
"$bin/capture" --model runs/one/train --tokens runs/m/tokens --attentions encoder --quiet --output runs/m/capture > out 2> err
# run, processes, threads, further options
distillation() {
  local run=$1 processes=$2 threads=$3
  shift 3
  command=("$mpi/distill" --capture runs/m/capture --spec alr-s.encoder --epochs 150 --batch 32 --checkpoint-seconds 0 --threads "$threads" --quiet
    --output "runs/$run/distill" "$@")
  [ "$processes" = 1 ] || command=(mpirun -n "$processes" "${command[@]}")
}
distil() {
  distillation "$@"
  run_when_free
}
networks() { cat "runs/$1/distill"/*.safetensors | sha256sum; }
# What the registry has of a run, but for speeds.
figures() { sqlite3 runs/registry.sqlite "select key, step, value from metrics where run = (select max(id) from runs where name = '$1')
  and key not like '%tokens_per_second%' order by 1, 2"; }
distil d1 1 1
expected=$(networks d1)
figures d1 > figures
cp out table
check "a distillation of two layers" '[ $code = 0 ] && [ "$(cut -d. -f1,2 figures | sort -u | grep -c "^layer")" = 2 ] && [ -s table ]'
for processes in 1 2 4; do
  for threads in 1 2 16; do
    [ $processes.$threads != 1.1 ] || continue
    distil d$processes.$threads $processes $threads
    check "distilled by $processes processes of $threads threads: the same bytes" '[ $code = 0 ] && [ "$(networks d$processes.$threads)" = "$expected" ]'
  done
done
check "the table is printed once, whoever has made the layers" 'cmp -s out table'
figures d2.1 > out
check "and the registry has the figures of both" 'cmp -s out figures'
check "only one folder is written" '[ "$(ls runs/d4.1)" = distill ] && [ -z "$(ls -d tmp/follower-* 2> /dev/null)" ]'
# A training in place, on the teacher's translations, whose contexts come near to the teacher's.
"$bin/splice" --model runs/one/train --replacement runs/d1/distill --quiet --output runs/m/splice > out 2> err
for processes in 1 2; do
  command=("$mpi/train" --tokens runs/m/tokens --model runs/m/splice --teacher runs/one/train --teacher-beam 2 --matching 1 --shares 2 --epochs 2 --batch-tokens 300
    --threads 1 --quiet --output "runs/in$processes/train")
  [ $processes = 1 ] || command=(mpirun -n 2 "${command[@]}")
  "${command[@]}" > out 2> err || true
done
check "trained in place on translations with contexts matched, in one process and in two: the same bytes" '[ -n "$(digest in1)" ] && [ "$(digest in2)" = "$(digest in1)" ]'
for signal in KILL TERM; do
  for numbers in "4 1" "1 16" "2 2"; do
    distillation d$signal $numbers
    strike $signal $([ "${numbers%% *}" = 1 ] && echo command || echo last) d$signal "${command[@]}"
  done
  distil d$signal 1 1
  check "stopped by $signal and gone on with by other numbers: the same bytes" '[ $code = 0 ] && [ "$(networks d$signal)" = "$expected" ]'
  # a killed run may not have come to say where it went on from; the last one has
  check "it has gone on" '[ "$(sqlite3 runs/registry.sqlite "select count(*) > 0 from runs where name = '"'d$signal'"' and resumed_from is not null")" = 1 ]'
done
distillation dasked 2 1
strike TERM last dasked "${command[@]}"
check "when one of two is asked to stop, both do: one line, recorded as interrupted" '[ $code = 143 ] && [ "$(grep -c "^distill: " err)" = 1 ] &&
  [ "$(sqlite3 runs/registry.sqlite "select status from runs where name = '"'dasked'"' order by id desc limit 1")" = interrupted ]'
distil ddiverged 2 1 --peak 1e30
check "where all layers fail, one line says so" '[ $code = 65 ] && [ "$(grep -c "^distill: " err)" = 1 ] &&
  [ "$(sqlite3 runs/registry.sqlite "select status from runs where name = '"'ddiverged'"'")" = failed ]'
# the second process's layer alone cannot go on
distillation dhalf 2 1
for _ in {1..20}; do
  strike KILL last dhalf "${command[@]}"
  [ -z "$(find runs/dhalf -path '*layer-1*' -name checkpoint.safetensors)" ] || break
done
find runs/dhalf -path '*layer-1*' -name checkpoint.safetensors -exec truncate --size 99 {} +
distil dhalf 2 1
check "what fails in one process ends both with its line and its exit code" '[ $code = 65 ] && [ "$(grep -c "^distill: .*layer-1.*checkpoint" err)" = 1 ] &&
  [ "$(sqlite3 runs/registry.sqlite "select status from runs where name = '"'dhalf'"' order by id desc limit 1")" = failed ]'
[ $failures = 0 ] || { echo "cluster.test.sh: $failures failed" >&2; exit 1; }
