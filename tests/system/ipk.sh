#!/bin/sh
# The OpenWRT package of a site: its form, what is in it and what is not, and its scripts on a router
# whose programs are recorders, run by busybox as there.
# $1: sluice, $2: ipk.sh
ipk=$2
. "$(dirname "$0")/cli_lib.sh"

"$sluice" --site site init --no-passphrase --port "$(free_port)" >out && "$sluice" --site site node add garden >out || fail "no site"
router_tree() {
    mkdir -p "$1/etc/mosquitto" "$1/etc/sluice/broker" "$1/lib/upgrade/keep.d"
    sed "s|$work/site/broker/|/etc/sluice/broker/|; s|$work/site/ca/|/etc/sluice/broker/ca-|" \
        site/broker/mosquitto.conf >"$1/etc/mosquitto/mosquitto.conf"
    for file in acl certificate.pem key.pem crl.pem; do cp site/broker/$file "$1/etc/sluice/broker"; done
    cp site/ca/certificate.pem "$1/etc/sluice/broker/ca-certificate.pem"
    printf '/etc/sluice/broker/\n/etc/mosquitto/\n' >"$1/lib/upgrade/keep.d/sluice-broker"
}
"$sluice" --site site broker run >broker.log 2>&1 &
broker=$!
pids=$broker
until_true test -s site/broker/mosquitto.conf || fail "no configuration"
router_tree tree
kill $broker

package=$("$ipk" tree packed 2>out) || fail "$(cat out)"
[ "$(stat -c %a "$package")" = 600 ] || fail "others may read the package, and it holds a key"
again=$(umask 022 && TZ=Asia/Tokyo "$ipk" tree again 2>out) || fail "$(cat out)"
cmp "$package" "$again" || fail "the package is not reproducible"

