#!/bin/sh
# Runs every fuzz target for SECONDS on all cores. BUILD keeps corpus/, logs/ and artifacts/.
# Usage: run.sh BUILD SECONDS [target...]
# Exit 1 when an input broke a contract; the command that replays it is printed.
set -u

build=$(cd "$1" && pwd)
seconds=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
failed=0

if [ $# -eq 0 ]; then
    for file in "$here"/fuzz_*.c; do
        name=$(basename "$file" .c)
        set -- "$@" "${name#fuzz_}"
    done
fi
mkdir -p "$build/artifacts" "$build/logs"

# What the last line of a log says.
figures() {
    sed -n 's/^#\([0-9]*\): cov: \([0-9]*\) .* corp: \([0-9]*\) exec\/s \([0-9]*\) .*/\1 runs, \4 a second, \2 features, \3 inputs kept/p' \
        "$1" | tail -n 1
}

for target in "$@"; do
    binary=$build/tests/fuzz/fuzz_$target
    log=$build/logs/$target.log
    mkdir -p "$build/corpus/$target"
    printf '%-14s ' "$target"
    "$binary" -fork="$(nproc)" -max_total_time="$seconds" -timeout=10 \
        -dict="$here/dictionaries/$target.dict" -artifact_prefix="$build/artifacts/$target-" \
        "$build/corpus/$target" "$build/tests/fuzz/seeds/$target" >"$log" 2>&1
    code=$?
    figures "$log"
    [ "$code" -eq 0 ] && continue
    failed=1
    grep -m 1 -E 'contract broken|runtime error|SUMMARY|ERROR' "$log"
    artifact=$(sed -n "s|.*Test unit written to \($build/artifacts/.*\)|\1|p" "$log" | tail -n 1)
    echo "    replay: $binary ${artifact:-(see $log)}"
done
exit $failed
