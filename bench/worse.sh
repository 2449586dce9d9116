#!/bin/sh
# Fails when a row of a file is more than 1 % worse than in bench/lx106.csv. Worse is more, for every figure;
# the network's peak depends on when segments happen to come, and is left out.
# Usage: bench/worse.sh ROWS      (figure,value,target,unit)
set -eu
csv=$(dirname "$0")/lx106.csv
awk -F , -v file="$csv" '$1 == "figure" { next }
    NR == FNR { stood[$1] = $2; next }
    !($1 in stood) { print $1 ": not in " file; bad = 1; next }
    $1 == "network_peak" { next }
    $2 > stood[$1] * 1.01 { print $1 ": " $2 ", was " stood[$1]; bad = 1 }
    END { exit bad }' "$csv" "$1" || {
    echo "bench: worse by more than 1 %; if that is meant, 'make bench-board' writes the file anew" >&2
    exit 1
}
