#!/bin/sh
# The documents name tests and files: each must exist, and no place-holder may be left.
# Usage: test_docs.sh SOURCE_FOLDER
set -eu
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
failed=0

complain() {
    echo "docs: $1" >&2
    failed=1
}

# SECURITY.md: every promise names tests as `path` or `path` `case`, below tests/.
grep '^| [0-9]' SECURITY.md >"$work/promises"
[ "$(wc -l <"$work/promises")" -ge 17 ] || complain "SECURITY.md has lost a promise"
while read -r promise; do
    printf '%s\n' "$promise" | grep -o '`[a-z_./]*/[a-z_]*\.\(c\|sh\)`\( `[a-z0-9_]*`\)\{0,1\}' |
        tr -d '`' >"$work/tests" || complain "no test holds this promise: $promise"
    while read -r file name; do
        [ -f "tests/$file" ] || complain "SECURITY.md names tests/$file, which is not there"
        [ -z "$name" ] || grep -q "\b$name\b" "tests/$file" ||
            complain "SECURITY.md names $name, which is not in tests/$file"
    done <"$work/tests"
done <"$work/promises"

# Links between documents.
find . -name '*.md' -not -path './build/*' >"$work/documents"
while read -r document; do
    grep -o '](\([^)#:]*\))' "$document" | sed 's/](\(.*\))/\1/' >"$work/links" || continue
    while read -r target; do
        [ -e "$(dirname "$document")/$target" ] || complain "$document links to $target, which is not there"
    done <"$work/links"
done <"$work/documents"

if grep -nE '^[A-Z_]{6,}$' README.md ARCHITECTURE.md SECURITY.md CHANGELOG.md; then
    complain "a place-holder is left"
fi
[ "$failed" -eq 0 ] && echo "docs: ok"
exit "$failed"
