#!/bin/sh
# Code and constants of src/mqtt in a program that uses what a client needs, in bytes. What other modules
# and the C library supply stays out, but stands near: calls are as short as in such a program.
# Usage: bench/mqtt_size.sh PREFIX OBJECT...      PREFIX of the tools: "" or xtensa-lx106-elf-
set -eu
prefix=$1
shift
linked=$(mktemp)
trap 'rm -f "$linked"' EXIT
options=""
for verb in init open close feed next peek sent tick deadline publish subscribe disconnect; do
    options="$options -u sl_mqtt_$verb"
done
for name in $("${prefix}nm" -u "$@" | awk '$1 == "U" && $2 !~ /^sl_(mqtt|topic|utf8)_/ { print $2 }' | sort -u); do
    options="$options --defsym=$name=sl_mqtt_init"
done
# shellcheck disable=SC2086 # the options are meant to split
"${prefix}ld" --gc-sections $options -e sl_mqtt_init "$@" -o "$linked"
"${prefix}size" -A "$linked" | awk '$1 ~ /^\.(text|rodata)/ { bytes += $2 } END { print bytes }'
