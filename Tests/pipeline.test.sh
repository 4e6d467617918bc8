#!/usr/bin/env bash
# The logic of pipeline.mk, with stand-ins for the programs: what runs, what runs again, and what does not.
set -eu -o pipefail
cd "$(dirname "$0")/.."
source=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# A project of stand-ins. Each appends its command to `log` and writes a manifest; one whose output is named in `trouble` fails.
mkdir -p "$work/bin" "$work/data/phrasebook" "$work/runs"
cp pipeline.mk "$work"
cd "$work"
echo word > data/phrasebook/nouns.tsv
# The report is the one that reads the history.
cat > bin/report <<'STAND_IN'
#!/usr/bin/env bash
echo "report $*" >> reports
STAND_IN
chmod +x bin/report
for stage in tokenize train capture distill splice score; do
  cat > "bin/$stage" <<'STAND_IN'
#!/usr/bin/env bash
set -eu
stage=$(basename "$0")
if [ "${1-}" = --families ]; then
  printf '%s\n' "alr heads encoder,decoder,cross,crossfull xs,m" "alrr sublayer encoder xs,m" "elr layer encoder xs,m" "mix heads encoder,decoder,cross s,m,l" \
    "slots heads encoder,decoder,cross l"
  exit
fi
if [ "${1-}" = --version ]; then
  case $stage in distill) echo 0.1.0.7 ;; *) echo 0.1.0.2 ;; esac
  exit
fi
if [ "${1-}" = --check ]; then
  for spec in "${@:2}"; do [[ $spec != *-q.* ]] || { echo "Error: '$spec': size 'q' is none of xs m" >&2; exit 64; }; done
  exit
fi
line="$stage $*"
while [ $# -gt 0 ]; do
  case $1 in
    --output) output=$2 ;;
    --tokens | --model | --capture | --replacement | --base) [ -f "$2/manifest.json" ] || { echo "$stage: no $2" >&2; exit 66; } ;;
  esac
  shift
done
echo "$line" >> log
mkdir -p "$output"
touch "$output/started" "$output/.lock"
if [ -f trouble ] && grep -qxF "$output" trouble; then exit 143; fi
sleep 0.05
echo "\"stage\" : $line" > "$output/manifest.json"
if [ -f late ] && grep -qxF "$output" late; then exit 74; fi
STAND_IN
  chmod +x "bin/$stage"
done
# Most checks are about one network.
networks=(NETWORKS=alr-m)
# Whatever make this test is run by.
unset MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES $(sed -nE 's/^([A-Z_]+) \?=.*/\1/p' pipeline.mk)
pipeline() { timeout 300 make -f pipeline.mk BIN=bin "${networks[@]}" "$@" > out 2>&1 && code=0 || code=$?; }
ran() { [ ! -f log ] || awk '{ for (i = 2; i < NF; i++) if ($i == "--output") { sub("runs/[^/]*/", "", $(i + 1)); print $(i + 1) } }' log | sort; }
# name, what should have run since the last check; make ended well, or with ends=
check() {
  local wanted
  wanted=$(printf '%s\n' "${@:2}" | sort)
  if [ "$(ran)" = "$wanted" ] && [ "$code" = "${ends:-0}" ]; then echo "ok: $1"; else
    failures=$((failures + 1))
    echo "FAILED: $1 (make ended with $code)"
    diff <(echo "$wanted") <(ran) | sed -n 's/^</  missing:/p; s/^>/  needless:/p' || true
    sed 's/^/  | /' out
  fi
  rm -f log
}
expect() { if eval "$2"; then echo "ok: $1"; else failures=$((failures + 1)); echo "FAILED: $1"; sed 's/^/  | /' out; fi; }

e=alr-m.encoder d=alr-m.decoder c=alr-m.cross
models=("$e" "$d" "$c" "$e+$d" "$e+$d+$c")
everything=(tokens train capture/heads.{encoder,decoder,cross} distill/{$e,$d,$c} score/teacher "${models[@]/#/splice/}" "${models[@]/#/score/}")
after_encoder=(splice/{$e,$e+$d,$e+$d+$c} score/{$e,$e+$d,$e+$d+$c})

pipeline; check "the default goal runs every stage once" "${everything[@]}"
expect "captures go when nobody needs them" '[ $code = 0 ] && [ -z "$(ls runs/phrasebook.en-de/capture)" ]'
expect "and a report at the end" 'grep -qx "report --run phrasebook.en-de --output runs/phrasebook.en-de/report" reports'
pipeline; check "a second make does nothing"

pipeline "DISTILL_FLAGS_$e=--epochs 7"
check "a flag of one distillation reruns it and what follows" capture/heads.encoder distill/$e "${after_encoder[@]}"
pipeline "DISTILL_FLAGS_$e=--epochs 7"; check "the same flag again does nothing"
pipeline; check "taking it back reruns the same" capture/heads.encoder distill/$e "${after_encoder[@]}"

