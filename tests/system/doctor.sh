#!/bin/sh
# 'sluice doctor': nothing on a healthy site, with and without its broker; each planted fault is
# found, with its severity and nothing beside it; what --fix mends is healthy again.
# $1 sluice, $2 libsmall_disk
if [ "$(id -u)" = 0 ] && [ -z "$SL_DOCTOR_UNPRIVILEGED" ]; then
    # Root can read every file and makes other configurations: be nobody.
    place=$(mktemp -d) && chmod 711 "$place" && mkdir "$place/bin" "$place/system" "$place/tmp" || exit 1
    cp "$1" "$place/bin/sluice" && cp "$2" "$place/bin/small_disk.so" &&
        cp "$(dirname "$0")"/*.sh "$place/system" && chmod -R a+rX "$place" && chmod 1777 "$place/tmp" || exit 1
    sh "$place/system/doctor_root.sh" "$place/bin/sluice" || { rm -rf "$place"; exit 1; }
    SL_DOCTOR_UNPRIVILEGED=1 TMPDIR=$place/tmp HOME=$place/tmp setpriv --reuid=65534 --regid=65534 --clear-groups \
        sh "$place/system/doctor.sh" "$place/bin/sluice" "$place/bin/small_disk.so"
    code=$?
    rm -rf "$place"
    exit $code
fi
. "$(dirname "$0")/doctor_lib.sh"
small_disk=$2
ulimit -S -n 1024 # as a terminal has it
SLUICE_PASSPHRASE_FILE=$work/passphrase
export SLUICE_PASSPHRASE_FILE
port=$(free_port)
expect 0 "is made" "$sluice" init --port "$port" --operator anna
for node in garden pond fern; do expect 0 "is made" "$sluice" node add $node; done
cp -a site unrevoked
expect 0 "fern is revoked" "$sluice" node revoke fern
cp -a site good

# found OPTION...: "severity id file[:line]", sorted, into got; the code in $code.
found() {
    "$sluice" doctor "$@" >out 2>err
    code=$?
    [ -s err ] && fail "doctor says on stderr: $(cat err)"
    sed -n "s,^\(mended\|note\|warning\|error\) \([a-z-]*\) \($work/site/\)\{0\,1\}\([^ ]*\): .*,\1 \2 \4,p" out | sort >got
}
healthy() { # WHAT OPTION...
    what=$1
    shift
    found "$@"
    [ ! -s got ] && [ $code = 0 ] && grep -q '^nothing wrong found' out || fail "$what: $(cat out)"
}
healthy "without a broker"
grep -qx 'nothing wrong found; the broker: not running' out || fail "without a broker: $(cat out)"
healthy "a node" garden

faults=0
# check CODE "SEVERITY ID WHERE, ...": exactly this is found.
check() {
    echo "$2" | tr ',' '\n' | sed 's/^ *//' | sort >want
    diff want got >differences || fail "$planted: $(cat differences)
$(cat out)"
    [ $code = "$1" ] || fail "$planted: gave $code"
}
# planted CODE FINDINGS COMMAND: into the copy. fixed FINDINGS: what --fix mends of it, to health.
planted() {
    want_code=$1 want_findings=$2
    shift 2
    planted=$*
    rm -rf site && cp -a good site
    eval "$planted" || fail "cannot plant: $planted"
    found --no-probe
    check "$want_code" "$want_findings"
    faults=$((faults + 1))
}
fixed() {
    found --fix --no-probe
    check 0 "$(sed 's/^[a-z]*/mended/' want | paste -sd,)"
    healthy "after --fix of: $planted" --no-probe
}

fixed_but() { # FINDINGS: those that stay
    found --fix --no-probe
    grep -v ^mended got >left
    mv left got
    [ "$(cat got)" = "$1" ] || fail "after --fix of: $planted: $(cat out)"
}

