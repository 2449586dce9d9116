#!/bin/sh
# broker install, check and apply against a real Mosquitto that the system would start: what is written,
# what is found wrong, and that the running broker obeys, is rolled back, or is stopped.
. "$(dirname "$0")/cli_lib.sh"
. "$tests/broker_lib.sh"
port=$(free_port)
expect 0 "is made" "$sluice" init --no-passphrase --port "$port"
expect 0 "is made" "$sluice" node add garden --base irrigation
expect 0 "is made" "$sluice" node add pond

# --- what is written ---
make_root
expect 4 "no broker was installed below" "$sluice" broker apply --root root
expect 0 "nothing was written" "$sluice" broker install --root root --dry-run
[ -z "$(ls root/etc/mosquitto/conf.d)" ] && [ ! -e "$(in_root acl)" ] || fail "--dry-run wrote: $(find root)"
expect 0 "systemctl restart mosquitto" "$sluice" broker install --root root
expect 0 "everything is there already" "$sluice" broker install --root root
[ "$(grep -c '^same ' out)" = 11 ] || fail "a second run changes something: $(cat out)"
expect 0 '"is":"same"' "$sluice" broker install --root root --json
expect 0 "keeps to the list" "$sluice" broker check --root root
expect 0 '"good":true' "$sluice" broker check --root root --json
for setting in persistence_location log_dest pid_file; do # a second one is fatal
    grep -q "^$setting" root/etc/mosquitto/conf.d/sluice.conf && fail "conf.d has $setting"
done
grep -rqF "$(sed -n 2p site/ca/key.pem)" root && fail "the authority's key was installed"
[ -z "$(find root/etc/mosquitto/sluice -perm /027)" ] || [ -z "$(find root/etc/mosquitto/sluice -perm /007)" ] ||
    fail "others may read: $(ls -lR root)"
if [ "$(id -u)" = 0 ]; then
    for file in acl authority.pem server.pem crl.pem; do
        [ "$(stat -c '%U:%G %a' "$(in_root $file)")" = "root:mosquitto 640" ] || fail "$file: $(ls -l "$(in_root $file)")"
    done
fi

# The unit, where systemd's own tools can read it. Scores in tenths.
mkdir -p unit/mosquitto.service.d
cp root/etc/systemd/system/mosquitto.service.d/sluice.conf unit/mosquitto.service.d/
cat >unit/mosquitto.service <<'END'
[Service]
Type=notify
NotifyAccess=main
ExecStart=/usr/sbin/mosquitto -c /etc/mosquitto/mosquitto.conf
ExecReload=/bin/kill -HUP $MAINPID
ExecStartPre=/bin/mkdir -m 740 -p /var/log/mosquitto
END
sed -i "s,/etc/mosquitto/sluice,$work/root/etc/mosquitto/sluice," unit/mosquitto.service.d/sluice.conf
systemd-analyze verify --man=no unit/mosquitto.service >out 2>&1 && [ ! -s out ] || fail "systemd-analyze verify: $(cat out)"
systemd-analyze security --offline=true --no-pager --threshold=15 unit/mosquitto.service >out 2>&1 ||
    fail "exposure above 1.5: $(cat out)"
tail -n 1 out
grep -qx 'LimitNOFILE=8192' unit/mosquitto.service.d/sluice.conf || fail "no LimitNOFILE"

# --- what is found wrong: each alone, and named ---
cp -a root good-root
wrong() { # WORDS COMMAND-THAT-BREAKS
    words=$1
    shift
    "$@" || fail "cannot: $*"
    timeout 20 "$sluice" broker check --root root >out 2>&1
    code=$?
    [ $code = 4 ] || [ $code = 1 ] || fail "check after $* gave $code: $(cat out)"
    grep -qF -- "$words" out || fail "check after $* did not say '$words': $(cat out)"
    rm -rf root && cp -a good-root root
}
add() { echo "$2" >>"$1"; }
wrong "conf.d/zz.conf may open the broker ('allow_anonymous true')" add root/etc/mosquitto/conf.d/zz.conf 'allow_anonymous true'
wrong "conf.d/zz.conf may open the broker ('listener 1883')" add root/etc/mosquitto/conf.d/zz.conf 'listener 1883'
wrong "mosquitto.conf may open the broker ('password_file x')" add root/etc/mosquitto/mosquitto.conf 'password_file x'
wrong "may open the broker ('include_dir /etc/mosquitto/conf.d.old" \
    sed -i '/include_dir/s/$/.old/' root/etc/mosquitto/mosquitto.conf
