#!/bin/sh
# sluice operator renew: new keys, every earlier certificate revoked at the running broker, nobody else
# touched. $1: sluice
. "$(dirname "$0")/cli_lib.sh"
port=$(free_port)
expect 0 "is made" "$sluice" init --no-passphrase --port "$port" --operator anna --operator bob
expect 0 "is made" "$sluice" node add garden
start_broker
# As mosquitto_pub with the files of FOLDER; gives its exit code.
enters() {
    timeout 10 mosquitto_pub -V mqttv5 -i "$2" -h 127.0.0.1 -p "$port" --tls-version tlsv1.2 \
        --cafile site/ca/certificate.pem --cert "$1/certificate.pem" --key "$1/key.pem" \
        -t irrigation/garden/zone/status -m x -q 1 >tls 2>&1
}
# The broker's word can be lost behind what a client still writes: the next try hears it.
is_revoked() {
    enters "$1" "$2" && fail "an old certificate of $2 is let in"
    echo | timeout 10 openssl s_client -connect 127.0.0.1:$port -tls1_2 -CAfile site/ca/certificate.pem \
        -cert "$1/certificate.pem" -key "$1/key.pem" >tls 2>&1
    grep -q 'alert certificate revoked' tls
}
cp -a site/operators old
enters old/anna anna || fail "anna before: $(cat tls)"

expect 2 "there is no operator 'carl'" "$sluice" operator renew carl
expect 2 "" "$sluice" operator renew
diff -r old site/operators || fail "a refused renewal changed something"

expect 0 "operator anna has new keys and certificates until 20" "$sluice" operator renew anna
grep -q "every earlier certificate of it is on the revocation list" out || fail "no word of the old ones: $(cat out)"
for user in anna anna-watch; do
    cmp -s old/$user/key.pem site/operators/$user/key.pem && fail "$user has the old key"
    [ "$(stat -c %a site/operators/$user/key.pem)" = 600 ] || fail "the key of $user is open"
    openssl verify -CAfile site/ca/certificate.pem site/operators/$user/certificate.pem >out 2>&1 || fail "$(cat out)"
    until_true is_revoked old/$user $user || fail "$user is not refused as revoked: $(cat tls)"
done
diff -r old/bob site/operators/bob && diff -r old/bob-watch site/operators/bob-watch || fail "bob was changed, too"
enters site/operators/anna anna && enters site/operators/bob bob || fail "a good certificate is refused: $(cat tls)"
[ -z "$(find site/operators -name '.*' ! -path site/operators)" ] || fail "left: $(find site/operators)"

# Again: those of a moment ago, too; and in words for a script.
cp -a site/operators/anna second
expect 0 '{"operator":"anna","last_day":"20' "$sluice" operator renew anna --json
enters second anna && fail "the second certificate is let in"
[ "$(openssl crl -noout -text -in site/broker/crl.pem | grep -c 'Serial Number')" = 5 ] ||
    fail "not the canary and four certificates on the list: $(openssl crl -noout -text -in site/broker/crl.pem)"
# A node of that name is nobody's operator, and an operator no node.
expect 2 "no node 'anna'" "$sluice" node revoke anna
echo "operator: ok"