# --- files ---
planted 6 "error file-exposed ca/key.pem" chmod 640 site/ca/key.pem
fixed
planted 6 "error file-exposed nodes/garden/identity" chmod 604 site/nodes/garden/identity
fixed
planted 6 "error file-exposed broker" chmod 755 site/broker
fixed
planted 6 "error file-exposed issued.log" chmod 622 site/issued.log
fixed
planted 6 "error file-exposed $work/site" chmod 755 site
fixed
planted 5 "warning file-left broker/acl.a1B2c3" "touch -d -1hour site/broker/acl.a1B2c3"
fixed
planted 5 "warning file-left nodes/.new.a1B2c3" \
    "cp -a site/nodes/garden site/nodes/.new.a1B2c3; touch -d -1hour site/nodes/.new.a1B2c3"
fixed
planted 5 "warning file-linked broker/acl" "mv site/broker/acl moved; ln -s $work/moved site/broker/acl"
planted 6 "error key-copy ca/key.pem.bak" cp site/ca/key.pem site/ca/key.pem.bak
planted 6 "error key-copy anna.pem" cp site/operators/anna/key.pem site/anna.pem
planted 6 "error site-broken site.json" "echo '{' >site/site.json"
planted 6 "error site-broken site.json" rm site/site.json
for file in broker/acl broker/mosquitto.conf issued.log run ca/certificate.pem operators/anna/key.pem \
    operators/anna-watch/certificate.pem canary/revoked/key.pem; do
    planted 6 "error file-gone $file" rm -r "site/$file"
done
planted 6 "error file-gone broker/key.pem" "rm site/broker/key.pem"
planted 6 "error file-gone broker/acl" ": >site/broker/acl"
planted 5 "warning disk-full $work/site" "LD_PRELOAD=$small_disk; export LD_PRELOAD"
unset LD_PRELOAD

# --- keys and certificates ---
ca_certificate=good/ca/certificate.pem ca_key=good/ca/key.pem
log() { # CERTIFICATE NAME PURPOSE: as if we had made it
    echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) serial=$(openssl x509 -noout -serial -in "$1" | cut -d= -f2)" \
        "name=$2 purpose=$3 not-after=2040-01-01T00:00:00Z" >>site/issued.log
}
certify() { # FOLDER NAME EXTENSIONS FROM UNTIL
    sign "site/$1/key.pem" "$2" "$3" "$4" "$5" "site/$1/certificate.pem"
    log "site/$1/certificate.pem" "$2" operator
}
anna=operators/anna
extensions anna.ext DNS:anna.operator.invalid clientAuth
extensions bob.ext DNS:bob.operator.invalid clientAuth
extensions host.ext DNS:anna.operator.invalid,DNS:sluice-broker clientAuth
extensions both.ext DNS:anna.operator.invalid serverAuth,clientAuth
extensions any.ext DNS:anna.operator.invalid
extensions critical.ext DNS:anna.operator.invalid critical,clientAuth
sed s/CA:FALSE/CA:TRUE/ anna.ext >authority.ext
extensions server.ext "DNS:sluice-broker,DNS:localhost,IP:127.0.0.1" serverAuth
extensions client.ext "DNS:sluice-broker,DNS:localhost,IP:127.0.0.1" clientAuth
extensions elsewhere.ext "DNS:elsewhere,IP:127.0.0.1" serverAuth
mixed="warning lists-mixed broker/acl:$(grep -n mark- good/broker/acl | cut -d: -f1)"

planted 5 "warning authority-open ca/key.pem" \
    "openssl pkey -passin file:passphrase -in good/ca/key.pem -out site/ca/key.pem"
planted 6 "error pair-broken $anna" cp site/operators/anna-watch/key.pem site/$anna/key.pem
planted 6 "error pair-broken $anna" "echo nothing >site/$anna/certificate.pem"
planted 6 "error pair-broken ca, warning authority-open ca/key.pem" cp site/$anna/key.pem site/ca/key.pem
planted 5 "warning operator-ends $anna/certificate.pem" certify $anna anna anna.ext -800 200
planted 6 "error operator-over $anna/certificate.pem" certify $anna anna anna.ext -800 -1
planted 6 "error certificate-early $anna/certificate.pem" certify $anna anna anna.ext 2 900
planted 6 "error purpose-wrong $anna/certificate.pem" certify $anna anna both.ext -1 900
planted 6 "error purpose-wrong $anna/certificate.pem" certify $anna anna any.ext -1 900
planted 6 "error purpose-wrong $anna/certificate.pem" certify $anna anna critical.ext -1 900
planted 6 "error purpose-wrong $anna/certificate.pem" certify $anna anna authority.ext -1 900
planted 6 "error name-wrong $anna/certificate.pem" certify $anna bob bob.ext -1 900
planted 6 "error name-wrong $anna/certificate.pem" certify $anna anna host.ext -1 900
planted 6 "error key-weak $anna/certificate.pem" \
    "openssl ecparam -genkey -noout -name secp384r1 -out site/$anna/key.pem; certify $anna anna anna.ext -1 900"
