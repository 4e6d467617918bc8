#!/usr/bin/env bash
# The programs as their user meets them: what they say of themselves, a run from text to table by hand, wrong inputs, kills.
#
#   Tests/programs.test.sh [folder of the programs, by default .build/release]
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8
bin=$(realpath "${1:-.build/release}")
[ -x "$bin/train" ] || { echo "programs.test.sh: $bin: expected the programs, found none; 'make -f pipeline.mk build' makes them" >&2; exit 66; }
work=$(mktemp -d)
child=
finish() { [ -z "$child" ] || kill -9 "$child" 2> /dev/null || true; rm -rf "$work"; }
trap finish EXIT
checks=0 failures=0
source=$PWD
stages=(tokenize train capture distill splice score bench report)

# name, condition
check() {
  checks=$((checks + 1))
  if eval "$2"; then echo "ok: $1"; else
    failures=$((failures + 1))
    echo "FAILED: $1"
    { echo "$ ${command:-}"; echo "exit code ${code:-}"; head -c 1000 "$work/out"; head -c 3000 "$work/err"; } | sed 's/^/  | /'
  fi
}
# The words of a command in `words`, without the options that are given again further on: a case is another one, changed.
latest() {
  words=()
  while [ $# -gt 0 ]; do
    case $1 in
      --output | --model | --tokens | --base | --split | --vocabulary-size | --hold-out-valid | --hold-out-test)
        if [[ " ${*:2} " == *" $1 "* ]]; then shift 2; continue; fi ;;
    esac
    words+=("$1")
    shift
  done
}
# Runs a program; its exit code is in `code`, what it wrote in `out` and `err`.
export COLUMNS=80
run() { latest "$@"; set -- "${words[@]}"; command="$*"; code=0; timeout 120 "$bin/$1" "${@:2}" > "$work/out" 2> "$work/err" || code=$?; }
in_all() { local word; for word in $1; do grep -qxe "$word" <<< "$2" || { echo "no $word" >> "$work/err"; return 1; }; done; }

# ---- What they say of themselves ----------------------------------------------------------------------------------------

join_lines() { sed -e ':a' -e '/\\$/N; s/\\\n//; ta' "$@"; }
# Every command that the pipeline would give, for each corpus and each goal.
would() {
  env -u MAKEFLAGS -u MAKELEVEL make --no-print-directory -n -f pipeline.mk BIN="$bin" MPI_BIN="$bin" PAIR=en-fr RUN=none SEEDS=1 "$@" \
    >> "$work/commands" 2>> "$work/unasked" || echo "make $*" >> "$work/unasked"
}
: > "$work/unasked"; : > "$work/out"; : > "$work/err"
for corpus in phrasebook multi30k tatoeba iwslt2017; do would CORPUS=$corpus all bench; done
for goal in paper pareto attentionless greedy stepwise lengths search "all PROCESSES=2"; do would START= TEXTS=2 $goal; done
check "make says of every goal what it would do" '[ ! -s "$work/unasked" ] || ! cp "$work/unasked" "$work/err"'
# The options that README.md and pipeline.mk use with program $1.
used() {
  {
    join_lines "$work/commands" | grep -E "^ *[^ ]*/$1 --" || true
    join_lines README.md | grep -E "^    .*release/$1 " || true
    grep -oE "\`$1 [^\`]*\`" README.md || true
    grep -ohE "${1^^}_FLAGS[A-Za-z0-9_.-]*=\"[^\"]*\"" README.md pipeline.mk || true
  } | grep -oE -- '--[a-z][a-z0-9-]*' | sort -u
}
for stage in "${stages[@]}"; do
  run "$stage" --help
  cp "$work/out" "$work/help"
  check "$stage --help: as it is written down, at 80 columns" 'diff "$source/Tests/help/$stage.txt" "$work/help" >> "$work/err" && ! grep -v "^USAGE" "$work/help" | grep -qE "^.{81}"'
  defined=$(grep -oE '^  (-[a-z], )?--[a-z0-9-]+' "$work/help" | grep -oE -- '--.*')
  check "$stage --help" '[ $code = 0 ] && [ ! -s "$work/err" ]'
  check "$stage: what README.md and pipeline.mk use is there" '[ "$(used $stage | wc -l)" -ge 2 ] && in_all "$(used $stage)" "$defined"'
  check "$stage: examples, with options that are there" \
    '[ "$(grep -cE "^ .*$stage --" "$work/help")" -ge 2 ] &&
     in_all "$(sed "/^USAGE/,\$d" "$work/help" | grep -oE -- "--[a-z][a-z0-9-]+" | sort -u)" "$defined"'
  run "$stage" --version; check "$stage --version" '[ $code = 0 ] && grep -qE "^[0-9]+\.[0-9]+" "$work/out"'
  run "$stage" --nonsense; check "$stage: an unknown option is wrong usage" '[ $code = 64 ] && grep -q "^Usage: $stage" "$work/err" && [ ! -s "$work/out" ]'
done

# Choices of pipeline.mk are those of the programs.
choices() { sed -nE "s/^(\\$\\(call require_known,$1,|$1 := )([a-z0-9 ]*)\\)?\$/\\2/p" "$source/pipeline.mk" | tr ' ' '\n' | sort | xargs; }
values() { sed -nE "/^  --$2 /,/^  -[-a-z]|^\$/p" "$source/Tests/help/$1.txt" | tr '\n' ' ' | tr -s ' ' | grep -oE 'values: [^;)]*' | head -n 1 | sed 's/values: //' | tr -d , | tr ' ' '\n' | grep -vx inplace | sort | xargs; }
check "PRESET is train's" '[ -n "$(choices PRESET)" ] && [ "$(choices PRESET)" = "$(values train preset)" ]'
check "PRECISIONS are score's" '[ -n "$(choices PRECISIONS)" ] && [ "$(choices PRECISIONS)" = "$(values score precision)" ]'
check "attentions are capture's" '[ -n "$(choices KNOWN_ATTENTIONS)" ] && [ "$(choices KNOWN_ATTENTIONS)" = "$(values capture attentions)" ]'

# ---- From text to table, by hand ----------------------------------------------------------------------------------------

ln -s "$PWD/data" "$work/data"
cd "$work"
run tokenize --pair en-de --vocabulary-size 300 --hold-out-valid 400 --hold-out-test 1 --output runs/phrases/tokens --quiet
check "tokenize: the phrasebook" '[ $code = 0 ] && grep -q "^valid" out'
cp runs/phrases/tokens/valid.source.txt a.en
cp runs/phrases/tokens/valid.target.txt a.de
m=runs/mine
text=(--corpus mine --pair en-de --train-source a.en --train-target a.de --vocabulary-size 300 --hold-out-valid 40 --hold-out-test 40)
shape=(--preset small --width 32 --heads 4 --hidden 64 --encoder-layers 2 --decoder-layers 2 --batch-tokens 500 --threads 1)
run tokenize "${text[@]}" --output $m/tokens; check "tokenize: text of one's own" '[ $code = 0 ] && [ -f $m/tokens/manifest.json ]'
run tokenize "${text[@]}" --output $m/tokens --json
check "and its numbers, asked for when it is complete" \
  '[ $code = 0 ] && grep -q "\"sourceVocabularySize\"" out && grep -q "is complete" err'
# The same text in the other forms in which corpora come.
paste a.de a.en > t.tsv
run tokenize --corpus mine --tsv t.tsv --source-column 2 --target-column 1 "${text[@]:8}" --quiet --output runs/tsv/tokens
check "tokenize: a table, its columns as they are numbered" '[ $code = 0 ] && cmp -s runs/tsv/tokens/train.safetensors $m/tokens/train.safetensors &&
  cmp -s runs/tsv/tokens/test.source.txt $m/tokens/test.source.txt && cmp -s runs/tsv/tokens/valid.target.txt $m/tokens/valid.target.txt'
head -n 30 a.en > v.en; head -n 30 a.de > v.de; tail -n 20 a.en > e.en; tail -n 20 a.de > e.de
run tokenize "${text[@]:0:10}" --valid-source v.en --valid-target v.de --test-source e.en --test-target e.de --quiet --output runs/given/tokens
check "tokenize: validation and test as they are given" '[ $code = 0 ] && cmp -s v.en runs/given/tokens/valid.source.txt && cmp -s v.de runs/given/tokens/valid.target.txt &&
  cmp -s e.en runs/given/tokens/test.source.txt && cmp -s e.de runs/given/tokens/test.target.txt'
