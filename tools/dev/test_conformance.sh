#!/bin/sh
# docs/conformance.md keeps its rules, and the checker finds each kind of breach: plant one at a time
# in a copy, and expect it named.
# Usage: test_conformance.sh SOURCE_FOLDER BUILD_FOLDER
set -eu
source=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
failed=0
ctest --test-dir "$2" -N >"$work/list"

mkdir -p "$work/copy/docs"
ln -s "$source/tests" "$work/copy/tests"

check() { # sed command for the document
    sed "$1" "$source/docs/conformance.md" >"$work/copy/docs/conformance.md"
    "$source/tools/dev/conformance.sh" "$work/copy" "$work/list"
}

plant() { # expected words, sed command
    if check "$2" | grep -q "^conformance: .*$1"; then
        echo "found: $2"
    else
        echo "NOT found: $2"
        failed=1
    fi
}

check '' || exit 1
plant '2.2.2-1 is missing' '/^| 2.2.2-1 /d'
plant '3.1.0-2 is missing' 's/^3.1.0-2, //'
plant '3.3.4-1 is there twice' 's/^3.1.0-2,/3.3.4-1, &/'
plant 'has no statement 2.2.1-1' 's/^| 2.2.1-2 /| 2.2.1-1 /'
plant 'has no statement 9.9.9-1' 's/^3.1.0-2,/9.9.9-1, &/'
plant 'no test that is run is test_mqtt_session.c test_nothing' 's/`test_keep_alive`/`test_nothing`/'
plant 'no test that is run is test_nowhere.c' 's/`test_mqtt_session.c`/`test_nowhere.c`/'
plant 'no test that is run is test_mqtt_session.c open_v3' 's/`test_keep_alive`/`open_v3`/'
plant 'no test that is run is acks.txt no such' 's/`resume pubrel`/`no such`/'
plant 'is a vector of the other version' 's/`resume pubrel v5`/`resume pubrel`/'
plant 'has neither a test nor a reason' 's/does not apply: no AUTH/it is late/'
plant 'has no reason "no time"' 's/does not apply: no AUTH/does not apply: no time/'
plant 'nothing needs the reason "no time"' 's/^| no AUTH |/| no time | none |\n&/'
plant 'binds everybody' 's/| client |/| everybody |/'
plant 'the count should be' 's/^251 statements/250 statements/'
exit "$failed"
