#!/bin/sh
# deploy/node.conf and the table in docs/service.md are those that the table of settings makes, and
# sluice-node(8) has every setting.
# Usage: test_pages.sh SOURCE_FOLDER SLUICE_MANUAL
set -eu
cd "$1"
manual=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

"$manual" config "$work/node.conf"
diff deploy/node.conf "$work/node.conf" || {
    echo "pages: deploy/node.conf is old: run 'make docs'" >&2
    exit 1
}
"$manual" settings "$work/table"
sed -n '/^<!-- settings -->$/,/^<!-- end -->$/p' docs/service.md | sed '1d;$d' >"$work/there"
diff "$work/there" "$work/table" || {
    echo "pages: the table in docs/service.md is old: put there what '$manual settings FILE' writes" >&2
    exit 1
}
"$manual" man "$work"
for name in $(sed -n 's/^#\([a-z-]*\) = .*/\1/p' deploy/node.conf); do
    grep -q "^\.It Fl -$name Ar " "$work/sluice-node.8" ||
        { echo "pages: --$name is not in the manual page" >&2; exit 1; }
done
echo "pages: ok"
