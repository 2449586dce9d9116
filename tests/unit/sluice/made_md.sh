#!/bin/sh
# A committed page is the one that the lists in the code make.
# Usage: made_md.sh SLUICE-MANUAL KIND PAGE.MD
made=$(mktemp) || exit 1
trap 'rm -f "$made"' EXIT INT TERM
"$1" "$2" "$made" && diff -u "$3" "$made" && exit 0
echo "$3 is not what the code says: run 'make docs'" >&2
exit 1
