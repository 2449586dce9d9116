#!/bin/sh
# docs/conformance.md names every statement of MQTT 3.1.1 and 5.0 once: with a test that is there and
# is run, with one of its own reasons why it does not apply, or as the server's alone.
# Usage: conformance.sh SOURCE_FOLDER CTEST_LIST     CTEST_LIST: a file with the output of `ctest -N`
set -eu
list=$(realpath "$2")
cd "$1"

# The last statement of each section; from 1 on there are no gaps, but 2.2.1-1 of 5.0.
sections_3_1_1="1.5.3-3 2.2.2-2 2.3.1-7 3.1.0-2 3.1.2-24 3.1.3-11 3.1.4-5 3.2.0-1 3.2.2-6 3.3.1-12 3.3.2-3
    3.3.4-1 3.3.5-2 3.6.1-1 3.8.1-1 3.8.3-4 3.8.4-6 3.9.3-2 3.10.1-1 3.10.3-2 3.10.4-6 3.12.4-1 3.14.1-1
    3.14.4-3 4.1.0-2 4.3.1-1 4.3.2-2 4.3.3-2 4.4.0-1 4.5.0-2 4.6.0-6 4.7.1-3 4.7.2-1 4.7.3-4 4.8.0-2
    6.0.0-4 7.0.0-2 7.1.1-1 7.1.2-1"
sections_5_0="1.5.4-3 1.5.5-1 1.5.7-1 2.1.3-1 2.2.1-6 2.2.2-1 3.1.0-2 3.1.2-30 3.1.3-12 3.1.4-6 3.2.0-2
    3.2.2-22 3.3.1-13 3.3.2-20 3.3.4-10 3.4.2-3 3.5.2-3 3.6.1-1 3.6.2-3 3.7.2-3 3.8.1-1 3.8.3-5 3.8.4-8
    3.9.2-2 3.9.3-2 3.10.1-1 3.10.3-2 3.10.4-6 3.11.2-2 3.11.3-2 3.12.4-1 3.14.0-1 3.14.1-1 3.14.2-4
    3.14.4-3 3.15.1-1 3.15.2-3 4.1.0-2 4.2.0-1 4.3.1-1 4.3.2-5 4.3.3-13 4.4.0-2 4.5.0-2 4.6.0-6 4.7.0-1
    4.7.1-2 4.7.2-1 4.7.3-4 4.8.2-6 4.9.0-3 4.12.0-7 4.12.1-2 4.13.1-1 4.13.2-1 6.0.0-4"

