#!/bin/sh
# Nothing is half-written: init, node add, node revoke, operator renew and doctor --fix are ended by
# SIGKILL at each of their calls to the disk, and find the disk full at each. $1 sluice, $2 libcut_short
. "$(dirname "$0")/cli_lib.sh"
. "$tests/cli_cut.sh"

# --- node add ---
expect 0 "is made" "$sluice" init --no-passphrase
expect 0 "is made" "$sluice" node add garden
cp -a site good
cut kill 0 "$sluice" node add alder || fail "node add: $(cat out)"
check_order "node add"
calls=$(count_calls)
cp site/broker/acl acl.new
# The same rights; the mark changes with the revocation list.
same_acl() { sed /mark-/d "$1" >left; sed /mark-/d "$2" | cmp -s left -; }

# check_node_add WHAT: the old site or the new one, and a way on.
check_node_add() {
    same_acl site/broker/acl good/broker/acl || same_acl site/broker/acl acl.new ||
        fail "$1: half a list: $(cat site/broker/acl)"
    "$sluice" node list >list 2>&1 || fail "$1: no list of nodes: $(cat list)"
    grep -q '^garden ' list || fail "$1: the old node is gone: $(cat list)"
    if grep -q '^alder ' list; then
        same_acl site/broker/acl acl.new || fail "$1: a node that the broker's list does not have"
        expect 1 "there is a node alder already" "$sluice" node add alder
    else
        expect 0 "node alder is made" "$sluice" node add alder
    fi
    same_acl site/broker/acl acl.new || fail "$1: the list is another one after the second time"
}
n=1
while [ $n -le "$calls" ]; do
    rm -rf site && cp -a good site
    cut kill $n "$sluice" node add alder
    [ $? = 137 ] || fail "node add was not killed at call $n of $calls: $(cat out)"
    check_node_add "killed at call $n, $(tail -1 calls)"

    rm -rf site && cp -a good site
    cut fail $n "$sluice" node add alder
    code=$?
    what="disk full at call $n, $(sed -n ${n}p calls)"
    [ $code = 4 ] || fail "$what: gave $code: $(cat out)"
    [ "$(wc -l <out)" = 1 ] && grep -q 'No space left.*free some space' out ||
        fail "$what: $(cat out)"
    grep -v ' not-after=....-..-..T..:..:..Z key=[0-9a-f]\{64\}$' site/issued.log && fail "$what: half a line"
    [ -z "$(find site -name '*.??????' -o -name '.new.*')" ] || fail "$what: left $(find site)"
    check_node_add "$what"
    n=$((n + 1))
done

# A new key for a node: the old identity or the new one, never none.
rm -rf site && cp -a good site
cut kill 0 "$sluice" node add garden --replace || fail "node add --replace: $(cat out)"
check_order "node add --replace"
calls=$(count_calls)
n=1
while [ $n -le "$calls" ]; do
    for how in kill fail; do
        rm -rf site && cp -a good site
        cut $how $n "$sluice" node add garden --replace
        [ $? != 0 ] || fail "node add --replace, $how at call $n of $calls: gave 0"
        expect 0 "garden " "$sluice" node list
        same_acl site/broker/acl good/broker/acl || fail "node add --replace, $how at call $n"
    done
    n=$((n + 1))
done

# Revoked or not, and never a list that Mosquitto could not read; the second try ends it.
rm -rf site && cp -a good site
cut kill 0 "$sluice" node revoke garden || fail "node revoke: $(cat out)"
check_order "node revoke"
calls=$(count_calls)
listed() { openssl crl -noout -text -CAfile site/ca/certificate.pem -in site/broker/crl.pem 2>&1; }
serial=$(openssl x509 -noout -serial -in site/nodes/garden/certificate.pem | cut -d= -f2)
n=1
while [ $n -le "$calls" ]; do
    for how in kill fail; do
        rm -rf site && cp -a good site
        cut $how $n "$sluice" node revoke garden
        code=$?
        what="node revoke, $how at call $n, $(sed -n ${n}p calls)"
        [ $how$code = kill137 ] || [ $how$code = fail4 ] || fail "$what: gave $code: $(cat out)"
        listed | grep -q "verify OK" || fail "$what: no list: $(listed)"
        expect 0 "garden " "$sluice" node list
        expect 0 "garden is revoked" "$sluice" node revoke garden
        listed | grep -q "Serial Number: $serial" || fail "$what: not on the list the second time"
        grep -qx "topic deny #" site/broker/acl || fail "$what: not forbidden the second time"
        expect 0 " revoked" "$sluice" node list
    done
    n=$((n + 1))
