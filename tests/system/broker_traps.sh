#!/bin/sh
# The traps of Mosquitto 2.0, each on a naive set-up, which is really open, and on ours, which is not.
# Both are the real Mosquitto with the same authority and certificates. $1: sluice
. "$(dirname "$0")/cli_lib.sh"
. "$tests/broker_lib.sh"
port=$(free_port)
expect 0 "is made" "$sluice" init --no-passphrase --port "$port"
expect 0 "is made" "$sluice" node add garden --base irrigation
expect 0 "is made" "$sluice" node add pond
expect 0 "is made" "$sluice" node add thief
node_args garden >/dev/null
node_args pond >/dev/null
node_args thief >/dev/null
cp site/nodes/thief/certificate.pem thief.pem
make_root
expect 0 "next:" "$sluice" broker install --root root
start_mosquitto
ours=$port our=$mosquitto

# What many a page on the web says.
naive=$(free_port)
mkdir naive && chmod 755 naive
copy_files() {
    cp site/ca/certificate.pem naive/ca.pem
    cp site/broker/certificate.pem site/broker/key.pem site/broker/crl.pem naive/
    cp site/broker/acl naive/acl
    chmod 644 naive/*
}
start_naive() { # [SED-SCRIPT]
    cat >naive.conf <<END
log_dest stderr
listener $naive 127.0.0.1
cafile $work/naive/ca.pem
certfile $work/naive/certificate.pem
keyfile $work/naive/key.pem
crlfile $work/naive/crl.pem
require_certificate true
use_identity_as_username true
acl_file $work/naive/acl
allow_anonymous false
END
    sed -i "${1:-}" naive.conf
    rm -f naive.log
    "$(command -v mosquitto || echo /usr/sbin/mosquitto)" -c naive.conf >naive.log 2>&1 &
    their=$!
    pids="$pids $their"
    until_true grep -q ' running$' naive.log || fail "the naive one does not start: $(cat naive.log)"
}
end_naive() {
    kill "$their"
    wait "$their" 2>/dev/null
}
hup_naive() {
    times=$(grep -c "Reloading config" naive.log)
    kill -HUP "$their"
    until_true sh -c "[ \$(grep -c 'Reloading config' naive.log) -gt $times ]" || fail "no reload"
    let_in "$naive" garden x || : # a whole turn of its loop later
}
reload=root/etc/mosquitto/sluice/reload
put_right() {
    expect 0 "the broker is proven" "$sluice" broker apply --root root
}
# let_in PORT NAME TOPIC [OPTIONS]: is NAME let in? can_write: and told that it may write TOPIC (MQTT 5)?
let_in() {
    at=$1 who=$2 what=$3
    shift 3
    certificate=site/nodes/$who/certificate.pem
    [ -f "$certificate" ] || certificate=$who.pem
    timeout 10 mosquitto_pub -V mqttv5 -i "$who" -h 127.0.0.1 -p "$at" --cafile site/ca/certificate.pem \
        --cert "$certificate" --key "$who.key" -t "$what" -m x -q 1 "$@" >said 2>&1
}
can_write() { let_in "$@" && ! grep -qi "not auth" said; }
expect 0 "is revoked" "$sluice" node revoke thief # and the installed Mosquitto is told
grep -q "the broker has read its lists again" out || fail "the installed broker was not told: $(cat out)"
copy_files

# 1. A revocation list that cannot be read is dropped at SIGHUP.
start_naive
let_in "$naive" thief x && fail "trap 1 is void: the naive one lets thief in"
for way in empty garbage missing; do
    case $way in
    empty) : >naive/crl.pem ;;
    garbage) head -c 300 /dev/urandom >naive/crl.pem ;;
    missing) rm naive/crl.pem ;;
    esac
    hup_naive
    let_in "$naive" thief x || fail "trap 1 ($way) is void: the naive one stays closed: $(cat said)"
    case $way in
    empty) : >"$(in_root crl.pem)" ;;
    garbage) head -c 300 /dev/urandom >"$(in_root crl.pem)" ;;
    missing) rm "$(in_root crl.pem)" ;;
    esac
    sh $reload "$our" >out 2>&1 && fail "trap 1 ($way): ours is told to read it"
    let_in "$ours" thief x && fail "trap 1 ($way): ours lets thief in"
    put_right
    copy_files
    hup_naive
    let_in "$naive" thief x && fail "trap 1: the naive one is not closed again"
done
# One that has ended shuts everybody out; ours is renewed long before, and is not given to a broker.
day() { date -u -d "$1 days" +%Y%m%d000000Z; }
: >index.txt
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\n' >ca.cnf
openssl ca -gencrl -config ca.cnf -cert site/ca/certificate.pem -keyfile site/ca/key.pem \
    -crl_lastupdate "$(day -40)" -crl_nextupdate "$(day -2)" -out ended.pem 2>words || fail "openssl: $(cat words)"
cp ended.pem naive/crl.pem
hup_naive
let_in "$naive" garden irrigation/report && fail "trap 1 (ended) is void: the naive one lets garden in"
cp site/broker/crl.pem good.pem
cp ended.pem site/broker/crl.pem
expect 4 "ended on" "$sluice" broker apply --root root
let_in "$ours" garden irrigation/report || fail "trap 1 (ended): ours lets nobody in: $(cat said)"
expect 0 '"revocation list"' "$sluice" maintain --json # does it from here
cp good.pem site/broker/crl.pem
put_right
copy_files
hup_naive

# 2. An access list that cannot be read is leave for everything.
for way in syntax missing; do
    can_write "$naive" garden irrigation/pond/zone/on && fail "trap 2 is void: garden may write everywhere"
    case $way in
    syntax) echo nonsense | tee -a "$(in_root acl)" >>naive/acl ;;
    missing) rm naive/acl "$(in_root acl)" ;;
    esac
    hup_naive
    can_write "$naive" garden irrigation/pond/zone/on || fail "trap 2 ($way) is void: the naive one stays closed"
    sh $reload "$our" >out 2>&1 && fail "trap 2 ($way): ours is told to read it"
    can_write "$ours" garden irrigation/pond/zone/on && fail "trap 2 ($way): ours is open"
    put_right
    copy_files
    hup_naive
done

# 3. logrotate has the service reloaded every night: what the unit then runs.
reload_command() { # UNIT MAINPID: its last ExecReload
    sed -n 's/^ExecReload=\(..*\)/\1/p' "$1" | tail -n 1 | sed "s,\$MAINPID,$2,; s,/etc/mosquitto/sluice,$work/root&,"
}
debian=/lib/systemd/system/mosquitto.service
if [ -f $debian ]; then
    : >naive/crl.pem
    : >"$(in_root crl.pem)"
    sh -c "$(reload_command $debian "$their")" || fail "Debian's reload failed"
    until_true let_in "$naive" thief x || fail "trap 3 is void: the naive one stays closed"
    sh -c "$(reload_command root/etc/systemd/system/mosquitto.service.d/sluice.conf "$our")" 2>out &&
        fail "trap 3: ours is reloaded with an empty list"
    let_in "$ours" thief x && fail "trap 3: ours lets thief in"
    put_right
    sh -c "$(reload_command root/etc/systemd/system/mosquitto.service.d/sluice.conf "$our")" || fail "trap 3: no reload at all"
    copy_files
    hup_naive
fi

# 4. Whoever is revoked while connected stays connected.
listen() { # PORT NAME TOPIC FILE [OPTIONS]
    at=$1 who=$2 topic=$3 file=$4
    shift 4
    rm -f "$file"
    stdbuf -oL mosquitto_sub -V mqttv5 -i "$who" -h 127.0.0.1 -p "$at" --cafile site/ca/certificate.pem \
        --cert "site/nodes/$who/certificate.pem" --key "$who.key" -t "$topic" -d -q 1 "$@" >"$file" 2>&1 &
    listener=$!
    pids="$pids $listener"
    until_true grep -q '^Subscribed' "$file" || fail "$who cannot listen: $(cat "$file")"
}
say() { # PORT TOPIC
    # shellcheck disable=SC2046
    timeout 10 mosquitto_pub $("$sluice" client-args) -p "$1" -t "$2" -m "0 1" -q 1 >said 2>&1 || fail "cannot say $2: $(cat said)"
}
listen "$naive" pond irrigation/pond/zone/on naive.heard
listen "$ours" pond irrigation/pond/zone/on our.heard
expect 0 "is revoked" "$sluice" node revoke pond
cp site/broker/crl.pem naive/crl.pem
hup_naive
let_in "$naive" pond x && fail "trap 4 is void: the naive one did not read the list"
say "$naive" irrigation/pond/zone/on
until_true grep -q "received PUBLISH" naive.heard || fail "trap 4 is void: the naive one cut the session"
say "$ours" irrigation/pond/zone/on
until_true grep -q "certificate revoked\|connection was lost\|DISCONNECT" our.heard || fail "trap 4: the session was not cut: $(cat our.heard)"
grep -q "received PUBLISH" our.heard && fail "trap 4: pond still hears"
kill "$listener" 2>/dev/null

# 5. A TLS session is resumed without a look at the certificate; without crlfile also after a reload.
session() { # PORT out|in: a session of garden
    (sleep 0.2) | timeout 10 openssl s_client -connect "127.0.0.1:$1" -tls1_2 -sess_"$2" "session.$1" -key garden.key \
        -cert site/nodes/garden/certificate.pem -CAfile site/ca/certificate.pem >tls 2>&1
    grep -q "^Reused" tls
}
end_naive
start_naive /^crlfile/d
session "$naive" out
session "$ours" out
hup_naive
sh $reload "$our" || fail "ours is not reloaded"
until_true sh -c "[ \$(grep -c 'Reloading config' broker.log) -ge 4 ]"
session "$naive" in || fail "trap 5 is void: the naive one forgets sessions at a reload"
session "$ours" in && fail "trap 5: ours resumes a session from before the reload"
end_naive

# 6. The websockets listener knows no revocation list.
web=$(free_port)
start_naive "\$a listener $web 127.0.0.1\nprotocol websockets\nsocket_domain ipv4\ncafile $work/naive/ca.pem\n\
certfile $work/naive/certificate.pem\nkeyfile $work/naive/key.pem\ncrlfile $work/naive/crl.pem\nrequire_certificate true"
handshake() { # PORT: thief's certificate
    timeout 10 openssl s_client -connect "127.0.0.1:$1" -tls1_2 -cert thief.pem -key thief.key \
        -CAfile site/ca/certificate.pem </dev/null >tls 2>&1 && ! grep -q "alert" tls
}
handshake "$naive" && fail "trap 6 is void: the plain one takes thief"
handshake "$web" || fail "trap 6 is void: websockets refuse thief: $(cat tls)"
handshake "$ours" && fail "trap 6: ours takes thief"
sed -i "/^listener/a protocol websockets" root/etc/mosquitto/conf.d/sluice.conf
expect 4 "sluice writes no such line there" "$sluice" broker check --root root
expect 0 "next:" "$sluice" broker install --root root
expect 0 "keeps to the list" "$sluice" broker check --root root
end_naive

# 8. A client id of one's own choice takes another's session; a name with a slash leaves its level.
copy_files
: >naive/acl
start_naive
listen "$naive" garden irrigation/zone/on naive.heard
listen "$ours" garden irrigation/zone/on our.heard
expect 0 "is made" "$sluice" node add eve
node_args eve >/dev/null
let_in "$naive" eve x -i garden
until_true sh -c '[ "$(grep -c "sending CONNECT" naive.heard)" -gt 1 ]' || fail "trap 8 is void: $(cat naive.heard)"
let_in "$ours" eve x -i garden
grep -q "as eve " broker.log || fail "trap 8: eve came as garden: $(cat broker.log)"
say "$ours" irrigation/zone/on
until_true grep -q "received PUBLISH" our.heard || fail "trap 8: garden hears nothing: $(cat our.heard)"
[ "$(grep -c "sending CONNECT" our.heard)" = 1 ] || fail "trap 8: garden lost its session: $(cat our.heard)"
end_naive
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout slash.key -subj '/CN=garden\/zone' 2>/dev/null |
    openssl x509 -req -CA site/ca/certificate.pem -CAkey site/ca/key.pem -days 9 -out slash.pem 2>/dev/null
echo 'pattern readwrite irrigation/%u/#' >naive/acl
start_naive
can_write "$naive" slash irrigation/garden/zone/on || fail "trap 8 is void: a slash leaves no level: $(cat said)"
for name in garden/zone 'a b' '$SYS' 'a+'; do
    expect 2 "cannot be a node's name" "$sluice" node add "$name"
done
can_write "$ours" slash irrigation/garden/zone/on && fail "trap 8: ours gives a slash a topic"
end_naive

# 9. In MQTT 3.1.1 a forbidden PUBLISH is acknowledged: who believes that, sees no broker as closed.
copy_files
start_naive
believes() { # by the acknowledgement
    let_in "$1" garden irrigation/pond/zone/on -V mqttv311
}
believes "$naive" && believes "$ours" || fail "trap 9 is void: 3.1.1 tells"
can_write "$ours" garden irrigation/pond/zone/on && fail "trap 9: ours is open"
expect 0 "is closed" "$sluice" broker check --root root --running # by what is delivered
end_mosquitto
start_mosquitto '/^acl_file/d'
expect 1 "no longer keeps to its access list" "$sluice" broker check --root root --running
end_mosquitto
start_mosquitto
our=$mosquitto

# 10. Rights are dropped before anything is read: a list that is root's alone is none.
if [ "$(id -u)" = 0 ]; then
    can_write "$naive" garden irrigation/pond/zone/on && fail "trap 10 is void: garden may write everywhere"
    chmod 600 naive/acl "$(in_root acl)"
    hup_naive
    can_write "$naive" garden irrigation/pond/zone/on || fail "trap 10 is void: the naive one stays closed"
    sh $reload "$our" >out 2>&1 && fail "trap 10: ours is told to read it"
    expect 4 "must be" "$sluice" broker check --root root
    can_write "$ours" garden irrigation/pond/zone/on && fail "trap 10: ours is open"
    put_right
fi
echo "ok"
