#!/bin/sh
# 'sluice doctor --config': our own configuration has nothing wrong, the first project's has every
# weakness named with its line, and each fault that is planted into a good one is found alone.
. "$(dirname "$0")/doctor_lib.sh"

# found CONF: "severity id file:line", sorted; the code in $code.
found() {
    "$sluice" doctor --config "$1" >out 2>err
    code=$?
    [ -s err ] && fail "doctor --config $1 says on stderr: $(cat err)"
    sed -n "s,^\(note\|warning\|error\) \([a-z-]*\) $work/\([^ ]*\): .*,\1 \2 \3,p" out | sort
}

# --- the first project ---
mkdir -p first/certs
cp "$tests/../vectors/mosquitto/original.conf" first/
cd first/certs || exit 1
{
    openssl req -x509 -newkey rsa:1024 -nodes -keyout ca.key -out ca.crt -days 3650 -subj /CN=garden
    for who in server client; do
        openssl req -new -newkey rsa:1024 -nodes -keyout $who.key -out $who.csr -subj /CN=garden
        openssl x509 -req -in $who.csr -CA ca.crt -CAkey ca.key -CAcreateserial -sha1 -days 3650 -out $who.crt
    done
} >made 2>&1 || fail "openssl: $(cat made)"
chmod 644 server.key
cd "$work" || exit 1
found "$work/first/original.conf" >got
cat >want <<END
error conf-anonymous first/original.conf:6
error conf-authority-key first/certs/ca.key
error conf-key-exposed first/certs/server.key
error conf-key-short first/certs/ca.crt
error conf-key-short first/certs/server.crt
error conf-name-unused first/original.conf:5
error conf-no-acl first/original.conf
error conf-no-crl first/original.conf:5
error conf-one-name first/certs/server.crt
error conf-plain first/original.conf:4
error conf-purpose-both first/certs/server.crt
error conf-signature-weak first/certs/server.crt
error conf-tls-old first/original.conf:11
note conf-bind-all first/original.conf:4
note conf-bind-all first/original.conf:5
note conf-certificate-long first/certs/server.crt
note conf-ciphers-unset first/original.conf:5
note conf-nagle first/original.conf
warning conf-anonymous-latent first/original.conf:6
warning conf-no-host-name first/certs/server.crt
warning conf-no-limits first/original.conf
warning conf-session-theft first/original.conf:4
warning conf-session-theft first/original.conf:5
END
diff want got || fail "the first project's configuration: other findings"
[ $code = 6 ] || fail "errors gave $code"
"$sluice" doctor --config first/original.conf --json >json || true
for words in '"check":"conf-anonymous"' '"line":6' '"allows":"anybody who reaches the port reads every message'; do
    grep -qF "$words" json || fail "--json does not say $words: $(cat json)"
done

# --- ours, and one fault at a time ---
expect 0 "is made" "$sluice" init --no-passphrase --port 18883
expect 0 "is made" "$sluice" node add garden
mv site/ca/key.pem kept.pem # as on a broker's computer
conf=$work/site/broker/mosquitto.conf
sed -i '/^user root$/d' "$conf" # stands there when root made the site
cp -a site good
found "$conf" >got
[ ! -s got ] && [ $code = 0 ] || fail "ours: $(cat out)"
grep -q '^nothing wrong found$' out || fail "ours: $(cat out)"
faults=0

# planted CODE "SEVERITY ID FILE[:LINE]..." COMMAND: planted into the copy, exactly this is found.
planted() {
    want_code=$1 want=$(echo "$2" | tr ',' '\n' | sed 's/^ *//' | sort)
    shift 2
    rm -rf site && cp -a good site
    eval "$*" || fail "cannot plant: $*"
    found "$conf" >raw
    got=$(sed 's,site/broker/,,' raw)
    [ "$got" = "$want" ] || fail "planted: $*
wanted: $want
found: $got
$(cat out)"
    [ $code = "$want_code" ] || fail "planted: $*: gave $code"
    faults=$((faults + 1))
}
# line TEXT: the number of the line in the good configuration.
line() { grep -n "^$1" good/broker/mosquitto.conf | cut -d: -f1; }
end=$(($(wc -l <"$conf") + 1))
c=mosquitto.conf l=$(line listener)
off() { sed -i "s/^$1/#&/" "$conf"; }
set_to() { sed -i "s,^$1 .*,$1 $2," "$conf"; }
add() { echo "$*" >>"$conf"; }
# server EXTENSIONS [FROM UNTIL]: a certificate for the broker's key, by the site's authority.
ca_certificate=good/ca/certificate.pem ca_key=kept.pem
server() { sign site/broker/key.pem sluice-broker "$1" "${2:--1}" "${3:-88}" site/broker/certificate.pem; }
name=DNS:sluice-broker
extensions server.ext $name serverAuth
extensions both.ext $name serverAuth,clientAuth
extensions any.ext $name
extensions client.ext $name clientAuth
extensions nameless.ext "" serverAuth

