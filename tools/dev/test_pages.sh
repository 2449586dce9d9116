#!/bin/sh
# deploy/node.conf and the table in docs/service.md are those that the table of settings makes.
# Usage: test_pages.sh SOURCE_FOLDER SLUICE_NODE_PAGES
set -eu
cd "$1"
pages=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

"$pages" config >"$work/node.conf"
diff deploy/node.conf "$work/node.conf" || {
    echo "pages: deploy/node.conf is old: run '$pages config >deploy/node.conf'" >&2
    exit 1
}
"$pages" table >"$work/table"
sed -n '/^<!-- settings -->$/,/^<!-- end -->$/p' docs/service.md | sed '1d;$d' >"$work/there"
diff "$work/there" "$work/table" || {
    echo "pages: the table in docs/service.md is old: put there what '$pages table' prints" >&2
    exit 1
}
"$pages" manual >"$work/sluice-node.8"
# Every setting is there, and no line of running text is taken for a request of roff.
for name in $(sed -n 's/^#\([a-z-]*\) = .*/\1/p' deploy/node.conf); do
    grep -qF "\\-\\-$(echo "$name" | sed 's/-/\\-/g')\\fR" "$work/sluice-node.8" ||
        { echo "pages: --$name is not in the manual page" >&2; exit 1; }
done
if grep -E "^[.']" "$work/sluice-node.8" | grep -vE '^\.(\\"|TH|SH|TP|B|BR|I|br)( |$)'; then
    echo "pages: an unknown request in the manual page" >&2
    exit 1
fi
echo "pages: ok"