mkdir -p talks
for side in en de; do
  cp a.$side talks/train.tags.en-de.$side
  for set in dev2012 dev2010 tst2014 tst2015; do
    { echo '<mteval><doc docid="7">'; awk -v set=$set '{ print "<seg id=\"" NR "\">" set, $0 "</seg>" }' v.$side; echo '</doc></mteval>'; } > talks/IWSLT17.TED.$set.en-de.$side.xml
  done
done
run tokenize --corpus talks --iwslt talks --valid-set dev2012 --test-set tst2014 --vocabulary-size 300 --quiet --output runs/talks/tokens
check "tokenize: talks, and the sets that are asked for" '[ $code = 0 ] && diff -q <(sed "s/^/dev2012 /" v.en) runs/talks/tokens/valid.source.txt &&
  diff -q <(sed "s/^/tst2014 /" v.de) runs/talks/tokens/test.target.txt'
run tokenize "${text[@]}" --threads 3 --quiet --output runs/threads/tokens
check "tokenize: on any number of threads the same" '[ $code = 0 ] && cmp -s runs/threads/tokens/manifest.json $m/tokens/manifest.json'
run train --tokens $m/tokens "${shape[@]}" --max-steps 30 --output $m/train
check "train" '[ $code = 0 ] && grep -q "^train: 30 steps" err'
run capture --model $m/train --tokens $m/tokens --attentions encoder decoder --layers 0 --output $m/capture/both
check "capture" '[ $code = 0 ] && [ -f $m/capture/both/manifest.json ]'
for attention in encoder decoder; do
  run distill --capture $m/capture/both --spec alr-h16.$attention --max-steps 10 --output $m/distill/alr-h16.$attention
  check "distill alr-h16.$attention" '[ $code = 0 ] && grep -q "^alr-h16.$attention.0 " out'
done
both=alr-h16.encoder+alr-h16.decoder
run train --tokens $m/tokens "${shape[@]}" --epochs 4 --bleu-every 2 --average 2 --quiet --output runs/bleu/train
check "train --bleu-every 2: of every second epoch alone" \
  '[ $code = 0 ] && [ "$(sqlite3 runs/registry.sqlite "select group_concat(epoch) from (select row_number() over (order by step) as epoch, step from metrics join runs on run = id where name = '\''bleu'\'' and key = '\''valid.loss'\'') where step in (select step from metrics join runs on run = id where name = '\''bleu'\'' and key = '\''valid.bleu'\'')")" = 2,4 ]'
sqlite3 runs/registry.sqlite "PRAGMA foreign_keys = ON; DELETE FROM runs WHERE name = 'bleu'"
specs=$(PYTHONPATH=$source/Sources/search:$source/Tests/search python3 -B -c '
from search_test import Chosen
from space import ATTENTIONS, FAMILIES, Place, suggest
for attention in ATTENTIONS:
    for family in FAMILIES:
        for largest in (False, True):
            place = Place(attention, 0, width=128, heads=8)
            print(suggest(Chosen(largest=largest, family=family), place, FAMILIES).spec)' 2> err)
run distill --check $specs
check "what a search proposes distill can read" '[ $code = 0 ] && [ "$(wc -w <<< "$specs")" -ge 18 ]'
splice=(splice --model $m/train --replacement $m/distill/alr-h16.encoder --replacement $m/distill/alr-h16.decoder --output $m/splice/$both)
run "${splice[@]}"; check "splice" '[ $code = 0 ] && grep -q "^2 attentions replaced" out'
run score --model $m/train --tokens $m/tokens --output $m/score/teacher; check "score: the teacher" '[ $code = 0 ] && grep -q "BLEU|" out'
run score --model $m/train --tokens $m/tokens --output $m/score/teacher --json
check "and its scores, asked for when it is complete" \
  '[ $code = 0 ] && diff $m/score/teacher/scores.json out >> err && grep -q "is complete" err'
run score --model $m/splice/$both --tokens $m/tokens --base $m/score/teacher --output $m/score/$both
check "score: the spliced model" '[ $code = 0 ] && [ "$(wc -l < $m/score/$both/hypotheses.txt)" = 40 ]'
check "with the difference to its base, as the table has it" \
  'grep -qE "^BLEU.* $(sqlite3 runs/registry.sqlite "select printf('\''%+.2f'\'', difference) from leaderboard where model = '\''mine/$both'\''" | sed "s/[+.]/\\\\&/g") against $m/score/teacher, p = [01]\.[0-9]{4} \(paired bootstrap\)$" out'
check "what stands in it is recorded, whatever its folder is called" '[ "$(sqlite3 runs/registry.sqlite "
  select spec, max(value) filter (where key = '\''networks'\''), max(value) filter (where key = '\''in_place'\'')
  from runs join params on run = id where stage = '\''score'\'' group by id order by id")" = "teacher||0
$both|alr-h16.encoder.0+alr-h16.decoder.0|0" ]'
table=$(sqlite3 runs/registry.sqlite "select model, replaced, p is null from leaderboard")
check "the table has both" 'grep -qxF "mine/teacher|0|1" <<< "$table" && grep -qxF "mine/$both|2|0" <<< "$table"'
check "every run is finished" '[ "$(sqlite3 runs/registry.sqlite "select count(*), sum(status = '\''finished'\'' and exit_code = 0) from runs")" = "13|13" ]'
run score --model $m/train --tokens $m/tokens --maps 2 --output $m/score/teacher.maps
check "score: maps of two sentences, by their hashes in the manifest" \
  '[ $code = 0 ] && grep -q "\"maps.safetensors\"" $m/score/teacher.maps/manifest.json && [ "$(grep -c "\"line\"" $m/score/teacher.maps/maps.json)" = 2 ]'
run score --model $m/splice/$both --tokens $m/tokens --maps 2 --output $m/score/$both.maps
check "score: of the same sentences for every model" '[ $code = 0 ] && cmp $m/score/teacher.maps/maps.json $m/score/$both.maps/maps.json'
check "score: the same translations with maps and without" 'cmp $m/score/$both/hypotheses.txt $m/score/$both.maps/hypotheses.txt'
run score --model $m/splice/$both --tokens $m/tokens --precision int8 --output $m/score/$both.int8
check "score: with products of bytes, about the same translations" \
  '[ $code = 0 ] && [ "$(diff $m/score/$both/hypotheses.txt $m/score/$both.int8/hypotheses.txt | grep -c "^<")" -le 10 ]'
run score --model $m/splice/$both --tokens $m/tokens --precision mixed --output $m/score/$both.mixed
check "score: with networks of bytes, about the same translations" \
  '[ $code = 0 ] && [ "$(diff $m/score/$both/hypotheses.txt $m/score/$both.mixed/hypotheses.txt | grep -c "^<")" -le 10 ]'
run score --model $m/train --tokens $m/tokens --precision mixed --output $m/score/teacher.mixed
check "score: mixed is float32 where there are no networks" '[ $code = 0 ] && cmp $m/score/teacher/hypotheses.txt $m/score/teacher.mixed/hypotheses.txt'
check "score: with products of bytes, a row of its own" '[ $code = 0 ] && [ "$(sqlite3 runs/registry.sqlite "select count(*) from leaderboard where search = '\''greedy.int8'\''")" = 1 ]'

run score --model $m/train --tokens $m/tokens --base $m/score/teacher --quiet --output $m/score/teacher.again
check "score: translations that are the same are no difference" \
  '[ $code = 0 ] && ! grep -q "translated with search" err && [ "$(sqlite3 runs/registry.sqlite "select difference, p from leaderboard where model like '\''%teacher.again'\''")" = "0.0|1.0" ]'
run score --model $m/train --tokens $m/tokens --base $m/score/teacher --forced-length 3 --quiet --output $m/score/teacher.three
check "score: another search is another row, and compared aloud" \
  '[ $code = 0 ] && grep -q "warning: .*teacher was translated with search greedy, this with greedy.length-3" err && [ "$(sqlite3 runs/registry.sqlite "select search from leaderboard where model like '\''%teacher.three'\''")" = greedy.length-3 ]'