wrong "does not name /etc/mosquitto/conf.d" sed -i /include_dir/d root/etc/mosquitto/mosquitto.conf
wrong "sluice writes no such line there" sed -i 's/allow_anonymous false/allow_anonymous true/' root/etc/mosquitto/conf.d/sluice.conf
wrong "sluice writes no such line there" sed -i /^crlfile/d root/etc/mosquitto/conf.d/sluice.conf
wrong "was cut (no ciphers_tls1.3)" sed -i '$d' root/etc/mosquitto/conf.d/sluice.conf
wrong "sluice writes no such line, and Mosquitto" add "$(in_root acl)" 'topic readwrite #'
wrong "was cut" sed -i '$d' "$(in_root acl)"
wrong "is missing" rm "$(in_root crl.pem)"
wrong "is empty" truncate -s 0 "$(in_root crl.pem)"
wrong "crl.pem" truncate -s 200 "$(in_root crl.pem)"
wrong "holds no key for the certificate beside it" cp site/broker/certificate.pem "$(in_root server.pem)"
wrong "no certificate of a server" sh -c "cat site/operators/operator/*.pem >root/etc/mosquitto/sluice/server.pem"
wrong "is no file of sluice" cp site/ca/key.pem "$(in_root ca-key.pem)"
wrong "must be" chmod 644 "$(in_root server.pem)"
wrong "must be" chmod 777 root/etc/mosquitto/sluice
[ "$(id -u)" != 0 ] || wrong "must be" chown 65534 "$(in_root acl)"
expect 0 "is made" "$sluice" --site foreign init --no-passphrase --port "$port"
wrong "was not signed by this site's authority" cp foreign/broker/crl.pem "$(in_root crl.pem)"
wrong "was not signed by this site's authority" cp foreign/ca/certificate.pem "$(in_root authority.pem)"

# --- apply: proven, with a session that stays open over a new certificate ---
expect 0 "the broker is not running" "$sluice" broker apply --root root
start_mosquitto
expect 0 "0 files of $work/root/etc/mosquitto/sluice written; the broker is proven" "$sluice" broker apply --root root
expect 0 "has read these files, is closed" "$sluice" broker check --root root --running
# shellcheck disable=SC2046,SC2086
stdbuf -oL mosquitto_sub $(node_args pond) -t irrigation/pond/zone/on -d -q 1 >heard 2>&1 &
pids="$pids $!"
until_true grep -q '^Subscribed' heard || fail "pond cannot listen: $(cat heard)"
shown() { openssl s_client -connect "127.0.0.1:$port" </dev/null 2>/dev/null | openssl x509 -noout -serial; }
before=$(shown)
openssl req -new -key site/broker/key.pem -subj /CN=sluice-broker 2>/dev/null >req.pem
printf 'extendedKeyUsage=serverAuth\nsubjectAltName=DNS:sluice-broker,DNS:localhost,IP:127.0.0.1\n' >ext
openssl x509 -req -in req.pem -CA site/ca/certificate.pem -CAkey site/ca/key.pem -days 80 -extfile ext \
    -out site/broker/certificate.pem 2>/dev/null || fail "openssl cannot sign"
expect 0 '"written":2,"broker":"proven"' "$sluice" broker apply --root root --json # with the list's mark
[ "$before" != "$(shown)" ] || fail "the broker shows the certificate before"
# shellcheck disable=SC2046
mosquitto_pub $("$sluice" client-args) -q 1 -t irrigation/pond/zone/on -m "0 1" || fail "the operator is out"
until_true grep -q 'received PUBLISH' heard || fail "pond does not hear: $(cat heard)"
[ "$(grep -c "as pond " broker.log)" = 1 ] || fail "pond's session was dropped: $(cat broker.log)"
[ -s "$(in_root good/crl.pem)" ] || fail "the good files are not kept"

# --- nothing bad reaches it ---
reload=root/etc/mosquitto/sluice/reload
sh $reload "$mosquitto" || fail "the guard refuses good files"
until_true sh -c '[ "$(grep -c "Reloading config" broker.log)" -ge 3 ]' || fail "the guard sent no SIGHUP"
times=$(grep -c "Reloading config" broker.log)
refuses() { # the guard, logrotate's way
    "$@" || fail "cannot: $*"
    sh $reload "$mosquitto" >out 2>&1 && fail "the guard lets Mosquitto read this: $*"
    grep -q "mosquitto is not told to read" out || fail "the guard says: $(cat out)"
    rm -rf root/etc/mosquitto/sluice && cp -a good-root/etc/mosquitto/sluice root/etc/mosquitto/
    expect 0 "proven" "$sluice" broker apply --root root
}
refuses truncate -s 0 "$(in_root crl.pem)"
refuses rm "$(in_root crl.pem)"
refuses add "$(in_root acl)" "topic x y z"
refuses chmod 600 "$(in_root acl)"
refuses rm "$(in_root SUMS)"
refuses truncate -s 0 "$(in_root SUMS)"
[ "$(grep -c "Reloading config" broker.log)" = $((times + 6)) ] || fail "more reloads than applies: $(grep -c "Reloading config" broker.log)"
cp site/broker/crl.pem crl.good
truncate -s 100 site/broker/crl.pem
cp -a root then
expect 4 "site/broker/crl.pem" "$sluice" broker apply --root root
diff -r root then || fail "a failed apply changed the broker's files"
cp crl.good site/broker/crl.pem