done

# A file that cannot be as large as it must be, by the system itself.
for blocks in 0 1 2 4 8; do
    rm -rf site && cp -a good site
    words=$(trap '' XFSZ; ulimit -f $blocks; "$sluice" node add alder 2>&1)
    code=$?
    [ $code = 0 ] && break
    [ $code = 4 ] || fail "files of $blocks blocks: $code: $words"
    [ "$(echo "$words" | wc -l)" = 1 ] || fail "files of $blocks blocks: $words"
    check_node_add "files of $blocks blocks"
done

# --- doctor --fix ---
# The broker's files are whole at every instant, and the second time ends it. 5: the key is not locked.
rm -rf site && cp -a good site
echo "user eve" >>site/broker/acl
echo "listener 1883" >>site/broker/mosquitto.conf
cp -a site ill
cut kill 0 "$sluice" doctor --fix --no-probe
[ $? = 5 ] && cmp -s site/broker/acl good/broker/acl || fail "doctor --fix: $(cat out)"
check_order "doctor --fix"
calls=$(count_calls)
n=1
while [ $n -le "$calls" ]; do
    for how in kill fail; do
        rm -rf site && cp -a ill site
        cut $how $n "$sluice" doctor --fix --no-probe
        what="doctor --fix, $how at call $n, $(sed -n ${n}p calls)"
        for file in acl mosquitto.conf; do
            cmp -s site/broker/$file good/broker/$file || cmp -s site/broker/$file ill/broker/$file ||
                fail "$what: half of $file"
        done
        expect 5 "0 errors, 1 warning, 0 notes" "$sluice" doctor --fix --no-probe
        cmp site/broker/acl good/broker/acl && cmp site/broker/mosquitto.conf good/broker/mosquitto.conf ||
            fail "$what: not mended the second time"
    done
    n=$((n + 1))
done

# --- operator renew: the keys of before or the new ones, and the second try ends it ---
rm -rf site && cp -a good site
cut kill 0 "$sluice" operator renew operator || fail "operator renew: $(cat out)"
check_order "operator renew"
calls=$(count_calls)
serial=$(openssl x509 -noout -serial -in good/operators/operator/certificate.pem | cut -d= -f2)
public() { openssl "$1" -in "site/operators/$3/$2.pem" -$4 2>/dev/null; }
n=1
while [ $n -le "$calls" ]; do
    for how in kill fail; do
        rm -rf site && cp -a good site
        cut $how $n "$sluice" operator renew operator
        code=$?
        what="operator renew, $how at call $n, $(sed -n ${n}p calls)"
        [ $how$code = kill137 ] || [ $how$code = fail4 ] || fail "$what: gave $code: $(cat out)"
        [ $how = kill ] || [ -z "$(find site -name '.new.*')" ] || fail "$what: left $(find site -name '.new.*')"
        for user in operator operator-watch; do
            [ "$(public pkey key $user pubout)" = "$(public x509 certificate $user pubkey | sed -n '/BEGIN PUB/,/END PUB/p')" ] ||
                fail "$what: $user has no pair"
        done
        listed | grep -q "verify OK" || fail "$what: no list: $(listed)"
        expect 0 "operator operator has new keys" "$sluice" operator renew operator
        listed | grep -q "Serial Number: $serial" || fail "$what: not on the list the second time"
    done
    n=$((n + 1))
done

# --- init ---
cut kill 0 "$sluice" --site first init --no-passphrase || fail "init: $(cat out)"
check_order init
calls=$(count_calls)
for how in fail kill; do
    n=1
    while [ $n -le "$calls" ]; do
        cut $how $n "$sluice" --site made init --no-passphrase
        code=$?
        what="init, $how at call $n, $(sed -n ${n}p calls)"
        [ $how$code = kill137 ] || [ $how$code = fail4 ] || fail "$what: gave $code: $(cat out)"
        if [ $how = fail ]; then
            [ "$(wc -l <out)" = 1 ] || fail "$what: $(cat out)"
            [ -z "$(find . -name '.made*')" ] || fail "$what: left something"
        fi
        if [ -e made ]; then
            diff -r -q made first | grep '^Only' && fail "$what: half a site"
            expect 0 "no node yet" "$sluice" --site made node list
            rm -rf made
        fi
        n=$((n + 1))
    done
done
expect 0 "is made" "$sluice" --site made init --no-passphrase # beside all that was left
echo "ok"
