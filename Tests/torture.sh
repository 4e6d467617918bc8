#!/usr/bin/env bash
# Kills, crashes at system calls, failing system calls, limits, full disks, two at once, odd numbers, damaged files and
# a large registry, over all stages: whatever happens, the same command given again ends with the same bytes as a run that was left alone, and every
# failure is a line and a code of sysexits.h. Seeded, and resumable.
#
#   Tests/torture.sh [folder of the programs, by default .build/release]
#
#   PARTS      some of: kills crashes errors limits disks pairs ranges mutations registry (default: all)
#   KILLS      at random moments, for each stage (default 10)
#   POINTS     of each system call, for each stage (default 3; needs Debian's strace)
#   MUTATIONS  of each kind of file, in rounds of 10,000 (default 0: those of the unit tests; needs the tests' build)
#   SEED       of moments, signals and damage (default 1)
#   STATE      folder in which it goes on where it was stopped (default: a new one, which is removed in the end)
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8 COLUMNS=80
project=$PWD
bin=$(realpath "${1:-.build/release}")
parts=${PARTS:-kills crashes errors limits disks pairs ranges mutations registry}
kills=${KILLS:-10} points=${POINTS:-3} mutations=${MUTATIONS:-0} seed=${SEED:-1}
work=${STATE:-$(mktemp -d)}
mkdir -p "$work"
work=$(realpath "$work")
[ -n "${STATE:-}" ] || trap 'rm -rf "$work"' EXIT
cd "$work"
touch done failed

# ---- What is run ----------------------------------------------------------------------------------------------------------

for i in {1..300}; do echo "the cat number $((i * 7 % 300)) sees $((i % 5)) dogs"; done > a.en
for i in {1..300}; do echo "die Katze Nummer $((i * 7 % 300)) sieht $((i % 5)) Hunde"; done > a.de
w=runs/whole
network=mix-k4r8
all="--replacement $w/distill.encoder --replacement $w/distill.decoder --replacement $w/distill.cross"
distill="distill --capture $w/capture --batch-tokens 400 --epochs 4 --checkpoint-seconds 0"
declare -A commands=(
  [tokens]="tokenize --corpus mine --train-source a.en --train-target a.de --vocabulary-size 150 --hold-out-valid 20 --hold-out-test 20"
  [joined]="tokenize --corpus mine --train-source a.en --train-target a.de --vocabulary-size 150 --hold-out-valid 20 --hold-out-test 20 --join 3"
  [train]="train --tokens $w/tokens --width 16 --heads 2 --hidden 32 --encoder-layers 1 --decoder-layers 1 --epochs 6 --average 2 --checkpoint-seconds 0"
  [capture]="capture --model $w/train --tokens $w/tokens --attentions encoder decoder cross"
  [distill]="distill --capture $w/capture --spec alr-h16.encoder --batch 32 --epochs 8 --checkpoint-seconds 0"
  [distill.encoder]="$distill --spec $network.encoder"
  [distill.decoder]="$distill --spec $network.decoder"
  [distill.cross]="$distill --spec slots-k4d4.cross"
  [splice]="splice --model $w/train --replacement $w/distill"
  [mixed]="splice --model $w/train $all"
  [greedy]="splice --model $w/train --greedy --tokens $w/tokens --bound 100 $all"
  [inplace]="train --tokens $w/tokens --model $w/mixed --teacher $w/train --epochs 3 --shares 2 --checkpoint-seconds 0"
  [score]="score --model $w/splice --tokens $w/tokens --resamples 100 --maps 2"
  [compared]="score --model $w/inplace --tokens $w/tokens --base $w/score --beam 2 --precision mixed --resamples 100"
)
stages=(tokens joined train capture distill distill.encoder distill.decoder distill.cross splice mixed greedy inplace score compared)

