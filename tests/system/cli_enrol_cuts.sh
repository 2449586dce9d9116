#!/bin/sh
# node enrol cut short: the line at every frame, the node and sluice at every write, by a kill and by a full
# disk. Each time the device has nothing or all of it, and the same command ends it.
# $2 sluice-node, $3 null-modem, $4 libcut_short
. "$(dirname "$0")/cli_lib.sh"
node=$2 modem=$3 shim=$4
. "$tests/enrol_lib.sh"
port=$(free_port)
expect 0 "is made" "$sluice" init --no-passphrase --port "$port"
start_broker
expect 0 "is made" "$sluice" node add shed # the one that nothing happens to
touch spi # no relay chip is needed here

# --- the cable is pulled after every frame ---
frames=0
while :; do
    name=cut$frames
    start_modem cut $frames
    fresh_node b
    timeout 20 "$sluice" node enrol $name --port a --yes --timeout 1 >out 2>&1
    code=$?
    if [ -e device/identity ]; then # it has all of it
        "$sluice" status $name --timeout 5 >out 2>&1 || until_true "$sluice" status $name --timeout 1 ||
            fail "$frames frames: has an identity, but does not come: $(cat out node.log)"
        [ $code = 0 ] && break
    else
        [ $code = 3 ] || fail "$frames frames: gave $code: $(cat out)"
        kill -USR1 "$cable"
        expect 0 "$name is online" "$sluice" node enrol $name --port a --yes # without --replace
    fi
    end "$cable"
    frames=$((frames + 1))
    [ $frames -lt 30 ] || fail "it never ends"
done
[ $frames -ge 8 ] || fail "only $frames frames were cut"
end "$cable"

# --- the node is killed at every write of its identity, and finds its disk full ---
for how in kill fail; do
    n=1
    while :; do
        name=$how$n
        end "$device"
        rm -rf device calls
        env="LD_PRELOAD=$shim SL_CALLS=$work/calls SL_CUT_AT=$n SL_CUT_HOW=$how"
        start_node "pty:$work/tty"
        env=
        until_true grep -q "waiting on" node.log || until_true grep -q . calls || fail "$name: $(cat node.log)"
        timeout 20 "$sluice" node enrol $name --port tty --yes --timeout 2 >out 2>&1
        code=$?
        [ $code = 0 ] && break
        [ -e device/identity ] || [ ! -e site/nodes/$name ] || grep -q unconfirmed site/nodes/$name/node.json ||
            fail "$name: confirmed without an identity"
        end "$device"
        start_node "pty:$work/tty"
        if [ -e device/identity ]; then
            until_true "$sluice" status $name --timeout 1 || fail "$name: an identity that does not work: $(cat node.log)"
        else
            waits "$name: neither this nor that"
            expect 0 "$name is online" "$sluice" node enrol $name --port tty --yes
        fi
        n=$((n + 1))
        [ $n -lt 30 ] || fail "it never ends: $(cat calls)"
    done
    grep -q "rename .*device/identity$" calls || fail "no write of the identity was seen: $(cat calls)"
done

# --- sluice is killed at every write, and finds its disk full ---
cut_sluice() { # HOW N NAME
    rm -f calls
    LD_PRELOAD=$shim SL_CALLS=$work/calls SL_CUT_AT=$2 SL_CUT_HOW=$1 timeout 20 \
        "$sluice" node enrol "$3" --port tty --yes --timeout 5 >out 2>&1
}
fresh_node "pty:$work/tty"
cut_sluice kill 0 whole || fail "not enrolled: $(cat out)"
grep -n . calls | grep -v memfd >all
grep -q "nodes/.new" all && grep -q "node.json" all || fail "no write of the site was seen: $(cat calls)"
sluice_is_cut() { # HOW N
    name=site$1$2
    fresh_node "pty:$work/tty"
    cut_sluice "$1" "$2" "$name"
    code=$?
    [ "$1$code" = kill137 ] || [ "$1$code" = fail4 ] || fail "$name: gave $code: $(cat out)"
    expect 0 "shed " "$sluice" node list
    if [ -e device/identity ]; then
        until_true "$sluice" status "$name" --timeout 1 || fail "$name: shut out: $(cat node.log) $(cat out)"
    else
        expect 0 "$name is online" "$sluice" node enrol "$name" --port tty --yes
    fi
}
for n in $(cut -d: -f1 all); do
    sluice_is_cut kill "$n"
    [ $((n % 4)) != 0 ] || sluice_is_cut fail "$n" # its messages: cli_writes.sh
done
echo "ok"
