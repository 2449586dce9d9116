#!/bin/sh
# sluice maintain: what ends soon is renewed in time, given to the brokers without ending a session, and
# what needs a person is told.
. "$(dirname "$0")/cli_lib.sh"
. "$tests/broker_lib.sh"
port=$(free_port)
expect 0 "is made" "$sluice" init --no-passphrase --port "$port"
expect 0 "is made" "$sluice" node add garden --base irrigation
make_root
expect 0 "next:" "$sluice" broker install --root root
expect 0 "all is well" "$sluice" maintain
expect 0 '{"renewed":[],' "$sluice" maintain --root root --json
grep -q '"warnings":\[\],"locked":false,"good":true}$' out || fail "as JSON: $(cat out)"
expect 0 "' --site '$work/site' maintain --root '/'" "$sluice" maintain --cron --root /
[ "$(awk '{ print NF }' out)" = 12 ] && [ "$(wc -l <out)" = 1 ] || fail "no line for a crontab: $(cat out)"
expect 0 " --root 'it'\\''s 5\\% off'" "$sluice" maintain --cron --root "it's 5% off"
expect 4 "cannot have line breaks" "$sluice" maintain --cron --root "a
* * * * * root reboot"

# In a site that is old: list, certificate and canaries near their end, under a running Mosquitto.
day() { date -u -d "$1 days" +%Y%m%d000000Z; }
serial() { openssl x509 -noout -serial -in "$1" | cut -d= -f2; }
canary=site/canary/revoked/certificate.pem
age_list() { # FROM UNTIL [CERTIFICATE...]: a list with other dates
    for file in $canary "$@"; do
        [ ! -f "$file" ] || printf 'R\t291121000000Z\t261122000000Z\t%s\tunknown\t/CN=x\n' "$(serial "$file")"
    done >index.txt
    printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\n' >ca.cnf
    openssl ca -gencrl -config ca.cnf -cert site/ca/certificate.pem -keyfile site/ca/key.pem \
        -crl_lastupdate "$(day "$1")" -crl_nextupdate "$(day "$2")" -out site/broker/crl.pem 2>words ||
        fail "openssl makes no list: $(cat words)"
}
age_server() { # DAYS
    openssl req -new -key site/broker/key.pem -subj /CN=sluice-broker 2>/dev/null >req.pem
    printf 'extendedKeyUsage=serverAuth\nsubjectAltName=DNS:sluice-broker,DNS:localhost,IP:127.0.0.1\n' >ext
    openssl x509 -req -in req.pem -CA site/ca/certificate.pem -CAkey site/ca/key.pem -days "$1" -extfile ext \
        -out site/broker/certificate.pem 2>/dev/null || fail "openssl cannot sign"
}
expect 0 "is made" "$sluice" node add lost
cp site/nodes/lost/certificate.pem lost.pem
node_args lost >/dev/null
cp lost.key lost.kept
expect 0 "is revoked" "$sluice" node revoke lost
age_list -11 19 lost.pem
age_server 28
"$sluice" broker apply --root root >out 2>&1 || fail "the old files are not applied: $(cat out)"
start_mosquitto
# shellcheck disable=SC2046,SC2086
stdbuf -oL mosquitto_sub $(node_args garden) -t irrigation/zone/on -d -q 1 >heard 2>&1 &
pids="$pids $!"
until_true grep -q '^Subscribed' heard || fail "garden cannot listen: $(cat heard)"
list_before=$(openssl crl -noout -nextupdate -in site/broker/crl.pem)
server_before=$(serial site/broker/certificate.pem)
expect 0 '"renewed":["revocation list","broker certificate"]' "$sluice" maintain --root root --json
grep -q '"broker":"proven"' out || fail "not proven: $(cat out)"
[ "$list_before" != "$(openssl crl -noout -nextupdate -in site/broker/crl.pem)" ] || fail "the old list"
[ "$server_before" != "$(serial site/broker/certificate.pem)" ] || fail "the old certificate"
[ "$(serial root/etc/mosquitto/sluice/server.pem)" = "$(serial site/broker/certificate.pem)" ] || fail "root has the old one"
openssl x509 -noout -checkend $((90 * 86400)) -in site/broker/certificate.pem >/dev/null && fail "more than 90 days"
openssl crl -noout -text -in "$(in_root crl.pem)" | grep -q "$(serial lost.pem)" || fail "the renewal forgot a revocation"
openssl s_client -connect "127.0.0.1:$port" </dev/null 2>/dev/null | openssl x509 -noout -serial >shown
[ "$(cut -d= -f2 shown)" = "$(serial site/broker/certificate.pem)" ] || fail "the broker shows the one before"
# shellcheck disable=SC2046
mosquitto_pub $("$sluice" client-args) -q 1 -t irrigation/zone/on -m "0 1" || fail "the operator is out"
until_true grep -q 'received PUBLISH' heard || fail "garden does not hear: $(cat heard)"
[ "$(grep -c "as garden " broker.log)" = 1 ] || fail "garden's session was dropped"
timeout 10 mosquitto_pub -V mqttv5 -i lost -h 127.0.0.1 -p "$port" --cafile site/ca/certificate.pem --cert lost.pem \
    --key lost.kept -t x -m x -q 1 >out 2>&1 && fail "lost is let in"
expect 0 '"renewed":[]' "$sluice" maintain --root root --json

# A site of an earlier version has no canaries; a list that forgot them is made right.
end_mosquitto
rm -r site/canary
expect 4 "make them with 'sluice maintain'" "$sluice" broker check
expect 0 '"canary certificate"' "$sluice" maintain --json
expect 0 "keeps to the list" "$sluice" broker check
canary=
age_list -1 29
canary=site/canary/revoked/certificate.pem
expect 4 "does not have the revoked canary" "$sluice" broker check
expect 0 '"renewed":["revocation list"]' "$sluice" maintain --json
expect 0 "keeps to the list" "$sluice" broker check

# The broker of 'broker run', too; and it renews by itself.
start_broker
age_list -11 19
expect 0 "the broker is proven" "$sluice" maintain
age_server 20
# shellcheck disable=SC2046,SC2086
stdbuf -oL mosquitto_sub $(node_args garden) -t irrigation/zone/on -d -q 1 >heard 2>&1 &
pids="$pids $!"
until_true grep -q '^Subscribed' heard || fail "garden cannot listen: $(cat heard)"
kill -HUP "$broker"
until_true grep -q "the broker's certificate was renewed for 89 days" broker.log || fail "no renewal: $(cat broker.log)"
until_true sh -c "openssl s_client -connect 127.0.0.1:$port </dev/null 2>/dev/null | openssl x509 -noout -serial |
    grep -q $(serial site/broker/certificate.pem)" || fail "the broker does not show it"
# shellcheck disable=SC2046
mosquitto_pub $("$sluice" client-args) -q 1 -t irrigation/zone/on -m "0 1" || fail "the operator is out"
until_true grep -q 'received PUBLISH' heard || fail "garden does not hear: $(cat heard)"

# What needs a person: exit code 1, and a line each.
if command -v faketime >/dev/null && faketime -f '+2y' true 2>/dev/null; then
    kill -TERM "$broker"
    wait "$broker" 2>/dev/null
    age_list 700 760
    expect 1 "node certificate of garden ends on 20" faketime -f '+800d' "$sluice" maintain
    grep -q "operator certificate of operator ends on 20" out || fail "no word of the operator: $(cat out)"
    expect 1 '"good":false' faketime -f '+800d' "$sluice" maintain --json
fi
echo "ok"