# Folder of a stage under runs/$2, made by its command behind the words that follow; the exit code is in `code`.
make() {
  local stage=$1 run=$2 words
  read -ra words <<< "${commands[$stage]}"
  code=0
  "${@:3}" "$bin/${words[0]}" "${words[@]:1}" --threads 1 --quiet --output "runs/$run/$stage" > out 2> err || code=$?
}
sums() { (cd "$1" && find . -type f ! -name .lock -exec sha256sum {} + | sort -k 2); }
fail() { echo "$item: $1, exit code $code: $(head -c 300 err | tr '\n' ' ')" | tee -a failed; }
# Runs what was struck to its end, and compares.
settle() {
  make "$1" struck
  [ "$code" = 0 ] || fail "$1 after $2"
  [ "$(sums "runs/struck/$1")" = "${whole[$1]}" ] || fail "$1 after $2: other bytes"
  [ "$(sqlite3 runs/registry.sqlite "select count(*) from runs where status = 'running' and folder = 'struck/$1'")" = 0 ] ||
    fail "$1 after $2: still said to run"
}
# A failure must be told: a code of sysexits.h and at most a line and a hint. What strace says of paths is not the
# program's, and what a score warned of before has nothing to do with the failure.
told() {
  local lines
  lines=$(grep -cvE '^(strace: Requested path|score: warning: (sentence [0-9]+: cut off|[0-9]+ further warnings))' err || true)
  { [ "$code" -ge 64 ] && [ "$code" -le 78 ] && [ "$code" != 70 ] && [ "$lines" -ge 1 ] && [ "$lines" -le 2 ]; } || fail "$1"
}

# ---- What is done ---------------------------------------------------------------------------------------------------------

declare -A finished=() counts=()
while read -r item; do finished[$item]=1; done < done
# Begins an item, unless it has been done: its random numbers follow from its name.
begin() {
  item=$1
  part=${item%% *}
  counts[$part]=$((${counts[$part]:-0} + 1))
  [ -z "${finished[$item]:-}" ] || return 1
  RANDOM=$(($(cksum <<< "$seed $item" | cut -d ' ' -f 1) % 32768))
}
end() { echo "$item" >> done; }
wanted() { [[ " $parts " == *" $1 "* ]]; }

item=whole
declare -A whole milliseconds
for stage in "${stages[@]}"; do
  start=$(date +%s%N)
  [ -f "runs/whole/$stage/manifest.json" ] && [ -f "whole.$stage" ] || {
    make "$stage" whole
    [ $code = 0 ] || { cat err >&2; exit 1; }
    echo $((($(date +%s%N) - start) / 1000000)) > "whole.$stage"
  }
  whole[$stage]=$(sums "runs/whole/$stage")
  milliseconds[$stage]=$(cat "whole.$stage")
done

# ---- Kills at random moments ----------------------------------------------------------------------------------------------

# Struck again and again, and run to the end after every fifth time.
! wanted kills || for stage in "${stages[@]}"; do
  for ((kill = 1; kill <= kills; kill++)); do
    begin "kills $stage $kill" || continue
    signals=(KILL TERM INT HUP)
    read -ra words <<< "${commands[$stage]}"
    [ $((kill % 5)) != 1 ] || rm -rf "runs/struck/$stage"
    env --default-signal=INT,TERM,HUP "$bin/${words[0]}" "${words[@]:1}" --threads 1 --quiet --output "runs/struck/$stage" > out 2> err &
    child=$!
    moment=$((RANDOM % (milliseconds[$stage] * 11 / 10) + 10))
    sleep "$((moment / 1000)).$(printf %03d $((moment % 1000)))"
    kill "-${signals[RANDOM % 4]}" $child 2> /dev/null || true
    code=0
    wait $child 2> /dev/null || code=$?
    case $code in 0 | 129 | 130 | 137 | 143) ;; *) fail "$stage, killed" ;; esac
    [ $((kill % 5)) != 0 ] && [ $kill != "$kills" ] || settle "$stage" "kill $kill"
    end
  done
done

# ---- Crashes at system calls, and calls that fail ---------------------------------------------------------------------------

