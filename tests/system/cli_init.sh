#!/bin/sh
# sluice init and node add: a whole site or none, closed to others, certificates of the right shape.
. "$(dirname "$0")/cli_lib.sh"

# Words, usage, exit codes.
expect 0 "exit codes" "$sluice" --help
expect 0 "sluice " "$sluice" --version
expect 2 "usage" "$sluice"
expect 2 "sluice: there is no subcommand 'frobnicate': see 'sluice --help' [subcommand-unknown]" "$sluice" frobnicate
expect 2 "no subcommand 'a?[2J'" "$sluice" "$(printf 'a\033[2J')"
for words in init "node add" "node list" "node revoke" "broker run" on off status watch client-args; do
    # shellcheck disable=SC2086
    expect 0 "examples:" "$sluice" $words --help
done
expect 2 "no option '--frob': see 'sluice init --help'" "$sluice" init --frob
expect 2 "no subcommand '?[2J??2J'" "$sluice" "$(printf '\033[2J\302\2332J')"
expect 2 "no subcommand 'stauts': did you mean 'status'?" "$sluice" stauts
expect 2 "no subcommand 'node ad': did you mean 'node add'?" "$sluice" node ad garden
expect 2 "no subcommand 'x': see" "$sluice" x
expect 2 "--site names no folder" "$sluice" status --site
expect 2 "no option '--prot': did you mean --port? See 'sluice init --help' [option-misspelt]" "$sluice" init --prot 1
expect 2 "follow it with one of: add, enrol, list, revoke" "$sluice" node
expect 2 "follow it with one of: add, enrol, list, revoke" "$sluice" node renew garden
expect 2 "follow it with one of: run" "$sluice" broker stop
expect 0 "node add" "$sluice" node --help
expect 2 "SECONDS is missing: write 'sluice on NODE ZONE SECONDS [options]'" "$sluice" on garden 2
expect 2 "NAME is missing: write 'sluice node add NAME" "$sluice" node add --base x
expect 2 "'3' is one argument too many: see 'sluice off --help'" "$sluice" off garden 2 3
expect 2 "1 to 65535" "$sluice" init --port 0
expect 2 "1 to 65535" "$sluice" init --port=8883x
expect 2 "needs a value" "$sluice" init --port
expect 2 "broker's name" "$sluice" init --broker-name 10::1
expect 2 "neither a host name" "$sluice" init --broker-host 'a b'
expect 2 "operator's name" "$sluice" init --operator Bob
expect 2 "read-only" "$sluice" init --operator bob-watch
expect 2 "called like the broker" "$sluice" init --operator localhost
expect 2 "called like the broker" "$sluice" init --broker-name Hub --operator hub
expect 2 "named twice" "$sluice" init --operator bob --operator bob
expect 4 "there is no folder" "$sluice" --site not/there init --no-passphrase
expect 4 "there is no site" "$sluice" status
[ -e site ] && fail "a refused init left a site"

# Killed at any moment: no site, or a whole one.
for delay in 0.001 0.003 0.005 0.008 0.011 0.015 0.02 0.03 0.05; do
    timeout -s KILL $delay "$sluice" --site killed init --no-passphrase >/dev/null 2>&1
    if [ -e killed ]; then
        "$sluice" --site killed node add garden >out 2>&1 || fail "half a site: $(cat out)"
        rm -rf killed
    fi
done

# Made once, never overwritten.
expect 0 "is made" "$sluice" init --no-passphrase --operator anna --operator bob
before=$(find site -type f -exec sha256sum {} + | sort)
expect 1 "exists already" "$sluice" init --no-passphrase
[ "$before" = "$(find site -type f -exec sha256sum {} + | sort)" ] || fail "init changed a site"
mkdir empty
expect 1 "exists already" "$sluice" --site empty init --no-passphrase

# Nodes.
expect 0 "is made" "$sluice" node add garden --base irrigation
expect 0 "is made" "$sluice" node add pond --host broker.lan --port 8884
expect 1 "already" "$sluice" node add garden
expect 1 "would be those of node garden" "$sluice" node add other --base irrigation
expect 1 "would be those of node garden" "$sluice" node add other --base irrigation/zone/1
expect 2 "cannot be a base topic" "$sluice" node add other --base 'a/#'
expect 2 "cannot be a base topic" "$sluice" node add other --base '/a'
for name in Garden '' -x 'a/b' 'a b' aaaaaaaaaaaaaaaaaaaaaaaa; do
    expect 2 "cannot be a node's name" "$sluice" node add -- "$name"
done
for name in localhost sluice-broker anna bob-watch; do
    expect 1 "choose another" "$sluice" node add $name
done
expect 0 '"base":"irrigation"' "$sluice" node list --json
expect 0 'broker.lan:8884' "$sluice" node list
[ "$(grep -c purpose= site/issued.log)" = 10 ] || fail "issued.log: $(cat site/issued.log)"

# Nobody else may look.
[ -z "$(find site -type d ! -perm 700)" ] || fail "a folder is open to others"
[ -z "$(find site -type f ! -perm 600)" ] || fail "a file is open to others"

# Certificates: RFC 5280 shapes, and what BearSSL wants.
show() { openssl x509 -noout -text -in "$1/certificate.pem"; }
one() { show "$1" | grep -A1 "$2" | tail -1 | sed 's/^ *//'; }
same() { [ "$1" = "$2" ] || fail "certificate: '$1' is not '$2'"; }
openssl verify -x509_strict -CAfile site/ca/certificate.pem -CRLfile site/broker/crl.pem -crl_check \
    -purpose sslserver -verify_hostname sluice-broker site/broker/certificate.pem >/dev/null ||
    fail "the broker's certificate"