pipeline DISTILL_FLAGS="--note \"it's\""
check "a flag of all distillations" capture/heads.{encoder,decoder,cross} distill/{$e,$d,$c} "${models[@]/#/splice/}" "${models[@]/#/score/}"
pipeline DISTILL_FLAGS="--note \"it's\""; check "a quote in a flag is kept"
pipeline DISTILL_FLAGS="--note \"it's\"" SCORE_FLAGS="--length-penalty 1"
check "a flag of scoring" score/teacher "${models[@]/#/score/}"
expect "with maps of three sentences" 'grep -qE -- "--maps 3 +--length-penalty 1 " out'
pipeline DISTILL_FLAGS="--note \"it's\"" SCORE_FLAGS="--length-penalty 1" LAUNCH=env THREADS=1
check "neither launcher nor threads rerun anything"
pipeline; rm log
pipeline TRAIN_FLAGS="--epochs 2"; check "a flag of the teacher reruns all but the text" "${everything[@]:1}"
pipeline TRAIN_FLAGS="--epochs 2" NETWORKS="alr-m alr-s" ATTENTIONS=encoder
check "a further size makes only what is new" capture/heads.encoder distill/alr-s.encoder splice/alr-s.encoder score/alr-s.encoder
touch data/phrasebook/nouns.tsv
pipeline TRAIN_FLAGS="--epochs 2"; check "changed text reruns everything" "${everything[@]}"

rm runs/phrasebook.en-de/distill/$d/manifest.json
pipeline TRAIN_FLAGS="--epochs 2" KEEP=1
check "a deleted output is made again" capture/heads.decoder distill/$d splice/{$d,$e+$d,$e+$d+$c} score/{$d,$e+$d,$e+$d+$c}
expect "KEEP=1 keeps captures" '[ -f runs/phrasebook.en-de/capture/heads.decoder/manifest.json ]'

echo runs/late/distill/$e > late
pipeline RUN=late ATTENTIONS=encoder; ends=2 check "a stage that fails after it has published" tokens train score/teacher capture/heads.encoder distill/$e
rm late
pipeline RUN=late ATTENTIONS=encoder; check "what it has published is not made again" splice/$e score/$e

echo runs/stopped/distill/$e > trouble
pipeline RUN=stopped ATTENTIONS="encoder decoder"
expect "a stopped stage stops make" '[ $code != 0 ] && grep -q "Error 143" out'
expect "and leaves no manifest, but its checkpoint and its capture" \
  '[ ! -f runs/stopped/distill/$e/manifest.json ] && [ -f runs/stopped/distill/$e/started ] && [ -f runs/stopped/capture/heads.encoder/manifest.json ]'
before=$(ran)
rm trouble log
pipeline RUN=stopped ATTENTIONS="encoder decoder"
expect "the same command goes on where it was" '[ $code = 0 ] && ran | grep -qx distill/$e && ! ran | grep -qxE "tokens|train|capture/heads.encoder"'
rm -f log

pipeline -j2 RUN=parallel; check "-j2 runs the same" "${everything[@]}"
cores=$(sed -nE 's/^bin.tokenize .*--threads ([0-9]+)$/\1/p' out)
expect "-j2 halves the cores, except where only one stage can run" \
  'grep -qE "^.*/distill .*--threads $((cores > 1 ? cores / 2 : 1))$" out && grep -qE "^.*/train .*--threads $cores$" out'

networks=()
pipeline RUN=wide paper MODES="alr elr" SIZES=xs LAYERS=0 BEAMS="1 4" ATTENTIONS="encoder decoder"
networks=(NETWORKS=alr-m)
wide=(alr-xs.encoder alr-xs.decoder elr-xs.encoder alr-xs.encoder+alr-xs.decoder alr-xs.encoder.0 alr-xs.decoder.0)
single=(alr-xs.encoder alr-xs.decoder elr-xs.encoder)
scored=(teacher "${wide[@]}")
check "the paper's matrix, narrowed" tokens train capture/{heads.encoder,heads.decoder,layer.encoder} "${single[@]/#/distill/}" "${wide[@]/#/splice/}" \
  "${scored[@]/#/score/}" $(printf 'score/%s.beam-4\n' "${scored[@]}")
expect "one layer is taken out of the distillation of all" 'grep -qE "distill/alr-xs.encoder +--layers 0 --output [^ ]*/splice/alr-xs.encoder.0 " out'

pipeline RUN=wide NETWORKS=alr-xs ATTENTIONS=encoder PRECISIONS="float32 int8"
check "another precision is another score" score/{teacher,alr-xs.encoder}.int8
expect "compared with the teacher's own" 'grep -qE -- "--beam 1 --precision int8 --maps 3 +--base [^ ]*/score/teacher.int8 --output [^ ]*/score/alr-xs.encoder.int8 " out'

all=mix-l.encoder+mix-l.decoder+mix-l.cross
pipeline RUN=less attentionless NETWORKS=mix-l BEAMS=1
less=(mix-l.encoder mix-l.decoder mix-l.cross mix-l.encoder+mix-l.decoder $all)
check "attentionless: networks everywhere, trained in place" tokens train capture/heads.{encoder,decoder,cross} distill/mix-l.{encoder,decoder,cross} \
  "${less[@]/#/splice/}" inplace/$all score/teacher "${less[@]/#/score/}" score/$all.inplace
expect "in place from the spliced model and the teacher" 'grep -qF -- "--model runs/less/splice/$all --teacher runs/less/train " out'
pipeline RUN=less attentionless NETWORKS=mix-l BEAMS=1 INPLACE_FLAGS="--epochs 2"; check "a flag of training in place" inplace/$all score/$all.inplace
networks=()
pipeline -n RUN=less attentionless BEAMS=1
expect "by default mix alone is trained in place" \
  '[ $code = 0 ] && [ "$(grep -c -- "--output runs/less/inplace/" out)" = 1 ] && grep -q -- "--output runs/less/splice/alr-xs.encoder+alr-xs.decoder+alr-xs.cross " out'
