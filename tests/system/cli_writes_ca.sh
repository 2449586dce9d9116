#!/bin/sh
# Nothing is half-written: ca passphrase, ca roll, backup and restore are ended by SIGKILL at each of
# their calls to the disk, and find the disk full. $1 sluice, $2 libcut_short
. "$(dirname "$0")/cli_lib.sh"
. "$tests/cli_cut.sh"
printf 'battery staple\n' >words
chmod 600 words
expect 0 "is made" "$sluice" init --no-passphrase
cp -a site good

# fault HOW N COMMAND...: cut, with what it must give; sets $what.
fault() {
    how=$1 at=$2
    shift 2
    cut "$how" "$at" "$@"
    code=$?
    what="$2 $3, $how at call $at, $(sed -n "${at}p" calls)"
    [ $how$code = kill137 ] || [ $how$code = fail4 ] || fail "$what: gave $code: $(cat out)"
    [ $how = kill ] || [ "$(wc -l <out)" = 1 ] || fail "$what: more than one line: $(cat out)"
    [ $how = kill ] || grep -q 'No space left.*free some space' out || fail "$what: $(cat out)"
}

# --- ca passphrase: open or locked, never lost ---
key=$(openssl pkey -in site/ca/key.pem -pubout)
cat >lock <<'END'
#!/bin/sh
exec "$1" ca passphrase --passphrase-fd 3 3<words
END
chmod +x lock
cut kill 0 ./lock "$sluice" || fail "ca passphrase: $(cat out)"
check_order "ca passphrase"
calls=$(count_calls)
n=1
while [ $n -le "$calls" ]; do
    for how in kill fail; do
        rm -rf site && cp -a good site
        fault $how $n ./lock "$sluice"
        [ "$key" = "$(openssl pkey -in site/ca/key.pem -passin file:words -pubout)" ] || fail "$what: no key"
        [ $how = kill ] || [ -z "$(find site -name '*.??????')" ] || fail "$what: left $(find site)"
    done
    n=$((n + 1))
done

# --- ca roll: at every moment a site that works, and a way on ---
usable() { # whatever the broker would read fits together, for the clients too
    expect 0 "no node yet" "$sluice" node list
    openssl verify -CAfile site/ca/certificate.pem site/broker/certificate.pem \
        site/operators/operator/certificate.pem >verify 2>&1 || fail "$what: $(cat verify)"
    expect 0 "authorit" "$sluice" ca roll --status
}
for step in begin finish; do
    rm -rf site && cp -a good site
    set -- "$sluice" ca roll
    [ $step = begin ] || { expect 0 "two authorities" "$@"; set -- "$@" --finish; }
    rm -rf before && cp -a site before
    cut kill 0 "$@" || fail "ca roll, $step: $(cat out)"
    check_order "ca roll, $step"
    calls=$(count_calls)
    n=1
    while [ $n -le "$calls" ]; do
        for how in kill fail; do
            rm -rf site && cp -a before site
            fault $how $n "$@"
            what="ca roll, $step: $what"
            usable
            [ -e site/ca/next ] || "$sluice" ca roll >out 2>&1 || fail "$what: then: $(cat out)"
            expect 0 "one authority" "$sluice" ca roll --finish
            usable
            [ "$(grep -c BEGIN site/ca/certificate.pem)$(grep -c BEGIN site/broker/crl.pem)" = 11 ] ||
                fail "$what: something of the old one is left"
            expect 0 "is made" "$sluice" node add garden
        done
        n=$((n + 1))
    done
done

# --- ca offline, ca accept: the key is never nowhere; an answer can be given again ---
rm -rf site && cp -a good site
cut kill 0 "$sluice" ca offline ca || fail "ca offline: $(cat out)"
calls=$(count_calls)
n=1
while [ $n -le "$calls" ]; do
    for how in kill fail; do
        rm -rf site ca .ca.* && cp -a good site
        fault $how $n "$sluice" ca offline ca
        [ -e site/ca/key.pem ] || [ -e ca/ca/key.pem ] || fail "$what: the key is lost"
        [ $how = kill ] || [ -e ca ] || [ -z "$(find . -maxdepth 1 -name '.ca*')" ] || fail "$what: left something"
        [ ! -e ca ] || expect 0 "authority" "$sluice" --site ca ca log
    done
    n=$((n + 1))
done
rm -rf site ca .ca.* && cp -a good site
expect 0 "has it no more" "$sluice" ca offline ca
expect 0 "asks for" "$sluice" ca request request.json --node garden
expect 0 "is signed" "$sluice" --site ca ca sign request.json --out answer.json
rm -rf before && cp -a site before
cut kill 0 "$sluice" ca accept answer.json || fail "ca accept: $(cat out)"
check_order "ca accept"
calls=$(count_calls)
n=1
while [ $n -le "$calls" ]; do
    for how in kill fail; do
        rm -rf site && cp -a before site
        fault $how $n "$sluice" ca accept answer.json
        "$sluice" node list >list 2>&1 || fail "$what: $(cat list)"
        expect 0 "are in place" "$sluice" ca accept answer.json
        expect 0 "irrigation/garden" "$sluice" node list
        [ "$(grep -c 'name=garden .* key=[0-9a-f]*$' site/issued.log)" = 1 ] || fail "$what: $(cat site/issued.log)"
    done
    n=$((n + 1))
done

# --- backup: whole or not there ---
export SLUICE_BACKUP_PASSPHRASE_FILE="$work/words"
rm -rf site && cp -a good site
cut kill 0 "$sluice" backup "$work/x.slb" || fail "backup: $(cat out)"
check_order backup
calls=$(count_calls)
mv x.slb good.slb
n=1
while [ $n -le "$calls" ]; do
    for how in kill fail; do
        rm -f x.slb*
        fault $how $n "$sluice" backup "$work/x.slb"
        [ $how = kill ] || [ "$(echo x.slb.*)" = "x.slb.*" ] || fail "$what: left $(echo x.slb.*)"
        if [ -e x.slb ]; then
            rm -rf made
            expect 0 "is as it was" "$sluice" --site made restore x.slb
            diff -r -x site.lock made site || fail "$what: another site"
            rm -rf made
        fi
    done
    n=$((n + 1))
done

# --- restore: a whole site or none ---
cut kill 0 "$sluice" --site first restore good.slb || fail "restore: $(cat out)"
check_order restore
calls=$(count_calls)
n=1
while [ $n -le "$calls" ]; do
    for how in kill fail; do
        [ $how = kill ] || [ $((n % 5)) = 0 ] || [ $n = "$calls" ] || continue
        rm -rf made .made*
        fault $how $n "$sluice" --site made restore good.slb
        [ $how = kill ] || [ -z "$(find . -maxdepth 1 -name '.made*')" ] || fail "$what: left something"
        [ ! -e made ] || diff -r made first || fail "$what: half a site"
    done
    n=$((n + 1))
done
rm -rf made
expect 0 "is as it was" "$sluice" --site made restore good.slb # beside all that was left
echo "ok"