run bench --tokens $m/tokens --parts training distillation text --specs alr-h16.encoder --seconds 0.02 --threads 1 --json --output $m/bench
check "bench: as JSON, with a figure of each part" '[ $code = 0 ] && [ "$(grep -cE "\"name\" : \"(sgemm|teacher|alr-h16.encoder|BLEU)\"" out)" = 4 ]'
run bench --tokens $m/tokens --parts kernels --seconds 0.001 --threads 1 --output $m/bench.kernels
check "bench: every kernel" '[ $code = 0 ] && [ "$(cut -d " " -f 1 out | grep -cx kernels)" -gt 40 ]'
check "bench: in the registry, every figure above 0" \
  '[ "$(sqlite3 runs/registry.sqlite "select count(*) >= 12 and min(value) > 0 from metrics where key like '\''bench.%'\'' and key not like '\''%.embedding.%'\''")" = 1 ]'

# One layer after another: what is left learns from what it is given after the first networks, and joins them.
next=alr-h16.decoder.1
run capture --model $m/splice/$both --tokens $m/tokens --attentions decoder --output $m/capture/next
check "capture from the spliced model: the layer that is still there" '[ $code = 0 ] && [ "$(ls $m/capture/next/train.heads.*)" = $m/capture/next/train.heads.decoder.1.safetensors ]'
run distill --capture $m/capture/next --spec $next --max-steps 10 --output $m/distill/$next
check "distill $next from it" '[ $code = 0 ] && grep -q "^$next " out'
run splice --model $m/splice/$both --replacement $m/distill/$next --output $m/splice/three
check "splice onto the spliced model" '[ $code = 0 ] && grep -q "^3 attentions replaced" out'
run "${splice[@]}" --replacement $m/distill/$next --output $m/splice/once
check "it is what all three make at once" '[ $code = 0 ] && cmp $m/splice/once/model.safetensors $m/splice/three/model.safetensors'
run score --model $m/splice/three --tokens $m/tokens --output $m/score/three
check "score: the model spliced twice" '[ $code = 0 ] && [ "$(wc -l < $m/score/three/hypotheses.txt)" = 40 ]'

for i in {1..30}; do echo "a b c d" | cut -d ' ' -f "$((i % 4 + 1)),$((i / 4 % 4 + 1))"; done | tee few.en | tr abcd wxyz > few.de
run tokenize --corpus few --train-source few.en --train-target few.de --vocabulary word --separate --minimum-frequency 1 --hold-out-valid 4 --hold-out-test 4 \
  --output runs/few/tokens
run train --tokens runs/few/tokens "${shape[@]}" --max-steps 2 --output runs/few/train
run train --tokens runs/few/tokens --model runs/few/train --teacher runs/few/train --trainable all --likeliest 64 --max-steps 2 \
  --output runs/few/inplace/all
check "in place: more likeliest tokens than the vocabulary has are all of them" \
  '[ $code = 0 ] && [ "$(sqlite3 runs/registry.sqlite "select value from params where key = '\''values.teacher.teaching.likeliest'\'' order by run desc limit 1")" -lt 12 ]'
# A teacher that ends its sentences, but does not know them all: its translations are other targets than the references.
for steps in 10 20 40 80 160; do
  run train --tokens runs/few/tokens "${shape[@]}" --warmup 5 --peak 1e-2 --max-steps $steps --output runs/half-$steps/train
  for beam in 0 2; do
    run train --tokens runs/few/tokens --model runs/few/train --teacher runs/half-$steps/train --trainable all --teacher-beam $beam --max-steps 2 \
      --output runs/taught-$steps-$beam/train
    cp err err.$beam; [ $code = 0 ] || break 2
  done
  cmp -s runs/taught-$steps-{0,2}/train/model.safetensors || break
done
check "in place, on the teacher's translations" '[ $code = 0 ] && grep -q "^train translations: [0-9]* sentences in" err && ! grep -q translations err.0 &&
  ! cmp -s runs/taught-$steps-{0,2}/train/model.safetensors &&
  sqlite3 runs/registry.sqlite "select value from params where key = '\''values.teacher.teaching.translationBeam'\''" | grep -qx 2'
for peak in 1e-12 1e-2; do
  run train --tokens runs/few/tokens --model runs/few/train --seed 2 --peak $peak --warmup 0 --max-steps 2 --output runs/further-$peak/train
done
loss='select min(value) from metrics join runs on run = runs.id where key = '\''valid.nll'\'' and name = '
check "train --model: from the weights that are there, whatever the seed" '[ $code = 0 ] && sqlite3 runs/registry.sqlite "select abs(($loss '\''few'\'' and spec is null) - ($loss '\''further-1e-12'\'')) < 1e-4, abs(($loss '\''few'\'' and spec is null) - ($loss '\''further-1e-2'\'')) > 1e-3" | grep -qx "1|1"'
check "a teacher trained further is a teacher" '[ "$(sqlite3 runs/registry.sqlite "select count(*) from runs where name like '\''further-%'\'' and spec is null")" = 2 ]'
greedy=(splice --model $m/train --greedy --tokens $m/tokens --replacement $m/distill/alr-h16.encoder --replacement $m/distill/alr-h16.decoder)
run "${greedy[@]}" --bound 100 --output $m/splice/greedy
check "splice --greedy: all, where the bound is wide" '[ $code = 0 ] && [ "$(grep -c " yes$" out)" = 2 ] && grep -q "^2 attentions replaced" out'
check "and records what each costs" '[ "$(sqlite3 runs/registry.sqlite "select count(*) from metrics where key like '\''together.alr-h16.%'\''")" = 2 ] && [ -s $m/splice/greedy/choice.json ]'
run score --model $m/splice/greedy --tokens $m/tokens --output $m/score/greedy
check "score: the greedy model" '[ $code = 0 ] && cmp $m/score/greedy/hypotheses.txt $m/score/$both/hypotheses.txt'

run "${splice[@]}"; check "the same command again has nothing to do" '[ $code = 0 ] && grep -q "is complete" err && [ ! -s out ]'
printf 'the red car stops .\n\nthe car .\n' | "$bin/score" --model $m/train > out 2> err && code=0 || code=$?
check "score: a line from standard input is a line of standard output" '[ $code = 0 ] && [ "$(wc -l < out)" = 3 ]'
for i in {1..4100}; do echo 'the red car'; done | sed '$s/.*/the car stops . the car stops . the car stops . the car stops . the car stops . the car stops . the car stops . the car stops . the car stops . the car stops . the car stops . the car stops . the car stops ./' |
  "$bin/score" --model $m/splice/$both > out 2> err && code=0 || code=$?
check "score: a warning names its line, of thousands" '[ $code = 0 ] && grep -q "line 4100: the source has" err'
for i in {1..30}; do head -n 1 a.en >> same.en; head -n 1 a.de >> same.de; done
run tokenize --corpus same --train-source <(cat a.en same.en) --train-target <(cat a.de same.de) --vocabulary-size 300 \
  --hold-out-valid 25 --hold-out-test 0 --output runs/same/tokens
check "tokenize: pairs that share sentences stay together" \
  '[ $code = 0 ] && ! grep -q warning err && held=runs/same/tokens/valid.source.txt && [ -s $held ] && ! grep -qxFf same.en $held'
cat same.en same.en > most.en; cat same.de same.de > most.de; sed -n 1,70p a.en >> most.en; sed -n 1,70p a.de >> most.de
run tokenize --corpus most --train-source most.en --train-target most.de --vocabulary-size 200 \
  --hold-out-valid 0 --hold-out-test 90 --output runs/most/tokens
check "tokenize: fewer are held out than were asked for, and it says so" \
  '[ $code = 0 ] && grep -q "warning: held out $(wc -l < runs/most/tokens/test.source.txt) of 90 pairs for test" err'
run score --hypotheses a.de --references a.de; check "score: two texts" '[ $code = 0 ] && grep -qE "BLEU.* = 100\.0 " out'
run score --hypotheses a.de --references a.de --json; check "score: as JSON" '[ $code = 0 ] && grep -qE "\"score\": 100\.0" out'
# Every option that sacreBLEU has too, against what it printed of the same texts.
golden=$source/Tests/ScoringTests/Golden
cp "$golden"/plain.* .
texts=(score --hypotheses plain.c --references plain.references plain.references.2 plain.references.3)
flags=(--lowercase --tokenize intl --chrf-lowercase --chrf-char-order 4 --chrf-word-order 2 --chrf-beta 3)
run "${texts[@]}" "${flags[@]}" --json; check "score: all options of sacreBLEU, as JSON" '[ $code = 0 ] && diff "$golden/flags.json" out >> err'
run "${texts[@]}" "${flags[@]}" --bootstrap 100
check "score: all options of sacreBLEU, with confidence intervals" '[ $code = 0 ] && diff "$golden/flags.txt" out >> err'
run "${texts[@]}" "${flags[@]}" --baseline plain.a --paired-ar --paired-ar-n 100 --json
check "score: all options of sacreBLEU, against a baseline" '[ $code = 0 ] && diff "$golden/flags.paired.json" out >> err'
run "${texts[@]}" --baseline plain.a --paired-bs-n 50
check "score: a paired test has its signature" \
  '[ $code = 0 ] && grep -qE "^BLEU\|nrefs:3\|bs:50\|seed:12345\|case:mixed\|.* [+-][0-9.]+ against plain.a, p = [0-9.]+ \(paired bootstrap\)$" out'