planted 6 "error log-incomplete $anna/certificate.pem, error signer-foreign $anna/certificate.pem" \
    "$sluice --site other init --operator anna >/dev/null; cp other/$anna/*.pem site/$anna/; rm -r other"
planted 6 "error key-twice operators/anna-watch/certificate.pem" \
    "cp site/$anna/key.pem site/operators/anna-watch/key.pem
     extensions watch.ext DNS:anna-watch.operator.invalid clientAuth; certify operators/anna-watch anna-watch watch.ext -1 900"
planted 5 "warning server-ends broker/certificate.pem, $mixed" certify broker sluice-broker server.ext -80 9
fixed
planted 6 "error server-over broker/certificate.pem, $mixed" certify broker sluice-broker server.ext -90 -1
fixed
planted 6 "error name-wrong broker/certificate.pem, $mixed" certify broker sluice-broker elsewhere.ext -1 88
planted 6 "error name-wrong broker/certificate.pem, $mixed" certify broker elsewhere server.ext -1 88
planted 6 "error purpose-wrong broker/certificate.pem, $mixed" certify broker sluice-broker client.ext -1 88
planted 5 "warning canary-ends canary/good/certificate.pem" \
    "extensions canary.ext DNS:Canary.canary.invalid clientAuth; certify canary/good Canary canary.ext -1000 90"
fixed

# While one authority takes over from another there is nothing wrong.
rm -rf site && cp -a good site
expect 0 "two authorities" "$sluice" ca roll
healthy "during a roll-over" --no-probe
chmod 640 site/ca/next/key.pem
planted="a key that others can read, during a roll-over"
found --no-probe
check 6 "error file-exposed ca/next/key.pem"

# --- nodes ---
node=nodes/garden
for file in node.json identity certificate.pem; do
    planted 6 "error node-broken $node" "rm site/$node/$file"
    planted 6 "error node-broken $node" "echo x >>site/$node/$file; truncate -s 40 site/$node/$file"
done
planted 6 "error node-broken $node" cp site/nodes/pond/identity site/$node/identity
planted 6 "error node-broken nodes/Not-A-Node" mkdir -m 700 site/nodes/Not-A-Node

# Topics that overlap: 'node add' refuses them, so the second one is made where the first is not.
planted="overlapping topics"
rm -rf site && cp -a good site && cp -a good apart && rm -r apart/nodes/garden apart/nodes/pond
expect 0 "is made" "$sluice" --site apart node add lake --base irrigation/garden/zone
cp -a apart/nodes/lake site/nodes/ && cp -a apart/issued.log site/ && rm -r apart
found --fix --no-probe
grep -v ^mended got >left
mv left got
check 6 "error node-topics nodes/lake"

# --- years ago ---
# aged DAYS CODE FINDINGS: a site that nobody has touched since.
aged() {
    rm -rf site
    planted="a site of $1 days ago"
    faketime -f -"$1"d "$sluice" init --operator anna >out 2>&1 &&
        faketime -f -"$1"d "$sluice" node add garden >out 2>&1 || fail "$planted: $(cat out)"
    found --no-probe
    check "$2" "$3"
    faults=$((faults + 1))
}
garden=nodes/garden/certificate.pem watch=operators/anna-watch/certificate.pem
over="error crl-over broker/crl.pem, error server-over broker/certificate.pem"
canaries="canary-ends canary/good/certificate.pem, warning canary-ends canary/revoked/certificate.pem"
aged 800 6 "$over, warning node-ends $garden, warning operator-ends $anna/certificate.pem, warning operator-ends $watch"
fixed_but "warning node-ends $garden
warning operator-ends $watch
warning operator-ends $anna/certificate.pem"
over="$over, error node-over $garden, error operator-over $anna/certificate.pem, error operator-over $watch"
aged 1100 6 "$over, warning $canaries"
aged 5200 6 "$over, warning $canaries, warning authority-ends ca/certificate.pem"
aged 7400 6 "$over, warning $canaries, error authority-over ca/certificate.pem"

