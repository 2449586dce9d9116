#!/bin/sh
# The layer rule: base <- {mqtt, tls, clock, zone, link, store, enrol} <- node <- ports.
# Siblings do not include each other; src/ knows no operating system, no heap, no platform.
# Usage: layers.sh [FOLDER]     FOLDER: the one that holds src/ (default: here)
set -eu
cd "${1:-.}"
bad=0

forbid() { # rule, offending lines (none is good)
    [ -z "$2" ] && return 0
    printf 'layer rule: %s\n%s\n' "$1" "$2" >&2
    bad=1
}

for folder in src/*/; do
    module=$(basename "$folder")
    case $module in
    base) allowed="base" ;;
    node) allowed="base|mqtt|tls|clock|zone|link|store|enrol|node" ;;
    mqtt | tls | clock | zone | link | store | enrol) allowed="base|$module" ;;
    *)
        forbid "src/ holds a module that the rule does not know" "$folder"
        continue
        ;;
    esac
    forbid "$module may include only $allowed" \
        "$(grep -nHE '#include "' "$folder"*.[ch] | grep -vE "#include \"($allowed)/" || true)"
done

standard='stdbool|stddef|stdint|string|limits'
forbid "src/ includes only freestanding headers ($standard), and BearSSL's in src/tls" \
    "$(grep -nHE '#include <' src/*/*.[ch] | grep -vE "#include <($standard)\.h>" |
        grep -vE '^src/tls/.*#include <bearssl(_[a-z0-9]+)?\.h>' || true)"
forbid "src/ uses no heap, no stdio, no clock" \
    "$(grep -nHE '\b(malloc|calloc|realloc|free|s?n?printf|time|gettimeofday|alloca)\(' \
        src/*/*.c || true)"
forbid "src/ has no platform conditionals" \
    "$(grep -nHE '#[[:space:]]*(if|elif).*(__AVR|__linux|__unix|__xtensa|_WIN32|__APPLE__|ARDUINO|ESP_)' \
        src/*/*.[ch] || true)"

listed=$(sed 's/#.*//' cmake/sources.cmake | tr -s ' ()\n' '\n' | grep '\.c$' | sort)
present=$(cd src && find . -name '*.c' | sed 's|^\./||' | sort)
[ "$listed" = "$present" ] ||
    forbid "cmake/sources.cmake lists every source once" "listed:
$listed
present:
$present"
[ "$bad" -eq 0 ] && echo "layers: ok"
exit "$bad"