pipeline -n RUN=less pareto BEAMS=1
expect "pareto: every network at all attentions, in place too" \
  '[ $code = 0 ] && [ "$(grep -c -- "--output runs/less/inplace/" out)" = 5 ] && [ "$(grep -c -- "/score .*--output runs/less/score/.*\.inplace " out)" = 5 ]'
networks=(NETWORKS=alr-m)

pipeline RUN=less greedy NETWORKS="mix-s mix-l" BOUND=0.3
check "greedy: chosen from all that is distilled" capture/heads.{encoder,decoder,cross} distill/mix-s.{encoder,decoder,cross} splice/greedy score/greedy
expect "by the validation set, within the bound" 'grep -qE -- "/splice .*--tokens runs/less/tokens --greedy --bound 0.3 --replacement .*/mix-s.encoder .*/mix-l.cross +--output runs/less/splice/greedy" out'
pipeline RUN=less greedy NETWORKS="mix-s mix-l" BOUND=0.4; check "another bound is another choice" splice/greedy score/greedy

steps=(mix-l.{encoder.0,encoder.1,decoder.0,cross.0,decoder.1,cross.1}.stepwise)
pipeline RUN=less stepwise NETWORKS=mix-l LAYERS="0 1"
check "stepwise: a capture, a network and a model for each step" "${steps[@]/#/capture/}" "${steps[@]/#/distill/}" "${steps[@]/#/splice/}" score/mix-l.stepwise
expect "each learns from the model so far" \
  'grep -qE -- "/capture --model runs/less/splice/mix-l.cross.0.stepwise .* --attentions decoder +--layers 1 --output runs/less/capture/mix-l.decoder.1.stepwise" out'
expect "and its capture goes" '[ $code = 0 ] && [ ! -d runs/less/capture/mix-l.cross.1.stepwise ]'
pipeline RUN=less stepwise NETWORKS=mix-l LAYERS="0 1"; check "steps that are done are not done again"
pipeline RUN=less stepwise NETWORKS=mix-l LAYERS="0 1" DISTILL_FLAGS_mix-l.cross.1.stepwise=--force
expect "flags are named after what is distilled, not after its folder" '[ $code = 2 ] && grep -q "nothing is distilled as" out'
pipeline RUN=less stepwise NETWORKS=mix-l LAYERS="0 1" DISTILL_FLAGS_mix-l.cross.1=--force
check "a step has flags of its own" {capture,distill,splice}/mix-l.cross.1.stepwise score/mix-l.stepwise
expect "which reach it" 'grep -qE -- "/distill .* --spec mix-l.cross.1 .*--force" out'
echo runs/less/distill/mix-l.cross.1.stepwise > late
pipeline RUN=less stepwise NETWORKS=mix-l LAYERS="0 1"; rm late
pipeline RUN=less stepwise NETWORKS=mix-l LAYERS="0 1"
check "nor a step that fails after it has published" {capture,distill,splice}/mix-l.cross.1.stepwise score/mix-l.stepwise
fewer=(mix-l.{decoder.0,cross.0}.stepwise)
pipeline RUN=less stepwise NETWORKS=mix-l LAYERS=0
check "of fewer layers, the steps that come after others now, and the last of them" "${fewer[@]/#/capture/}" "${fewer[@]/#/distill/}" "${fewer[@]/#/splice/}" score/mix-l.stepwise
pipeline RUN=less stepwise NETWORKS=mix-l LAYERS=0 ATTENTIONS=encoder; check "of one attention, another model is scored" score/mix-l.stepwise
pipeline RUN=less stepwise NETWORKS=mix-l LAYERS=0 ATTENTIONS=encoder CAPTURE_FLAGS="--type F32"
check "other captures are other steps" {capture,distill,splice}/mix-l.encoder.0.stepwise capture/heads.encoder distill/mix-l.encoder splice/mix-l.encoder \
  score/mix-l.{encoder,stepwise}
# Asked for each step on each way to it, make would not come to an end.
pipeline -n RUN=deep stepwise NETWORKS=mix-l LAYERS="$(seq -s ' ' 0 23)"
expect "seventy-two steps are as many captures" '[ $code = 0 ] && [ "$(grep -c "^bin/capture .*stepwise" out)" = 72 ]'
pipeline RUN=less stepwise NETWORKS=mix-l LAYERS=
expect "no layers are no steps" '[ $code = 2 ] && grep -q "LAYERS and ATTENTIONS: expected a layer" out && [ ! -f log ]'

pipeline lengths NETWORKS=mix-l TEXTS="1 4"
check "lengths: joined texts, in place too" tokens train capture/heads.{encoder,decoder,cross} distill/mix-l.{encoder,decoder,cross} splice/$all inplace/$all \
  tokens tokens score/{teacher,$all,$all.inplace}.joined-{1,4}
expect "learnt from texts of many sentences, measured on texts of some" \
  'grep -qE -- "--join 8 --max-tokens 200 +--join-test 4 --output runs/phrasebook.en-de.lengths.joined-4/tokens" out &&
   grep -qF -- "/score --model runs/phrasebook.en-de.lengths/inplace/$all --tokens runs/phrasebook.en-de.lengths.joined-4/tokens " out'
expect "by a teacher that knows sentences, which is there" 'grep -qE -- "/train --tokens runs/phrasebook.en-de.lengths/tokens --model runs/phrasebook.en-de/train " out &&
  [ "$(grep -c "bin/train --tokens " out)" = 2 ]'
