#!/bin/sh
# The layer rule finds each kind of breach: plant one at a time in a copy, and expect it named.
# Usage: test_layers.sh SOURCE_FOLDER
set -eu
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
failed=0

plant() { # expected words, shell command run in the copy
    rm -rf "$work/src" "$work/cmake"
    cp -r "$source/src" "$source/cmake" "$work/"
    (cd "$work" && sh -c "$2")
    if "$source/tools/dev/layers.sh" "$work" 2>&1 | grep -q "layer rule: $1"; then
        echo "found: $2"
    else
        echo "NOT found: $2"
        failed=1
    fi
}

"$source/tools/dev/layers.sh" "$source"
plant 'mqtt may include only' 'echo "#include \"tls/tls.h\"" >>src/mqtt/packet.c'
plant 'src/ includes only freestanding' 'echo "#include <stdio.h>" >>src/zone/zone.c'
plant 'src/ includes only freestanding' 'echo "#include <bearssl.h>" >>src/store/identity.c'
plant 'src/ uses no heap' 'echo "void f(void){free(0);}" >>src/zone/zone.c'
plant 'src/ has no platform' 'echo "#ifdef __AVR__" >>src/zone/zone.h'
plant 'cmake/sources.cmake lists' 'echo >src/zone/unlisted.c'
plant 'src/ holds a module' 'mkdir src/extra'
exit "$failed"