# ---- Wrong inputs -------------------------------------------------------------------------------------------------------

# Everything that was made, by content.
contents() { find runs -type f ! -name .lock ! -name 'registry.sqlite*' -exec sha256sum {} + | sort -k 2; }
# name, exit code, pattern of the message, program and arguments. The message is one line, a second one may be a hint, and no file changes.
refuse() {
  whole=$(contents)
  run "${@:4}"
  wanted=$2 pattern=$3 program=$4
  check "$1" '[ $code = $wanted ] && grep -qE -- "^($program|Error): .*$pattern" err && [ ! -s out ] && is_short && [ "$(contents)" = "$whole" ]'
}
is_short() {
  if grep -q "^Usage: " err; then [ "$(wc -l < err)" -le 5 ]; else
    [ "$(sed -n '1p' err | wc -c)" -le 400 ] && ! sed 1d err | grep -qv "^hint: " && [ "$(wc -l < err)" -le 2 ]
  fi
}
# How the last run of name $1 ended.
status() { sqlite3 runs/registry.sqlite "select status, exit_code from runs where name = '$1' order by id desc limit 1"; }
hinted() { grep -q "^hint: " err; }
# A copy of a folder, to be damaged.
damaged() { rm -rf bad; cp -r "$m/$1" bad; }

train=(train "${shape[@]}" --max-steps 5 --output $m/train)
refuse "a missing folder" 66 "runs/none/manifest.json: expected a folder finished by tokenize, found no folder" "${train[@]}" --tokens runs/none
check "and what makes it" hinted
refuse "a teacher of nothing" 64 "give --model too" "${train[@]}" --tokens $m/tokens --teacher $m/train
refuse "a temperature of a comparison that has no weight" 64 "--alpha 0 leaves out the comparison" \
  train --tokens $m/tokens --model $m/train --teacher $m/train --alpha 0 --temperature 2 --output runs/none
refuse "a preset for training in place without a teacher" 64 "preset inplace and --teacher go together" \
  train --tokens $m/tokens --model $m/train --preset inplace --output runs/none
refuse "contexts to match without a teacher" 64 "--matching is for training in place" "${train[@]}" --tokens $m/tokens --matching 1
run tokenize "${text[@]}" --separate --output $m/separate --quiet
refuse "one embedding for two vocabularies" 64 "--tying all needs a joint vocabulary" "${train[@]}" --tokens $m/separate --tying all
refuse "a folder of another stage" 65 "expected a folder made by tokenize, found one made by train" "${train[@]}" --tokens $m/train
refuse "tokens where a model should be" 65 "expected a folder made by train or splice, found one made by tokenize" \
  capture --model $m/tokens --tokens $m/tokens --attentions encoder --output $m/capture/both
refuse "attentions that were replaced" 65 "splice/.*: expected attentions that are still there, found encoder.0 decoder.0 replaced by networks" \
  capture --model $m/splice/$both --tokens $m/tokens --attentions encoder decoder cross --layers 0 1 --output $m/capture/both
check "and the layers that are left" 'hinted && grep -q -- "--layers 1: there" err'
damaged tokens; sed -i 's/"maxTokens" : 50/"maxTokens" : 60/' bad/manifest.json
refuse "sentences longer than the model's" 65 "bad: expected .*at most 50 tokens, found .*at most 60 tokens" \
  capture --model $m/train --tokens bad --attentions encoder --output $m/capture/both
refuse "a layer that the model lacks" 64 "layer 7.: the model has layers 0 to 1" \
  capture --model $m/train --tokens $m/tokens --attentions encoder --layers 7 --output $m/capture/both
refuse "a family that the attention lacks" 64 "elr.*encoder only" \
  capture --model $m/train --tokens $m/tokens --attentions decoder --families elr --output $m/capture/both
refuse "an attention that no chosen family is for" 64 "decoder.: no family of span layer stands there" \
  capture --model $m/train --tokens $m/tokens --attentions encoder decoder --families elr --output $m/capture/both
distill=(distill --capture $m/capture/both --output $m/distill/alr-h16.encoder)
refuse "a spec that does not parse" 64 "size 'q' is none of" "${distill[@]}" --spec alr-q.encoder
refuse "specs that cannot stand in one model" 64 "'mix-l.cross.3': alr-m.crossfull stands at the same place" distill --check mix-l.cross alr-m.crossfull+mix-l.cross.3
refuse "a spec to look at that does not parse" 64 "size 'q' is none of" distill --check alr-m.encoder alr-q.encoder
refuse "a spec to measure that does not parse" 64 "expected <family>-<size>" bench --tokens $m/tokens --specs nan --output $m/bench
refuse "a spec without attention" 64 "expected <family>-<size>.<attention>" "${distill[@]}" --spec alr-m
refuse "a spec of a layer that was not captured" 64 "alr-h16.encoder.1.: the capture holds heads.encoder.0 heads.decoder.0" "${distill[@]}" --spec alr-h16.encoder.1
refuse "a setting that the family has no use for" 64 "--clip is not for family alr" "${distill[@]}" --spec alr-h16.encoder --clip 1
refuse "no steps at all" 64 "--max-steps" "${distill[@]}" --spec alr-h16.encoder --max-steps 0
refuse "shares that are no power of two" 64 "3 shares: expected a power of two up to 1024" "${train[@]}" --tokens $m/tokens --shares 3
refuse "a journal that there is not" 64 "'wal' is invalid for '--registry-journal" "${train[@]}" --tokens $m/tokens --registry-journal wal
refuse "maps of two texts" 64 "--maps has no effect: two texts are compared" score --hypotheses a.de --references a.de --maps 2
refuse "maps of lines that are translated" 64 "--maps has no effect: standard input is translated" score --model $m/train --maps 2
refuse "two replacements at one place" 64 "stands at the same place" "${splice[@]}" --replacement $m/distill/alr-h16.encoder
refuse "--greedy without a validation set" 64 "needs --tokens" splice --model $m/train --greedy --replacement $m/distill/alr-h16.encoder --output $m/splice/x
refuse "the same network offered twice" 64 "given more than once" "${greedy[@]}" --replacement $m/distill/alr-h16.decoder --output $m/splice/x
refuse "a bound that nothing reads" 64 "bound has no effect" "${splice[@]}" --bound 1
refuse "layers that no replacement has" 64 "layer 1" "${splice[@]}" --layers 1
refuse "a replacement without any of the layers" 64 "$next.: it has none of the --layers" \
  splice --model $m/train --replacement $m/distill/alr-h16.encoder --replacement $m/distill/$next --layers 0 --output $m/splice/x
score=(score --model $m/train --tokens $m/tokens --output $m/score/teacher)
refuse "a base of other sentences" 65 "expected 39 translations of the same sentences, found 40" "${score[@]}" --split valid --base $m/score/$both
check "and what mends it" hinted
refuse "a base that is no score" 65 "expected a folder made by score, found one made by train" "${score[@]}" --base $m/train
run tokenize "${text[@]}" --vocabulary-size 200 --output $m/other --quiet
refuse "ids of another vocabulary" 65 "$m/other: expected 300 source and 300 target pieces, found 200" score --model $m/train --tokens $m/other --output $m/score/teacher
for optimizer in "" "--optimizer adam"; do
  run train --tokens $m/tokens $optimizer --width 16 --heads 2 --hidden 32 --max-steps 1 --output "runs/brief$optimizer/train"
  check "the default, a preset by Muon ${optimizer:-as it is}" '[ $code = 0 ] && [ "$(sqlite3 runs/registry.sqlite "select count(*) from params where key
    like '\''%.muon.%'\'' and run = (select max(id) from runs)")" = '"$([ -z "$optimizer" ] && echo 2 || echo 0)"' ]'