at() { echo "$c:$(line "$1 ")"; }
planted 5 "warning conf-anonymous-latent $(at allow_anonymous)" set_to allow_anonymous true
planted 6 "error conf-anonymous $(at allow_anonymous), error conf-no-certificate $c:$l" \
    "set_to allow_anonymous true; off require_certificate"
planted 5 "warning conf-passwords $c:$l" \
    "off require_certificate; add password_file $work/words; echo 'a:\$7\$101\$salt\$hash' >words; chmod 600 words"
planted 6 "error conf-no-acl $c" off acl_file
planted 0 "note conf-plugin $c:$l" "add plugin /usr/lib/judge.so"
planted 6 "error conf-plain $c:$end, error conf-no-acl $c, warning conf-session-theft $c:$end" \
    "off acl_file; add listener 1883 192.168.1.1"
planted 5 "note conf-plain-local $c:$end, warning conf-session-theft $c:$end" "add listener 1883 127.0.0.1"
planted 6 "error conf-name-unused $c:$l" off use_identity_as_username
planted 5 "warning conf-session-theft $c:$l" off use_username_as_clientid
planted 6 "error conf-no-crl $c:$l" off crlfile
planted 6 "error conf-websockets $c:$end" "add protocol websockets"
planted 6 "error conf-tls-old $(at tls_version)" set_to tls_version tlsv1.1
planted 6 "error conf-ciphers-weak $(at ciphers)" set_to ciphers AES128-SHA:ECDHE-ECDSA-AES128-GCM-SHA256
planted 6 "error conf-ciphers-weak $(at ciphers)" set_to ciphers "AECDH-AES128-SHA:@SECLEVEL=0"
planted 6 "error conf-syntax $(at ciphers)" set_to ciphers NO-SUCH-SUITE
planted 0 "note conf-ciphers-unset $c:$l" "sed -i '/^ciphers /s/^/#/' $conf"
planted 0 "note conf-bind-all $c:$l" set_to listener 18883
planted 5 "warning conf-no-limits $c" off memory_limit
planted 5 "warning conf-no-limits $c" off persistent_client_expiration
planted 0 "note conf-nagle $c" off set_tcp_nodelay
planted 5 "warning conf-root $c:$end" add user root
planted 6 "error conf-syntax $c:$end" add alow_anonymous true
planted 6 "error conf-syntax $c:$end" add allow_anonymous perhaps
planted 6 "error conf-syntax $c:$end" add max_packet_size 4k
planted 6 "error conf-syntax $c:$end" add listener 99999
planted 6 "error conf-syntax $c:$end" add acl_file
planted 6 "error conf-syntax $c:$end" "add certfile $work/site/broker/certificate.pem"
planted 6 "error conf-syntax $c:$end" add bridge_insecure true
planted 6 "error conf-syntax $c:$end" "printf 'log_type all\\0x\\n' >>$conf"
planted 6 "error conf-writable $c" chmod 664 "$conf"
planted 6 "error conf-writable acl" chmod 666 site/broker/acl
planted 6 "error conf-unreadable $c:$end" "add include_dir $work/nowhere"
planted 6 "error conf-unreadable $c" rm "$conf"
planted 6 "error conf-bridge-insecure $c:$((end + 2)), warning conf-bridge-plain $c:$end" \
    "add connection other; add address 192.0.2.1; add bridge_insecure true"
# What is included counts where it stands.
planted 6 "error conf-tls-old more/a.conf:1" \
    "mkdir site/broker/more; sed -i '/^tls_version/d' $conf; add include_dir $work/site/broker/more
     echo tls_version tlsv1 >site/broker/more/a.conf; echo nonsense >site/broker/more/b.txt"
planted 6 "error conf-unreadable again/a.conf:1" \
    "mkdir site/broker/again; add include_dir $work/site/broker/again; echo include_dir $work/site/broker/again >site/broker/again/a.conf"

# The files that it names.
for option in acl_file certfile keyfile crlfile; do
    planted 6 "error conf-file-gone none" set_to $option "$work/site/broker/none"
