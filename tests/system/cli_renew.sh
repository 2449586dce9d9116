#!/bin/sh
# Renewal, with the real Mosquitto, the real node and the real chip: asked for, by itself, by the service,
# to a new address and a new authority; back to the old identity when the new one fails.
# $1 sluice, $2 sluice-node, $3 sluice-chip, $4 the chip's firmware, $5 libcut_short
. "$(dirname "$0")/cli_lib.sh"
node=$2 chip=$3 firmware=$4 shim=$5

port=$(free_port)
expect 0 "is made" "$sluice" init --no-passphrase --port $port
expect 0 "is made" "$sluice" node add garden
start_broker

"$chip" --elf "$firmware" --spi "$work/spi" --control "$work/control" >chip.log 2>&1 &
pids="$pids $!"
mkdir -m 700 state
start_node() { # ENVIRONMENT...: more of it
    env "$@" "$node" --identity identity --chip "$work/spi" --state state \
        --log-level debug >node.log 2>&1 &
    node_pid=$!
    pids="$pids $node_pid"
}
heard() { until_true grep -q "$*" node.log || fail "the node did not say '$*': $(cat node.log)"; }
stop_node() { kill "$node_pid"; wait "$node_pid"; }
serial() { openssl x509 -noout -serial -in site/nodes/garden/certificate.pem; }
report() { timeout 10 "$sluice" status garden --json; }

cp -p site/nodes/garden/identity identity
start_node
heard "connected: MQTT"
heard "the relay chip answers"

# --- asked for: the water runs on ---
expect 0 "confirmed at the pin" "$sluice" on garden 2 120
before=$(serial)
expect 0 "garden: connected with its new key" "$sluice" renew garden
grep -q "garden: asked to renew itself" out && grep -q "sent its request" out || fail "$(cat out)"
[ "$(serial)" != "$before" ] || fail "the site still has the old certificate"
[ ! -e site/nodes/garden/identity ] || fail "the old key is still at the site"
[ -z "$(find site/nodes -name '.*')" ] || fail "left over: $(find site/nodes)"
heard "the new identity works"
[ -f state/identity ] && [ ! -e state/identity.new ] || fail "state: $(ls -l state)"
[ "$(stat -c %a state/identity)" = 600 ] || fail "$(ls -l state/identity)"
grep -q "off, \|ended early\|reset" node.log && fail "the water was disturbed: $(cat node.log)"
expect 0 "garden" "$sluice" node list
expect 0 '"result":"renewed"' "$sluice" renew garden --json

# What was renewed outlives the node, and wins over the file that it was started with.
stop_node
start_node
heard "connected: MQTT"
expect 0 "zone 2 off, confirmed" "$sluice" off garden 2

# --- what is refused changes nothing ---
operator="-V mqttv5 -h 127.0.0.1 -p $port --cafile site/ca/certificate.pem"
operator="$operator --cert site/operators/operator/certificate.pem --key site/operators/operator/key.pem"
issue() { mosquitto_pub $operator -q 1 -t irrigation/garden/cert/issue "$@" || fail "mosquitto_pub $*"; }
cp state/identity held
printf '\000\000\000\004abcd' >part
issue -f part
heard "refused a command: this node waits for no grant"
mosquitto_pub $operator -q 1 -t irrigation/garden/cert/renew -n
heard "asks the site for a new certificate"
issue -f part
heard "refused a command: this is no grant, or a damaged one"
printf '\000\004\000\010abcd' >part
issue -f part
heard "refused a command: a part of a grant"
printf '\000\000\377\377abcd' >part
issue -f part
heard "refused a command: the grant has more than 1280 bytes"
issue -r -m x
heard "refused a command: a retained command"
issue -r -n
cmp held state/identity && [ ! -e state/identity.new ] || fail "something changed: $(ls -l state)"
# Whoever may only read hears no request, and neither of them is let onto another node's topics.
grep -A99 '^user operator-watch' site/broker/acl | sed '/^user Renewal/,$d' | grep cert/ &&
    fail "the watcher may do something with certificates"
expect 0 "garden: connected with its new key" "$sluice" renew garden

# --- the service: whoever asks is answered, and who may not is not ---
start_service() {
    env "$@" "$sluice" renew --serve >serve.log 2>&1 &
    service=$!
    pids="$pids $service"
    until_true grep -q "answers the requests of 1 node" serve.log || fail "no service: $(cat serve.log)"
}
stop_service() {
    kill "$service"
    wait "$service"
    [ $? = 0 ] || fail "the service did not end in order: $(cat serve.log)"
}
start_service
stop_service
# Three certificates a day, which garden has had by now.
start_service
mosquitto_pub $operator -q 1 -t irrigation/garden/cert/renew -n
until_true grep -q "garden has had . certificates in 24 hours.*renew-too-often" serve.log ||
    fail "no limit: $(cat serve.log)"