done
for option in "--optimizer muon" "--muon-scale 1" "--muon-momentum 0.9"; do
  name=${option% [0-9]*}
  refuse "a family that updates blocks by themselves, with $option" 64 "$name is not for family alr" \
    distill --capture $m/capture/both --spec alr-h16.encoder $option --output runs/bad/distill/alr-h16.encoder
done
refuse "a setting of an optimizer that is not chosen" 64 "--muon-scale: matrices are updated by Adam; give --optimizer muon" \
  train --tokens $m/tokens --preset small --muon-scale 0.2 --output $m/train
refuse "ids of another vocabulary, to capture" 65 "$m/other: expected 300 source" capture --model $m/train --tokens $m/other --attentions encoder --output $m/capture/both
refuse "a split without text" 64 "train" "${score[@]}" --split train
refuse "texts of different length" 65 "a.de: expected 40 lines as in .*, found 39[0-9]" score --hypotheses a.de --references $m/tokens/test.target.txt
refuse "references of different length" 65 "$m/tokens/test.target.txt: expected 39[0-9] lines as in a.de, found 40" \
  score --hypotheses a.de --references a.de $m/tokens/test.target.txt

damaged train; truncate -s -100 bad/model.safetensors
refuse "truncated weights" 65 "bad/model.safetensors: expected [0-9]+ bytes, found" "${score[@]}" --model bad
check "and what makes them again" hinted
damaged train; head -c 60 /dev/zero | dd of=bad/model.safetensors conv=notrunc status=none
refuse "a damaged header" 65 "bad/model.safetensors: expected a safetensors header" "${score[@]}" --model bad
damaged train; rm bad/source.model
refuse "a lost file" 66 "bad/source.model: expected [0-9]+ bytes, found no file" "${score[@]}" --model bad
damaged tokens; echo '{' > bad/manifest.json
refuse "a manifest that is no JSON" 65 "bad/manifest.json: expected a manifest, found no JSON" "${train[@]}" --tokens bad
damaged train; sed -i 's/"heads" : 4/"heads" : 0/' bad/manifest.json
refuse "a manifest of an impossible model" 65 "bad/manifest.json: expected the shape of a model, found" "${score[@]}" --model bad
damaged train; sed -i 's/"model" :/"mode" :/' bad/manifest.json
refuse "a manifest that lacks something" 65 "bad/manifest.json: expected the configuration of train, found no 'configuration.model'" "${score[@]}" --model bad
damaged capture/both; truncate -s -100 bad/train.heads.encoder.0.safetensors
refuse "a truncated capture" 65 "bad/train.heads.encoder.0.safetensors: expected" distill --capture bad --spec alr-h32.encoder --output $m/distill/alr-h16.encoder
damaged distill/alr-h16.encoder; head -c 60 /dev/zero | dd of=bad/layer-0.safetensors conv=notrunc status=none
refuse "damaged networks" 65 "bad/layer-0.safetensors: expected a safetensors header" \
  splice --model $m/train --replacement bad --output $m/splice/$both
check "the history has the failure" '[ "$(status mine)" = "failed|65" ]'

# Sizes agree, contents do not.
tr a-z zyxwvutsrqponmlkjihgfedcba < a.en > r.en; tr a-z zyxwvutsrqponmlkjihgfedcba < a.de > r.de
mirrored=(--corpus mine --pair en-de --train-source r.en --train-target r.de --vocabulary-size 300 --hold-out-valid 40 --hold-out-test 40)
"$bin/tokenize" "${mirrored[@]}" --output runs/mirrored/tokens --quiet > out 2> err
refuse "another vocabulary of the same size" 65 "runs/mirrored/tokens: expected the source vocabulary of $m/train, [0-9a-f]{12}, found another" \
  score --model $m/train --tokens runs/mirrored/tokens --output $m/score/teacher
refuse "another vocabulary of the same size, to capture" 65 "expected the source vocabulary" \
  capture --model $m/train --tokens runs/mirrored/tokens --attentions encoder --output $m/capture/both
run train --tokens $m/tokens "${shape[@]}" --max-steps 31 --quiet --output runs/second/train
refuse "networks of another teacher" 65 "expected networks distilled from the teacher of runs/second/train, [0-9a-f]{12}, found those of another" \
  splice --model runs/second/train --replacement $m/distill/alr-h16.encoder --output runs/second/splice/x
run train --tokens runs/mirrored/tokens "${shape[@]}" --max-steps 3 --quiet --output runs/mirrored/train
refuse "a base of other text of as many sentences" 65 "expected translations of the same text" \
  score --model runs/mirrored/train --tokens runs/mirrored/tokens --base $m/score/teacher --output runs/mirrored/score/teacher