# --- journal and clock ---
planted 5 "warning log-line-broken issued.log:3" "sed -i '3s/serial=/serail=/' site/issued.log; sed -n 3p good/issued.log >>site/issued.log"
planted 6 "error log-incomplete broker/certificate.pem" "sed -i /purpose=broker/d site/issued.log"
planted 6 "error serial-twice issued.log:$(($(wc -l <good/issued.log) + 1))" \
    "sed -n 's/name=garden/name=eve/p' site/issued.log >>site/issued.log"
planted 6 "error clock-behind issued.log:$(($(wc -l <good/issued.log) + 1))" \
    "echo '2199-01-01T00:00:00Z serial=01FF name=eve purpose=node not-after=2200-01-01T00:00:00Z' >>site/issued.log"

# --- lists ---
crl=site/broker/crl.pem
list() { # FROM UNTIL [CA [SERIAL]]: a list with the entries of a site's own, and one more
    { openssl crl -in good/broker/crl.pem -noout -text | sed -n 's/^ *Serial Number: //p'; echo "$4"; } | grep . |
        while read -r serial; do printf 'R\t400101000000Z\t%s\t%s\tunknown\t/CN=x\n' "$(date -u +%y%m%d%H%M%SZ)" "$serial"; done >index
    openssl ca -gencrl -config ca.conf -cert "${3:-good}/ca/certificate.pem" -keyfile "${3:-good}/ca/key.pem" -passin file:passphrase \
        -crl_lastupdate "$(date -u -d "$1 days" +%Y%m%d%H%M%SZ)" -crl_nextupdate "$(date -u -d "$2 days" +%Y%m%d%H%M%SZ)" \
        -out $crl 2>listed || fail "openssl makes no list: $(cat listed)"
    : >index
}
planted 5 "warning crl-half broker/crl.pem, $mixed" list -20 10
fixed
planted 6 "error crl-over broker/crl.pem, $mixed" list -31 -1
fixed
planted 6 "error crl-foreign broker/crl.pem" "$sluice --site other init >/dev/null; list -1 29 other; rm -r other"
planted 6 "error crl-ours broker/crl.pem, $mixed" \
    list -1 29 good "$(openssl x509 -noout -serial -in good/$anna/certificate.pem | cut -d= -f2)"
planted 6 "error crl-broken broker/crl.pem" "echo nothing >$crl"
planted 6 "error crl-broken broker/crl.pem" ": >$crl"
planted 6 "error crl-broken broker/crl.pem" rm $crl
planted 6 "error crl-canary broker/crl.pem, error acl-differs broker/acl:$(grep -n '^topic deny' good/broker/acl | cut -d: -f1)" \
    "openssl ca -gencrl -config ca.conf -cert good/ca/certificate.pem -keyfile good/ca/key.pem -passin file:passphrase -crldays 29 -out $crl 2>/dev/null"
planted 6 "error acl-differs broker/acl:5" "sed -i '5s/.*/topic readwrite #/' site/broker/acl"
fixed
planted 6 "error acl-differs broker/acl:$(($(wc -l <good/broker/acl) + 1))" "echo 'user eve' >>site/broker/acl"
fixed
planted 5 "$mixed" "sed -i 's/mark-..../mark-0000/' site/broker/acl"
fixed
conf=site/broker/mosquitto.conf
c() { echo "broker/mosquitto.conf:$(grep -n "^$1 " good/broker/mosquitto.conf | cut -d: -f1)"; }
planted 5 "warning conf-differs $(c max_connections)" "sed -i 's/^max_connections.*/max_connections 20/' $conf"
fixed
planted 5 "warning conf-differs $(c allow_anonymous), warning conf-anonymous-latent $(c allow_anonymous)" \
    "sed -i 's/^allow_anonymous.*/allow_anonymous true/' $conf"
