#!/bin/sh
# The committed catalogue of errors is the one that the lists in the code make.
# Usage: errors_md.sh SLUICE-MANUAL ERRORS.MD
made=$(mktemp) || exit 1
trap 'rm -f "$made"' EXIT INT TERM
"$1" errors "$made" && diff -u "$2" "$made" && exit 0
echo "docs/errors.md is not what the code says: run 'make docs'" >&2
exit 1
