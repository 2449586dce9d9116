#!/bin/sh
# What happens when something ends, and when a clock is a day wrong: real Mosquitto, node and relay chip.
# Sites are made by a CLI whose clock is shifted (libfaketime); who is tested has the clock of today,
# but for the second half. Everything that ended is refused in words, with the cure, by whoever sees
# it; nothing is switched; and then the cure is carried out.
# $1 sluice, $2 sluice-node, $3 sluice-chip, $4 relay-chip.elf
node=$2 chip=$3 elf=$4
. "$(dirname "$0")/cli_lib.sh"
for folder in /usr/lib/*/faketime /usr/lib/faketime; do
    [ ! -f "$folder/libfaketime.so.1" ] || fake=$folder/libfaketime.so.1
done
[ -n "${fake:-}" ] || fail "libfaketime is not installed: make setup"
# at SHIFT COMMAND...: with another time of day; waiting takes as long as ever.
faked="LD_PRELOAD=$fake FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1 FAKETIME="
at() {
    shift_by=$1
    shift
    # shellcheck disable=SC2086 # several words
    env $faked$shift_by "$@"
}
port=$(free_port)
"$chip" --elf "$elf" --spi spi --control control >chip.log 2>&1 &
pids="$pids $!"
until_true test -S spi || fail "no chip: $(cat chip.log)"

make_site() { # SHIFT
    rm -rf site state
    mkdir -m 700 state
    at "$1" "$sluice" init --no-passphrase --port "$port" >out 2>&1 && at "$1" "$sluice" node add garden >out 2>&1 ||
        fail "no site at $1: $(cat out)"
}
# The broker without 'broker run', which would renew what ended at its start.
start_raw() {
    rm -f broker.log
    "$(command -v mosquitto || echo /usr/sbin/mosquitto)" -c site/broker/mosquitto.conf >broker.log 2>&1 &
    broker=$!
    pids="$pids $broker"
    until_true grep -q ' running$' broker.log || fail "no broker"
}
end() { # PID...: ended, and its port free again
    for pid in "$@"; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
}
# start_node [SHIFT]
start_node() {
    # shellcheck disable=SC2086
    env ${1:+$faked$1} "$node" --identity site/nodes/garden/identity --chip spi --state state >node.log 2>&1 &
    device=$!
    pids="$pids $device"
}
node_says() { until_true grep -qF -- "$1" node.log || fail "the node did not say '$1': $(cat node.log)"; }
# not_switched CODE WORDS: an order, and that the relay stayed off.
not_switched() {
    expect "$1" "$2" "$sluice" on garden 1 5
    grep -q 'zone 1 on' node.log && fail "the node switched: $(cat node.log)"
    return 0
}
is_ready() { "$sluice" status | grep -q '^garden  *online  .*  up  '; }
switches() {
    node_says 'connected: MQTT'
    until_true is_ready || fail "the node is not ready: $("$sluice" status 2>&1; cat node.log)"
    expect 0 "confirmed at the pin" "$sluice" on garden 1 1
}
doctor_finds() {
    "$sluice" doctor --no-probe >out 2>&1
    grep -qE -- "$1" out || fail "the doctor did not find '$1': $(cat out)"
}

# --- the revocation list: lasts 30 days ---
make_site -40d
start_raw
start_node
not_switched 3 "the revocation list ended on"
grep -q "sluice maintain" out || fail "no cure: $(cat out)"
expect 3 "[tls-list-ended]" "$sluice" status
expect 3 "[tls-list-ended]" timeout 10 "$sluice" watch --plain
node_says "the revocation list or the authority has ended (TLS alert 45)"
doctor_finds crl-over
end $broker
expect 0 "" "$sluice" maintain
start_broker
switches
end $broker $device

# --- the broker's certificate: 90 days ---
make_site -100d
start_raw
start_node
not_switched 3 "[tls-broker-dates]"
grep -q "sluice maintain" out || fail "no cure: $(cat out)"
node_says "the broker's certificate is not valid on this date (TLS error 54)"
grep -q "sluice broker run" node.log || fail "no cure: $(cat node.log)"
doctor_finds server-over
end $broker
start_broker # renews both at its start
switches
end $broker $device

# --- the certificates of an operator and of a device: 3 years ---
make_site -1096d
start_broker
start_node
not_switched 4 "[certificate-expired]"
grep -q "sluice operator renew NAME" out || fail "no cure: $(cat out)"
node_says "this device's certificate has ended, by the last trusted time"
node_says "the authority has ended (TLS alert 45)"
doctor_finds operator-over
doctor_finds node-over
expect 4 "[identity-expired]" "$node" --identity site/nodes/garden/identity --chip spi --check-config
expect 0 "operator operator has new keys" "$sluice" operator renew operator
not_switched 3 "offline"
expect 0 "is made anew" "$sluice" node add garden --replace
end $device
start_node
switches
end $device

# The same device without a file: over its serial line.
make_site -1096d
expect 0 "" "$sluice" operator renew operator
end $broker
start_broker
start_node
node_says "takes a new certificate over its serial line"
end $device
rm -f state/identity*
"$node" --identity "$work/none" --serial "pty:$work/line" --chip spi --state state >node.log 2>&1 &
device=$!
pids="$pids $device"
until_true test -e line || fail "no serial line: $(cat node.log)"
expect 0 "" "$sluice" node enrol garden --port line --replace --yes
switches
end $device $broker

# --- the authority: 20 years; with it all ends ---
make_site -7306d
expect 4 "[certificate-expired]" "$sluice" broker run
grep -q "a new site for the authority's" out || fail "no cure: $(cat out)"
start_raw
start_node
not_switched 4 "/ca/certificate.pem cannot be used"
node_says "the broker's certificate is not valid on this date"
doctor_finds authority-over
end $broker $device
make_site +0
start_broker
start_node
switches
end $broker $device

# A certificate that is made late ends with its authority.
make_site -7300d
expect 0 "" "$sluice" node add late
end=$(openssl x509 -noout -enddate -in site/ca/certificate.pem)
[ "$(openssl x509 -noout -enddate -in site/nodes/late/certificate.pem)" = "$end" ] || fail "a node outlives its authority"

# --- a clock that is a day wrong ---
begins() { date -u -d "$(openssl x509 -noout -startdate -in site/nodes/garden/certificate.pem | cut -d= -f2)" +%s; }
for made in -1d +1d; do # the computer that makes certificates
    make_site $made
    start_broker
    start_node
    switches
    # What it takes back stays out, and what it gives anew is newer than what was before.
    at $made "$sluice" node revoke garden >out 2>&1 || fail "revoked by a clock at $made: $(cat out)"
    node_says "it is revoked (TLS alert 44)"
    end $device
    before=$(begins)
    until_true sh -c "test \$(date +%s) -gt $before" # it began with the second that runs
    expect 0 "is made anew" "$sluice" node add garden --replace
    [ "$(begins)" -gt "$before" ] || fail "made at $made: a device would take the certificate before for the later one"
    start_node
    switches
    end $broker $device
done
make_site +0
start_broker
start_node +1d # the device: fast, then put right, then slow
switches
end $device
until_true test -s state/records
start_node
node_says "the clock is behind the last trusted time, by a day at most"
switches
for by in -1d +1d; do # the operator's computer
    at $by "$sluice" on garden 1 1 >out 2>&1 || fail "an operator at $by: $(cat out)"
done
end $device
rm -rf state && mkdir -m 700 state
start_node -1d
switches
end $device

# --- a list and a certificate that begin only later: renewed by a clock that was far ahead ---
end $broker
cp site/broker/certificate.pem good.pem
at +70d "$sluice" maintain >out 2>&1 || fail "maintain at +70d: $(cat out)"
start_raw
end $device
start_node
expect 3 "[tls-broker-dates]" "$sluice" status
node_says "the broker's certificate is not valid on this date"
end $broker
cp good.pem site/broker/certificate.pem
start_raw
end $device
start_node
expect 3 "[tls-certificate-early]" "$sluice" status
node_says "begins only later by the broker's clock (TLS alert 42)"
end $broker
expect 0 "" "$sluice" maintain
start_broker
end $device
start_node
switches
end $broker $device
echo "expiry: ok"