# Bytes that changed, in files of their full size.
flip() { printf '\x5a' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
damaged train; flip bad/model.safetensors 9000
refuse "a flipped bit in weights" 65 "bad/model.safetensors: expected SHA-256" "${score[@]}" --model bad
damaged tokens; flip bad/test.safetensors 700
refuse "a flipped bit in a shard" 65 "bad/test.safetensors: expected SHA-256" "${score[@]}" --tokens bad --force
damaged tokens; flip bad/source.model 700
refuse "a flipped bit in a vocabulary" 65 "bad/source.model: expected SHA-256" "${score[@]}" --tokens bad
size=$(stat -c %s $m/capture/both/train.heads.encoder.0.safetensors)
for place in 2000 $((size / 2)) $((size * 3 / 4)) $((size - 1)); do
  damaged capture/both; flip bad/train.heads.encoder.0.safetensors $place
  refuse "a flipped bit in a capture, byte $place" 65 "bad/train.heads.encoder.0.safetensors: expected SHA-256 .* in bytes" \
    distill --capture bad --spec alr-h32.encoder --batch 16 --output runs/flipped/distill/x
done
damaged capture/both; flip bad/valid.heads.encoder.0.safetensors 5000
refuse "a flipped bit in a capture's validation set" 65 "bad/valid.heads.encoder.0.safetensors: expected SHA-256" \
  distill --capture bad --spec alr-h32.encoder --output runs/flipped/distill/x
damaged capture/both; rm bad/blocks.safetensors; sed -i '/"blocks.safetensors"/,/}/d' bad/manifest.json
refuse "a capture of an earlier version" 65 "bad/manifest.json: expected 'blocks.safetensors' among the files, found a capture of an earlier" \
  distill --capture bad --spec alr-h32.encoder --output runs/flipped/distill/x
damaged score/teacher; flip bad/hypotheses.txt 7
refuse "a flipped bit in hypotheses" 65 "bad/hypotheses.txt: expected SHA-256" "${score[@]}" --base bad
run report --run mine --table
row=$(sqlite3 runs/registry.sqlite "select printf('%.2f|%+.2f', BLEU, difference) from leaderboard where model = 'mine/teacher.three'")
check "the table has the registry's figures" \
  '[ $code = 0 ] && [ "$(grep -c "^mine/" out)" -ge 3 ] && awk -v row="$row" "\$1 == \"mine/teacher.three\" { found = \$5 \"|\" \$7 } END { exit found != row }" out'
# A report leaves out what is gone, and says so of what is damaged.
maps=$m/score/$both.maps
for file in maps.json maps.safetensors hypotheses.txt; do
  cp "$maps/$file" kept
  truncate -s -5 "$maps/$file"
  refuse "$file cut short, to the report" 65 "maps/$file: expected [0-9]+ bytes, found" report --run mine
  cp kept "$maps/$file"
  [ "$file" != hypotheses.txt ] || continue # there are others that count
  flip "$maps/$file" 9
  refuse "a flipped bit in $file, to the report" 65 "maps/$file: expected (SHA-256|a safetensors header)" report --run mine
  cp kept "$maps/$file"
done

# Registries that are merged.
merge() { refuse "$1" "$2" "$3" report --registry all.sqlite --merge "${@:4}"; }
registry() { rm -f bad.sqlite* all.sqlite*; sqlite3 runs/registry.sqlite "vacuum into 'bad.sqlite'"; sqlite3 bad.sqlite "pragma foreign_keys = off; ${1:-}"; }
registry
run report --registry all.sqlite --merge bad.sqlite
check "merge: every run" '[ $code = 0 ] && [ "$(sqlite3 all.sqlite "select count(*) from runs")" = "$(sqlite3 bad.sqlite "select count(*) from runs")" ]'
run report --registry all.sqlite --merge bad.sqlite runs/registry.sqlite
check "merge: twice is once, and so are two names of one registry" '[ $code = 0 ] && [ "$(grep -c ": 0 new runs$" out)" = 2 ]'
merge "merge: no such registry" 66 "none.sqlite: expected a registry of runs, found no file" bad.sqlite none.sqlite
merge "merge: a folder" 66 "runs: expected a registry of runs, found a folder" runs
: > nothing.sqlite
merge "merge: an empty file" 66 "nothing.sqlite: expected a registry of runs, found an empty file" nothing.sqlite
check "which stays empty" '[ ! -s nothing.sqlite ]'
merge "merge: text" 65 "a.en: the registry is damaged" a.en
sqlite3 foreign.sqlite 'create table x (y)'
merge "merge: a database of another program" 65 "foreign.sqlite: expected a registry of runs, found a database of another" foreign.sqlite
registry 'pragma user_version = 99'
merge "merge: a registry of a newer program" 65 "bad.sqlite: expected a registry of version [0-9]+ or older, found version 99" bad.sqlite
registry 'delete from runs where id = 2'
merge "merge: facts of no run" 65 "bad.sqlite: the registry is damaged \(rows of [a-z_]+ belong to runs that are not there\)" bad.sqlite
registry 'drop table scores'
merge "merge: a registry that lacks a table" 65 "bad.sqlite: the registry is damaged \(no table 'scores'\)" bad.sqlite
check "and nothing of it is there" '[ "$(sqlite3 all.sqlite "select count(*) from runs")" = 0 ]'
registry && truncate -s 20000 bad.sqlite
merge "merge: a registry that is cut short" 65 "bad.sqlite: the registry is damaged" bad.sqlite

# Nothing that somebody wants to keep is written over.
refuse "an output over an input" 73 "tokens: expected a new or empty folder" "${train[@]}" --tokens $m/tokens --output $m/tokens
refuse "an output over another stage's" 73 "found one made by capture" "${train[@]}" --tokens $m/tokens --output $m/capture/both
refuse "a score over its base" 73 "what is read as base" "${score[@]}" --base $m/score/teacher --force
mkdir -p thesis && echo text > thesis/thesis.tex
refuse "an output over a folder of the user's" 73 "found thesis.tex" "${train[@]}" --tokens $m/tokens --output thesis

# Everything that is typed counts.
refuse "an option given twice" 64 "--train-source takes one value" tokenize "${text[@]}" --train-source a.en --output $m/tokens
refuse "an option of another way of working" 64 "--bootstrap has no effect: a model is scored" "${score[@]}" --bootstrap 5
refuse "search options for two texts" 64 "--beam has no effect: two texts are compared" score --hypotheses a.de --references a.de --beam 4
refuse "a longest length beside a length" 64 "--max-length-ratio has no effect: --forced-length" "${score[@]}" --forced-length 9 --max-length-ratio 2
refuse "more tokens than a network has positions" 64 "--forced-length 60: translations of .* have at most [0-9]+ tokens" \
  "${score[@]}" --model $m/splice/$both --forced-length 60
refuse "more tokens than there are positions" 64 "--forced-length must be at least 1 and at most 1024, not 1025" "${score[@]}" --forced-length 1025
run score --model $m/splice/$both --tokens $m/tokens --base $m/score/teacher --resamples 0 --output $m/score/untested
check "score: without resamples there is a difference, and no p" \
  '[ $code = 0 ] && sqlite3 runs/registry.sqlite "select difference is not null, p is null from leaderboard where model = '\''mine/untested'\''" | grep -qx "1|1"'
refuse "texts longer than there are positions" 64 "--max-tokens must be at least 2 and at most 1024, not 4096" \
  tokenize "${text[@]}" --max-tokens 4096 --output $m/long
refuse "training networks where there are none" 64 "--trainable networks, the default: the model has none" \
  train --tokens runs/few/tokens --model runs/few/train --teacher runs/few/train --output runs/few/inplace/none
refuse "two sizes of a batch" 64 "--batch and --batch-tokens exclude each other" \
  distill --capture $m/capture/both --spec alr-h16.encoder --batch 9 --batch-tokens 90 --output $m/distill/none
refuse "training beside a question" 64 "--epochs has no effect: nothing is distilled" distill --families --epochs 3
refuse "options of texts for a model" 64 "--tokenize has no effect: a model is scored" "${score[@]}" --tokenize intl
refuse "a paired test without a baseline" 64 "--paired-ar has no effect: there is no --baseline" \
  score --hypotheses a.de --references a.de --paired-ar
refuse "trials of the other test" 64 "--paired-bs-n has no effect: the test is by approximate randomization" \
  score --hypotheses a.de --references a.de --baseline a.de --paired-ar --paired-bs-n 5
refuse "an order that chrF does not have" 64 "--chrf-word-order must be at least 0 and at most 2, not 3" \
  score --hypotheses a.de --references a.de --chrf-word-order 3
refuse "a tokenizer of sacreBLEU that is not here" 64 "ja-mecab" score --hypotheses a.de --references a.de --tokenize ja-mecab
refuse "talks that nothing is taken from" 64 "--iwslt has no effect: all text is read from files" tokenize --corpus mine \
  --train-source a.en --train-target a.de --valid-source a.en --valid-target a.de --test-source a.en --test-target a.de --iwslt . --output $m/tokens
refuse "a table of no run" 66 "expected runs of the name 'nosuch', found none" report --run nosuch --table
refuse "columns without a table" 64 "--source-column has no effect: there is no --tsv" tokenize "${text[@]}" --source-column 1 --output $m/tokens
refuse "normalization of words" 64 "--normalization has no effect" tokenize "${text[@]}" --vocabulary word --normalization nfkc --output $m/tokens
for number in 0 -1 9223372036854775807 99999999999999999999 nan inf 1e400; do
  refuse "--epochs $number" 64 "epochs" "${train[@]}" --tokens $m/tokens --epochs=$number
  [ "$number" = 0 ] || refuse "--max-length-ratio $number" 64 "max-length-ratio" "${score[@]}" "--max-length-ratio=$number"
done
run distill --capture $m/capture/both --spec alr-h16.encoder --peak 1e30 --warmup 0 --schedule constant --quiet --output runs/nan/distill/e
check "divergence of one of several trainings" '[ $code = 65 ] && grep -q "^distill: alr-h16.encoder.0: .* is not a number at step" err'
run train "${shape[@]}" --tokens $m/tokens --peak 1e30 --warmup 0 --schedule constant --epochs 2 --quiet --output runs/nan/train
check "divergence" '[ $code = 65 ] && grep -q "is not a number at step" err && is_short && [ ! -f runs/nan/train/manifest.json ]'

# Parts that are empty.
run tokenize "${text[@]}" --hold-out-valid 0 --output runs/novalid/tokens --quiet
check "tokenize: without validation sentences, on purpose" '[ $code = 0 ]'
for epochs in 1 3; do
  run train --tokens runs/novalid/tokens "${shape[@]}" --epochs $epochs --output runs/novalid$epochs/train
  check "train: without validation the last weights are the result" '[ $code = 0 ] && grep -q "no validation sentences: the last weights" err'
done
check "and more epochs give others" '! cmp -s runs/novalid1/train/model.safetensors runs/novalid3/train/model.safetensors'
refuse "patience without validation" 65 "expected validation sentences for --patience, found none" \
  train --tokens runs/novalid/tokens "${shape[@]}" --patience 2 --output runs/novalid1/train
run capture --model runs/novalid1/train --tokens runs/novalid/tokens --attentions encoder --layers 0 --output runs/novalid1/capture
refuse "patience of a distillation without validation" 65 "expected validation sentences for --patience, found none" \
  distill --capture runs/novalid1/capture --spec alr-h16.encoder --patience 2 --output runs/novalid1/distill
refuse "a score of no sentences" 65 "expected at least one sentence pair in valid, found none" \
  score --model runs/novalid1/train --tokens runs/novalid/tokens --split valid --output runs/novalid1/score/teacher
run \
  tokenize --corpus mine --train-source a.en --train-target a.de --hold-out-valid 0 --hold-out-test 0 --max-tokens 2 --vocabulary-size 300 --quiet --output $m/tokens
check "text of which nothing can be kept" '[ $code = 65 ] && is_short && [ -f $m/tokens/manifest.json ] &&
  grep -qE "mine train: expected at least one sentence pair to keep, found none of [0-9]+ .*source too long" err'
tokenize=(tokenize --corpus mine --vocabulary-size 300 --hold-out-valid 0 --hold-out-test 0 --output $m/tokens)
head -n 300 a.de > short.de
printf 'good\nbad \xff line\n' > latin.en
printf 'gut\nschlecht\n' > two.de
: > empty
refuse "texts of no sentence" 64 "--join must be at least 1 and at most 1000, not 0" "${tokenize[@]}" --train-source a.en --train-target a.de --join 0
refuse "text of different line counts" 65 "short.de:301: expected 392 lines, as in a.en, found an end after 300" "${tokenize[@]}" --train-source a.en --train-target short.de
refuse "text that is not UTF-8" 65 "latin.en:2: expected UTF-8, found byte 0xFF at column 5" "${tokenize[@]}" --train-source latin.en --train-target two.de
check "and what converts it" hinted
refuse "empty text" 65 "mine train: expected sentence pairs, found none" "${tokenize[@]}" --train-source empty --train-target empty
printf '\xff\xfea\0' > wide.en
refuse "text in UTF-16" 65 "wide.en: expected plain text in UTF-8, found UTF-16 data" "${tokenize[@]}" --train-source wide.en --train-target two.de
refuse "missing text" 66 "none.en: expected a readable file, found no such file" "${tokenize[@]}" --train-source none.en --train-target two.de
refuse "a side without the other" 64 "--train-source and --train-target belong together" "${tokenize[@]}" --train-source a.en
gzip -c a.en | head -c 300 > cut.gz
refuse "a compressed file that is cut short" 65 "cut.gz: .*the file is cut short" "${tokenize[@]}" --train-source cut.gz --train-target a.de
refuse "a place that cannot be written to" 73 "a.en/tokens: expected a place to write to, found not a directory" tokenize "${text[@]}" --output a.en/tokens
refuse "a history that is none" 65 "a.en: the registry is damaged" "${train[@]}" --tokens $m/tokens --registry a.en
"$bin/score" --hypotheses a.de --references a.de 2> err > /dev/full && code=0 || code=$?
check "results that cannot be written" '[ $code = 74 ] && grep -q "^score: standard output: expected" err'
"$bin/score" --hypotheses a.de --references a.de 2> err >&- && code=0 || code=$?
check "a closed standard output" '[ $code = 74 ] && grep -q "^score: standard output: expected" err'
"$bin/score" --hypotheses - --references a.de > out 2> err <&- && code=0 || code=$?
check "a closed standard input" '[ $code = 74 ] && is_short && grep -q "^score: standard input: expected" err'
ln -s loop loop
refuse "a folder that cannot be looked into" 66 "loop/manifest.json: expected a readable file, found too many" "${train[@]}" --tokens loop
"$bin/score" --help 2> err > /dev/full && code=0 || code=$?
check "help that cannot be written" '[ $code = 74 ] && grep -q "^score: standard output: expected" err'
(ulimit -f 8; trap "" XFSZ; exec "$bin/train" "${shape[@]}" --tokens $m/tokens --max-steps 3 --quiet --output runs/limit/train) > out 2> err && code=0 || code=$?
check "a limit of a file's size" '[ $code = 74 ] && is_short && grep -qE "file too large|disk I/O error" err'
(ulimit -v 300000; exec "$bin/train" "${shape[@]}" --tokens $m/tokens --max-steps 3 --quiet --output runs/narrow/train) > out 2> err && code=0 || code=$?
check "little address space" '[ $code = 71 ] && grep -q "address space: expected" err && hinted'
"$bin/train" --tokens $m/tokens "${shape[@]}" --max-steps 2 --output runs/closed/train 2>&- && code=0 || code=$?
check "a closed descriptor: no message in any file" '[ $code = 0 ] && grep -qxE "[0-9]+ [^ ]+ train" runs/closed/train/.lock && [ "$(wc -l < runs/closed/train/.lock)" = 1 ]'
mkfifo silent; timeout --kill-after 5 1 "$bin/tokenize" --corpus mine --pair en-de --train-source silent --train-target a.de \
  --output runs/silent/tokens > out 2> err && code=0 || code=$?
check "a pipe that nobody writes to: SIGTERM ends it" '[ $code = 124 ]'
run tokenize --corpus mine --train-source <(gzip -c a.en) --train-target <(cat a.de) --vocabulary-size 300 --hold-out-valid 5 --hold-out-test 5 --output runs/pipes/tokens
check "text from pipes, which have no place" '[ $code = 0 ] && grep -qE "^train" out && [ "$(sqlite3 runs/registry.sqlite "
  select count(*) from artifact_paths where path like '\''%/fd/%'\''")" = 0 ]'
