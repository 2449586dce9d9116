# Shared by the tests that end a command at each of its calls to the disk. $2 is libcut_short.
# shellcheck disable=SC2034,SC2154
shim=$2

# cut HOW N COMMAND...: 'kill' or 'fail' at call number N; gives the exit code, words to out.
cut() {
    how=$1 at=$2
    shift 2
    rm -f calls
    LD_PRELOAD=$shim SL_CALLS=$work/calls SL_CUT_AT=$at SL_CUT_HOW=$how timeout 20 "$@" >out 2>&1
}
count_calls() { wc -l <calls; }

# A file gets its name after its bytes are on the disk, and its folder is flushed after that.
check_order() {
    awk '
        function folder(path) { sub("/[^/]*$", "", path); return path }
        $1 == "write" { dirty[$2]; written[$2] }
        $1 == "fsync" { delete dirty[$2] }
        $1 == "mkdir" { dirty[folder($2)] }
        $1 == "rename" {
            for (path in dirty)
                if (path == $2 || index(path, $2 "/") == 1)
                    print path " is not flushed before it becomes part of " $3
            for (path in written)
                if (path == $2 || index(path, $2 "/") == 1)
                    delete written[path]
            dirty[folder($3)]
        }
        END {
            for (path in dirty) print path " is not flushed at the end"
            for (path in written) if (path !~ /\/issued\.log$/) print path " is written in place"
        }' calls >order
    [ ! -s order ] || fail "$*: $(cat order)"
    grep -q '^rename ' calls || fail "$*: no call was seen"
}