# As opkg reads it: three members in this order, owned by root.
busybox gunzip -c "$package" >package.tar 2>out || fail "$(cat out)"
[ "$(busybox tar -tf package.tar)" = "./debian-binary
./data.tar.gz
./control.tar.gz" ] || fail "not the three members: $(busybox tar -tf package.tar)"
mkdir parts control router
busybox tar -C parts -xf package.tar
[ "$(cat parts/debian-binary)" = 2.0 ] || fail "debian-binary says $(cat parts/debian-binary)"
tar --numeric-owner -tvzf parts/data.tar.gz >list
[ -z "$(awk '$2 != "0/0"' list)" ] || fail "not root's: $(cat list)"
[ "$(awk '{ print $1, $6 }' list)" = "drwxr-xr-x ./
drwxr-xr-x ./etc/
drwxr-xr-x ./etc/sluice/
drwxr-xr-x ./etc/sluice/broker/
-rw-r--r-- ./etc/sluice/broker/acl
-rw-r--r-- ./etc/sluice/broker/ca-certificate.pem
-rw-r--r-- ./etc/sluice/broker/certificate.pem
-rw-r--r-- ./etc/sluice/broker/crl.pem
-rw-r----- ./etc/sluice/broker/key.pem
drwxr-xr-x ./lib/
drwxr-xr-x ./lib/upgrade/
drwxr-xr-x ./lib/upgrade/keep.d/
-rw-r--r-- ./lib/upgrade/keep.d/sluice-broker
drwxr-xr-x ./usr/
drwxr-xr-x ./usr/share/
drwxr-xr-x ./usr/share/sluice/
-rw-r--r-- ./usr/share/sluice/files.sha256
-rw-r--r-- ./usr/share/sluice/mosquitto.conf
-rw-r--r-- ./usr/share/sluice/private" ] || fail "not these files: $(cat list)"
tar -C control -xzpf parts/control.tar.gz
[ "$(ls control | tr '\n' ' ')" = "control postinst prerm " ] || fail "control has $(ls control)"
[ -x control/postinst ] && [ -x control/prerm ] || fail "the scripts cannot be run"
for field in 'Package: sluice-site' 'Architecture: all' 'Depends: mosquitto-ssl' \
    "Installed-Size: $(busybox gunzip -c parts/data.tar.gz | wc -c)" 'Version: [0-9]{8}\.[0-9]{6}' 'Section: net'; do
    grep -qxE "$field" control/control || fail "control lacks '$field': $(cat control/control)"
done
[ "$(basename "$package")" = "sluice-site_$(sed -n 's/^Version: //p' control/control)_all.ipk" ] || fail "its name: $package"
grep -rq "$(sed -n 3p site/ca/key.pem)" parts control && fail "the CA's key is in the package"
[ "$(wc -c <"$package")" -lt 20000 ] || fail "larger than it can be: $(wc -c <"$package")"

# What must not get in, does not.
refused() { # WORDS
    "$ipk" bad packed >out 2>&1 && fail "packed: $1"
    grep -qF -- "$1" out || fail "it did not say '$1': $(cat out)"
    rm -rf bad
    cp -a tree bad
}
cp -a tree bad
cp site/ca/key.pem bad/etc/sluice/broker/ca-key.pem
refused "a private key that is not the server's must not leave this computer: ./etc/sluice/broker/ca-key.pem"
cp site/ca/key.pem bad/etc/sluice/broker/key.pem
refused "does not fit the certificate"
cp site/ca/key.pem bad/etc/sluice/broker/key.pem
cp site/ca/certificate.pem bad/etc/sluice/broker/certificate.pem
refused "is an authority's"
: >bad/etc/sluice/broker/crl.pem
refused "names /etc/sluice/broker/crl.pem, which is not in"
sed -i /^crlfile/d bad/etc/mosquitto/mosquitto.conf
refused "names no crlfile"
ln -s /etc/passwd bad/etc/sluice/passwd
refused "only files and folders can be packed, not ./etc/sluice/passwd"
rm bad/etc/mosquitto/mosquitto.conf
refused "sluice broker install --openwrt"
[ "$(ls packed)" = "$(basename "$package")" ] || fail "a refused package left something: $(ls packed)"

# On a router: its own configuration is there, and Mosquitto runs or does not.
mkdir -p router/etc/init.d router/etc/mosquitto bin
echo "root:x:0:
mosquitto:x:$(id -g):" >router/etc/group
echo "# OpenWRT's own" >router/etc/mosquitto/mosquitto.conf
record() { # FILE NAME
    printf '#!/bin/sh\necho "%s $*" >>"%s"\n' "$2" "$work/calls" >"$1"
    chmod +x "$1"
}
record router/etc/init.d/mosquitto init
record bin/killall killall
# The router's other tools are busybox's too; giving a file away needs root there, and nobody here.
for tool in chmod chown cmp cp mkdir mv rm sed sha256sum tr; do ln -s "$(command -v busybox)" bin/$tool; done
[ "$(id -u)" = 0 ] || { rm bin/chown && record bin/chown chown; }
unpack() { busybox tar -C router -xzf parts/data.tar.gz; }
# script NAME ARGUMENTS...: run on the router, whose root is a folder here; what it called is in calls.
script() {
    name=$1
    shift
    : >calls
    sed "s|^root=.*|root=$work/router|" "control/$name" >run
    PATH=$work/bin:$PATH busybox ash run "$@" >out 2>&1
}
called() { tr '\n' ';' <calls | sed 's/ *;/;/g; s/chown [^;]*;//'; }
put=router/etc/mosquitto/mosquitto.conf
unpack
script postinst || fail "postinst: $(cat out)"
[ "$(called)" = "init enable;init restart;" ] || fail "first installation: $(called)"
cmp tree/etc/mosquitto/mosquitto.conf $put || fail "the configuration is not in its place"
grep -q "OpenWRT's own" $put.before-sluice || fail "the router's configuration is lost"
[ "$(stat -c %a:%g router/etc/sluice/broker/key.pem)" = "640:$(id -g)" ] || fail "Mosquitto cannot read its key"
unpack
script postinst || fail "postinst again: $(cat out)"
[ "$(called)" = "killall -HUP mosquitto;" ] || fail "an upgrade: $(called)"
printf '#!/bin/sh\nexit 1\n' >bin/killall
script postinst || fail "postinst, no broker: $(cat out)"
[ "$(called)" = "init enable;init restart;" ] || fail "an upgrade where no broker ran: $(called)"
# A full flash cuts a file short: the broker must not read it.
head -c 100 tree/etc/sluice/broker/acl >router/etc/sluice/broker/acl
script postinst && fail "a cut access list is taken"
[ "$(called)" = "init stop;" ] && grep -q "not as packed: etc/sluice/broker/acl ; is the flash full" out || fail "a cut file: $(called) $(cat out)"
unpack
sed -i /mosquitto/d router/etc/group
script postinst && fail "without a group mosquitto"
grep -q "is mosquitto-ssl installed" out || fail "no group: $(cat out)"
script prerm upgrade || fail "prerm upgrade"
[ "$(called)" = "" ] || fail "before an upgrade: $(called)"
script prerm || fail "prerm: $(cat out)"
[ "$(called)" = "init stop;" ] && grep -q "OpenWRT's own" $put && [ ! -e $put.before-sluice ] || fail "removal: $(called)"
# Into the image that a builder makes, nothing is started.
cp tree/etc/mosquitto/mosquitto.conf $put
echo "mosquitto:x:$(id -g):" >>router/etc/group
: >calls
IPKG_INSTROOT=$work/router PATH=$work/bin:$PATH busybox ash control/postinst >out 2>&1 || fail "image: $(cat out)"
[ "$(called)" = "" ] || fail "in an image it starts: $(called)"
echo "ipk: ok"