fixed_but ""
planted 6 "warning conf-differs $(c acl_file), error conf-no-acl broker/mosquitto.conf" "sed -i 's/^acl_file/#&/' $conf"
fixed_but ""
planted 5 "note bind-public site.json, warning conf-differs $(c listener)" \
    "sed -i '/\"bind\"/s/127.0.0.1/0.0.0.0/' site/site.json"
fixed_but "note bind-public site.json"
planted 6 "error file-exposed broker/acl, error name-wrong $anna/certificate.pem" \
    "certify $anna bob bob.ext -1 900; chmod 644 site/broker/acl"
fixed_but "error name-wrong $anna/certificate.pem"
mkdir old && printf '#!/bin/sh\necho mosquitto version 1.4.15\n' >old/mosquitto && chmod +x old/mosquitto
planted 6 "error mosquitto-old mosquitto" "PATH=$work/old:$PATH"
PATH=${PATH#"$work/old:"}

# What the system's own Mosquitto was given.
mkdir -p host/etc/mosquitto/conf.d
echo 'include_dir /etc/mosquitto/conf.d' >host/etc/mosquitto/mosquitto.conf
rm -rf site && cp -a good site
"$sluice" broker install --root host >out 2>&1 || fail "broker install: $(cat out)"
healthy "with an installed broker" --no-probe --root host
cp site/ca/key.pem host/etc/mosquitto/sluice/ca.pem
planted="the authority's key on the broker"
found --no-probe --root host
sed -i "s,$work/host,host," got
check 6 "error installed-wrong host"
rm -r host/etc/mosquitto/sluice/ca.pem
sed -i 's/^allow_anonymous.*/allow_anonymous true/' host/etc/mosquitto/conf.d/sluice.conf
planted="an installed broker that is open"
found --no-probe --root host
check 6 "error installed-wrong host"

# Only one node: what is wrong elsewhere is not told.
planted 6 "error file-exposed ca/key.pem, error file-exposed nodes/pond/identity" chmod 644 site/ca/key.pem site/nodes/pond/identity
found --no-probe pond
check 6 "error file-exposed nodes/pond/identity"
healthy "another node" --no-probe garden
expect 2 "there is no node 'eve'" "$sluice" doctor eve
expect 2 "there is no node '../ca'" "$sluice" doctor ../ca
expect 4 "there is no site" "$sluice" --site nowhere doctor
expect 2 "leave out garden" "$sluice" doctor --config x garden
expect 2 "leave out --fix" "$sluice" doctor --config x --fix
[ $faults -gt 70 ] || fail "only $faults faults were planted into files"

# A file of somebody else's broker that we may not read.
mkdir -m 000 closed
sed "s,^acl_file .*,acl_file $work/closed/acl," good/broker/mosquitto.conf >closed.conf
expect 0 "note conf-file-unread $work/closed/acl" "$sluice" doctor --config "$work/closed.conf"

# As JSON, and on a terminal.
chmod 644 site/ca/key.pem
expect 6 '"severity":"error","check":"file-exposed","where":"'"$work"'/site/ca/key.pem"' "$sluice" doctor --json
grep -q '"evidence":"mode 0644","allows":"whoever reads a key.*","mend":"chmod go-rwx /' out || fail "--json: $(cat out)"
expect 0 '"mended":"only its owner can reach it now"' "$sluice" doctor --json --fix

# --- the running broker ---
# What is on the disk changes, the broker's lock and its memory stay.
restore() { # FROM
    for entry in "$1"/*; do
        [ "${entry##*/}" = run ] || { rm -rf "site/${entry##*/}" && cp -a "$entry" site/; }
    done
}
end_broker() {
    kill -TERM "$broker" && wait "$broker"
    restore good
}
live() { # CODE FINDINGS COMMAND: planted while the broker runs with the good files
    want_code=$1 want_findings=$2
    shift 2
    planted=$*
    restore good
    eval "$planted" || fail "cannot plant: $planted"
    found
    check "$want_code" "$want_findings"
    faults=$((faults + 1))
}
at=127.0.0.1:$port
rm -rf site && cp -a good site
start_broker
restore good # the times of the files, too
healthy "with its broker"
grep -qx 'nothing wrong found; the broker: proven' out || fail "with its broker: $(cat out)"
found --no-probe
grep -qx 'nothing wrong found; the broker: not asked' out || fail "--no-probe: $(cat out)"
cp -a good more
SLUICE_SITE=more "$sluice" node add moss >/dev/null || fail "no moss"
planted="an older list"
restore more
found --fix
check 0 "mended broker-list-old $at"
restore good
kill -HUP "$broker"
sleep 0.2
live 5 "$mixed, warning broker-certificate-old $at" certify broker sluice-broker server.ext -1 88
found --fix
check 0 "mended lists-mixed broker/acl:${mixed##*:}, mended broker-certificate-old $at"
healthy "after --fix of: $planted"
restore good
kill -HUP "$broker"
sleep 0.2
live 5 "warning broker-conf-old broker/mosquitto.conf" touch -d +1hour site/broker/mosquitto.conf
restore good
mosquitto=$(cat "/proc/$broker/task/$broker/children")
kill -STOP $mosquitto
live 6 "error broker-strange $at" true
kill -CONT $mosquitto
# As the node: its clock is an hour and more ahead.
# shellcheck disable=SC2046
(
    stdbuf -oL mosquitto_sub $(node_args garden) -t irrigation/garden/zone/status -C 1 -d >asked 2>&1
    mosquitto_pub $(node_args garden) -q 1 -t irrigation/garden/report \
        -m "{\"version\":\"1\",\"time\":{\"source\":\"sntp\",\"utc\":$(($(date +%s) + 9000))}}"
) &
pids="$pids $!"
until_true grep -q ^Subscribed asked || fail "garden cannot listen: $(cat asked)"
live 5 "warning node-clock irrigation/garden/report" true
end_broker

# 'status' warns by the same days, and shows them all as JSON.
restore good
rm -f site/issued.log && cp -a good/issued.log site/
start_broker
live 5 "warning operator-ends $anna/certificate.pem, warning server-ends broker/certificate.pem, $mixed, warning broker-certificate-old $at" \
    "certify broker sluice-broker server.ext -80 9; certify $anna anna anna.ext -800 200"
"$sluice" status --json --timeout 1 >json 2>err
for words in 'the broker certificate ends on ' 'the operator certificate of anna ends on '; do
    grep -q "$words" err || fail "status does not warn of '$words': $(cat err)"
done
for words in '"what":"broker certificate","last_day":"20[^}]*"days_left":[0-9]*,"state":"soon"' \
    '"what":"operator certificate","name":"anna","last_day":"[^}]*"days_left":20[01],"state":"soon"' \
    '"what":"authority","last_day":"[^}]*"state":"fine"' '"what":"revocation list",[^}]*"state":"fine"' \
    '"what":"node certificate","name":"garden",[^}]*"state":"fine"'; do
    grep -q "$words" json || fail "status --json does not say $words: $(cat json)"
done
grep -q '"name":"fern"[^}]*"days_left"' json && fail "status tells of a revoked node's end: $(cat json)"
end_broker

# A node that was revoked without the broker's knowledge goes on.
restore unrevoked
start_broker
# shellcheck disable=SC2046
stdbuf -oL mosquitto_sub $(node_args fern) -t irrigation/fern/zone/status -d >heard 2>&1 &
fern=$!
pids="$pids $fern"
until_true grep -q ^Subscribed heard || fail "fern cannot listen: $(cat heard)"
live 6 "warning broker-list-old $at, error node-revoked-online irrigation/fern/zone/status" true
kill $fern
end_broker

# other_broker CODE FINDINGS SED-SCRIPT [COMMAND]: Mosquitto with another configuration than the
# site's: what runs shows it, whatever the files say. The command comes once it runs.
real=$(command -v mosquitto || echo /usr/sbin/mosquitto)
mkdir fake
printf '#!/bin/sh\n[ "$1" = -h ] && exec %s -h\nexec %s -c %s/open.conf\n' "$real" "$real" "$work" >fake/mosquitto
chmod +x fake/mosquitto
cp good/broker/acl good/broker/crl.pem .
other_broker() {
    want_code=$1 want_findings=$2 planted="a broker with $3 $4"
    restore good
    sed "$3" good/broker/mosquitto.conf >open.conf
    PATH=$work/fake:$PATH
    start_broker
    PATH=${PATH#"$work/fake:"}
    mosquitto=$(cat "/proc/$broker/task/$broker/children")
    eval "$4"
    restore good
    found
    check "$want_code" "$want_findings"
    faults=$((faults + 1))
    end_broker
}
other_broker 6 "error broker-open $at" /^acl_file/d
other_broker 6 "error broker-revoked-in $at" /^crlfile/d
anonymous="s/^require_certificate.*/require_certificate false/; s/^allow_anonymous.*/allow_anonymous true/; /^use_/d"
other_broker 6 "error broker-anonymous $at, error broker-open $at, error broker-revoked-in $at" "$anonymous; /^acl_file/d; /^crlfile/d"
other_broker 6 "error broker-ciphers $at" "s/^ciphers .*/ciphers ALL/"
other_broker 6 "error broker-ciphers $at, error broker-tls-old $at" "s/^ciphers .*/ciphers ALL:@SECLEVEL=0/; s/^tls_version.*/tls_version tlsv1.1/"
other_broker 6 "error broker-listens mosquitto" "\$a listener $(free_port) 127.0.0.1"
other_broker 6 "error broker-listens mosquitto" "\$a listener $(free_port) ::1"
# The traps of Mosquitto 2.0: what a reload makes of files that are no longer whole.
reload_with() { # FILE WORDS
    echo "$2" >"$1"
    kill -HUP $mosquitto
    sleep 0.3
}
other_broker 6 "error broker-revoked-in $at" "s,^crlfile .*,crlfile $work/crl.pem," "reload_with crl.pem nothing"
other_broker 6 "error broker-open $at" "s,^acl_file .*,acl_file $work/acl," "reload_with acl 'tpoic'"
cp good/broker/crl.pem .
crl=crl.pem
other_broker 6 "error broker-refuses $at" "s,^crlfile .*,crlfile $work/crl.pem," \
    "list -31 -1; kill -HUP \$mosquitto; sleep 0.3"

# A broker far away: small answers take 0.6 s.
other_port=$(free_port)
cat >far.py <<END
import socket, threading, time
def carry(a, b, wait):
    try:
        while data := a.recv(65536):
            time.sleep(wait if len(data) < 100 else 0)
            b.sendall(data)
    except OSError:
        pass
    finally:
        for end in a, b:
            try: end.shutdown(socket.SHUT_RDWR)
            except OSError: pass
listener = socket.create_server(("127.0.0.1", $port))
while True:
    near, far = listener.accept()[0], socket.create_connection(("127.0.0.1", $other_port))
    threading.Thread(target=carry, args=(near, far, 0), daemon=True).start()
    threading.Thread(target=carry, args=(far, near, 0.6), daemon=True).start()
END
restore good
sed "s/^listener $port/listener $other_port/" good/broker/mosquitto.conf >open.conf
PATH=$work/fake:$PATH
start_broker
PATH=${PATH#"$work/fake:"}
python3 far.py &
far=$!
pids="$pids $far"
until_true python3 -c "import socket; socket.create_connection(('127.0.0.1', $port))" || fail "no way there"
found garden
planted="a broker far away"
check 5 "warning broker-slow $at"
kill $far
end_broker

# Too few files for its clients; and no TLS at all.
restore good
rm -f broker.log
(ulimit -n 256 && exec "$sluice" broker run) >broker.log 2>&1 &
broker=$!
pids="$pids $broker"
until_true grep -q ' running$' broker.log || fail "no broker with few files"
found
planted="few files"
check 5 "warning broker-files-max mosquitto"
end_broker
"$real" -p "$port" >/dev/null 2>&1 &
broker=$!
pids="$pids $broker"
until_true mosquitto_pub -h 127.0.0.1 -p "$port" -t x -n || fail "the port is not taken"
found
planted="another broker"
check 6 "error broker-strange $at"
echo "ok: $faults faults"