same "$(one site/ca 'Basic Constraints: critical')" "CA:TRUE, pathlen:0"
same "$(one site/ca 'Key Usage: critical')" "Certificate Sign, CRL Sign"
for folder in site/broker site/operators/anna site/operators/bob-watch site/nodes/garden; do
    same "$(one $folder 'Basic Constraints: critical')" "CA:FALSE"
    same "$(one $folder 'Key Usage: critical')" "Digital Signature"
    usage="TLS Web Client Authentication"
    [ $folder = site/broker ] && usage="TLS Web Server Authentication"
    same "$(one $folder 'Extended Key Usage: $')" "$usage"
    show $folder | grep -q "Subject Key Identifier" || fail "$folder has no SKI"
    show $folder | grep -q "Authority Key Identifier" || fail "$folder has no AKI"
    show $folder | grep -q "NIST CURVE: P-256" || fail "$folder is not P-256"
    show $folder | grep -q "ecdsa-with-SHA256" || fail "$folder is not signed by ECDSA-SHA256"
    openssl x509 -noout -checkend $((80 * 86400)) -in $folder/certificate.pem >/dev/null ||
        fail "$folder ends within 80 days"
done
same "$(one site/nodes/garden 'Subject Alternative Name')" "DNS:garden.device.invalid"
same "$(one site/operators/anna 'Subject Alternative Name')" "DNS:anna.operator.invalid"
openssl x509 -noout -checkend $((90 * 86400)) -in site/broker/certificate.pem >/dev/null &&
    fail "the broker's certificate lives for more than 90 days"
[ "$(grep -o 'serial=[0-9A-F]*' site/issued.log | sort -u | wc -l)" = 10 ] || fail "serials repeat"
[ "$(grep -c 'serial=01[0-9A-F]\{32\} ' site/issued.log)" = 10 ] || fail "a serial is short"
node_args garden >/dev/null
openssl x509 -noout -pubkey -in site/nodes/garden/certificate.pem >public
openssl pkey -in garden.key -pubout | cmp -s - public || fail "identity: key and certificate differ"

# A new key and certificate for a node that is there, and nothing else of it; no other way in.
expect 1 "'sluice node add pond --replace'" "$sluice" node add pond
expect 1 "there is no node fern to replace" "$sluice" node add fern --replace
expect 1 "would be those of node garden" "$sluice" node add pond --replace --base irrigation
cp site/nodes/pond/identity before.id
key=$(openssl x509 -noout -pubkey -in site/nodes/pond/certificate.pem)
expect 0 "is made anew: topics irrigation/pond/..., broker broker.lan:8884" "$sluice" node add pond --replace
grep -q "^1 certificate of pond put on the revocation list, which lasts until 20..-..-..$" out ||
    fail "the old certificate is not told of: $(cat out)"
cmp -s before.id site/nodes/pond/identity && fail "the identity is the old one"
[ "$key" != "$(openssl x509 -noout -pubkey -in site/nodes/pond/certificate.pem)" ] || fail "the old key"
expect 0 "is made anew: topics ponds/small/..., broker broker.lan:8884" \
    "$sluice" node add pond --replace --base ponds/small
expect 0 '"base":"ponds/small"' "$sluice" node list --json
grep -q "ponds/small/zone/on" site/broker/acl || fail "the list has the old base"
[ "$(grep -c "name=pond purpose=node" site/issued.log)" = 3 ] || fail "issued.log: $(cat site/issued.log)"
# Killed at any moment: the node before, or the one after, whole.
for delay in 0.001 0.003 0.005 0.007 0.009 0.012 0.015 0.02; do
    timeout -s KILL $delay "$sluice" node add pond --replace >/dev/null 2>&1
    expect 0 '"base":"ponds/small"' "$sluice" node list --json
done
# A node removed by hand; another one under its own name takes the topics.
rm -r site/nodes/pond
expect 0 "is made" "$sluice" node add pond-2 --base ponds/small
grep -q "^user pond$" site/broker/acl && fail "the old name may still do something"

# client-args and blanks in paths.
mkdir "a b"
expect 0 "is made" "$sluice" --site "a b/site" init --no-passphrase
expect 4 "a shell would change" "$sluice" --site "a b/site" client-args

# As JSON, for which no path is too strange.
strange="c \"$(printf 'd\303\251')"
mkdir "$strange"
expect 0 '"broker":{"name":"sluice-broker","host":"127.0.0.1","port":8883},"operators":["eve"],"ca_key_locked":false}' \
    "$sluice" --site "$strange/site" init --no-passphrase --operator eve --json
expect 0 '/c \"d\u00e9/site/operators/eve/key.pem","last_day":"20' "$sluice" --site "$strange/site" client-args --json
expect 0 '{"name":"garden","base":"irrigation/garden","host":"127.0.0.1","port":8883,' \
    "$sluice" --site "$strange/site" node add garden --json
grep -q 'site/nodes/garden/identity"}$' out || fail "no identity: $(cat out)"
expect 0 '"revoked":1,"revocation_list_last_day":"20' "$sluice" --site "$strange/site" node add garden --replace --json
expect 2 "no operator 'eve'" "$sluice" client-args --operator eve
expect 0 "operators/bob-watch/key.pem" "$sluice" client-args --operator bob --watch
echo "ok"