if strace -o /dev/null true 2> /dev/null; then
  aimed=0 struck=0
  inject() {
    aimed=$((aimed + 1))
    make "$1" struck strace -f -qqq -o strace.log "${@:2}" 2> /dev/null
    ! grep -qE 'INJECTED|killed by SIGKILL' strace.log || struck=$((struck + 1))
  }
  for stage in "${stages[@]}"; do
    for call in openat pwrite64 fsync rename unlink mkdir fallocate; do
      for ((point = 1; point <= points; point++)); do
        if wanted crashes && begin "crashes $stage $call $point"; then
          rm -rf "runs/struck/$stage"
          inject "$stage" -e "inject=$call:signal=KILL:when=$point"
          settle "$stage" "a crash at $call $point"
          end
        fi
        [ $call != openat ] || continue # most of these are libraries'
        if wanted errors && begin "errors $stage $call $point"; then
          rm -rf "runs/struck/$stage"
          error=$([ $((point % 2)) = 0 ] && echo ENOSPC || echo EIO)
          inject "$stage" -e "inject=$call:error=$error:when=$point"
          [ "$code" = 0 ] || told "$stage, $error from $call $point"
          settle "$stage" "$error from $call $point"
          end
        fi
      done
    done
    # What is read cannot be mapped, or read.
    read -ra words <<< "${commands[$stage]}"
    ! wanted errors || for input in $(printf '%s\n' "${words[@]}" | grep -E '^(runs/|a\.)' | while read -r path; do
      find "$path" -type f ! -name .lock | head -n 8; done | sort -u); do
      for call in mmap:error=ENOMEM read:error=EIO openat:error=EMFILE; do
        begin "errors $stage $call $input" || continue
        rm -rf "runs/struck/$stage"
        inject "$stage" -P "$work/$input" -P "$input" -e "inject=$call:when=1"
        [ "$code" = 0 ] || told "$stage, $call of $input"
        settle "$stage" "$call of $input"
        end
      done
    done
  done
  [ $aimed = 0 ] || echo "system calls: $aimed aimed at, $struck struck"
  [ $aimed = 0 ] || [ $struck -gt 0 ] || fail "no call was struck"
elif wanted crashes || wanted errors; then
  echo "skipped: crashes and errors at system calls, for which strace is missing or not allowed"
fi

# ---- Limits and full disks --------------------------------------------------------------------------------------------------

! wanted limits || for stage in "${stages[@]}"; do
  for kibibytes in 1 4 16; do
    begin "limits $stage file size $kibibytes" || continue
    rm -rf "runs/struck/$stage"
    make "$stage" struck bash -c "ulimit -f $kibibytes; exec \"\$@\"" limited
    told "$stage, no file over $kibibytes KiB"
    settle "$stage" "a limit of $kibibytes KiB"
    end
  done
  for mebibytes in 150 300 400 450 500 600 700; do
    begin "limits $stage address space $mebibytes" || continue
    rm -rf "runs/struck/$stage"
    make "$stage" struck timeout -k 2 60 bash -c "ulimit -v $((mebibytes << 10)); exec \"\$@\"" limited
    [ "$code" = 0 ] || { [ "$code" = 71 ] && told "$stage, in $mebibytes MiB"; } || fail "$stage, in $mebibytes MiB"
    settle "$stage" "a limit of $mebibytes MiB"
    end
  done
done

# A disk of so many KiB, which is made larger when it was full.
if unshare -m mount -t tmpfs tmpfs "$work" 2> /dev/null; then
  ! wanted disks || for stage in "${stages[@]}"; do
    for kibibytes in 8 40 120 400; do
      begin "disks $stage $kibibytes" || continue
      code=0
      read -ra words <<< "${commands[$stage]}"
      mkdir -p disk
      unshare -m bash -euc '
        mount -t tmpfs -o size='$kibibytes'k tmpfs disk
        program=$1; shift
        run() { "$program" "$@" --threads 1 --quiet --registry '"$work"'/disks.sqlite --output disk/'$stage' > out 2> err; }
        code=0; run "$@" || code=$?
        case $code in 0 | 73 | 74) ;; *) exit $code ;; esac
        [ "$(grep -vc ": warning:" err)" -le 2 ] || exit 99
        mount -o remount,size=100m disk
        run "$@"
        (cd disk/'$stage' && find . -type f ! -name .lock -exec sha256sum {} + | sort -k 2) > disk.sums
      ' disks "$bin/${words[0]}" "${words[@]:1}" || code=$?
      [ $code = 0 ] && [ "$(cat disk.sums)" = "${whole[$stage]}" ] || fail "$stage on a disk of $kibibytes KiB"
      end
    done
  done