pipeline why GOAL=lengths NETWORKS=mix-l TEXTS="1 4"
expect "of which why knows the run" '[ $code = 0 ] && [ "$(cat out)" = "nothing would be made again" ]'
further=(ATTENTIONS=encoder RUN=further TOKENIZE_FLAGS="--join 2" TRAIN_FLAGS="--epochs 7" DISTILL_FLAGS_alr-m.encoder="--dropout 0.1")
pipeline "${further[@]}" START=first -n
check "-n makes nothing of it"
pipeline "${further[@]}" START=first
check "a teacher to start from that is not there is trained first" tokens train tokens train capture/heads.encoder distill/alr-m.encoder \
  splice/alr-m.encoder score/{teacher,alr-m.encoder}
expect "and trained further" '[ $code = 0 ] && [ ! -d runs/first/distill ] &&
  grep -qE -- "/train --tokens runs/further/tokens --model runs/first/train --preset small .*--epochs 7 " out'
expect "with settings of its own" '! grep -E -- "--output runs/first/(tokens|train) " out | grep -qE -- "--join|--epochs 7|--model" &&
  [ "$(grep -cE -- "--output runs/first/(tokens|train) " out)" = 2 ]'
expect "one that was begun otherwise is not thrown away" '! grep -E -- "--output runs/first/train " out | grep -q -- --discard-checkpoint &&
  grep -E -- "--output runs/further/train " out | grep -q -- --discard-checkpoint'
pipeline "${further[@]}" START=first; check "and nothing is made twice"
cp -r runs/first runs/second
pipeline "${further[@]}" START=second; check "another one to start from" train capture/heads.encoder distill/alr-m.encoder splice/alr-m.encoder score/{teacher,alr-m.encoder}
pipeline "${further[@]}"; check "and none" train capture/heads.encoder distill/alr-m.encoder splice/alr-m.encoder score/{teacher,alr-m.encoder}
pipeline why "${further[@]}" START=first
expect "why: the one to start from" 'grep -qF "runs/further/train: other settings" out && grep -qF -- "+ --model runs/first/train" out'
pipeline -j2 SEEDS="1 2" ATTENTIONS=encoder RUN=seeds START=seedling
expect "several seeds start from one, which is trained once" '[ $code = 0 ] && [ "$(grep -c -- "--output runs/seedling/train " out)" = 1 ] &&
  [ "$(grep -c -- "--model runs/seedling/train --preset" out)" = 2 ]'

pipeline lengths ATTENTIONS=cross NETWORKS=mix-l RUN=crossed TEXTS=4 -n TOKENIZE_FLAGS="--vocabulary-size 4000" START=
expect "lengths of one attention is trained in place" '[ $code = 0 ] && grep -q -- "--output runs/crossed/inplace/mix-l.cross " out'
expect "its texts are joined whatever else is told to tokenize" 'grep -qE -- "--join 8 --max-tokens 200 --vocabulary-size 4000 +--output runs/crossed/tokens" out'
pipeline -n RUN=crossed NETWORKS=mix-l ATTENTIONS="cross encoder"; grep -oE "splice/mix[^ ]*" out | sort -u > models
pipeline -n RUN=crossed NETWORKS=mix-l ATTENTIONS="encoder cross"
expect "the order of ATTENTIONS makes no other model" '[ -s models ] && grep -oE "splice/mix[^ ]*" out | sort -u | cmp - models'
networks=()
pipeline -n attentionless MODES="alr mix" SIZES=m RUN=crossed
expect "MODES and SIZES are heard where a goal has networks of its own" \
  '[ $code = 0 ] && grep -q -- "--spec mix-m.cross" out && grep -q -- "--spec alr-m.cross" out && ! grep -q -- "--spec slots" out'
networks=(NETWORKS=alr-m)

rm -f log
pipeline RUN=single ATTENTIONS=encoder LAYERS=0
check "a layer alone is taken out of the distillation of all" tokens train capture/heads.encoder distill/$e {splice,score}/{$e,$e.0} score/teacher
pipeline RUN=single MODELS=$e.0 DISTILL_FLAGS="--epochs 7"
check "or distilled alone, if no other is" capture/heads.encoder distill/$e.0 {splice,score}/$e.0
pipeline RUN=single ATTENTIONS=encoder LAYERS=0; check "and is made again when that changes" {splice,score}/$e.0

mkdir -p runs/single/distill/mix-l.encoder
pipeline RUN=single ATTENTIONS=encoder KEEP=1 DISTILL_FLAGS="--epochs 4"; rm log
flock runs/single/distill/mix-l.encoder/.lock sleep 60 & holder=$!
while flock --nonblock runs/single/distill/mix-l.encoder/.lock true; do sleep 0.05; done
pipeline RUN=single ATTENTIONS=encoder DISTILL_FLAGS="--epochs 4" KEEP=0
expect "a capture stays that another make's distillation may read" \
  '[ $code = 0 ] && [ -f runs/single/capture/heads.encoder/manifest.json ] && grep -q "stays: runs/single/distill/mix-l.encoder reads it" out'
