#!/bin/sh
# sluice ca roll against a real Mosquitto and a real node: both authorities are accepted meanwhile, the
# end waits for every node, and afterwards the old one counts for nothing. $1 sluice, $2 sluice-node
. "$(dirname "$0")/cli_lib.sh"
node=$2
printf 'correct horse\n' >words
chmod 600 words
export SLUICE_PASSPHRASE_FILE="$work/words"
port=$(free_port)
expect 0 "is made" "$sluice" init --port "$port"
expect 0 "is made" "$sluice" node add garden
expect 0 "is made" "$sluice" node add pond
expect 0 "is made" "$sluice" node add lost
expect 0 "lost is revoked" "$sluice" node revoke lost

# shellcheck disable=SC2086
let_in() { timeout 10 mosquitto_pub $1 -t sluice/visit -m x -q 1 >visit 2>&1; }
keep() { # NAME: options with the key and certificate of today
    rm -f "$1.key"
    node_args "$1" >/dev/null
    cp "$1.key" "$1.old.key"
    cp "site/nodes/$1/certificate.pem" "$1.old.pem"
    as="-V mqttv5 -i $1 -h 127.0.0.1 -p $port --cafile site/ca/certificate.pem --cert $1.old.pem --key $1.old.key"
}
start_node() {
    cp site/nodes/garden/identity garden.id
    "$node" --identity garden.id --chip no-chip >node.log 2>&1 &
    garden=$!
    pids="$pids $garden"
}
is() { "$sluice" ca roll --status | grep -q "^$1  *$2\$"; }
lists() { grep -c BEGIN "site/broker/crl.pem"; }

start_broker
keep lost
lost=$as
keep pond
pond=$as
start_node
until_true grep -q "as garden " broker.log || fail "the node does not connect: $(cat node.log)"
expect 0 "one authority, until 20" "$sluice" ca roll --status
expect 1 "is not going over to a new authority" "$sluice" ca roll --finish
old=$(openssl x509 -noout -pubkey -in site/ca/certificate.pem)

# --- both ---
expect 0 "two authorities: the broker accepts both" "$sluice" ca roll
grep -q "^garden  *old certificate$" out && grep -q "^lost  *revoked$" out || fail "ca roll: $(cat out)"
grep -q "^2 of 3 nodes left" out || fail "ca roll: $(cat out)"
[ "$(grep -c BEGIN site/ca/certificate.pem)" = 2 ] || fail "not both are trusted"
[ "$(lists)" = 2 ] || fail "not both have a list"
openssl pkey -in site/ca/next/key.pem -passin file:words -noout || fail "the new key has another passphrase"
grep -q ENCRYPTED site/ca/next/key.pem || fail "the new key is open"
[ -z "$(find site -type f ! -perm 600)" ] || fail "a file is open to others"
signed_by() { # WHICH-CA FILE
    openssl verify -partial_chain -CAfile "$1" "$2" >/dev/null 2>&1
}
signed_by site/ca/next/certificate.pem site/operators/operator/certificate.pem || fail "the operator is old"
openssl x509 -in site/ca/certificate.pem >current.pem
signed_by current.pem site/broker/certificate.pem || fail "the broker's certificate changed too early"
let_in "$pond" || fail "an old certificate is refused: $(cat visit)"
let_in "$lost" && fail "a revoked one is let in"
# shellcheck disable=SC2046
timeout 10 mosquitto_pub $("$sluice" client-args) -t irrigation/garden/zone/off -n -q 1 || fail "the operator is out"
expect 0 "is made" "$sluice" node add moss
let_in "$(node_args moss)" || fail "a new certificate is refused: $(cat visit)"
is moss "new certificate, not yet seen" || fail "moss: $("$sluice" ca roll --status)"
kill -0 "$garden" || fail "the node ended"
expect 0 "two authorities" "$sluice" ca roll # again: nothing new
[ "$(grep -c purpose=authority site/issued.log)" = 2 ] || fail "a third authority"
expect 1 "is going over to a new authority" "$sluice" ca passphrase --no-passphrase
expect 1 "would be shut out: garden, moss, pond: renew or replace them" "$sluice" ca roll --finish
expect 0 "moss is revoked" "$sluice" node revoke moss
let_in "$(node_args moss)" && fail "moss is let in"
expect 0 "pond is revoked" "$sluice" node revoke pond
let_in "$pond" && fail "pond is let in"
[ "$(lists)" = 2 ] || fail "a list was lost"

# --- the node goes over, and is seen ---
expect 0 "is made anew" "$sluice" node add garden --replace
is garden "new certificate, not yet seen" || fail "garden: $("$sluice" ca roll --status)"
expect 1 "would be shut out: garden:" "$sluice" ca roll --finish
kill "$garden"
wait "$garden"
start_node
until_true is garden "gone over" || { "$sluice" status garden --json; fail "garden is not seen: $("$sluice" ca roll --status) $(cat node.log)"; }
expect 0 '"name":"garden","state":"seen"' "$sluice" ca roll --status --json
keep garden
expect 0 "one authority" "$sluice" ca roll --finish
[ "$old" != "$(openssl x509 -noout -pubkey -in site/ca/certificate.pem)" ] || fail "the old authority"
[ "$(grep -c BEGIN site/ca/certificate.pem)$(lists)" = 11 ] || fail "something of the old one is left"
[ ! -e site/ca/next ] && [ -z "$(find site -name '.ca*' -o -name '.next*')" ] || fail "left: $(find site)"
for folder in broker operators/operator operators/operator-watch nodes/garden canary/good; do
    openssl verify -CAfile site/ca/certificate.pem "site/$folder/certificate.pem" >/dev/null ||
        fail "$folder is not of the new authority"
done
let_in "$as" || fail "garden is refused: $(cat visit)"
let_in "$pond" && fail "an old certificate is let in"
kill "$garden"
wait "$garden"
start_node
until_true grep -q "connected" node.log || fail "the node does not come back: $(cat node.log)"
# shellcheck disable=SC2046
timeout 10 mosquitto_pub $("$sluice" client-args) -t irrigation/garden/zone/off -n -q 1 || fail "the operator is out"
expect 0 "is made" "$sluice" node add fern

# --- by force, without a broker ---
kill -TERM "$broker"
wait "$broker"
expect 0 "old certificate" "$sluice" ca roll
expect 1 "would be shut out: fern, garden" "$sluice" ca roll --finish
expect 0 "one authority" "$sluice" ca roll --finish --force
start_broker
let_in "$as" && fail "garden is let in"
expect 0 "is made anew" "$sluice" node add garden --replace
keep garden
let_in "$as" || fail "garden's new certificate is refused: $(cat visit)"

# --- the system's Mosquitto: it trusts the old authority no longer than the site does ---
kill -TERM "$broker"
wait "$broker"
. "$tests/broker_lib.sh"
make_root
expect 0 "next:" "$sluice" broker install --root root
start_mosquitto
expect 0 "old certificate" "$sluice" ca roll
cmp -s site/ca/certificate.pem "$(in_root authority.pem)" || fail "it does not know the new authority"
let_in "$as" || fail "garden is refused meanwhile: $(cat visit)"
expect 0 "one authority" "$sluice" ca roll --finish --force
cmp -s site/ca/certificate.pem "$(in_root authority.pem)" || fail "it still trusts the old authority"
let_in "$as" && fail "the old authority's garden is let in"
end_mosquitto
echo "ok"