elif wanted disks; then
  echo "skipped: full disks, which need a mount"
fi

# ---- Two at once ------------------------------------------------------------------------------------------------------------

# On one folder: one does the work, the other is kept out or finds it done. All stages at once on one registry: each is as if alone.
! wanted pairs || for stage in "${stages[@]}"; do
  begin "pairs $stage" || continue
  rm -rf "runs/struck/$stage"
  read -ra words <<< "${commands[$stage]}"
  codes=()
  for i in 1 2; do
    "$bin/${words[0]}" "${words[@]:1}" --threads 1 --quiet --output "runs/struck/$stage" > "out.$i" 2> "err.$i" &
    children[i]=$!
  done
  for i in 1 2; do code=0; wait "${children[i]}" || code=$?; codes+=("$code"); done
  cat err.1 err.2 > err
  case "${codes[*]}" in "0 0" | "0 75" | "75 0") ;; *) fail "$stage twice at once: ${codes[*]}" ;; esac
  settle "$stage" "two at once"
  end
done
! wanted pairs || if begin "pairs all"; then
  children=()
  for stage in "${stages[@]}"; do
    rm -rf "runs/together/$stage"
    read -ra words <<< "${commands[$stage]}"
    "$bin/${words[0]}" "${words[@]:1}" --threads 1 --quiet --output "runs/together/$stage" > "out.$stage" 2> "err.$stage" &
    children+=($!)
  done
  for index in "${!stages[@]}"; do
    stage=${stages[index]} code=0
    wait "${children[index]}" || code=$?
    cp "err.$stage" err
    [ $code = 0 ] && [ "$(sums "runs/together/$stage")" = "${whole[$stage]}" ] || fail "$stage beside all others"
  done
  [ "$(sqlite3 runs/registry.sqlite 'pragma integrity_check')" = ok ] || fail "the registry of all at once"
  end
fi

# ---- Numbers ----------------------------------------------------------------------------------------------------------------

# Every option that takes a value, with values that nobody means.
commands[bench]="bench --tokens $w/tokens --seconds 0.01 --parts text"
commands[texts]="score --hypotheses a.de --references a.de a.en --baseline a.en --bootstrap 10 --paired-bs --paired-bs-n 10"
commands[report]="report --run whole --table"
commands[merge]="report --merge runs/registry.sqlite --registry runs/odd/merged.sqlite"
! wanted ranges || for stage in tokens train capture distill splice greedy inplace score compared bench texts report merge; do
  read -ra words <<< "${commands[$stage]}"
  case $stage in texts | report | merge) common=() ;; *) common=(--threads 1 --quiet --output runs/odd/x) ;; esac
  for option in $("$bin/${words[0]}" --help | grep -oE '^  (-[a-z], )?--[a-z0-9-]+ <' | grep -oE -- '--[a-z0-9-]+' |
    grep -vxE -- '--(output|registry|threads)'); do
    for value in nan inf -inf -1 -0.5 9223372036854775807 9223372036854775808 1e308 1e-320 0x10 ''; do
      begin "ranges $stage $option '$value'" || continue
      rm -rf runs/odd
      arguments=() skip=
      for word in "${words[@]:1}"; do
        if [ "$word" = "$option" ]; then skip=1; continue; fi
        case $word in --*) skip= ;; *) [ -z "$skip" ] || continue ;; esac
        arguments+=("$word")
      done
      code=0
      timeout -k 2 60 "$bin/${words[0]}" "${arguments[@]}" "$option=$value" "${common[@]}" > out 2> err < /dev/null || code=$?
      if [ $code != 0 ]; then
        { [ $code -ge 64 ] && [ $code -le 78 ] && [ $code != 70 ] && [ -s err ] && [ "$(wc -l < err)" -le 15 ]; } || fail "$stage $option=$value"
      fi
      end
    done
  done