"$bin/score" --hypotheses - --references <(gzip -c a.de) < a.de > out 2> err && code=0 || code=$?
check "texts from standard input and a compressed pipe" '[ $code = 0 ] && grep -qE "BLEU.* = 100\.0 " out'
printf 'one\na\xe9b\n' | "$bin/score" --model $m/train > out 2> err && code=0 || code=$?
check "a line that is no UTF-8" '[ $code = 65 ] && grep -q "^score: standard input:2: expected UTF-8, found byte 0xE9 at column 2$" err && hinted && [ "$(wc -l < out)" = 1 ]'
check "a byte order mark is none of the first line" \
  '[ "$(printf "\xef\xbb\xbfthe red car\n" | "$bin/score" --model $m/train 2> err)" = "$(echo "the red car" | "$bin/score" --model $m/train 2> err)" ]'
gzip -c a.de | "$bin/score" --model $m/train > out 2> err && code=0 || code=$?
check "standard input that is no text" '[ $code = 65 ] && grep -q "standard input: expected plain text in UTF-8, found gzip data" err && hinted'
mkfifo lines
"$bin/score" --model $m/train < lines > out 2> err & child=$!
exec 8> lines
echo 'the red car stops .' >&8
for _ in {1..300}; do [ ! -s out ] || break; sleep 0.1; done
check "a line from a pipe is answered before the next one comes" '[ -s out ]'
exec 8>&-
wait $child || true
child=
exec 9<> $m/train/.lock
flock 9
refuse "a folder in use" 75 "$m/train: locked, process [0-9]+ is writing to it" "${train[@]}" --tokens $m/tokens
exec 9>&-

# Little address space, at any level: told at once, or enough.
for limit in 150000 300000 450000 520000 600000; do
  for case in "tokenize --corpus mine --train-source a.en --train-target a.de --vocabulary-size 300 --hold-out-valid 5 --hold-out-test 5 --output runs/narrow/tokens" \
    "train ${shape[*]} --tokens $m/tokens --max-steps 3 --output runs/narrow/train" \
    "capture --model $m/train --tokens $m/tokens --attentions encoder --output runs/narrow/capture/e" \
    "distill --capture $m/capture/both --spec alr-h16.encoder --max-steps 3 --output runs/narrow/distill/e" \
    "splice --model $m/train --replacement $m/distill/alr-h16.encoder --output runs/narrow/splice/e" \
    "score --model $m/train --tokens $m/tokens --quiet --output runs/narrow/score/e"; do
    command="ulimit -v $limit; $case"
    (ulimit -v $limit; exec timeout -k 1 60 "$bin/"$case --force --quiet) > out 2> err && code=0 || code=$?
    check "${case%% *} in $limit KiB of address space" \
      '[ $code = 0 ] || { [ $code = 71 ] && [ "$(wc -l < err)" = 2 ] && hinted && grep -qE "^[a-z]+: (address space|memory|threads): expected" err; }'
  done
done

# ---- Kills --------------------------------------------------------------------------------------------------------------

