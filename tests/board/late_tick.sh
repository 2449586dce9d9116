#!/bin/sh
# The computer holds the board up just where it sets its next tick (late_tick.c): the tick comes all the
# same, and not when the counter has gone all the way round.
# Usage: late_tick.sh IMAGE PLUGIN
set -eu
image=$1 plugin=$2
at=$(xtensa-lx106-elf-nm "$image" | awk '$3 == "lx106_tick_set" { print $1 }')
[ -n "$at" ] || { echo "FAILED: $image has no lx106_tick_set" >&2; exit 1; }

code=0
timeout 50 qemu-system-xtensa -M kc705-nommu -cpu lx106 -display none -monitor none -serial stdio -no-reboot \
    -nic none -semihosting-config enable=on,target=native,arg=hello,arg=rest-ms=100 \
    -plugin "$plugin,at=$at,times=3" -kernel "$image" </dev/null || code=$?
[ "$code" = 0 ] || { echo "FAILED: exit code $code; 124: the tick never came" >&2; exit 1; }
