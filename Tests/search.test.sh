#!/usr/bin/env bash
# The search with Optuna itself, on the teacher of a smoke run: a few trials, stopped, gone on with, and refused where a study
# is of other settings, locked or none. Not part of CI, since Optuna comes from PyPI.
#
#   Tests/search.test.sh [folder of the programs, by default .build/release]
#
# Needs what `make -f pipeline.mk smoke` makes.
set -eu -o pipefail
cd "$(dirname "$0")/.."
bin=$(realpath "${1:-.build/release}") source=$PWD
[ -f runs/smoke/train/manifest.json ] || {
  echo "search.test.sh: runs/smoke: expected a run, found none; 'make -f pipeline.mk smoke' makes it" >&2
  exit 66
}
make -f pipeline.mk runs/search-venv/installed
optuna=$source/runs/search-venv/bin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r runs/smoke/train runs/smoke/tokens "$work"
cd "$work"
"$bin/capture" --model train --tokens tokens --attentions cross --layers 4 --output capture --quiet
failures=0
check() { if eval "$2"; then echo "ok: $1"; else failures=$((failures + 1)); echo "FAILED: $1"; sed 's/^/  | /' out; fi; }
arguments=(--distill "$bin/distill" --capture capture --attention cross --layer 4 --study study.sqlite --runs trials/t --registry registry.sqlite)
search() { "$optuna/python" -B "$source/Sources/search/search.py" "${arguments[@]}" --output cross.json "$@" > out 2>&1 && code=0 || code=$?; }
trials() { python3 -c 'import json; print(*[t["trial"] for t in json.load(open("cross.json"))["trials"]])'; }

"$optuna/python" -B "$source/Sources/search/search.py" "${arguments[@]}" --output cross.json --families mix slots --trials 4 > out 2>&1 &
child=$!
until grep -q "trial 0," out || ! kill -0 $child 2> /dev/null; do sleep 0.1; done
kill -TERM $child; wait $child && code=0 || code=$?
check "stopped" '[ $code = 143 ] && grep -q "the same command goes on" out && [ ! -e cross.json ]'
search --families mix slots --trials 4
check "gone on with" '[ $code = 0 ] && [ "$(trials)" = "0 1 2 3" ] && grep -q "^| spec" cross.md'
cp cross.json first.json
search --families mix slots --trials 6
check "and for more trials, of which the first are what they were" '[ $code = 0 ] && [ "$(trials)" = "0 1 2 3 4 5" ] && python3 -c "
import json
first, all = (json.load(open(name))[\"trials\"] for name in (\"first.json\", \"cross.json\"))
assert all[:4] == first"'
search --families mix --trials 6
check "another family: refused, with what begins this study anew" '[ $code = 65 ] && grep -q "other settings (families)" out'
eval "$(sed -n 's/^hint: to begin anew: //p' out)" > out 2>&1 || true
rm -f registry.sqlite
search --families mix --trials 1
check "which it does, in a new registry too" '[ $code = 0 ] && [ "$(trials)" = 0 ]'
rm -f registry.sqlite
"$optuna/python" - <<'PYTHON'
import optuna
study = optuna.load_study(study_name="cross.4", storage="sqlite:///study.sqlite")
trial = study.ask()
trial.set_user_attr("after_run", 100)  # runs of a registry that is no longer there
PYTHON
search --families mix --trials 2
check "a trial whose runs nobody knows is told of" '[ $code = 65 ] && grep -q "the same command tries it again" out'
search --families mix --trials 2
check "and tried again" '[ $code = 0 ] && [ "$(trials)" = "0 1" ]'
python3 -c '
import sqlite3, time
lock = sqlite3.connect("study.sqlite", isolation_level=None)
lock.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
time.sleep(60)' > locked &
child=$!
until grep -q locked locked; do sleep 0.1; done
search --families mix --trials 3
check "a study that is locked is not to be deleted" '[ $code = 74 ] && ! grep -q delete out'
kill $child; wait $child 2> /dev/null || true
echo "no study at all, but long enough to be one" > none.sqlite
arguments=("${arguments[@]/study.sqlite/none.sqlite}")
search --families mix --trials 3
check "what is no study" '[ $code = 65 ] && grep -q "expected a study" out'
[ $failures = 0 ] || { echo "search: $failures checks failed"; exit 1; }
echo "search: all checks passed"
