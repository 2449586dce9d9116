#!/bin/sh
# node enrol with the real sluice-node, Mosquitto and relay-chip firmware: from the device's own key to a
# command confirmed at the pin; who judges the fingerprint, and who may be enrolled again; a bad line.
# $2 sluice-node, $3 null-modem, $4 libreset_button, $5 sluice-chip, $6 its firmware
. "$(dirname "$0")/cli_lib.sh"
node=$2 modem=$3 button=$4 chip=$5 elf=$6
port=$(free_port)
expect 0 "is made" "$sluice" init --no-passphrase --port "$port"
start_broker
"$chip" --elf "$elf" --spi spi --control control >chip.log 2>&1 &
pids="$pids $!"

. "$tests/enrol_lib.sh"

# --- the key is the device's, the person judges the fingerprint ---
start_node "pty:$work/tty"
waits "no waiting"
expect 2 "--port DEV is missing" "$sluice" node enrol shed --yes
expect 4 "cannot be found" "$sluice" node enrol shed --port nothing --yes
expect 4 "cannot be set up" "$sluice" node enrol shed --port /dev/null --yes
expect 2 "'garden' is no fingerprint" "$sluice" node enrol shed --port tty --fingerprint garden
expect 2 "cannot be a node's name" "$sluice" node enrol Shed --port tty --yes
timeout 20 "$sluice" node enrol shed --port tty >out 2>&1 </dev/null
[ $? = 2 ] && grep -q "nobody can say here" out || fail "nobody judges: $(cat out)"
expect 1 "another fingerprint ($(fingerprint))" "$sluice" node enrol shed --port tty --fingerprint 0000-0000-0000-0000
[ ! -e site/nodes/shed ] || fail "a wrong fingerprint made a node"
[ ! -e device/identity ] || fail "a wrong fingerprint gave an identity"
[ "$(wc -l <site/issued.log)" -gt 0 ] && ! grep -q shed site/issued.log || fail "a wrong fingerprint got a certificate"
printf 'shed network\ncorrect horse\n' >wifi
expect 4 "chmod 600" "$sluice" node enrol shed --port tty --yes --wifi wifi
chmod 600 wifi
expect 0 "shed is online at the broker" "$sluice" node enrol shed --port tty --wifi wifi --fingerprint "$(fingerprint)"
grep -q "asked the device\|asking the device" out && grep -q "$(fingerprint)" out || fail "no words: $(cat out)"
expect 0 "confirmed at the pin" "$sluice" on shed 2 60
expect 0 "shed " "$sluice" node list
grep -q "not confirmed" out && fail "it is not confirmed: $(cat out)"
expect 0 '"has_own_key":true,"confirmed":true' "$sluice" node list --json
[ "$(stat -c %a device/identity)" = 600 ] || fail "the identity has mode $(stat -c %a device/identity)"
[ "$(ls site/nodes/shed | tr '\n' ' ')" = "certificate.pem node.json " ] || fail "more in the folder: $(ls site/nodes/shed)"
sh "$tests/node_key.sh" device/identity shed.key || fail "no key in the identity"
[ "$(openssl pkey -in shed.key -pubout)" = "$(openssl x509 -noout -pubkey -in site/nodes/shed/certificate.pem)" ] ||
    fail "the certificate is not for the device's key"
od -An -v -tx1 device/identity | tr -d ' \n' | sed 's/^.*880020\([0-9a-f]\{64\}\)890008.*$/\1/' >secret
grep -q '^[0-9a-f]\{64\}$' secret || fail "no secret to look for: $(cat secret)"
find site -type f -exec od -An -v -tx1 {} + | tr -d ' \n' | grep -qf secret && fail "the site has the private key"
grep -aq "correct horse" device/identity || fail "no Wi-Fi data on the device"
grep -arq "correct horse" site broker.log node.log out && fail "the Wi-Fi passphrase is at the site, or in a log"

# --- a node that has an identity ---
expect 4 "cannot be found" "$sluice" node enrol shed --port tty --yes --replace # it opens no line
end "$device"
start_modem
start_node b
until_true grep -q connected node.log || fail "does not start again: $(cat node.log)"
expect 3 "no device answers" "$sluice" node enrol shed --port a --yes --replace --timeout 1
grep -q "waiting on" node.log && fail "a provisioned node listens"
end "$device"
# ... and be it only the one that it has renewed, in its state folder
"$node" --identity device/given --state device --chip spi --serial b >node.log 2>&1 &
device=$!
pids="$pids $device"
until_true grep -Eq "connected|waiting on" node.log || fail "does not start with a renewed identity: $(cat node.log)"
grep -q "waiting on" node.log && fail "a node with a renewed identity listens"
end "$device"
env="LD_PRELOAD=$button SL_BUTTON=free"
start_node b --reset gpiochip-of-the-test:3
until_true grep -q connected node.log || fail "does not start with a reset: $(cat node.log)"
grep -q "waiting on" node.log && fail "a provisioned node listens without its reset held"
end "$device"
env="LD_PRELOAD=$button SL_BUTTON=held"
start_node b --reset gpiochip-of-the-test:3
waits "the held reset does nothing"
env=
cp device/identity before
first=$(serial_of shed)
expect 1 "there is a node shed already" "$sluice" node enrol shed --port a --yes
cmp -s before device/identity || fail "a refusal changed the identity"
expect 0 "1 certificate of shed put on the revocation list" "$sluice" node enrol shed --port a --yes --replace
grep -q "shed is online" out || fail "not online: $(cat out)"
cmp -s before device/identity && fail "the identity is the old one"
is_revoked "$first" || fail "the certificate from before is not revoked"
expect 0 "confirmed at the pin" "$sluice" off shed

# --- nobody, somebody else, noise ---
end "$device"
expect 3 "no device answers on a (1 s)" "$sluice" node enrol fern --port a --yes --timeout 1
enrol fern --port a --yes --timeout 8 >first.out 2>&1 &
busy=$!
pids="$pids $busy"
until_true grep -q asking first.out || fail "does not ask: $(cat first.out)"
expect 1 "another program uses it" "$sluice" node enrol fern --port a --yes
kill "$busy"
wait "$busy"
end "$cable"
start_modem garbage
expect 3 "no device answers" "$sluice" node enrol fern --port a --yes --timeout 1
end "$cable"
[ ! -e site/nodes/fern ] || fail "a node was made for nobody"
start_modem noise
rm -rf device
start_node b
waits "no waiting on a tty"
expect 0 "fern is online" "$sluice" node enrol fern --port a --yes
end "$cable"

echo "ok"
