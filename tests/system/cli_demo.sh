#!/bin/sh
# The demo: its story is true, and it leaves nothing behind, however it ends.
# $1 sluice, $2 sluice-node, $3 sluice-chip, $4 relay-chip.elf
. "$(dirname "$0")/cli_lib.sh"
node=$2 chip=$3 elf=$4

# A demo's processes carry its folder in their words.
folders() { ls -d /tmp/sluice-demo.* 2>/dev/null | sort; }
before=$(folders)
tell() { exec "$sluice" demo --story --node "$node" --chip "$chip" --elf "$elf"; }
is_gone() {
    [ "$(folders)" = "$before" ] || return 1
    for folder in $mine; do
        pgrep -f "$folder" >/dev/null && return 1
    done
    return 0
}
find_mine() {
    mine=
    for folder in $(folders); do
        echo "$before" | grep -qx "$folder" || mine="$mine $folder"
    done
    [ -n "$mine" ]
}

expect 4 "sluice-node is not there" "$sluice" demo --story --node /nowhere/sluice-node
expect 4 "relay-chip.elf is not there" "$sluice" demo --story --node "$node" --chip "$chip" \
    --elf /nowhere/relay-chip.elf
expect 4 "could not be started" "$sluice" demo --story --node "$node" --chip "$chip" --elf "$0"
is_gone || fail "a failed start left something behind"

(tell) >story 2>&1 </dev/null || fail "the story: $(cat story)"
[ "$(tail -1 story)" = "demo: ok" ] || fail "the story ends with: $(tail -1 story)"
is_gone || fail "the story left something behind: $(folders)"

# A step that is not true: a node that does nothing.
printf '#!/bin/sh\nsleep 100\n' >idle
chmod +x idle
"$sluice" demo --story --node "$work/idle" --chip "$chip" --elf "$elf" >story 2>&1 </dev/null
[ $? = 1 ] || fail "a node that does nothing was enough: $(cat story)"
tail -1 story | grep -q "demo: failed at step 1" || fail "no step is named: $(cat story)"
is_gone || fail "a failed story left something behind"

for signal in INT TERM HUP KILL; do
    rm -f story
    # A job in the background of a script ignores SIGINT; the demo asks for it again.
    (tell) >story 2>&1 </dev/null &
    demo=$!
    pids="$pids $demo"
    until_true grep -q '^ 3 ' story || fail "the story does not begin: $(cat story)"
    find_mine || fail "the demo has no folder"
    kill -$signal "$demo"
    wait "$demo" && fail "SIG$signal gave 0"
    until_true is_gone || fail "SIG$signal left behind: $(folders) $(pgrep -af "$mine")"
done
echo "ok"
