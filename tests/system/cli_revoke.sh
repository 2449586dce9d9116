#!/bin/sh
# node revoke and node add --replace against a real Mosquitto: out at once and for good, whichever way
# back is tried; the others do not notice; a broker that does not obey is stopped.
. "$(dirname "$0")/cli_lib.sh"
port=$(free_port)
expect 0 "is made" "$sluice" init --no-passphrase --port "$port"
expect 0 "is made" "$sluice" node add garden --base irrigation
expect 0 "is made" "$sluice" node add pond
expect 2 "there is no node 'fern'" "$sluice" node revoke fern
expect 2 "there is no node 'operator'" "$sluice" node revoke operator

in_list() { # CERTIFICATE
    serial=$(openssl x509 -noout -serial -in "$1" | cut -d= -f2)
    openssl crl -noout -text -in site/broker/crl.pem | grep -q "Serial Number: $serial"
}
# keep NAME: the key and certificate of today, to come back with later; sets $as.
keep() {
    rm -f "$1.key"
    node_args "$1" >/dev/null
    copies=$((copies + 1))
    cp "$1.key" "kept$copies.key"
    cp "site/nodes/$1/certificate.pem" "kept$copies.pem"
    as="-V mqttv5 -i $1 -h 127.0.0.1 -p $port --cafile site/ca/certificate.pem --cert kept$copies.pem --key kept$copies.key"
}
copies=0
# shellcheck disable=SC2086
let_in() { timeout 10 mosquitto_pub $1 -t sluice/visit -m x -q 1 >out 2>&1; }
refused() { # OPTIONS WHAT: by each version of TLS, because of the list
    let_in "$1" && fail "$2 is let in"
    let_in "$1 --tls-version tlsv1.2" && fail "$2 is let in by TLS 1.2"
    until_true alert_44 "${1#*--cert }" || fail "$2 was refused for another reason: $(cat tls)"
}
# The reset that follows the alert can overtake it: such a try says nothing.
alert_44() { # CERTIFICATE --key KEY
    # shellcheck disable=SC2086
    openssl s_client -connect "127.0.0.1:$port" -tls1_2 -cert $(echo "$1" | sed 's/--key/-key/') \
        -CAfile site/ca/certificate.pem >tls 2>&1 </dev/null
    grep -q 'alert certificate revoked' tls
}
listen() { # NAME OPTIONS TOPIC: lines in NAME.heard; returns when the broker listens
    rm -f "$1.heard" # what an earlier one heard is no sign of this one
    # shellcheck disable=SC2086
    stdbuf -oL mosquitto_sub $2 -t "$3" -d -q 1 >"$1.heard" 2>&1 &
    listener=$!
    pids="$pids $listener"
    until_true grep -q '^Subscribed' "$1.heard" || fail "$1 cannot listen: $(cat "$1.heard")"
}
say() { # TOPIC
    # shellcheck disable=SC2046
    timeout 10 mosquitto_pub $("$sluice" client-args) -t "$1" -m "2 120" -q 1 || fail "cannot say $1"
}
session() { # IN-OR-OUT: a TLS session of $as, kept or tried again
    (sleep 0.3) | timeout 10 openssl s_client -connect "127.0.0.1:$port" -tls1_2 -sess_"$1" session \
        -cert "kept$copies.pem" -key "kept$copies.key" -CAfile site/ca/certificate.pem >tls 2>&1
}

# --- a live session is cut, and nothing brings it back ---
start_broker
listen pond "$(node_args pond)" 'irrigation/pond/zone/on'
keep garden
garden=$as
session out
session in
grep -q '^Reused, TLSv1.2' tls || fail "the broker keeps no session: this test is void: $(cat tls)"
listen garden "$garden" 'irrigation/zone/on'
heard=$listener
expect 0 "1 certificate of garden put on the revocation list" "$sluice" node revoke garden
grep -q "refuses a certificate revoked with them" out || fail "no proof: $(cat out)"
grep -q "no connection made with them is open" out || fail "the session was not cut: $(cat out)"
grep -q "Client garden already connected, closing old connection" broker.log || fail "no session was cut"
# The command comes in the name of garden after the list is obeyed: what was open until then is cut.
awk '/verify failed/ { refused = 1 } / as garden .*k30/ && refused { cut = 1 } END { exit !cut }' broker.log ||
    fail "nothing cuts a session that outlasts the reload"
