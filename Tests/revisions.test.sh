#!/usr/bin/env bash
# Whether each stage still makes the bytes that it made at its revision: a tiny run, compared with revisions.txt beside this file.
# Bytes that changed need a new number in Sources/Stages/Version.swift, or old results would count as what the program makes.
#
#   Tests/revisions.test.sh [--update] [folder of the programs, by default .build/release]
#
# Lines of revisions.txt: stage, revision, machine, SHA-256 of what was read, SHA-256 of what was made. What floats come to depends on
# the kernels that the machine runs, so that a machine has lines of its own; --update adds what is missing and changes nothing.
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
run() { "$bin/$1" "${@:2}" --threads 1 --quiet > /dev/null 2> err || { cat err >&2; exit 1; }; }
run tokenize --corpus mine --train-source a.en --train-target a.de --vocabulary-size 90 --hold-out-valid 8 --hold-out-test 8 --output $m/tokens
run train --tokens $m/tokens --width 16 --heads 2 --hidden 32 --encoder-layers 1 --decoder-layers 1 --epochs 3 --batch-tokens 200 \
  --warmup 2 --output $m/train
run capture --model $m/train --tokens $m/tokens --attentions encoder --output $m/capture/e
run distill --capture $m/capture/e --spec alr-h8.encoder --batch 16 --epochs 2 --output $m/distill/alr-h8.encoder
run splice --model $m/train --replacement $m/distill/alr-h8.encoder --output $m/splice/alr-h8.encoder
run score --model $m/splice/alr-h8.encoder --tokens $m/tokens --resamples 20 --beam 2 --precision mixed --output $m/score/alr-h8.encoder

sql() { sqlite3 "${@:2}" "$1"; }
level=$(grep -m1 ^flags /proc/cpuinfo | grep -oE 'avx512_vnni|avx512f|avx2' | sort | tail -1)
machine=$(sql "select replace(blas, ' ', '-') from runs limit 1" runs/registry.sqlite).${level:-plain}
failures=0
for folder in tokens train capture/e distill/alr-h8.encoder splice/alr-h8.encoder score/alr-h8.encoder; do
  manifest=$m/$folder/manifest.json
  stage=$(sql "select json_extract(readfile('$manifest'), '$.stage')" :memory:)
  revision=$(sql "select version from runs where stage = '$stage'" runs/registry.sqlite)
  revision=${revision##*.}
  read_in=$(sql "select key, value from json_each(readfile('$manifest'), '$.inputs') order by key" :memory: | sha256sum | cut -c1-16)
  made=$(sql "select key, json_extract(value, '$.sha256') from json_each(readfile('$manifest'), '$.files') order by key" :memory: |
    sha256sum | cut -c1-16)
  [ "$stage" = tokenize ] && kernels=any || kernels=$machine
  line="$stage $revision $kernels $read_in"
  known=$(grep -F "$line " "$golden" 2> /dev/null | cut -d ' ' -f 5) || known=
  if [ "$known" = "$made" ]; then
    echo "ok: $stage, revision $revision"
  elif [ -n "$known" ]; then
    failures=$((failures + 1))
    echo "FAILED: $stage makes other bytes than it did at revision $revision: raise it in Sources/Stages/Version.swift," \
      "then Tests/revisions.test.sh --update"
  elif [ -n "$update" ]; then
    echo "$line $made" >> "$golden"
    echo "added: $line $made"
  elif [ "$stage" != tokenize ] && ! grep -qF " $machine " "$golden"; then
    echo "skipped: $stage: nothing is known of what $machine makes; Tests/revisions.test.sh --update adds it"
  else
    failures=$((failures + 1))
    echo "FAILED: $stage: nothing is known of revision $revision on these inputs: Tests/revisions.test.sh --update adds it"
  fi
done
[ $failures = 0 ] || exit 1
