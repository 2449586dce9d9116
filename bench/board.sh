#!/bin/sh
# Figures of the node on the virtual ESP8266: a table with each target, then how many targets are met.
# Usage: bench/board.sh BUILD_FOLDER [--check]      (make bench-board)
#   without --check   the figures are written to bench/lx106.csv
#   --check           fails when a figure is more than 1 % worse than the one that stands there
set -eu

if [ $# -lt 1 ] || [ ! -d "$1" ]; then
    echo "usage: bench/board.sh BUILD_FOLDER [--check] (after 'make board'; 'make bench-board' does both)" >&2
    exit 2
fi
build=$(cd "$1" && pwd)
mode=${2-}
root=$(cd "$(dirname "$0")/.." && pwd)
board=$root/build/lx106
csv=$root/bench/lx106.csv
tmp=$(mktemp -d /tmp/sluice-bench.XXXXXX)
started=""
stop() {
    for pid in $started; do kill "$pid" 2>/dev/null || true; done
    rm -rf "$tmp"
}
trap stop EXIT
trap 'exit 130' INT TERM HUP

fail() {
    echo "bench-board: $*" >&2
    tail -n 5 "$tmp"/*.log >&2 2>/dev/null || true
    exit 1
}
start() { # NAME PROGRAM ARGUMENT...; its process in $pid
    name=$1
    shift
    "$@" >"$tmp/$name.log" 2>&1 &
    pid=$!
    started="$started $pid"
}
wait_for() { # NAME TEXT: a line of its log
    for _ in $(seq 300); do
        if grep -q -- "$2" "$tmp/$1.log"; then return 0; fi
        sleep 0.05
    done
    fail "no '$2' from the $1"
}

sluice() { "$build/tools/sluice/sluice" --site "$tmp/site" "$@"; }
start_broker() {
    start broker "$build/tools/sluice/sluice" --site "$tmp/site" broker run
    broker=$pid
    wait_for broker ' running'
}

# The life of a session, told by the node with the meter in it (bench/lx106/meter.c).
sessions() {
    sluice init --no-passphrase --port "$((20000 + $$ % 20000))" >"$tmp/init.log" 2>&1 || fail "no site"
    sluice node add garden --base irrigation >"$tmp/add.log" 2>&1 || fail "no node"
    start_broker
    start chip "$build/twin/sluice-chip" --elf "$root/build/atmega168/relay-chip.elf" \
        --spi "$tmp/spi" --control "$tmp/control"
    start node "$build/twin/board/sluice-board" --exact --elf "$board/board-meter.elf" --state "$tmp" \
        --identity "$tmp/site/nodes/garden/identity" --chip "$tmp/spi"
    wait_for node 'figure ready 1'
    kill "$broker"
    wait "$broker" 2>/dev/null || true
    start_broker
    wait_for node 'figure ready 4'
    # Several: one that comes in the middle of an exchange with the chip is not metered, and one may
    # share its turn with other work.
    for zone in 2 3 4 5 6 7; do
        command zone/on "$zone 120"
        sleep 0.3
        command zone/off "$zone"
        sleep 0.3
    done
    grep -q 'figure segment_to_spi' "$tmp/node.log" || fail "no figure segment_to_spi"
}
command() { # TOPIC TEXT
    # shellcheck disable=SC2046 # the arguments are meant to split
    mosquitto_pub $(sluice client-args) --topic "irrigation/$1" -m "$2" >"$tmp/command.log" 2>&1 ||
        fail "the command could not be sent"
}

# The largest of those that were told; least: the smallest.
told() { # NAME [least]
    value=$(sed -n "s/.* figure $1 //p" "$tmp/node.log" | sort -n | if [ $# -gt 1 ]; then head -n 1; else tail -n 1; fi)
    [ -n "$value" ] || fail "no figure $1"
    echo "$value"
}
section() { xtensa-lx106-elf-size -A "$board/sluice-board.elf" | awk -v name="$1" '$1 == name { print $2 }'; }
symbol() { printf '%d' "0x$(xtensa-lx106-elf-nm "$board/sluice-board.elf" | awk -v name="$1" '$3 == name { print $1 }')"; }

# figure,value,target,unit; no target: it is reported only
row() { echo "$1,$2,$3,$4" >>"$tmp/rows"; }

rows() {
    row handshake_full "$(told handshake_full)" 81000000 instructions
    row handshake_known "$(told handshake_known)" 55000000 instructions
    row handshake_resumed "$(told handshake_resumed)" 700000 instructions
    row handshake_resumed_after_reset "$(told handshake_resumed_after_reset)" 700000 instructions
    row longest_stretch "$(told longest_stretch)" "" instructions
    row segment_to_spi "$(told segment_to_spi least)" 16000 instructions
    ram=$(($(section .data) + $(section .bss)))
    row ram_without_network $((ram - $(symbol lx106_network_end) + $(symbol lx106_network_start))) 12288 bytes
    row ram $ram 24576 bytes
    row network_peak "$(told network_peak)" "" bytes
    row stack_peak "$(told stack_peak)" 6000 bytes
    row stack_static "$(sh "$root/tests/board/stack.sh" "$board" sluice-board | awk '/^worst/ { print $4 }')" "" bytes
    "$root/bench/mqtt_board.sh" >>"$tmp/rows" || fail "no figures of MQTT"
    row image $(($(section .vectors) + $(section .text) + $(section .rodata) + $(section .data))) 112640 bytes
}

table() {
    awk -F , '{ met = $3 == "" ? "" : $2 <= $3 ? "met" : "MISSED"
            printf "  %-32s %12d %-13s %s\n", $1, $2, $4, $3 == "" ? "" : "target " $3 ", " met
            if (met != "") { targets++; if (met == "met") good++ } }
        END { printf "bench-board: %d of %d targets met\n", good, targets }' "$1"
}

sessions
echo "figure,value,target,unit" >"$tmp/csv"
rows
cat "$tmp/rows" >>"$tmp/csv"
table "$tmp/rows"
if [ "$mode" = --check ]; then
    "$root/bench/worse.sh" "$tmp/csv"
else
    cp "$tmp/csv" "$csv"
fi
