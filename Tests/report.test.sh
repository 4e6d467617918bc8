#!/usr/bin/env bash
# The report of a run in a real browser: wide and narrow, light and dark, with mouse and keyboard, without a network.
#
#   Tests/report.test.sh [run, by default smoke]
#
# When a check fails, the screenshots stay in runs/report-test.
set -eu -o pipefail
cd "$(dirname "$0")/.."
command -v chromium > /dev/null || {
  sudo=$([ "$(id -u)" = 0 ] || echo sudo)
  $sudo apt-get update --quiet && $sudo apt-get install --yes --quiet --no-install-recommends chromium fonts-dejavu-core
}
run=${1:-smoke}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
.build/release/report --run "$run" --output "$work/report"
rm -rf runs/report-test
python3 -B Tests/report/browser.py "$work/report/index.html" runs/report-test
# Figures can be drawn again from what lies beside them.
cp "$work"/report/*.gp "$work"/report/*.csv "$work"
(cd "$work" && for script in *.gp; do gnuplot "$script"; [ -s "${script%.gp}.svg" ]; done)
echo "ok: every figure can be drawn again from its data and script"
echo "report: all checks passed"