in_list kept1.pem || fail "garden is not on the list"
say irrigation/zone/on
say irrigation/pond/zone/on
until_true grep -q "received PUBLISH.*pond/zone/on" pond.heard || fail "pond does not hear"
grep -q "received PUBLISH" garden.heard && fail "garden still hears"
kill "$heard" 2>/dev/null
refused "$garden" "garden"
session in
grep -q '^Reused' tls && fail "garden's TLS session is taken again"
sed -n '/^user garden$/,/^$/p' site/broker/acl | grep -qx 'topic deny #' || fail "the list of rights"
[ "$(grep -c ' as pond ' broker.log)" = 1 ] || fail "pond did not stay connected"
expect 0 " revoked" "$sluice" node list
grep -q '^garden .* revoked$' out || fail "node list: $(cat out)"
expect 0 '"name":"garden"' "$sluice" node list --json
grep -q '"last_day":"20..-..-..","revoked":true}' out || fail "node list: $(cat out)"
expect 3 "garden  revoked" "$sluice" status --timeout 1
expect 0 '"revoked":true' "$sluice" status garden --json

# Again: nothing more to do, and it is proved again.
expect 0 "every earlier certificate of garden is on the revocation list" "$sluice" node revoke garden
expect 0 '{"name":"garden","revoked":0,"revocation_list_last_day":"20' "$sluice" node revoke garden --json
grep -q '"broker":"proven"}$' out || fail "as JSON: $(cat out)"

# --- the device that takes its place ---
expect 0 "node garden is made anew" "$sluice" node add garden --replace
keep garden
second=$as
let_in "$second" || fail "the new garden is not let in: $(cat out)"
refused "$garden" "the first garden"
listen garden "$second" 'irrigation/zone/on'
say irrigation/zone/on
until_true grep -q "received PUBLISH.*zone/on" garden.heard || fail "the new garden hears nothing"
expect 0 "1 certificate of garden put on" "$sluice" node add garden --replace
until_true grep -q "certificate revoked\|connection was lost" garden.heard ||
    fail "the second garden was not cut: $(cat garden.heard)"
kill "$listener" 2>/dev/null
refused "$second" "the second garden"
keep garden
let_in "$as" || fail "the third garden is not let in: $(cat out)"
# A node removed by hand and made again: the name's earlier certificate goes all the same.
third=$as
rm -r site/nodes/garden
expect 0 "node garden is made anew" "$sluice" node add garden --base irrigation
refused "$third" "the third garden"
# One that was removed by hand, and its name: both are found in issued.log, behind a half line, too.
keep garden
rm -r site/nodes/garden
printf '2026-11-22T17:00:00Z serial=01ABC' >>site/issued.log
expect 0 "1 certificate of garden put on" "$sluice" node revoke garden
refused "$as" "the fourth garden"
grep -q '^2026.*=01ABC$' site/issued.log || fail "a half line grew: $(cat site/issued.log)"
[ "$(grep -c ' as pond ' broker.log)" = 1 ] || fail "pond did not stay connected"
grep -q "PRIVATE" -r site/issued.log site/broker/crl.pem site/run && fail "a key was left"