done

# ---- Damaged files ----------------------------------------------------------------------------------------------------------

# The readers inside the process, a round of 10,000 of each kind at a time.
! wanted mutations || for ((round = 1; round <= (mutations + 9999) / 10000; round++)); do
  begin "mutations $round" || continue
  code=0
  (cd "$project" && MUTATIONS=$((mutations < 10000 ? mutations : 10000)) MUTATION_SEED=$((seed * 1000 + round)) \
    swift test -c release --skip-build --filter Mutation) > out 2> err || code=$?
  grep -hE '^mutations: ' out err >> mutated || true
  [ $code = 0 ] || { cat out >> err; cp err "mutations.$round"; grep -aE 'recorded an issue|rash' err | head -n 20 > err.short || true; cp err.short err; fail "round $round"; }
  end
done

# ---- A large registry -------------------------------------------------------------------------------------------------------

# 10,000 runs of as many models, 5 million metrics: user and system seconds, since others may be at work on the machine.
! wanted registry || if begin "registry"; then
  rm -rf large && mkdir -p large/runs && cp a.en a.de large
  (
    cd large
    "$bin/tokenize" ${commands[tokens]#tokenize } --threads 1 --quiet --output runs/whole/tokens > out 2> err
    sqlite3 runs/registry.sqlite < "$project/Tests/registry/large.sql" > /dev/null
  )
  # The least of three times.
  seconds() {
    TIMEFORMAT='%3U %3S'
    for _ in 1 2 3; do { time "$@" > out 2> err; } 2>&1; done | awk '{ print $1 + $2 }' | sort -g | head -n 1
  }
  # name, most seconds, command
  quick() {
    local took
    took=$(cd large && seconds "${@:3}")
    echo "registry: $1: $took s of computing"
    awk -v took="$took" -v most="$2" 'BEGIN { exit !(took <= most) }' || { cp large/err err; fail "$1 took $took s, more than $2"; }
  }
  quick "the leaderboard of 10,000 models" 0.5 sqlite3 runs/registry.sqlite 'select * from leaderboard'
  quick "make table" 0.5 "$bin/report" --run many7 --table
  quick "a stage's start" 0.2 "$bin/tokenize" ${commands[tokens]#tokenize } --threads 1 --quiet --output runs/whole/tokens
  quick "the report" 5 "$bin/report" --run many7
  merge=("$bin/report" --registry all.sqlite --merge runs/registry.sqlite)
  code=0
  (cd large && timeout -s KILL 3 "${merge[@]}") > out 2> err || code=$?
  [ $code = 137 ] && [ "$(sqlite3 large/all.sqlite 'pragma integrity_check; select count(*) from runs')" = $'ok\n0' ] ||
    fail "a merge that was killed"
  quick "merging it" 60 "${merge[@]}"
  [ "$(sqlite3 large/all.sqlite 'select count(*) from metrics')" = "$(sqlite3 large/runs/registry.sqlite 'select count(*) from metrics')" ] ||
    fail "metrics of a merged registry"
  rm -rf large
  end
fi

# ---- Summary ----------------------------------------------------------------------------------------------------------------

for part in $parts; do
  [ -z "${counts[$part]:-}" ] || echo "$part: ${counts[$part]} tried, $(grep -cE "^$part[ :]" failed || true) failed"
done
[ ! -s mutated ] || awk '{ n += $2; refused += $(NF - 1) } END { print "mutations: " n " damaged files, " refused " refused, the others read" }' mutated
[ ! -s failed ] || { echo "torture: $(wc -l < failed) failed"; exit 1; }
echo "torture: nothing lost, nothing else than what was asked for"
