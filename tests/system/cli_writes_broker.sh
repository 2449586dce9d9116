#!/bin/sh
# broker install, broker apply and maintain are ended by SIGKILL at each of their calls to the disk, and
# find the disk full: what is there is whole, the broker starts with it, and a running one that is told
# to read it stays closed. $1 sluice, $2 libcut_short
. "$(dirname "$0")/cli_lib.sh"
. "$tests/cli_cut.sh"
. "$tests/broker_lib.sh"
port=$(free_port)
expect 0 "is made" "$sluice" init --no-passphrase --port "$port"
expect 0 "is made" "$sluice" node add garden --base irrigation

# fault HOW N COMMAND...: cut, with what it must give; sets $what.
fault() {
    how=$1 at=$2
    shift 2
    cut "$how" "$at" "$@"
    code=$?
    what="$2 $3, $how at call $at, $(sed -n "${at}p" calls)"
    [ $how$code = kill137 ] || [ $how$code = fail4 ] || fail "$what: gave $code: $(cat out)"
    [ $how = kill ] || grep -q 'No space left.*free some space' out || fail "$what: $(cat out)"
}
guard() { sh root/etc/mosquitto/sluice/reload check; }

# --- install: nothing that Mosquitto would read, or everything ---
make_root
cp -a root empty
cp -a site good
cut kill 0 "$sluice" broker install --root root || fail "broker install: $(cat out)"
check_order "broker install"
calls=$(count_calls)
cp -a root installed
n=1
while [ $n -le "$calls" ]; do
    for how in kill $([ $((n % 4)) != 1 ] || echo fail); do
        rm -rf root site && cp -a empty root && cp -a good site
        fault $how $n "$sluice" broker install --root root
        if [ -e root/etc/mosquitto/conf.d/sluice.conf ]; then
            guard || fail "$what: Mosquitto knows of files that are not there"
            expect 0 "keeps to the list" "$sluice" broker check --root root
        fi
        [ $how = kill ] || [ -z "$(find root -name '*.new*' -o -name '*.??????')" ] || fail "$what: left $(find root)"
    done
    n=$((n + 1))
done
expect 0 "/etc/mosquitto/sluice" "$sluice" broker install --root root
rm -rf root site && cp -a installed root && cp -a good site

# --- apply: under a running Mosquitto, which anybody may tell to read its files at any moment ---
expect 0 "is made" "$sluice" node add fern
expect 0 "is revoked" "$sluice" node revoke fern
start_mosquitto
cut kill 0 "$sluice" broker apply --root root || fail "broker apply: $(cat out)"
check_order "broker apply"
calls=$(count_calls)
n=1
while [ $n -le "$calls" ]; do
    for how in kill $([ $((n % 4)) != 1 ] || echo fail); do
        rm -rf root/etc && cp -a installed/etc root/etc
        cut $how $n "$sluice" broker apply --root root
        code=$?
        what="broker apply, $how at call $n, $(sed -n ${n}p calls)"
        [ $code != 0 ] || fail "$what: gave 0"
        sh root/etc/mosquitto/sluice/reload "$mosquitto" || fail "$what: no whole files are there"
        expect 0 "has read these files, is closed" "$sluice" broker check --root root --running
    done
    n=$((n + 1))
done
expect 0 "the broker is proven" "$sluice" broker apply --root root
end_mosquitto

# --- maintain: a site whose list and certificate end soon ---
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\n' >ca.cnf
for file in site/canary/revoked/certificate.pem site/nodes/fern/certificate.pem; do
    printf 'R\t291121000000Z\t261122000000Z\t%s\tunknown\t/CN=x\n' \
        "$(openssl x509 -noout -serial -in $file | sed 's,.*=,,')"
done >index.txt
openssl ca -gencrl -config ca.cnf -cert site/ca/certificate.pem -keyfile site/ca/key.pem -crldays 10 \
    -out site/broker/crl.pem 2>words || fail "openssl: $(cat words)"
openssl req -new -key site/broker/key.pem -subj /CN=sluice-broker 2>/dev/null >req.pem
printf 'extendedKeyUsage=serverAuth\nsubjectAltName=DNS:sluice-broker,DNS:localhost,IP:127.0.0.1\n' >ext
openssl x509 -req -in req.pem -CA site/ca/certificate.pem -CAkey site/ca/key.pem -days 9 -extfile ext \
    -out site/broker/certificate.pem 2>/dev/null || fail "openssl cannot sign"
rm -rf good && cp -a site good
cut kill 0 "$sluice" maintain || fail "maintain: $(cat out)"
check_order "maintain"
calls=$(count_calls)
n=1
while [ $n -le "$calls" ]; do
    for how in kill $([ $((n % 4)) != 1 ] || echo fail); do
        rm -rf site && cp -a good site
        fault $how $n "$sluice" maintain
        expect 0 "all is well" "$sluice" maintain
    done
    n=$((n + 1))
done
openssl crl -noout -text -in site/broker/crl.pem | grep -q "$(openssl x509 -noout -serial -in site/nodes/fern/certificate.pem | sed 's,.*=,,')" ||
    fail "a renewal forgot who is revoked"
echo "ok"