# Starts a program in the background, with signals as a terminal would leave them.
begin() { command="$*"; rm -f err; env --default-signal=INT,TERM "$bin/$1" "${@:2}" $([ "$1" = bench ] || echo --checkpoint-seconds 0.1) > out 2> err & child=$!; }
# Sends signal $1 soon after condition $2 holds; `code` is how the program ended.
strike() {
  local patience=1500
  until eval "$2" || [ $((patience -= 1)) = 0 ]; do sleep 0.02; done
  sleep 0.05
  kill "-$1" "$child" 2> /dev/null || true
  code=0
  wait "$child" 2> /dev/null || code=$?
  child=
}
sums() { (cd "$1" && sha256sum manifest.json ./*.safetensors); }

# Folder and command, but for its --output. Killed, interrupted, terminated and run to the end: the same bits as in one go.
survives() {
  local stage=$2 whole=runs/whole/$1 struck=runs/struck/$1 one=("${@:2}")
  local has_checkpoint='[ -n "$(find "$struck" -name "checkpoint*" ! -name "*.partial" 2> /dev/null)" ]' goes_on='grep -qs "going on from step" err'
  run "${one[@]}" --output "$whole"; check "$stage in one go" '[ $code = 0 ]'
  begin "${one[@]}" --output "$struck"; strike KILL "$has_checkpoint"
  check "$stage is killed" '[ $code = 137 ] && [ ! -f $struck/manifest.json ]'
  begin "${one[@]}" --output "$struck"; strike INT "$goes_on"
  check "$stage goes on and is interrupted" "$goes_on"' && [ $code = 130 ] && grep -q "^$stage: interrupted" err && hinted'
  check "$stage: the history says so" '[ "$(status struck)" = "interrupted|130" ]'
  begin "${one[@]}" --output "$struck"; strike TERM "$goes_on"
  check "$stage goes on and is terminated" "$goes_on"' && [ $code = 143 ] && [ "$(status struck)" = "interrupted|143" ]'
  run "${one[@]}" --output "$struck"
  check "$stage ends with the same bits" '[ $code = 0 ] && [ "$(sums "$struck")" = "$(sums "$whole")" ]'
  check "$stage leaves no checkpoint" '[ -z "$(find "$struck" -name "checkpoint*")" ]'
}
survives train train --tokens $m/tokens "${shape[@]}" --max-steps 240
survives inplace/mine train --tokens $m/tokens --model $m/splice/$both --teacher $m/train --teacher-beam 2 --batch-tokens 100 --epochs 40
check "and does not translate again" '! grep -q "translations:" err'
begin train --tokens $m/tokens --model $m/splice/$both --teacher $m/train --teacher-beam 2 --batch-tokens 100 --epochs 4000 --output runs/mended/train
strike KILL '[ -n "$(find runs/mended -name "checkpoint*" ! -name "*.partial" 2> /dev/null)" ]'
kept=$(ls runs/mended/train/.unfinished/train.translations.safetensors); truncate -s -1 "$kept"
refuse "translations that are damaged" 65 "$kept: expected translations of 311 sentences, found something else" \
  train --tokens $m/tokens --model $m/splice/$both --teacher $m/train --teacher-beam 2 --batch-tokens 100 --epochs 4000 --output runs/mended/train
survives distill/alr-h64.encoder distill --capture $m/capture/both --spec alr-h64.encoder --batch 16 --epochs 60 --threads 1

# A checkpoint of other settings.
begin train --tokens $m/tokens "${shape[@]}" --max-steps 5000 --output runs/other/train
strike TERM '[ -f runs/other/train/.unfinished/checkpoint.safetensors ]'
run train --tokens $m/tokens "${shape[@]}" --max-steps 20 --output runs/other/train
check "a checkpoint of other settings is not passed over" \
  '[ $code = 73 ] && grep -q "found one of others: values.training.maxSteps 5000 → 20" err && hinted && [ -f runs/other/train/.unfinished/checkpoint.safetensors ]'
run train --tokens $m/tokens "${shape[@]}" --max-steps 20 --output runs/other/train --discard-checkpoint
check "it is discarded on demand, and aloud" '[ $code = 0 ] && grep -q "warning: discarding a checkpoint" err && [ ! -e runs/other/train/.unfinished ]'
begin bench --tokens $m/tokens --seconds 60 --output runs/other/bench
strike TERM '[ -d runs/other/bench/.unfinished ]'
check "bench stops when it is asked to" '[ $code = 143 ] && grep -q "it begins anew" err && [ "$(status other)" = "interrupted|143" ]'

# ---- What can go --------------------------------------------------------------------------------------------------------

free() { env -u MAKEFLAGS -u MAKELEVEL make -f "$source/pipeline.mk" --no-print-directory BIN="$bin" free "$@" > out 2> err && code=0 || code=$?; }
cp -r $m/capture/both runs/other-capture
mkdir -p runs/second && run capture --model $m/train --tokens $m/tokens --attentions encoder --layers 1 --output runs/second/capture/e
run capture --model $m/train --tokens $m/tokens --attentions encoder --layers 0 1 --output runs/third/capture/e
run train --tokens $m/tokens --model $m/splice/$both --teacher $m/train "${shape[@]:12}" --max-steps 2 --output $m/inplace/$both
check "a model trained in place, to be kept" '[ $code = 0 ]'
mv $m/inplace/$both $m/inplace/other
run train --tokens $m/tokens --model $m/splice/$both --teacher $m/train "${shape[@]:12}" --max-steps 2 --output $m/inplace/other
check "under another name it is the same" '[ $code = 0 ] && grep -q "is complete" err'
mv $m/inplace/other $m/inplace/$both
run train --tokens $m/tokens --model $m/splice/$both --teacher $m/train "${shape[@]:12}" --max-steps 2 --matching 1 --output matched/inplace
check "and one whose contexts are to come near to the teacher's" \
  '[ $code = 0 ] && [ -f matched/inplace/manifest.json ] && ! cmp -s matched/inplace/model.safetensors $m/inplace/$both/model.safetensors'
needed() { contents | grep -v " runs/\(mine\|second\|third\)/capture/"; }
free; check "free lists captures that were read by finished runs, and deletes nothing" \
  '[ $code = 0 ] && grep -q "^runs/mine/capture/both  [0-9.]* MiB" out && grep -q "^runs/mine/capture/next" out && [ -f $m/capture/both/manifest.json ]'
check "and none that nobody has read, nor anything else" '[ "$(grep -c . out)" = 2 ]'
begin distill --capture runs/second/capture/e --spec alr-h16.encoder.1 --batch 8 --epochs 1000 --threads 1 --quiet --output runs/second/distill/e
until [ -f runs/second/distill/e/.unfinished/layer-1/checkpoint.safetensors ] || ! kill -0 $child 2> /dev/null; do sleep 0.05; done
free; check "free: not what is being read" '[ $code = 0 ] && ! grep -q runs/second out'
kill -TERM $child; wait $child || true; child=
free; check "free: not what an interrupted run will go on with" '[ $code = 0 ] && [ "$(status second)" = "interrupted|143" ] && ! grep -q runs/second out'
run distill --capture runs/second/capture/e --spec alr-h16.encoder.1 --batch 8 --epochs 1 --discard-checkpoint --output runs/second/distill/e
free; check "free: when it has finished" '[ "$(status second)" = "finished|0" ] && grep -q "^runs/second/capture/e " out'
run distill --capture runs/third/capture/e --spec alr-h16.encoder --max-steps 1 --output runs/third/distill/e
run distill --capture runs/third/capture/e --spec alr-h16.encoder --peak 1e30 --warmup 0 --schedule constant --output runs/third/distill/f
free; check "free: not what a failed run has read and may be given again" '[ $code = 0 ] && [ "$(status third)" = "failed|65" ] && ! grep -q runs/third out'
# As a search writes down what it reads.
mkdir -p $m/search; echo $m/capture/both > $m/search/study.sqlite.lock
exec 9<> $m/search/study.sqlite.lock
flock 9
free; check "free: not what a search reads" '[ $code = 0 ] && grep -qx "$m/capture/both is in use" out && ! grep -q "^$m/capture/both .*MiB" out'
exec 9>&-
rm -r $m/search
exec 9<> $m/capture/both/.lock
flock 9
free YES=1; check "free YES=1: a folder that is being written to stays" '[ $code = 0 ] && [ -f $m/capture/both/manifest.json ] && [ ! -e $m/capture/next ] && [ ! -e runs/second/capture/e ]'
exec 9>&-
before=$(needed)
free YES=1; check "free YES=1 deletes what it lists" '[ $code = 0 ] && [ ! -e $m/capture/both ] && [ -f runs/third/capture/e/manifest.json ]'
check "free: models, spliced, in place and greedy, networks, scores and what is no run's are untouched" \
  '[ "$(needed)" = "$before" ] && [ -d $m/splice/greedy ] && [ -d $m/inplace ] && [ -f runs/other-capture/manifest.json ]'
run "${greedy[@]}" --bound 100 --output $m/splice/greedy; check "free: what needs no capture is complete without" '[ $code = 0 ] && grep -q "is complete" err'
free; check "free: nothing more" '[ $code = 0 ] && [ ! -s out ]'

echo "$((checks - failures)) of $checks checks passed"
[ $failures = 0 ]
