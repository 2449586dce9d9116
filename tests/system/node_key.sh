#!/bin/sh
# The private key of a node, out of its identity image $1, as PEM in $2: tag 88, length 0020; behind it
# the end of the certificate and, in newer images, when it was made.
set -eu
hex=$(od -An -v -tx1 "$1" | tr -d ' \n' |
      sed -n 's/^.*880020\([0-9a-f]\{64\}\)890008.*$/\1/p')
[ -n "$hex" ] || { echo "no key in $1" >&2; exit 1; }
# Octal escapes: the only ones that every printf knows.
for byte in $(echo "30310201010420${hex}a00a06082a8648ce3d030107" | sed 's/../& /g'); do
    # shellcheck disable=SC2059
    printf "\\$(printf %03o "0x$byte")"
done | openssl pkey -inform DER -out "$2" 2>/dev/null
