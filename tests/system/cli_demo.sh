#!/bin/sh
# The demo: its story is true, and it leaves nothing behind, however it ends.
# $1 sluice, $2 sluice-node, $3 sluice-chip, $4 relay-chip.elf
. "$(dirname "$0")/cli_lib.sh"
node=$2 chip=$3 elf=$4

# start NODE: the demo in the background; its folder, which all of its processes have in their words.
start() {
    rm -f story
    "$sluice" demo --story --node "$1" --chip "$chip" --elf "$elf" >story 2>&1 </dev/null &
    demo=$!
    pids="$pids $demo"
    until_true find_folder || fail "the demo has no folder: $(cat story)"
}
find_folder() {
    folder=$(pgrep -P "$demo" -a | grep -o '/tmp/sluice-demo\.[A-Za-z0-9]*' | head -1)
    [ -n "$folder" ]
}
is_gone() { [ ! -e "$folder" ] && ! pgrep -f "$folder" >/dev/null; }

expect 4 "sluice-node is not there" "$sluice" demo --story --node /nowhere/sluice-node
expect 4 "relay-chip.elf is not there" "$sluice" demo --story --node "$node" --chip "$chip" \
    --elf /nowhere/relay-chip.elf
expect 4 "the chip ended at once: sluice-chip: firmware $0: not an ELF file for the AVR" \
    "$sluice" demo --story --node "$node" --chip "$chip" --elf "$0"
grep -q "^demo: failed: the parts could not be started" out || fail "the end says: $(cat out)"

# Two nodes for one chip: the second is told why it gets none, once, and takes over when it can.
expect 0 "is made" "$sluice" init --no-passphrase --port "$(free_port)"
expect 0 "is made" "$sluice" node add garden
"$chip" --elf "$elf" --spi spi --control control >chip.log 2>&1 &
pids="$pids $!"
until_true test -S control || fail "no chip: $(cat chip.log)"
"$node" --identity site/nodes/garden/identity --chip spi >first.log 2>&1 &
first=$!
pids="$pids $first"
until_true grep -q "the relay chip answers" first.log || fail "the first node: $(cat first.log)"
"$node" --identity site/nodes/garden/identity --chip spi >second.log 2>&1 &
pids="$pids $!"
until_true grep -q "another sluice-node holds the chip" second.log || fail "not told: $(cat second.log)"
sleep 1
[ "$(grep -c "the chip's socket" second.log)" = 1 ] || fail "told again: $(cat second.log)"
kill "$first"
until_true grep -q "the chip's socket spi is there" second.log || fail "not taken: $(cat second.log)"
expect 1 "sluice-chip: socket spi: another program listens there" \
    "$chip" --elf "$elf" --spi spi --control other

start "$node"
wait "$demo" || fail "the story: $(cat story)"
[ "$(tail -1 story)" = "demo: ok" ] || fail "the story ends with: $(tail -1 story)"
is_gone || fail "the story left something behind: $folder"

# A part that ends is named, with its last words.
printf '#!/bin/sh\necho no more >&2\nexit 5\n' >dying
chmod +x dying
start "$work/dying"
wait "$demo" && fail "a dead node was enough: $(cat story)"
grep -q "FAILED: the node ended by itself (exit status 5): no more" story || fail "story: $(cat story)"

# A step that is not true: a node that does nothing.
printf '#!/bin/sh\nexec sleep 100\n' >idle
chmod +x idle
start "$work/idle"
wait "$demo"
[ $? = 1 ] || fail "a node that does nothing was enough: $(cat story)"
tail -1 story | grep -q "demo: failed at step 1" || fail "no step is named: $(cat story)"
is_gone || fail "a failed story left something behind: $folder"

for signal in INT TERM HUP KILL; do
    start "$node"
    until_true grep -q '^ 3 ' story || fail "the story does not begin: $(cat story)"
    kill -$signal "$demo"
    wait "$demo" && fail "SIG$signal gave 0"
    until_true is_gone || fail "SIG$signal left behind: $(ls -d "$folder") $(pgrep -af "$folder")"
done
echo "ok"