# --- a list that ends ---
serial=$(openssl x509 -noout -serial -in kept1.pem | cut -d= -f2)
printf 'R\t291121000000Z\t261122000000Z\t%s\tunknown\t/CN=garden\n' "$serial" >index.txt
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\n' >ca.cnf
day() { date -u -d "$1 days" +%Y%m%d000000Z; }
list_until() { # FROM UNTIL, in days from today: a list with the first garden alone
    openssl ca -gencrl -config ca.cnf -cert site/ca/certificate.pem -keyfile site/ca/key.pem \
        -crl_lastupdate "$(day "$1")" -crl_nextupdate "$(day "$2")" -out site/broker/crl.pem 2>words ||
        fail "openssl makes no list: $(cat words)"
}
lasts() { # DAYS: the list is good for more than these
    end=$(openssl crl -noout -nextupdate -in site/broker/crl.pem | cut -d= -f2)
    [ "$(date -d "$end" +%s)" -gt $(($(date +%s) + $1 * 86400)) ]
}
lasts 28 || fail "the list made by node revoke is short"
list_until -20 10
expect 0 "the revocation list is old: from $(date -u -d '10 days' +%Y-%m-%d) on" "$sluice" node list
kill -HUP "$broker"
until_true grep -q "the revocation list was renewed for 30 days" broker.log || fail "no renewal at SIGHUP"
until_true lasts 28 || fail "the list was not renewed"
in_list kept1.pem || fail "the renewal forgot garden"
refused "$garden" "garden after the renewal"
"$sluice" node list 2>&1 | grep -q "list is old" && fail "a new list is called old"
kill -TERM "$broker"
wait "$broker"
list_until -40 -2
expect 0 "from $(date -u -d '-2 days' +%Y-%m-%d) on the broker lets nobody in" "$sluice" node list
start_broker
let_in "$(node_args pond)" || fail "the ended list was not renewed: $(cat out) $(cat broker.log)"
refused "$garden" "garden after a renewal at the start"

# --- a broker that does not obey ---
disobey() { # SED-SCRIPT CODE WORDS: a Mosquitto with a configuration of its own
    kill -TERM "$broker"
    wait "$broker"
    sed "$1" site/broker/mosquitto.conf >own.conf
    printf '#!/bin/sh\nexec %s -c %s\n' "$(command -v mosquitto || echo /usr/sbin/mosquitto)" \
        "$work/own.conf" >mosquitto
    chmod +x mosquitto
    real=$PATH
    PATH=$work:$PATH
    start_broker
    PATH=$real
    expect "$2" "$3" "$sluice" node revoke pond
    grep -q "could not be shown to obey it and was stopped" out || fail "$1: $(cat out)"
    wait "$broker" || fail "$1: the broker was not stopped in order: $?"
    start_broker
}
disobey '/^crlfile/d' 1 "still lets in a certificate that was revoked"
list_until -40 -2
cp site/broker/crl.pem ended.pem
cp site/broker/crl.pem short.pem
list_until -1 25
disobey "s,^crlfile.*,crlfile $work/ended.pem," 3 "expired"

# --- no broker; and lists that went bad ---
kill -TERM "$broker"
wait "$broker"
keep pond
expect 0 "no broker runs here: the list holds from its next start" "$sluice" node revoke pond
start_broker
refused "$as" "pond"
cp site/broker/crl.pem good.pem
for way in empty cut garbage missing; do
    case $way in
    empty) : >site/broker/crl.pem ;;
    cut) head -c 200 good.pem >site/broker/crl.pem ;;
    garbage) head -c 300 /dev/urandom >site/broker/crl.pem ;;
    missing) rm site/broker/crl.pem ;;
    esac
    expect 4 "broker/crl.pem" "$sluice" node revoke pond
    expect 4 "broker/crl.pem" "$sluice" node add pond --replace
    refused "$as" "pond beside a list that is $way"
done
cp good.pem site/broker/crl.pem
expect 0 '"revoked":0' "$sluice" node revoke pond --json

# Ctrl-C while the broker does not answer: it goes on, and what is not shown is said.
expect 0 "is made" "$sluice" node add stream
mosquitto=$(pgrep -P "$broker" mosquitto)
kill -STOP "$mosquitto"
"$sluice" node revoke stream >out 2>&1 &
revoking=$!
pids="$pids $revoking"
serial=$(openssl x509 -noout -serial -in site/nodes/stream/certificate.pem | cut -d= -f2)
until_true sh -c "openssl crl -noout -text -in site/broker/crl.pem | grep -q $serial" || fail "not on the list: $(cat out)"
until_true sh -c "grep -q '^SigCgt:.*[2367abef]\$' /proc/$revoking/status" || fail "it does not visit the broker"
kill -INT "$revoking"
wait "$revoking" && fail "an interrupted proof is told as one"
kill -CONT "$mosquitto"
grep -q "stopped before it was shown to obey" out || fail "Ctrl-C: $(cat out)"
kill -0 "$broker" || fail "Ctrl-C in a proof ends the broker: $(cat out)"
expect 0 "stream is revoked" "$sluice" node revoke stream
kill -TERM "$broker"
wait "$broker" || fail "SIGTERM gave $?"
echo "ok"