pipeline RUN=single ATTENTIONS="decoder cross" MODELS="$d $c" KEEP=0
expect "captures of other attentions go" '[ $code = 0 ] && [ ! -e runs/single/capture/heads.decoder ] && [ ! -e runs/single/capture/heads.cross ]'
rm log; pkill -P $holder; wait $holder || true
# As a search writes down what it reads (Sources/search/search.py).
mkdir -p runs/single/search; echo runs/single/capture/heads.encoder > runs/single/search/study.sqlite.lock
flock runs/single/search/study.sqlite.lock sleep 60 & holder=$!
while flock --nonblock runs/single/search/study.sqlite.lock true; do sleep 0.05; done
pipeline RUN=single ATTENTIONS=encoder DISTILL_FLAGS="--epochs 4" KEEP=0
expect "a capture stays that a search reads" '[ $code = 0 ] && [ -f runs/single/capture/heads.encoder/manifest.json ] && grep -q "stays: runs/single/search/study.sqlite reads it" out'
pkill -P $holder; wait $holder || true; rm -r runs/single/search
pipeline RUN=single ATTENTIONS=encoder DISTILL_FLAGS="--epochs 4" KEEP=0
expect "and goes after it; 0 does not keep it" '[ $code = 0 ] && [ ! -e runs/single/capture/heads.encoder ]'
check "without anything that is made again"

pipeline SEEDS="1 2" ATTENTIONS=encoder RUN=many
expect "several seeds make several runs" '[ -f runs/many.seed-1/score/alr-m.encoder/manifest.json ] && grep -q -- "--seed 2" runs/many.seed-2/train/manifest.json'
pipeline -n table SEEDS="1 2" RUN=many; expect "and one table" 'grep -q -- "report --run many.seed-1 --run many.seed-2 --table" out'
pipeline why SEEDS="1 2" ATTENTIONS=encoder RUN=many
expect "of which why asks each" '[ $code = 0 ] && [ "$(grep -c "nothing would be made again" out)" = 2 ]'
pipeline -n SEEDS="1 2" PROCESSES=2 MPI_BIN=mpi CORES=8 RUN=few ATTENTIONS=encoder
expect "whose processes divide the cores" '[ "$(grep -c "mpi/train .* --threads 4$" out)" = 2 ]'
expect "one table of them all" 'grep -q -- "report --run few.seed-1 --run few.seed-2 --table" out'
expect "and one report" 'grep -qx "report --run many.seed-1 --run many.seed-2 --output runs/many/report" reports'
rm log

