#!/bin/sh
# A site whose CA's key is on another machine: what must be signed is carried there and back by files,
# which are believed in nothing. With a real Mosquitto.
. "$(dirname "$0")/cli_lib.sh"
port=$(free_port)
printf 'correct horse\n' >words
chmod 600 words
export SLUICE_PASSPHRASE_FILE="$work/words"
expect 0 "is made" "$sluice" init --port "$port"
expect 0 "is made" "$sluice" node add garden
expect 0 "is made" "$sluice" node add pond
expect 1 "the CA's key of $work/site is here" "$sluice" ca request request.json
expect 1 "the CA's key of $work/site is here" "$sluice" ca accept answer.json
mkdir there
expect 1 "exists already" "$sluice" ca offline there
[ -e site/ca/key.pem ] || fail "the key is gone"
expect 0 "has it no more" "$sluice" ca offline ca
[ -e site/ca/key.pem ] && fail "the key is still here"
grep -q ENCRYPTED ca/ca/key.pem || fail "the key is not there, or open"
[ -z "$(find ca -type f ! -perm 600)$(find ca -type d ! -perm 700)" ] || fail "open to others"
for command in "node add moss" "node add garden --replace" "node revoke pond" "ca passphrase" "ca roll"; do
    # shellcheck disable=SC2086
    expect 1 "is on another machine: ask for what must be signed with 'sluice ca request FILE'" "$sluice" $command
done
expect 0 "garden" "$sluice" node list
let_in() { timeout 10 mosquitto_pub $1 -t sluice/visit -m x -q 1 >visit 2>&1; }
keep() { # NAME
    rm -f "$1.key"
    node_args "$1" >/dev/null
    cp "$1.key" "$1.old.key"
    cp "site/nodes/$1/certificate.pem" "$1.old.pem"
    as="-V mqttv5 -i $1 -h 127.0.0.1 -p $port --cafile site/ca/certificate.pem --cert $1.old.pem --key $1.old.key"
}
keep pond
pond=$as
keep garden
garden=$as
start_broker
let_in "$pond" || fail "pond is refused: $(cat visit)"

# --- there and back ---
expect 2 "cannot be a node's name" "$sluice" ca request request.json --node Bad
expect 2 "there is no node 'fern'" "$sluice" ca request request.json --revoke fern
[ -e request.json ] && fail "a refused request left a file"
expect 0 "asks for 5 certificates and a revocation list" \
    "$sluice" ca request request.json --node moss --node garden --revoke pond
grep -q PRIVATE request.json && fail "a key is in the request"
[ "$(stat -c %a site/pending/moss.pem)" = 600 ] || fail "the mode of a pending key"
"$sluice" doctor >out 2>&1
grep -q "^error" out && fail "the doctor does not know a site without its key: $(cat out)"
printf 'wrong horse\n' >wrong
chmod 600 wrong
expect 1 "does not open" env SLUICE_PASSPHRASE_FILE=wrong "$sluice" --site ca ca sign request.json
expect 0 "answer.json is signed" "$sluice" --site ca ca sign request.json --out answer.json
"$sluice" --site ca ca log | grep -q " node .* moss " || fail "no line in the journal there"
cp -a site before
cp -a ca ca.before
serial=$(openssl x509 -noout -serial -in site/broker/certificate.pem)
expect 0 "5 certificates and the revocation list are in place" "$sluice" ca accept answer.json
grep -q "site/nodes/moss/identity goes onto the node" out || fail "accept: $(cat out)"
let_in "$pond" && fail "pond is let in"
let_in "$garden" && fail "the first garden is let in"
let_in "$(node_args moss)" || fail "moss is refused: $(cat visit)"
keep garden
let_in "$as" || fail "the new garden is refused: $(cat visit)"
[ "$serial" != "$(openssl x509 -noout -serial -in site/broker/certificate.pem)" ] || fail "the broker's is old"
[ -z "$(ls site/pending)" ] || fail "left: $(ls site/pending)"
expect 0 "irrigation/moss" "$sluice" node list
# shellcheck disable=SC2046
timeout 10 mosquitto_pub $("$sluice" client-args) -t irrigation/garden/zone/off -n -q 1 || fail "the operator is out"
lines=$(wc -l <site/issued.log)
expect 0 "are in place" "$sluice" ca accept answer.json # given again: nothing new
[ "$lines" = "$(wc -l <site/issued.log)" ] || fail "the journal has lines twice"