# --- a broker that does not obey ---
# Its list is another file, which stays as it was: it never hears of the new one.
end_mosquitto
cp "$(in_root acl)" stale.acl && chmod 644 stale.acl
start_mosquitto "s,^acl_file .*,acl_file $work/stale.acl,"
expect 0 "proven" "$sluice" broker apply --root root
expect 1 "has the last good ones again" "$sluice" node add fern
expect 1 "has the last good ones again" "$sluice" broker apply --root root
cmp stale.acl "$(in_root acl)" || fail "the last good list did not come back"
sh $reload check || fail "the guard does not know the last good files"
kill -0 "$mosquitto" || fail "the broker was stopped"
# That file goes bad: what comes back does not help, so there is no broker.
echo "nonsense" >stale.acl
expect 1 "was stopped: closed beats open" "$sluice" broker apply --root root
grep -q "no longer keeps to its access list\|did not read its files again" out || fail "no reason: $(cat out)"
until_true sh -c "! kill -0 $mosquitto" || fail "the open broker goes on"
wait "$mosquitto" 2>/dev/null

# Whoever was revoked since does not come back with the last good files: no broker is better.
start_mosquitto
expect 0 "proven" "$sluice" broker apply --root root
end_mosquitto
cp "$(in_root acl)" stale.acl && chmod 644 stale.acl
start_mosquitto "s,^acl_file .*,acl_file $work/stale.acl,"
expect 1 "could not be shown to obey it and was stopped" "$sluice" node revoke garden
wait "$mosquitto" 2>/dev/null
start_mosquitto "s,^acl_file .*,acl_file $work/stale.acl,"
expect 1 "was stopped: closed beats open" "$sluice" broker apply --root root --json
grep -q '"broker":"stopped"' out || fail "as JSON: $(cat out)"
wait "$mosquitto" 2>/dev/null
# Not a node's certificate and nobody's is let in by one that never had the revocation list.
start_mosquitto '/^crlfile/d'
expect 1 "still lets in a certificate that was revoked" "$sluice" broker apply --root root
wait "$mosquitto" 2>/dev/null
start_mosquitto 's/^require_certificate.*/require_certificate false/; s/allow_anonymous false/allow_anonymous true/; /use_.*as_/d'
expect 1 "was stopped" "$sluice" broker apply --root root
wait "$mosquitto" 2>/dev/null
# In order again.
start_mosquitto
expect 0 "proven" "$sluice" broker apply --root root
# shellcheck disable=SC2046,SC2086
timeout 10 mosquitto_pub $(node_args garden) -t irrigation/report -m x -q 1 >out 2>&1 && fail "garden is let in"
end_mosquitto

# --- a bundle, for Debian and for OpenWRT ---
for host in debian openwrt; do
    option=; [ $host = openwrt ] && option=--openwrt
    # shellcheck disable=SC2086
    expect 0 "FILE.tar" "$sluice" broker install --bundle $host.tar $option
    [ "$(stat -c %a $host.tar)" = 600 ] || fail "$host.tar is open to others"
    tar -tvf $host.tar >list || fail "tar cannot read $host.tar"
    grep -q '^-rw-r----- root/mosquitto .*etc/mosquitto/sluice/server.pem$' list || fail "$host.tar: $(cat list)"
    mkdir $host
    tar -x -p -f $host.tar -C $host || fail "tar cannot unpack $host.tar"
    grep -rqF "$(sed -n 2p site/ca/key.pem)" $host && fail "the authority's key is in the bundle"
    expect 0 "keeps to the list" "$sluice" broker check --root $host
    sh $host/etc/mosquitto/sluice/reload check || fail "the guard refuses the bundle"
done
grep -qx /etc/mosquitto/ openwrt/lib/upgrade/keep.d/sluice-broker || fail "nothing is kept over a sysupgrade"
grep -q "use_uci '0'" openwrt/etc/config/mosquitto || fail "UCI holds"
[ ! -e openwrt/etc/systemd ] && grep -qx "log_dest syslog" openwrt/etc/mosquitto/mosquitto.conf || fail "OpenWRT: $(find openwrt)"
# Somebody's own configuration there is kept.
mkdir -p owrt/etc/mosquitto && echo "listener 1883" >owrt/etc/mosquitto/mosquitto.conf
expect 0 "is kept in" "$sluice" broker install --root owrt --openwrt
grep -qx "listener 1883" owrt/etc/mosquitto/sluice/before/etc-mosquitto-mosquitto.conf || fail "it is not kept"
expect 0 "keeps to the list" "$sluice" broker check --root owrt
echo "ok"