done
planted 6 "error conf-file-gone acl" ": >site/broker/acl"
planted 6 "error conf-acl-wide acl:1" "echo 'topic readwrite #' >site/broker/acl"
planted 6 "error conf-acl-wide acl:2" "printf 'user eve\ntopic +/#\n' >site/broker/acl"
planted 6 "error conf-acl-broken acl:1" "echo 'tpoic read a/b' >site/broker/acl"
planted 6 "error conf-acl-broken acl:2" "printf 'user eve\ntopic raed a/b\n' >site/broker/acl"
planted 6 "error conf-acl-broken acl:2" "printf 'user eve\ntopic read a/#/b\n' >site/broker/acl"
planted 6 "error conf-acl-broken acl:1" "head -c 2000 /dev/zero | tr '\\0' a >site/broker/acl"
planted 6 "error conf-password-clear words:2, warning conf-passwords $c:$l" \
    "off require_certificate; add password_file words; printf '# ours\neve:secret\n' >site/broker/words; chmod 600 site/broker/words"
planted 6 "error conf-password-exposed words, warning conf-passwords $c:$l" \
    "off require_certificate; add password_file words; echo 'a:\$6\$salt\$hash' >site/broker/words; chmod 644 site/broker/words"
planted 6 "error conf-key-exposed key.pem" chmod 644 site/broker/key.pem
planted 6 "error conf-key-foreign key.pem" cp site/operators/operator/key.pem site/broker/key.pem
planted 6 "error conf-certificate-broken certificate.pem" "echo nothing >site/broker/certificate.pem"
planted 5 "warning conf-certificate-ends certificate.pem" server server.ext -70 19
planted 6 "error conf-certificate-over certificate.pem" server server.ext -90 -1
planted 6 "error conf-certificate-over certificate.pem" server server.ext 2 90
planted 0 "note conf-certificate-long certificate.pem" server server.ext -1 800
planted 6 "error conf-purpose-both certificate.pem" server both.ext
planted 6 "error conf-purpose-both certificate.pem" server any.ext
planted 6 "error conf-purpose-wrong certificate.pem" server client.ext
planted 5 "warning conf-no-host-name certificate.pem" server nameless.ext
planted 6 "error conf-key-short certificate.pem" \
    "openssl genrsa -out small.pem 1024 2>/dev/null; cat small.pem >site/broker/key.pem; server server.ext"
planted 6 "error conf-self-signed certificate.pem" \
    "openssl req -x509 -key site/broker/key.pem -subj /CN=sluice-broker -days 89 -out site/broker/certificate.pem \
        -addext subjectAltName=DNS:sluice-broker -addext extendedKeyUsage=serverAuth"
planted 6 "error conf-authority-none site/operators/operator/certificate.pem, error conf-crl-over crl.pem" \
    "set_to cafile $work/site/operators/operator/certificate.pem; openssl version >/dev/null"
planted 6 "error conf-authority-key site/ca/old.pem" cp kept.pem site/ca/old.pem
planted 6 "error conf-one-name second.pem" \
    "cp site/broker/certificate.pem first.pem; cp site/broker/key.pem first.key
     openssl ecparam -genkey -name prime256v1 -out site/broker/key.pem 2>/dev/null
     server server.ext; cp site/broker/certificate.pem site/broker/second.pem
     cp first.key site/broker/key.pem; cp first.pem site/broker/certificate.pem"
revoke() { # FROM UNTIL: an empty list by the site's authority
    openssl ca -gencrl -config ca.conf -cert good/ca/certificate.pem -keyfile kept.pem \
        -crl_lastupdate "$(date -u -d "$1 days" +%Y%m%d%H%M%SZ)" -crl_nextupdate "$(date -u -d "$2 days" +%Y%m%d%H%M%SZ)" \
        -out site/broker/crl.pem 2>listed || fail "openssl makes no list: $(cat listed)"
}
planted 5 "warning conf-crl-half crl.pem" revoke -20 10
planted 6 "error conf-crl-over crl.pem" revoke -20 -1
planted 6 "error conf-authorities-many site/ca/certificate.pem" \
    "cat good/ca/certificate.pem first/certs/ca.crt first/certs/ca.crt >site/ca/certificate.pem"
planted 6 "error conf-crl-broken crl.pem" "echo nothing >site/broker/crl.pem"
[ $faults -gt 50 ] || fail "only $faults faults were planted"

# Nothing to look at.
expect 6 "conf-unreadable" "$sluice" doctor --config nowhere
expect 6 "conf-unreadable" "$sluice" doctor --config /dev/null
echo "ok: $faults faults"
