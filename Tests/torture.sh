#!/usr/bin/env bash
# Kills, crashes at system calls, failing system calls and limits, over all stages: whatever happens, the same command given again ends
# with the same bytes as a run that was left alone, and every failure is a line and a code of sysexits.h. Seeded.
#
#   Tests/torture.sh [folder of the programs, by default .build/release]
#
#   KILLS   at random moments, for each stage (default 10)
#   POINTS  of each system call, for each stage (default 3; needs Debian's strace)
#   SEED    of moments and signals (default 1)
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$(realpath "${1:-.build/release}")
kills=${KILLS:-10} points=${POINTS:-3} RANDOM=${SEED:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failures=0

for i in {1..300}; do echo "the cat number $((i * 7 % 300)) sees $((i % 5)) dogs"; done > a.en
for i in {1..300}; do echo "die Katze Nummer $((i * 7 % 300)) sieht $((i % 5)) Hunde"; done > a.de
w=runs/whole
declare -A commands=(
  [tokens]="tokenize --corpus mine --train-source a.en --train-target a.de --vocabulary-size 150 --hold-out-valid 20 --hold-out-test 20"
  [train]="train --tokens $w/tokens --width 16 --heads 2 --hidden 32 --encoder-layers 1 --decoder-layers 1 --epochs 6 --checkpoint-seconds 0"
  [capture]="capture --model $w/train --tokens $w/tokens --attentions encoder decoder"
  [distill]="distill --capture $w/capture --spec alr-h16.encoder --batch 32 --epochs 8 --checkpoint-seconds 0"
  [splice]="splice --model $w/train --replacement $w/distill"
  [score]="score --model $w/splice --tokens $w/tokens --resamples 100"
)
stages=(tokens train capture distill splice score)

# Folder of a stage under runs/$2, made by its command behind the words that follow; the exit code is in `code`.
make() {
  local stage=$1 run=$2 words
  read -ra words <<< "${commands[$stage]}"
  code=0
  "${@:3}" "$bin/${words[0]}" "${words[@]:1}" --threads 1 --quiet --output "runs/$run/$stage" > out 2> err || code=$?
}
sums() { (cd "$1" && find . -type f ! -name .lock -exec sha256sum {} + | sort -k 2); }
fail() {
  failures=$((failures + 1))
  echo "FAILED: $1, exit code $code: $(head -c 300 err)"
}
# Runs what was struck to its end, and compares.
settle() {
  make "$1" struck
  [ "$code" = 0 ] || fail "$1 after $2"
  [ "$(sums "runs/struck/$1")" = "${whole[$1]}" ] || fail "$1 after $2: other bytes"
  [ "$(sqlite3 runs/registry.sqlite "select count(*) from runs where status = 'running'")" = 0 ] || fail "$1 after $2: still said to run"
}
# A failure must be told: a code of sysexits.h and at most a line and a hint.
told() { { [ "$code" -ge 64 ] && [ "$code" -le 78 ] && [ "$(wc -l < err)" -le 2 ] && [ -s err ]; } || fail "$1"; }

declare -A whole
for stage in "${stages[@]}"; do
  make "$stage" whole
  [ $code = 0 ] || { cat err >&2; exit 1; }
  whole[$stage]=$(sums "runs/whole/$stage")
done

for stage in "${stages[@]}"; do
  rm -rf "runs/struck/$stage"
  for ((kill = 0; kill < kills; kill++)); do
    signals=(KILL TERM INT HUP)
    read -ra words <<< "${commands[$stage]}"
    env --default-signal=INT,TERM,HUP "$bin/${words[0]}" "${words[@]:1}" --threads 1 --quiet --output "runs/struck/$stage" > out 2> err &
    child=$!
    sleep "0.0$((RANDOM % 90 + 10))"
    kill "-${signals[RANDOM % 4]}" $child 2> /dev/null || true
    code=0
    wait $child 2> /dev/null || code=$?
    case $code in 0 | 129 | 130 | 137 | 143) ;; *) fail "$stage, killed" ;; esac
  done
  settle "$stage" "$kills kills"
  echo "$stage: $kills kills"
done

if strace -o /dev/null true 2> /dev/null; then
  for stage in "${stages[@]}"; do
    for call in openat pwrite64 fsync rename unlink mkdir; do
      for ((point = 1; point <= points; point++)); do
        rm -rf "runs/struck/$stage"
        make "$stage" struck strace -f -qq -o /dev/null -e trace=none -e "inject=$call:signal=KILL:when=$point" 2> /dev/null
        settle "$stage" "a crash at $call $point"
        [ $call != openat ] || continue # most of these are libraries'
        rm -rf "runs/struck/$stage"
        make "$stage" struck strace -f -qq -o /dev/null -e trace=none -e "inject=$call:error=EIO:when=$point"
        [ "$code" = 0 ] || told "$stage, EIO from $call $point"
        settle "$stage" "EIO from $call $point"
      done
    done
    echo "$stage: $((points * 6)) crashes at system calls, $((points * 5)) of them failing"
  done
else
  echo "skipped: crashes at system calls, for which strace is missing or not allowed"
fi

for stage in "${stages[@]}"; do
  for kibibytes in 1 4 16; do
    rm -rf "runs/struck/$stage"
    make "$stage" struck bash -c "ulimit -f $kibibytes; exec \"\$@\"" limited
    told "$stage, no file over $kibibytes KiB"
    settle "$stage" "a limit of $kibibytes KiB"
  done
  echo "$stage: 3 limits of a file's size"
done

[ $failures = 0 ] || { echo "$failures failed"; exit 1; }
echo "torture: nothing lost, nothing else than what was asked for"
