#!/bin/sh
# Faults of a program on the board: what is said of them, and the exit code.
# Usage: fault.sh RUN_IMAGE BUILD_FOLDER
set -eu
run=$1 image=$2/board-fault.elf
said=$(mktemp)
trap 'rm -f "$said"' EXIT

expect() { # KIND CODE TEXT
    code=0
    "$run" "$image" fault="$1" >"$said" 2>&1 || code=$?
    if [ "$code" != "$2" ] || ! grep -q "$3" "$said"; then
        echo "FAILED: $1: exit code $code, not $2, or not '$3':" >&2
        cat "$said" >&2
        exit 1
    fi
}
here=$(xtensa-lx106-elf-nm "$image" | awk '$3 == "tests_fault_here" { print $1 }')
deeper=$(xtensa-lx106-elf-nm "$image" | awk '$3 == "sink_deeper" { print substr($1, 1, 6) }')

expect none 0 '^well'
expect illegal 70 "^fault: illegal instruction (cause 0) at 0x$here, "
expect stack 70 "^fault: the stack has reached its limit (cause [0-9]*) at 0x$deeper"
expect leap 70 "^fault: the stack has been below its limit"
expect load 70 "^fault: unaligned load or store (cause 9) at 0x402"
echo ok
