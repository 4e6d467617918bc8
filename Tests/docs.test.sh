#!/usr/bin/env bash
# What the documentation says, tried: the Python of Formats and the SQL of Registry on a smoke run, and whether links, files, goals,
# settings, options, types and tests that it names are there.
#
#   Tests/docs.test.sh [folder of the programs, by default .build/release]
#
# Needs what `make -f pipeline.mk smoke` makes.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
bin=$(realpath "${1:-.build/release}") project=$PWD
catalogue=Sources/Stages/Documentation.docc
[ -f runs/smoke/splice/mix-xs.cross/manifest.json ] || {
  echo "docs.test.sh: runs/smoke: expected a run, found none; 'make -f pipeline.mk smoke' makes it" >&2
  exit 66
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# name, command
check() {
  if "${@:2}" > "$work/said" 2>&1; then echo "ok: $1"; else
    failures=$((failures + 1))
    echo "FAILED: $1"
    head -n 40 "$work/said" | sed 's/^/  | /'
  fi
}
fails() { ! "$@"; }
# The fenced blocks of language $1 in page $2, each followed by a line with a NUL.
blocks() { awk -v language="$1" '$0 == "```" language { inside = 1; next } /^```/ { if (inside) printf "%c\n", 0; inside = 0 } inside' "$2"; }

# ---- Names --------------------------------------------------------------------------------------------------------------

mkdir "$work/help"
for program in tokenize train capture distill splice score bench report; do "$bin/$program" --help > "$work/help/$program"; done
names() { python3 Tests/docs/names.py "$work/help" "$@"; }
for page in README.md "$catalogue"/*.md; do check "names in $page" names "$page"; done
every_page_is_listed() {
  local page
  for page in "$catalogue"/*.md; do
    [ "$page" = $catalogue/Stages.md ] || grep -q "<doc:$(basename "$page" .md)>" $catalogue/Stages.md || { echo "$page"; return 1; }
  done
}
check "every page is on the landing page" every_page_is_listed

# A failure in README.md is what the program says.
fails_as_written() {
  local words
  words=$(sed -n 's/^    \$ \.build\/release\/distill //p' README.md)
  [ -n "$words" ] || return 1
  sed -n '/^    \$ \.build\/release\/distill /,/^$/p' README.md | sed '1d; $d; s/^    //' > "$work/written"
  (cd "$work" && ! "$bin/distill" $words 2> found) && diff "$work/written" "$work/found"
}
check "the failure in README.md" fails_as_written

# Every promise names what holds it.
held() { ! grep -E '^\| ' "$1" | grep -vE '^\| promise \| held by \|$' | grep -vE '\| [^|]*`([A-Z][A-Za-z]+Tests(/[A-Za-z]+)?|Tests/[a-z.]+\.sh)`[^|]*\|$'; }
check "every promise names a test" held $catalogue/Promises.md
printf '| promise | held by |\n|---|---|\n| All is well. | `Sources/score` |\n' > "$work/page.md"
check "and one that does not is found" fails held "$work/page.md"

# A page with one fault of each kind must not pass.
while read -r fault; do
  printf '# Page\n\n%s\n' "$fault" > "$work/page.md"
  check "found: $fault" fails names "$work/page.md"
done <<'FAULTS'
[Nowhere](doc:Nowhere)
[Nowhere](nowhere.md)
`Sources/Nowhere.swift`
`make -f pipeline.mk nowhere`
`make -f pipeline.mk SIZE=m`
`make -f pipeline.mk TRAIN_FLAGS="--beam 4"`
`score --epochs 4`
`report --beam 4`
`--nowhere`
`NowhereTests`
`TrainerTests/nowhere`
`NoWhere`
A span that `goes on
A line of more than a hundred and twenty columns is hard to read in a terminal or beside another file, and this is such a line.
FAULTS
printf '# Page\n\n[Registry](doc:Registry) `Sources/score` `make -f pipeline.mk smoke` `score --beam 4` `TrainerTests` `RunKey`\n' > "$work/page.md"
check "a page without a fault passes" names "$work/page.md"

# ---- A smoke run's files, and a capture, which make has deleted -----------------------------------------------------------

mkdir -p "$work/runs/smoke"
for folder in tokens train splice distill score; do ln -s "$project/runs/smoke/$folder" "$work/runs/smoke/$folder"; done
sqlite3 runs/registry.sqlite ".backup '$work/runs/registry.sqlite'"
sqlite3 "$work/runs/registry.sqlite" "PRAGMA foreign_keys = ON; UPDATE runs SET resumed_from = NULL; DELETE FROM runs WHERE name <> 'smoke'"
cd "$work"
check "a capture" "$bin/capture" --model runs/smoke/train --tokens runs/smoke/tokens --attentions cross --layers 0 --quiet \
  --registry "$work/captures.sqlite" --output runs/smoke/capture/heads.cross

# ---- Python of Formats --------------------------------------------------------------------------------------------------

blocks python "$project/$catalogue/Formats.md" | tr -d '\0' > formats.py
prints_all() {
  local subject
  python3 formats.py | tee printed
  for subject in shard capture blocks weights maps manifest; do grep -q "^$subject: " printed || return 1; done
}
check "the Python of Formats" prints_all
cp printed formats.out
rm runs/smoke/tokens && cp -r "$project/runs/smoke/tokens" runs/smoke/tokens
cp runs/smoke/tokens/test.source.txt runs/smoke/tokens/valid.source.txt
check "and it fails where the text is another" fails python3 formats.py

# ---- SQL of Registry ----------------------------------------------------------------------------------------------------

# A query has an answer on a smoke run, unless it says that it may have none.
query() {
  sqlite3 -readonly -bail runs/registry.sqlite "$1" > answer || return 1
  [ -s answer ] || grep -q -e '-- may be empty' <<< "$1" || { echo "no rows: $1"; return 1; }
}
queries=0
while IFS= read -r -d '' sql; do
  queries=$((queries + 1))
  check "SQL: $(head -c 70 <<< "${sql#$'\n'}" | grep -v '^--' | head -n 1)" query "$sql"
done < <(blocks sql "$project/$catalogue/Registry.md")
check "at least a dozen queries" [ $queries -ge 12 ]
check "a query of a column that is not there fails" fails query "select nowhere from runs"
check "a query without rows fails" fails query "select 1 from runs where id < 0"
# Commands of any page that ask the registry.
while IFS= read -r command; do
  check "$ ${command:0:90}" bash -c "$command"
done < <(cd "$project" && sed -nE 's/^    (sqlite3 .*runs\/registry\.sqlite .*)/\1/p' README.md $catalogue/*.md | sed 's/  *#.*//')

# Every table, view and column is described.
described() {
  local table column missing=0
  while IFS='|' read -r table column; do
    grep -qE "^\| \`$table\` \|.*" "$page" || { echo "no row for $table"; missing=1; continue; }
    [ -z "$column" ] || grep -E "^\| \`$table\` \|" "$page" | grep -qF "\`$column\`" || { echo "$table: no $column"; missing=1; }
  done < <(sqlite3 -readonly runs/registry.sqlite "
    SELECT m.name, CASE m.type WHEN 'table' THEN c.name END FROM sqlite_schema m, pragma_table_info(m.name) c
    WHERE m.type IN ('table', 'view') ORDER BY 1, c.cid")
  return $missing
}
page=$project/$catalogue/Registry.md
check "every table, view and column is in Registry" described
grep -v '^| `runs` |' "$page" > less.md
page=less.md
check "and one that is not is found" fails described

cat formats.out
[ $failures = 0 ] || { echo "$failures failed"; exit 1; }
echo "docs: what is written can be done"