stop_service
# The answer to a request that waits for somebody; then the broker goes, and comes back.
"$sluice" renew --serve --a-day 99 >serve.log 2>&1 &
service=$!
pids="$pids $service"
until_true grep -q "answers the requests of 1 node" serve.log || fail "no service: $(cat serve.log)"
before=$(serial)
mosquitto_pub $operator -q 1 -t irrigation/garden/cert/renew -n
until_true grep -q "garden: uses its new certificate" serve.log || fail "the service: $(cat serve.log)"
[ "$(serial)" != "$before" ] || fail "the site still has the old certificate"
visits=$(grep -c 'name=Renewal' site/issued.log)
kill $broker && wait $broker
until_true grep -q "broker-down" serve.log || fail "nobody misses the broker: $(cat serve.log)"
start_broker
until_true sh -c '[ $(grep -c "answers the requests" serve.log) = 2 ]' || fail "not back: $(cat serve.log)"
[ "$(grep -c 'name=Renewal' site/issued.log)" = "$visits" ] || fail "each try makes a certificate: $(cat site/issued.log)"
expect 0 "garden is revoked" "$sluice" node revoke garden
grep -q "answers the requests of 0 nodes" serve.log || until_true grep -q "of 0 nodes" serve.log ||
    fail "a revoked node is still answered: $(cat serve.log)"
expect 1 "is revoked, and gets no certificate" "$sluice" renew garden
stop_service
stop_node
expect 0 "is made anew" "$sluice" node add garden --replace
cp -p site/nodes/garden/identity identity
start_node
heard "connected: MQTT"

# --- a new address: to one that does not answer, and back; then to one that does ---
dead=$(free_port)
expect 0 "to be found at 127.0.0.1:$dead" "$sluice" broker move 127.0.0.1:$dead
openssl x509 -noout -ext subjectAltName -in site/broker/certificate.pem | grep -q "IP Address:127.0.0.1" || fail "names"
expect 1 "the broker is at 127.0.0.1:$dead already" "$sluice" broker move 127.0.0.1:$dead
cp -a site second # the same files, at the new address
"$sluice" renew garden --timeout 8 >out 2>&1 && fail "renewed to nowhere: $(cat out)"
grep -q "broker-down\|renew-failed" out || fail "in other words: $(cat out)" # it may be back already
heard "opened no session, so the old one goes on"
until_true sh -c '[ $(grep -c "connected: MQTT" node.log) = 2 ]' || fail "not back: $(cat node.log)"
expect 0 "127.0.0.1:$port" "$sluice" node list
"$sluice" --site second broker run >second.log 2>&1 &
pids="$pids $!"
until_true grep -q ' running$' second.log || fail "no second broker: $(cat second.log)"
expect 0 "garden: connected with its new key" "$sluice" renew --all
expect 0 "127.0.0.1:$dead" "$sluice" node list
expect 0 "confirmed at the pin" "$sluice" on garden 1 5
stop_node
kill $broker && wait $broker
broker=
port=$dead

# --- the command is killed at each of its writes: the site and the node go on, and the next try ends it ---
start_node_again() { start_node; heard "connected: MQTT"; }
n=1 done=0
start_node_again
while [ $n -le 60 ]; do
    rm -f calls
    LD_PRELOAD=$shim SL_CALLS=$work/calls SL_CUT_AT=$n timeout 20 "$sluice" renew garden >out 2>&1
    code=$?
    [ $code = 0 ] && done=1 && break
    [ $code = 137 ] || fail "renew, killed at call $n: gave $code: $(cat out)"
    expect 0 "garden " "$sluice" node list
    n=$((n + 1))
done
[ $done = 1 ] && [ $n -ge 8 ] || fail "only $n cuts: $(cat calls)"
expect 0 "garden: connected with its new key" "$sluice" renew garden
[ -z "$(find site/nodes -name '.renewed*')" ] || fail "left over: $(find site/nodes)"
stop_node

# --- power cuts: the node is killed at each of its writes, and one of the two works ---
n=1 seen=0
while [ $n -le 40 ]; do
    rm -f calls
    start_node LD_PRELOAD="$shim" SL_CALLS="$work/calls" SL_CUT_AT=$n
    until_true sh -c "grep -q 'connected: MQTT' node.log || ! kill -0 $node_pid 2>/dev/null"
    if kill -0 "$node_pid" 2>/dev/null; then
        timeout 20 "$sluice" renew garden --timeout 2 >out 2>&1
        code=$?
    fi
    if kill -0 "$node_pid" 2>/dev/null; then # every call is over
        [ $code = 0 ] || fail "renewal without a cut: $(cat out)"
        stop_node
        break
    fi
    wait "$node_pid"
    grep -q identity calls && seen=$((seen + 1))
    start_node
    heard "connected: MQTT"
    until_true sh -c "! [ -e state/identity.new ]" || fail "cut at call $n: left $(ls state)"
    stop_node
    n=$((n + 1))
done
[ $seen -ge 4 ] || fail "only $seen cuts in the middle of a renewal: $(cat calls)"