# Every case that is run, one a line: file|case|version. The version is said by vectors only.
cases() {
    find tests/ -name 'test_*.c' -exec awk -v "list=$list" '
        BEGIN {
            while ((getline line <list) > 0)
                if (sub(/.*Test *#.*\//, "", line))
                    is_run[line ".c"] = 1
        }
        FNR == 1 { file = FILENAME; sub(/.*\//, "", file) }
        /const struct CMUnitTest/ { is_inside = file in is_run }
        /};/ { is_inside = 0 }
        is_inside {
            while (match($0, /[A-Za-z0-9_]+\([a-z0-9_]+/)) {
                name = substr($0, RSTART, RLENGTH)
                $0 = substr($0, RSTART + RLENGTH)
                sub(/.*\(/, "", name)
                print file "|" name
            }
        }' {} +
    grep -q '/test_mqtt_laws$' "$list" || return 0
    for vectors in $(grep -o '/mqtt/[a-z]*\.txt' tests/unit/mqtt/vectors.h); do
        awk -F ' *[|] *' -v "file=${vectors##*/}" '!/^#/ && NF { print file "|" $1 "|" $2 }' \
            "tests/vectors$vectors"
    done
}

cases | awk -v "v3=$sections_3_1_1" -v "v5=$sections_5_0" '
function complain(what) { print "conformance: " what; bad = 1 }

function expect(standard, sections,    last, parts, n, i) {
    n = split(sections, last, /[ \n]+/)
    for (i = 1; i <= n; i++) {
        split(last[i], parts, "-")
        for (; parts[2] > 0; parts[2]--)
            expected[standard, parts[1] "-" parts[2]] = 1
    }
}

function take(id) {
    if (!((standard, id) in expected))
        complain(standard " has no statement " id)
    else if (seen[standard, id]++)
        complain(standard " " id " is there twice")
    counts[standard, "all"]++
}

function check_test(id, file, name,    key) {
    key = file "|" name
    if (!(key in runs))
        complain(standard " " id ": no test that is run is " file " " name)
    else if (runs[key] > 1)
        complain(standard " " id ": " file " has two cases " name)
    else if (versions[key] != "" && versions[key] != substr(standard, 1, 1))
        complain(standard " " id ": " file " " name " is a vector of the other version")
}

function check_row(id, binds, how,    parts, n, i) {
    take(id)
    if (binds !~ /^(client|both|server)$/)
        complain(standard " " id " binds " binds)
    if (how ~ /^does not apply: / && binds != "server") {
        counts[standard, "spared"]++
        reason = substr(how, 17)
        if (!(reason in reasons))
            complain(standard " " id ": the list has no reason \"" reason "\"")
        used[reason] = 1
    } else {
        counts[standard, binds == "server" ? "checked" : "tested"]++
        n = split(how, parts, "`") # `file` `case`, `file` `case`
        if (n < 5)
            complain(standard " " id " has neither a test nor a reason")
        for (i = 2; i + 2 <= n; i += 4)
            check_test(id, parts[i], parts[i + 2])
    }
}

function take_range(item,    ends, parts, i) {
    sub(/[.]$/, "", item)
    split(item, parts, "-")
    if (split(parts[2], ends, "[.][.]") == 1)
        ends[2] = ends[1]
    for (i = ends[1] + 0; i <= ends[2] + 0; i++) {
        take(parts[1] "-" i)
        counts[standard, "server"]++
    }
}

function total(    all, tested, spared, checked, server) {
    all = counts[standard, "all"] + 0; tested = counts[standard, "tested"] + 0
    spared = counts[standard, "spared"] + 0; checked = counts[standard, "checked"] + 0
    server = counts[standard, "server"] + 0
    return all " statements: " tested + spared " bind a client (" tested " tested, " spared \
        " do not apply), " checked " bind the server and are checked, " server " bind the server only."
}

BEGIN {
    expect("3.1.1", v3)
    expect("5.0", v5)
    delete expected["5.0", "2.2.1-1"]
}
FILENAME == "-" {
    split($0, fields, "|")
    key = fields[1] "|" fields[2]
    if (fields[3] != "" || !(key in runs)) # a case may be run in several set-ups
        runs[key]++
    versions[key] = fields[3]
    next
}
/^## MQTT / { standard = $3; is_list = 0 }
/^[0-9]+ statements: / { claimed[standard] = $0 }
/^\| no / { split($0, cells, / *[|] */); reasons[cells[2]] = 1 }
/^\| [0-9]/ { split($0, cells, / *[|] */); check_row(cells[2], cells[3], cells[5]) }
is_list { n = split($0, items, /, */); for (i = 1; i <= n; i++) if (items[i] != "") take_range(items[i]) }
/^Binds the server only:/ { is_list = 1 }
END {
    for (pair in expected) {
        split(pair, parts, SUBSEP)
        if (!seen[parts[1], parts[2]])
            complain(parts[1] " " parts[2] " is missing")
    }
    for (reason in reasons)
        if (!used[reason])
            complain("nothing needs the reason \"" reason "\"")
    for (standard in claimed) {
        if (claimed[standard] != total())
            complain(standard ": the count should be: " total())
        else
            print standard ": " total()
    }
    exit bad
}' - docs/conformance.md