# --- what is not believed ---
state() { find "$1" -type f ! -path '*/run/*' -exec sha256sum {} + | sort; }
kept=$(state site)
refused() { # CODE WORDS FILE
    expect "$1" "$2" "$sluice" ca accept "$3"
    [ "$kept" = "$(state site)" ] || fail "$3 changed the site"
}
cp answer.json first.json
expect 0 "asks for 3 certificates" "$sluice" ca request request.json
expect 0 "is signed" "$sluice" --site ca ca sign request.json --out answer.json
for way in cut garbage empty; do
    case $way in
    cut) head -c 2000 answer.json >bad.json ;;
    garbage) head -c 2000 /dev/urandom >bad.json ;;
    empty) : >bad.json ;;
    esac
    refused 4 "bad.json cannot be used" bad.json
    expect 4 "bad.json cannot be used" "$sluice" --site ca ca sign bad.json
done
refused 4 "request.json cannot be used (it is no answer file)" request.json
expect 4 "answer.json cannot be used (it is no request file)" "$sluice" --site ca ca sign answer.json
# Another site's, as a whole and certificate by certificate.
expect 0 "is made" "$sluice" --site foreign init --port "$port"
expect 0 "has it no more" "$sluice" --site foreign ca offline foreign-ca
expect 0 "asks for" "$sluice" --site foreign ca request foreign.json
expect 1 "is of another site's authority" "$sluice" --site ca ca sign foreign.json
expect 0 "is signed" "$sluice" --site foreign-ca ca sign foreign.json --out foreign-answer.json
refused 1 "is of another site's authority" foreign-answer.json
authority=$(sed -n 's/.*"authority":[^"]*\("[0-9a-f]*"\).*/\1/p' answer.json)
sed "s/\"authority\":.*/\"authority\": $authority,/" foreign-answer.json >bad.json
refused 4 "not of this site's authority" bad.json
# Certificates with their purposes exchanged; a list that forgets.
sed 's/"purpose":\([^"]*\)"broker"/"purpose":\1"operator"/' answer.json >bad.json
refused 4 "cannot be used" bad.json
# An older answer, whose list lacks who was shut out since.
expect 0 "asks for" "$sluice" ca request later.json --revoke moss
expect 0 "is signed" "$sluice" --site ca ca sign later.json --out later-answer.json
expect 0 "are in place" "$sluice" ca accept later-answer.json
let_in "$(node_args moss)" && fail "moss is let in"
kept=$(state site)
refused 1 "has a revocation list that is older than the site's" answer.json
refused 1 "has a revocation list that is older than the site's" first.json
# An old request takes nobody off the list of the CA's machine.
expect 0 "is signed" "$sluice" --site ca ca sign request.json --out again.json
expect 0 "are in place" "$sluice" ca accept again.json
let_in "$(node_args moss)" && fail "moss is let in again"
# A request for what no part of the site has; for a key that belongs to another.
for change in 's/"name":\([^"]*\)"operator"/"name":\1"mallory"/' 's/"purpose":\([^"]*\)"operator"/"purpose":\1"authority"/' \
              's/"name":\([^"]*\)"sluice-broker"/"name":\1"other-broker"/'; do
    sed "$change" request.json >bad.json
    expect 4 "it asks for a certificate that no part of the site has" "$sluice" --site ca ca sign bad.json
done
sed 's/"purpose":\([^"]*\)"operator"/"purpose":\1"node"/' request.json >bad.json
expect 4 "it asks for a certificate that no part of the site has" "$sluice" --site ca ca sign bad.json
kill -TERM "$broker"
wait "$broker"
# The system's Mosquitto: who is shut out by an answer is out there, too.
. "$tests/broker_lib.sh"
make_root
expect 0 "next:" "$sluice" broker install --root root
start_mosquitto
let_in "$(node_args garden)" || fail "garden is refused: $(cat visit)"
expect 0 "asks for" "$sluice" ca request out.json --revoke garden
expect 0 "is signed" "$sluice" --site ca ca sign out.json --out out-answer.json
expect 0 "are in place" "$sluice" ca accept out-answer.json
let_in "$(node_args garden)" && fail "the system's Mosquitto still lets garden in"
end_mosquitto
# Home again.
cp ca/ca/key.pem site/ca/key.pem
expect 0 "is made" "$sluice" node add fern
echo "ok"