# The search, with a stand-in for Python: it needs the capture, and writes its page and its result.
mkdir -p Sources/search runs/search-venv/bin
touch Sources/search/requirements.txt runs/search-venv/installed
cat > runs/search-venv/bin/python <<'STAND_IN'
#!/usr/bin/env bash
set -eu
echo "search $*" >> log
for word in "$@"; do
  case $word in */search/*.json) result=$word ;; runs/*/capture/*) [ -f "$word/manifest.json" ] || exit 66 ;; esac
done
if [ -f trouble ]; then exit 65; fi
mkdir -p "$(dirname "$result")"
echo "the front" | tee "$result" > "${result%.json}.md"
STAND_IN
chmod +x runs/search-venv/bin/python
pipeline search RUN=found; check "the search makes a teacher and a capture" tokens train capture/heads.cross search/cross.4.json
expect "and shows its page, and the capture goes" '[ $code = 0 ] && grep -qx "the front" out && [ ! -d runs/found/capture/heads.cross ]'
pipeline search RUN=found; check "a search that is done does nothing"
expect "but shows its page again" 'grep -qx "the front" out'
pipeline search RUN=found SEARCH_TRIALS=40
expect "more trials go on" 'grep -qE "^search .* --families mix slots alr --trials 40 " log'
check "with the capture made again" capture/heads.cross search/cross.4.json
pipeline search RUN=found SEARCH_ATTENTION=encoder SEARCH_LAYER=0 KEEP=1 NETWORKS=alrr-m LAUNCH="env NOTE='two words'"
check "another attention is another study, whatever is distilled" capture/heads.encoder search/encoder.0.json
expect "KEEP=1 keeps its capture" '[ -f runs/found/capture/heads.encoder/manifest.json ]'
touch trouble
pipeline search RUN=found SEARCH_LAYER=3
expect "a search that fails keeps its capture" '[ $code != 0 ] && [ -f runs/found/capture/heads.cross/manifest.json ]'
rm -f trouble log
pipeline all search RUN=found SEARCH_LAYER=3 ATTENTIONS=cross MODELS=alr-m.cross -j2
check "beside other distillations" distill/$c splice/$c score/{teacher,$c} search/cross.3.json
expect "whose captures go in the end" '[ $code = 0 ] && [ ! -d runs/found/capture/heads.cross ]'
for wrong in SEARCH_ATTENTION=crossfull "SEARCH_ATTENTION=encoder cross" SEARCH_LAYER=x SEARCH_TRIALS=0 "SEARCH_FAMILIES=mix elr" SEARCH_FAMILIES=; do
  pipeline search RUN=found "$wrong"
  expect "$wrong is refused in one line" '[ $code = 2 ] && [ ! -f log ] && [ $(wc -l < out) = 1 ] && grep -q "${wrong%%=*}: expected " out'
done

# Corpora, from a mirror.
mkdir -p mirror/multi30k
for side in en de; do for part in train val test_2016_flickr; do echo wrong > mirror/multi30k/$part.$side.gz; done; done
mirrored=(corpus CORPUS_MIRROR="file://$work/mirror")
pipeline "${mirrored[@]}" CORPUS=multi30k
expect "a file of other content is refused" '[ $code = 2 ] && grep -q "FAILED" out && ! ls runs/corpora/multi30k/*.gz 2> /dev/null'
# The file that is wanted, if it has the content that is written down for it.
mkdir -p mirror/tatoeba mirror/iwslt17-{train,test}
for file in tatoeba/fra-eng.zip iwslt17-train/en-de.tgz iwslt17-test/{en-de,de-en}.tgz; do echo "content of $file" > mirror/$file; done
cp pipeline.mk written
for file in $(cd mirror && find multi30k tatoeba iwslt17-* -type f); do
  hash=$(sha256sum < mirror/$file); sed -i "s#^sha256.$file := .*#sha256.$file := ${hash%% *}#" pipeline.mk; done
for corpus in multi30k tatoeba iwslt2017; do
  pipeline "${mirrored[@]}" CORPUS=$corpus PAIR=$([ $corpus = tatoeba ] && echo en-fr || echo en-de); [ $code = 0 ] || break; done
expect "the files of every corpus are fetched" '[ $code = 0 ] && diff -r mirror runs/corpora && grep -q tatoeba <<< "$(ls runs/corpora)"'
mv written pipeline.mk; rm -r runs/corpora
networks=()
pipeline RUN=default
default=({alr-s,mix-l}.{encoder,decoder,cross})
check "by default the phrasebook's own networks" tokens train capture/heads.{encoder,decoder,cross} "${default[@]/#/distill/}" score/teacher \
  {splice,score}/{alr-s,mix-l}.{encoder,decoder,cross} {splice,score}/{alr-s.encoder+alr-s.decoder,mix-l.encoder+mix-l.decoder} \
  {splice,score}/{alr-s.encoder+alr-s.decoder+alr-s.cross,$all} inplace/$all score/$all.inplace
expect "mix everywhere in place, for an epoch" 'grep -qE -- "/train .*--teacher runs/default/train +--epochs 1 --batch-tokens 1000 " out'
pipeline -n CORPUS=multi30k attentionless NETWORKS=mix-l
expect "a teacher that fits into the hour" 'grep -qE -- "/train .*--preset brief" out'
expect "of other text on the teacher's translations" \
  'grep -qE -- "/train .*--teacher .*--teacher-beam 4" out'
pipeline -n CORPUS=multi30k attentionless NETWORKS=mix-l INPLACE_FLAGS="--teacher-beam 0"; expect "or on the references" \
  'grep -qE -- "/train .*--teacher .*--teacher-beam 0" out && ! grep -q -- "--teacher-beam 4" out'
pipeline -n RUN=default greedy; expect "which greedy does not ask for" '[ $code = 0 ] && ! grep -q -- "--teacher" out'
networks=(NETWORKS=alr-m)
pipeline -n CORPUS=iwslt2017 PAIR=fr-en; expect "archives of both directions are read" \
  'grep -q -- "--iwslt runs/corpora/iwslt17-train/fr-en.tgz --iwslt runs/corpora/iwslt17-test/fr-en.tgz --iwslt runs/corpora/iwslt17-test/en-fr.tgz" out'
pipeline -n CORPUS=tatoeba PAIR=fr-en; expect "columns follow the direction" 'grep -q -- "--source-column 2 --target-column 1" out'
pipeline -n TRAIN_FLAGS="--epochs 7 --dropout=0.2" DISTILL_FLAGS="--epochs 2" PAIR=en-fr
expect "a flag takes the place of the corpus's own" \
  'grep -E "/train --" out | grep -qE -- "--preset small --batch-tokens 500 --peak 2.5e-3 --warmup 300 +--epochs 7 --dropout=0.2" &&
   grep -E "/distill --" out | grep -qE -- "--spec alr-m.cross +--epochs 2" && ! grep -E "/distill --" out | grep -q -- "--epochs 3"'

pipeline -n RUN=own SCORE_FLAGS="--maps 5"
expect "maps that are given take the place of MAPS" 'grep -q -- "--maps 5" out && ! grep -q -- "--maps 3" out'
pipeline -n RUN=own lengths START= NETWORKS=mix-l TEXTS=4 TOKENIZE_FLAGS="--join 4"
expect "so does a number of sentences" 'grep -qE -- "--max-tokens 200 +--join 4( |$)" out && ! grep -q -- "--join 8" out'

# Several processes: mpirun and the build with MPI for train and distill, for these alone.
pipeline -n PROCESSES=4 MPI_BIN=mpi RUN=several
expect "train in four processes, of as many shares" \
  'grep -q "^mpirun -n 4 --bind-to none mpi/train --tokens .*--shares 4" out && [ "$(grep -c mpi/train out)" = 1 ] && ! grep -q "bin/train" out'
pipeline -n -j4 PROCESSES=2 MPI_BIN=mpi RUN=several
cores=$(sed -nE 's/^bin.tokenize .*--threads ([0-9]+)$/\1/p' out)
each() { echo "--threads $(( $1 > $2 ? $1 / $2 : 1 ))"; }
expect "processes divide the cores of a teacher, and those that a distillation beside others has" \
  'grep -qE -- "mpi/train .*$(each "$cores" 2)$" out && grep -qE -- "mpi/distill .*$(each "$(( cores > 4 ? cores / 4 : 1 ))" 2)$" out'
pipeline -n PROCESSES=4 MPI_BIN=mpi RUN=several
expect "and distil in four, all specs, and nothing else" \
  '[ "$(grep -c "^mpirun -n 4 --bind-to none mpi/distill --capture" out)" = 3 ] && [ "$(grep -c mpirun out)" = 4 ] && ! grep -q "bin/distill --capture" out'
pipeline -n PROCESSES=4 MPI_BIN=mpi MPI_LAUNCH="srun --mpi=pmix -n 4" LAUNCH="srun -n 1" TRAIN_FLAGS="--shares 8" RUN=several
expect "a launcher for train and distill and one for the rest, other shares" \
  'grep -q "^srun --mpi=pmix -n 4 mpi/train .*--shares 8" out && ! grep -q -- "--shares 4" out && grep -q "^srun -n 1 bin/tokenize" out'
pipeline -n PROCESSES=2 MPI_BIN=mpi TRAIN_FLAGS=--shares=4 RUN=several
expect "shares given with an equals sign count" 'grep -q "mpi/train .*--shares=4" out && ! grep -q -- "--shares 2" out'
for processes in 3 abc 0 "" "2 4"; do
  pipeline -n PROCESSES="$processes" RUN=several
  expect "no training in '$processes' processes" '[ $code = 2 ] && grep -q "PROCESSES: expected" out && ! grep -q tokenize out'
done
pipeline merge-registries; expect "registries to merge are named" '[ $code != 0 ] && grep -q "REGISTRIES: expected files" out'

# Cores are those that a control group leaves, of the nearest that says so.
quota() { [ "$(make -f pipeline.mk -pn help cgroup_root="$PWD/groups" cgroup_file="$PWD/groups/self" 2> /dev/null | sed -n 's/^CORES := //p')" = "$1" ]; }
mkdir -p groups/a/b groups/cpu,cpuacct/x
echo 0::/a/b > groups/self; echo max 100000 > groups/a/b/cpu.max
expect "cores: no quota" 'quota $(nproc)'
echo 50000 100000 > groups/a/cpu.max
expect "cores: a quota of the group above" 'quota 1'
echo 4:cpu,cpuacct:/x > groups/self; echo 100000 | tee groups/cpu,cpuacct/x/cpu.cfs_{quota,period}_us > /dev/null
expect "cores: a quota as it was said before" 'quota 1'

# Names and choices are looked at before anything runs or goes.
mkdir -p runs/kept/notes runs/kept/train && touch runs/registry.sqlite runs/kept/notes/thesis.txt runs/kept/train/.lock
for name in "" . .. -x a/b /tmp a:b a=b 50% "a b" "a#b" "~" "a'b" 'a\b'; do
  pipeline clean RUN="$name"
  expect "no run is called '$name'" '[ $code = 2 ] && grep -q "RUN: expected a name" out && [ -f runs/registry.sqlite ] && [ -d runs/kept ]'
done
pipeline clean RUN=a.B_c-1+d; expect "a name of every kind of character" '[ $code = 0 ]'
pipeline verify RUN=kept
expect "verify of nothing that was published" '[ $code = 2 ] && grep -q "expected something published" out'
mkdir -p runs/kept/search; touch runs/kept/search/study.sqlite{,.lock}
exec 9<> runs/kept/train/.lock 8<> runs/kept/search/study.sqlite.lock; flock 9; flock 8
pipeline clean RUN=kept; expect "clean leaves what is at work" '[ $code = 0 ] && [ -f runs/kept/train/.lock ] &&
  [ -f runs/kept/search/study.sqlite ] && [ "$(grep -c "is being written to" out)" = 2 ]'
exec 9>&- 8>&-
pipeline clean RUN=kept; expect "clean deletes what is marked, and only that" \
  '[ $code = 0 ] && [ ! -d runs/kept/train ] && [ ! -d runs/kept/search ] && [ -f runs/kept/notes/thesis.txt ] && grep -q runs/kept/notes out'
pipeline clean RUN=many SEEDS="1 2"; expect "clean of seeds" '[ $code = 0 ] && [ ! -e runs/many.seed-1 ] && [ ! -e runs/many.seed-2 ]'
pipeline clean RUN=parallel; expect "clean leaves nothing of a run" '[ $code = 0 ] && [ ! -e runs/parallel ] && [ -f runs/registry.sqlite ]'
joined=runs/phrasebook.en-de.lengths
expect "joined tests lie beside their run" '[ -f $joined.joined-1/tokens/manifest.json ] && [ -f $joined.joined-4/tokens/manifest.json ]'
pipeline clean RUN=phrasebook.en-de.lengths
expect "clean leaves nothing of them" '[ $code = 0 ] && [ ! -e $joined ] && [ ! -e $joined.joined-1 ] && [ ! -e $joined.joined-4 ]'
# what is wrong, words of the message, variables
refused() {
  words=$2
  rm -f log
  pipeline "${@:3}"
  expect "refused: $1" '[ $code = 2 ] && grep -qF "$words" out && [ ! -f log ]'
}
refused "a search for several seeds" "SEEDS: expected one at most for search" search "SEEDS=3 4"
refused "a corpus in languages that it does not have" "PAIR: expected some of: en-fr fr-en; found 'en-de'" CORPUS=tatoeba
refused "a setting that the goal has of its own" "TRAIN_FLAGS: goal smoke has its own" smoke TRAIN_FLAGS=x
refused "one language" "PAIR: expected two languages" PAIR=en CORPUS=mine
refused "a run to start from that is not there, of a corpus of one's own" "START: expected a run of 'mine' with a teacher, found no runs/mine.en-de/train" \
  lengths CORPUS=mine
refused "a run that starts from itself" "START: expected another run than RUN" RUN=one START=one
refused "two goals with defaults of their own" "expected one of these goals at a time" all greedy
networks=()
refused "a size of no family" "size 'q' is none of xs m" SIZES=q
for choice in NETWORKS=alx-m MODES=alx ATTENTIONS=encode PRESET=big PRECISIONS=int4 BEAMS=four BEAMS=65 LAYERS=x SEEDS=-1 MODELS=alr-m \
  MODELS=alr-m.encoder+x INPLACE=mix BOUND=x BOUND=1.2.3 BOUND=. BOUND=101 "MAPS=1 2" MAPS=1001 TEXTS=0 TEXTS=1001 SEARCH_TRIALS=0 "PRESET=small paper" PRESET= "SEEDS=1 1" "BEAMS=4 1 4" "LAYERS=0 0"; do
  refused "$choice" "${choice%%=*}: expected" "$choice"
done
networks=(NETWORKS=alr-m)
refused "a setting that nothing reads" "SIZE: no setting of this name" SIZE=m
refused "a name of the file's own" "TEACHER: no setting of this name" TEACHER=runs/x/train
refused "flags of a distillation that there is not" "DISTILL_FLAGS_alr-s.encoder: nothing is distilled" DISTILL_FLAGS_alr-s.encoder=--force

pipeline RUN=asked ATTENTIONS=encoder; rm -f log
# What other programs say of their families holds for them, and at once.
mkdir other && cp bin/* other/ && sed -i 's/"slots heads/"nova heads decoder s" "slots heads/' other/distill
pipeline -n BIN=other NETWORKS=nova-s RUN=nova; expect "families of programs elsewhere" '[ $code = 0 ] && grep -q -- "--spec nova-s.decoder" out'

pipeline why RUN=asked ATTENTIONS=encoder; expect "why: nothing" '[ $code = 0 ] && [ "$(cat out)" = "nothing would be made again" ]'
pipeline why RUN=asked TARGET=distill/typo; expect "why: of what there is not" '[ $code = 2 ] && ! grep -q nothing out'
pipeline why RUN=asked ATTENTIONS=encoder DISTILL_FLAGS="--epochs 7"
expect "why: a setting, and what follows from it" \
  '[ $code = 0 ] && grep -qx "runs/asked/distill/$e: other settings" out && grep -qx "  + --spec $e --epochs 7 (revision: distill 7)" out &&
   grep -qx "runs/asked/splice/$e: runs/asked/distill/$e would be made again" out && ! grep -q "asked/train:" out'
pipeline why RUN=asked ATTENTIONS=encoder; expect "and asking changes nothing" '[ "$(cat out)" = "nothing would be made again" ]'
rm -rf other; mkdir other && cp bin/* other/ && sed -i 's/0\.1\.0\.7/0.1.0.8/' other/distill
pipeline why BIN=other RUN=asked ATTENTIONS=encoder
expect "why: programs that give other bytes" \
  'grep -qx "runs/asked/distill/$e: other settings" out && grep -qx "  + --spec $e --epochs 3 (revision: distill 8)" out && ! grep -q "asked/train:" out'
pipeline BIN=other RUN=asked ATTENTIONS=encoder
check "which make the stage again, and what follows from it" capture/heads.encoder distill/$e splice/$e score/$e
pipeline BIN=other RUN=asked ATTENTIONS=encoder; check "once"
pipeline RUN=asked ATTENTIONS=encoder; check "and those from before theirs" capture/heads.encoder distill/$e splice/$e score/$e
pipeline BIN=other RUN=asked ATTENTIONS=encoder; rm log
sed -i 's/0\.1\.0\.8/0.1.0.9/' other/distill
pipeline BIN=other RUN=asked ATTENTIONS=encoder
check "programs that were built elsewhere are asked each time" capture/heads.encoder distill/$e splice/$e score/$e
pipeline RUN=asked ATTENTIONS=encoder; rm -f log
mv runs/asked/parameters/splice away
pipeline why RUN=asked ATTENTIONS=encoder
expect "why: settings that an earlier release did not remember" '[ $code = 0 ] && grep -qx "runs/asked/splice/$e: other settings" out'
mv away runs/asked/parameters/splice
pipeline why RUN=asked TARGET=distill/$d; expect "why: a folder that is not there" 'grep -qx "runs/asked/distill/$d: not made yet" out && ! grep -q "score" out'
sleep 1; touch runs/asked/train/manifest.json
pipeline why RUN=asked GOAL=smoke; expect "why: of no goal with a run of its own" '[ $code = 2 ] && grep -q "GOAL: expected some of" out'
pipeline why RUN=asked TARGET=score/$e; expect "why: an input that was made since" 'grep -qx "runs/asked/score/teacher: runs/asked/train was made since" out'
expect "of which nothing was made" '[ ! -f log ]'

mkdir -p runs/table && printf abc > runs/table/words && cat > runs/table/manifest.json <<< \
  '{"stage":"x","files":{"words":{"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","bytes":3}}}'
pipeline verify RUN=table; expect "verify: what was published is there" '[ $code = 0 ]'
printf abd > runs/table/words
pipeline verify RUN=table; expect "verify: a changed file is named" '[ $code != 0 ] && grep -q "words: FAILED" out'
mkdir runs/table.joined-4; mv runs/table runs/table.joined-4/tokens; mkdir runs/table
pipeline verify RUN=table; expect "verify: of a joined test, too" '[ $code != 0 ] && grep -q "words: FAILED" out'

pipeline verify RUN=nosuch; expect "verify: a run that is not there" '[ $code = 2 ] && grep -q "RUN: expected a run that there is" out'

pipeline help; expect "help lists the goals" 'grep -qE "^  paper +The paper" out && grep -qE "^  KEEP +1 keeps" out'

[ $failures = 0 ] || { echo "$failures failed"; exit 1; }
echo "pipeline.mk: all checks passed"
