#!/bin/sh
# MQTT on the ESP8266's core: rows of bench/lx106.csv, counted by mqtt-counts.elf.
# Usage: bench/mqtt_board.sh [--check]      --check: fails when one is worse than the file says
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
board=$root/build/lx106
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT

"$root/twin/board/run-image.sh" "$board/mqtt-counts.elf" | awk '
    BEGIN { target["in_qos0_v3"] = 220; target["in_qos1_v3"] = 380; target["out_qos0_v3"] = 320
        target["connect_will_v3"] = 900 }
    $1 != "figure" { print > "/dev/stderr"; exit 1 }
    { print "mqtt_" $2 "," $3 "," target[$2] ",instructions" }' >"$rows"
[ -s "$rows" ]
objects=$(ls "$board"/bench/lx106/CMakeFiles/mqtt-counts.dir/__/__/src/mqtt/*.obj)
# shellcheck disable=SC2086 # the list is meant to split
echo "mqtt_code,$("$root/bench/mqtt_size.sh" xtensa-lx106-elf- $objects),7000,bytes" >>"$rows"
case ${1-} in
--check) "$root/bench/worse.sh" "$rows" ;;
*) cat "$rows" ;;
esac
