#!/bin/sh
# A node whose certificate is past two thirds of its life renews itself, and nobody has asked it to: the
# site is made by a CLI whose clock is 800 days back (libfaketime), everybody else has the clock of today.
# $1 sluice, $2 sluice-node, $3 sluice-chip, $4 the chip's firmware
. "$(dirname "$0")/cli_lib.sh"
node=$2 chip=$3 firmware=$4
for folder in /usr/lib/*/faketime /usr/lib/faketime; do
    [ ! -f "$folder/libfaketime.so.1" ] || fake=$folder/libfaketime.so.1
done
[ -n "${fake:-}" ] || fail "libfaketime is not installed: make setup"
faked="LD_PRELOAD=$fake FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1 FAKETIME=-800d"

port=$(free_port)
expect 0 "is made" env $faked "$sluice" init --no-passphrase --port $port
expect 0 "is made" env $faked "$sluice" node add garden
cp -p site/nodes/garden/identity identity
before=$(openssl x509 -noout -enddate -in site/nodes/garden/certificate.pem)
start_broker # which renews its own first

"$sluice" renew --serve >serve.log 2>&1 &
pids="$pids $!"
until_true grep -q "answers the requests of 1 node" serve.log || fail "no service: $(cat serve.log)"
"$chip" --elf "$firmware" --spi "$work/spi" --control "$work/control" >chip.log 2>&1 &
pids="$pids $!"
mkdir -m 700 state
"$node" --identity identity --chip "$work/spi" --state state >node.log 2>&1 &
pids="$pids $!"
until_true grep -q "the new identity works" node.log || fail "not renewed: $(cat node.log serve.log)"
until_true grep -q "garden: uses its new certificate" serve.log || fail "not confirmed: $(cat serve.log)"
[ "$(grep -c 'asks the site for a new certificate' node.log)" = 1 ] || fail "asked again: $(cat node.log)"
after=$(openssl x509 -noout -enddate -in site/nodes/garden/certificate.pem)
[ "$after" != "$before" ] || fail "the same certificate: $after"
openssl x509 -noout -checkend $((1000 * 86400)) -in site/nodes/garden/certificate.pem >out || fail "it ends early: $after"
echo "renew_late: ok"
