#!/bin/sh
# Every file of a site missing, empty, garbage, truncated, foreign or too large: one line that names
# it, exit code 4, and nothing changed.
. "$(dirname "$0")/cli_lib.sh"
port=$(free_port)
expect 0 "is made" "$sluice" init --no-passphrase --port "$port"
expect 0 "is made" "$sluice" node add garden
expect 0 "is made" "$sluice" --site foreign init --no-passphrase --port "$port"
expect 0 "is made" "$sluice" --site foreign node add garden
cp -a site good

# broken FILE WORDS COMMAND...: every way of breaking FILE.
broken() {
    file=$1 words=$2
    shift 2
    for way in missing empty garbage truncated huge folder; do
        rm -rf "site/$file"
        case $way in
        missing) ;;
        empty) : >"site/$file" ;;
        garbage) head -c 300 /dev/urandom >"site/$file" ;;
        truncated) head -c 60 "good/$file" >"site/$file" ;;
        huge) head -c 200000 /dev/zero >"site/$file" ;;
        folder) mkdir "site/$file" ;;
        esac
        timeout 10 "$@" >out 2>&1
        code=$?
        [ $code = 4 ] || fail "$file $way: $* gave $code: $(cat out)"
        grep -qF -- "$words" out || fail "$file $way: no word of it: $(cat out)"
        [ "$(wc -l <out)" = 1 ] || fail "$file $way: more than one line: $(cat out)"
        rm -rf "site/$file"
        cp -a "good/$file" "site/$file"
    done
}
broken site.json site.json "$sluice" status
broken ca/certificate.pem ca/certificate.pem "$sluice" broker run
broken ca/key.pem ca/key.pem "$sluice" node revoke garden
broken ca/key.pem ca/key.pem "$sluice" node add pond
broken broker/crl.pem broker/crl.pem "$sluice" broker run
broken broker/certificate.pem broker/certificate.pem "$sluice" broker run
broken broker/key.pem broker/key.pem "$sluice" broker run
broken nodes/garden/node.json nodes/garden/node.json "$sluice" broker run
broken nodes/garden/identity nodes/garden/identity "$sluice" node list

# Files of another site, each whole in itself.
for file in broker/crl.pem broker/key.pem nodes/garden/identity; do
    cp "foreign/$file" "site/$file"
    expect 4 "$file" "$sluice" broker run
    cp "good/$file" "site/$file"
done
for file in broker/crl.pem ca/key.pem nodes/garden/identity; do
    cp "foreign/$file" "site/$file"
    expect 4 "$file" "$sluice" node add pond
    expect 4 "$file" "$sluice" node revoke garden
    cp "good/$file" "site/$file"
done
cp foreign/ca/*.pem site/ca
expect 4 "crl.pem was not signed by this site's authority" "$sluice" node add pond
expect 4 "crl.pem was not signed by this site's authority" "$sluice" node revoke garden
expect 4 "crl.pem was not signed by this site's authority" "$sluice" broker run
cp good/ca/*.pem site/ca
# A record that says something else than the image.
sed 's,irrigation/garden,irrigation/pond,' good/nodes/garden/node.json >site/nodes/garden/node.json
expect 4 "do not agree" "$sluice" node list
cp good/nodes/garden/node.json site/nodes/garden/node.json
# Values that are no values.
for change in 's/"port":.*,/"port": 0,/' 's/"port":.*,/"port": 65536,/' 's/"host":.*,/"host": "a b",/' \
              's/\["operator"\]/["Operator"]/' 's/\["operator"\]/[]/' 's/"version":.*,/"version": 2,/'; do
    sed "$change" good/site.json >site/site.json
    expect 4 "missing or wrong value" "$sluice" status
done
cp good/site.json site/site.json
# Moved to where its path would bring a line of its own into mosquitto.conf.
odd=$(printf 'a\nallow_anonymous true')
mkdir "$odd" && cp -a good "$odd/site"
expect 4 "cannot have line breaks" "$sluice" --site "$odd/site" broker run
rm -r "$odd"
expect 4 "a file stands where one of its folders should be" "$sluice" --site site/site.json/below init --no-passphrase
mkdir "site/nodes/Not A Node"
expect 4 "is no node of this site" "$sluice" node list
rmdir "site/nodes/Not A Node"
# Unreadable, which nothing is for root: there another user runs the program, from a place that he
# can reach, in a site of his own.
for file in site.json ca/key.pem ca/certificate.pem broker/crl.pem nodes/garden/identity; do
    cp -a good user
    chmod 0 "user/$file"
    set -- "$sluice"
    if [ "$(id -u)" = 0 ]; then
        chmod 711 "$work"
        cp "$sluice" run-by-user
        chown -R 65534:65534 user
        set -- setpriv --reuid=65534 --regid=65534 --clear-groups "$work/run-by-user"
    fi
    expect 4 "cannot read $work/user/$file (Permission denied)" "$@" --site user node revoke garden
    [ "$(wc -l <out)" = 1 ] || fail "$file unreadable: more than one line: $(cat out)"
    rm -rf user
done
broken operators/operator/certificate.pem operators/operator/certificate.pem "$sluice" client-args
[ -z "$(find site -name '*.??????' -o -name '.new.*')" ] || fail "a temporary file was left"
echo "ok"
