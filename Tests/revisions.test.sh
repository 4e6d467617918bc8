#!/usr/bin/env bash
# Whether each stage still makes the bytes that it made at its revision: a tiny run, compared with revisions.txt beside this file.
# Bytes that changed need a new number in Sources/Stages/Version.swift, or old results would count as what the program makes.
#
#   Tests/revisions.test.sh [--update] [folder of the programs, by default .build/release]
#
# Lines of revisions.txt: folder, stage, revision, machine, SHA-256 of what was read, SHA-256 of what was made. What floats
# come to depends on the kernels that the machine runs, so that a machine has lines of its own; --update puts what is missing
# in the place of what was made of this at another revision, or of other inputs.
set -euo pipefail
cd "$(dirname "$0")/.."
update=
[ "${1:-}" != --update ] || { update=1; shift; }
bin=$(realpath "${1:-.build/release}") golden=$PWD/Tests/revisions.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

for i in {1..60}; do
  echo "the cat number $((i * 7 % 60)) sees $((i % 5)) dogs"
done > a.en
for i in {1..60}; do
  echo "die Katze Nummer $((i * 7 % 60)) sieht $((i % 5)) Hunde"
done > a.de
m=runs/m
folders=()
# Program, folder of its output under $m, and what else it is told.
run() {
  "$bin/$1" "${@:3}" --threads 1 --quiet --output "$m/$2" > /dev/null 2> err || { cat err >&2; exit 1; }
  folders+=("$2")
}
text=(--corpus mine --train-source a.en --train-target a.de --vocabulary-size 90 --hold-out-valid 8 --hold-out-test 8)
run tokenize tokens "${text[@]}"
run tokenize joined/tokens "${text[@]}" --join 3
run tokenize joined-test/tokens "${text[@]}" --join-test 3
run train train --preset small --tokens $m/tokens --width 16 --heads 2 --hidden 32 --encoder-layers 1 --decoder-layers 1 --epochs 3 --batch-tokens 200 --warmup 2
run train muon/train --preset small --tokens $m/tokens --width 16 --heads 2 --hidden 32 --encoder-layers 1 --decoder-layers 1 --epochs 2 \
  --batch-tokens 200 --warmup 2 --optimizer muon
run capture capture/all --model $m/train --tokens $m/tokens --attentions encoder decoder cross
run distill distill/alr-h8.encoder --capture $m/capture/all --spec alr-h8.encoder --batch 16 --epochs 2
run splice splice/alr-h8.encoder --model $m/train --replacement $m/distill/alr-h8.encoder
run score score/alr-h8.encoder --model $m/splice/alr-h8.encoder --tokens $m/tokens --resamples 20 --beam 2 --precision mixed

# Networks over the tokens at all attentions, as they are distilled, together, trained in place and chosen among.
declare -A offered
for network in mix-k4r8 slots-k4d4; do
  for attention in encoder decoder cross; do
    run distill distill/$network.$attention --capture $m/capture/all --spec $network.$attention --epochs 2
    offered[$network]+=" --replacement $m/distill/$network.$attention"
  done
  run splice splice/$network --model $m/train ${offered[$network]}
  run score score/$network --model $m/splice/$network --tokens $m/joined-test/tokens --resamples 20
  run train inplace/$network --tokens $m/tokens --model $m/splice/$network --teacher $m/train --epochs 1 --batch-tokens 200
done
run distill distill/slots-k4d4.decay --capture $m/capture/all --spec slots-k4d4.encoder --epochs 2 --weight-decay 0.1
run score score/mix-k4r8.inplace --model $m/inplace/mix-k4r8 --tokens $m/tokens --resamples 20 --precision int8
run splice splice/greedy --model $m/train --greedy --tokens $m/tokens ${offered[mix-k4r8]} ${offered[slots-k4d4]} --bound 100

sql() { sqlite3 "${@:2}" "$1"; }
machine=$(sql "select blas from runs limit 1" runs/registry.sqlite)
failures=0 compared=0 skipped=0
for folder in "${folders[@]}"; do
  manifest=$m/$folder/manifest.json
  stage=$(sql "select json_extract(readfile('$manifest'), '$.stage')" :memory:)
  revision=$(sql "select version from runs where stage = '$stage'" runs/registry.sqlite)
  revision=${revision##*.}
  read_in=$(sql "select key, value from json_each(readfile('$manifest'), '$.inputs') order by key" :memory: | sha256sum | cut -c1-16)
  made=$(sql "select key, json_extract(value, '$.sha256') from json_each(readfile('$manifest'), '$.files') order by key" :memory: |
    sha256sum | cut -c1-16)
  [ "$stage" = tokenize ] && kernels=any || kernels=$machine
  line="$folder $stage $revision $kernels $read_in"
  known=$(grep "^$line " "$golden" 2> /dev/null | cut -d ' ' -f 6) || known=
  if [ "$known" = "$made" ]; then
    compared=$((compared + 1))
    echo "ok: $folder, $stage's revision $revision"
  elif [ -n "$known" ]; then
    failures=$((failures + 1))
    echo "FAILED: $folder: $stage makes other bytes than it did at revision $revision: raise it in Sources/Stages/Version.swift," \
      "then Tests/revisions.test.sh --update"
  elif [ -n "$update" ]; then
    sed -i "\\#^$folder $stage [0-9]* $kernels #d" "$golden"
    echo "$line $made" >> "$golden"
    echo "added: $line $made"
  elif [ "$stage" != tokenize ] && ! grep -qF " $machine " "$golden"; then
    skipped=$((skipped + 1))
    echo "skipped: $folder: $stage: nothing is known of what $machine makes; Tests/revisions.test.sh --update adds it"
  else
    failures=$((failures + 1))
    echo "FAILED: $folder: $stage: nothing is known of revision $revision on these inputs: Tests/revisions.test.sh --update adds it"
  fi
done
[ $failures = 0 ] || exit 1
echo "revisions: $compared compared, $skipped skipped"
