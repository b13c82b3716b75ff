#!/usr/bin/env bash
# Each guard has its row, its page and its table of verdicts.
set -u
cd "$(dirname "$0")/../.." || exit 2
bad=0
names=$(grep -ohE '\bX\([a-z_]+\)' guards/list.h | sed 's/X(\(.*\))/\1/' | sort -u)
[ -n "$names" ] || { echo "guards/list.h names no guard"; exit 1; }
for g in $names; do
  page=docs/guards/${g//_/-}.md
  [ -s "$page" ] || { echo "$g: $page is missing"; bad=1; }
  ls tests/tables/ | grep -q "^${g//_/-}.*\.tbl$" || { echo "$g: no table tests/tables/${g//_/-}*.tbl"; bad=1; }
done
exit $bad
