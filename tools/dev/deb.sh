#!/bin/sh
# Builds the Debian packages from the files that git knows (without git: from the whole folder), in a
# folder of its own and without the network, and lets lintian judge them.
# Usage: deb.sh FOLDER      Gives: FOLDER/*.deb. The same sources give the same packages, bit by bit.
set -eu

if [ $# -ne 1 ]; then
    echo "usage: tools/dev/deb.sh FOLDER" >&2
    exit 2
fi
mkdir -p "$1"
target=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
mkdir "$work/source"
if git rev-parse --git-dir >/dev/null 2>&1; then
    git ls-files | while read -r file; do [ ! -e "$file" ] || echo "$file"; done
else
    find . -type f -not -path './build/*' -not -path './site/*'
fi | tar -cf - -T - | tar -xf - --no-same-owner -C "$work/source"
# Rights and dates of the copy are those of a fresh one everywhere.
chmod -R u=rwX,go=rX "$work/source"

failed() {
    tail -n 12 "$target/build.log" >&2
    echo "deb: $1: all of it is in $target/build.log" >&2
    exit 1
}
rm -f "$target"/*.deb
# A compiler's cache would take words out of one build into another.
(cd "$work/source" && CCACHE_DISABLE=1 DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS:-} noautodbgsym" \
    dpkg-buildpackage -us -uc) >"$target/build.log" 2>&1 || failed "the packages cannot be built"
lintian --allow-root --pedantic --display-info --fail-on error,warning,info,pedantic "$work"/*.changes \
    >>"$target/build.log" 2>&1 || failed "lintian has complaints"
mv "$work"/*.deb "$target"
