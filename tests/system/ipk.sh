#!/bin/sh
# The OpenWRT package of a site: its form, what is in it and what is not, and its scripts on a router
# whose programs are recorders, run by busybox as there.
# $1: sluice, $2: ipk.sh
ipk=$2
. "$(dirname "$0")/cli_lib.sh"

"$sluice" --site site init --no-passphrase --port "$(free_port)" >out &&
    "$sluice" --site site node add garden >out || fail "no site: $(cat out)"
"$sluice" --site site broker install --openwrt --bundle bundle.tar >out 2>&1 || fail "no bundle: $(cat out)"
mkdir tree && tar -C tree --no-same-owner -xpf bundle.tar

package=$("$ipk" bundle.tar packed 2>out) || fail "$(cat out)"
[ "$(stat -c %a "$package")" = 600 ] || fail "others may read the package, and it holds a key"
again=$(umask 022 && TZ=Asia/Tokyo "$ipk" bundle.tar again 2>out) || fail "$(cat out)"
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
drwxr-xr-x ./etc/mosquitto/
drwxr-x--- ./etc/mosquitto/sluice/
-rw-r----- ./etc/mosquitto/sluice/SUMS
-rw-r----- ./etc/mosquitto/sluice/acl
-rw-r----- ./etc/mosquitto/sluice/authority.pem
-rw-r----- ./etc/mosquitto/sluice/crl.pem
-rwxr-x--- ./etc/mosquitto/sluice/reload
-rw-r----- ./etc/mosquitto/sluice/server.pem
drwxr-xr-x ./lib/
drwxr-xr-x ./lib/upgrade/
drwxr-xr-x ./lib/upgrade/keep.d/
-rw-r--r-- ./lib/upgrade/keep.d/sluice-broker
drwxr-xr-x ./usr/
drwxr-xr-x ./usr/share/
drwxr-xr-x ./usr/share/sluice/
drwxr-xr-x ./usr/share/sluice/etc/
drwxr-xr-x ./usr/share/sluice/etc/config/
-rw-r--r-- ./usr/share/sluice/etc/config/mosquitto
drwxr-xr-x ./usr/share/sluice/etc/mosquitto/
-rw-r--r-- ./usr/share/sluice/etc/mosquitto/mosquitto.conf" ] || fail "not these files: $(cat list)"
tar -C parts -xzf parts/data.tar.gz ./lib
grep -qx /etc/mosquitto/ parts/lib/upgrade/keep.d/sluice-broker || fail "an upgrade of the system would lose the files"
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
bad=bad/etc/mosquitto/sluice
refused() { # WORDS
    tar -C bad -cf bad.tar .
    "$ipk" bad.tar packed >out 2>&1 && fail "packed: $1"
    grep -qF -- "$1" out || fail "it did not say '$1': $(cat out)"
    rm -rf bad
    cp -a tree bad
}
cp -a tree bad
cp site/ca/key.pem $bad/ca-key.pem
refused "a private key that is not the server's must not leave this computer: ./etc/mosquitto/sluice/ca-key.pem"
cat site/ca/key.pem >>$bad/server.pem
refused "must hold one private key"
openssl ecparam -genkey -name prime256v1 -noout >key 2>out
cat site/broker/certificate.pem key >$bad/server.pem
refused "does not fit the certificate"
cat site/ca/certificate.pem site/ca/key.pem >$bad/server.pem
refused "is an authority's"
chmod 644 $bad/server.pem
refused "can be read by everybody"
: >$bad/crl.pem
refused "names /etc/mosquitto/sluice/crl.pem, which is not in"
sed -i /^crlfile/d bad/etc/mosquitto/mosquitto.conf
refused "names no crlfile"
ln -s /etc/passwd $bad/passwd
refused "only files and folders can be packed, not ./etc/mosquitto/sluice/passwd"
rm bad/etc/mosquitto/mosquitto.conf
refused "sluice broker install --openwrt"
head -c 700 bundle.tar >cut.tar
"$ipk" cut.tar packed >out 2>&1 && fail "a cut bundle is packed"
[ "$(ls packed)" = "$(basename "$package")" ] || fail "a refused package left something: $(ls packed)"

# On a router: its own configuration is there, and Mosquitto runs or does not.
mkdir -p router/etc/init.d router/etc/mosquitto router/etc/config bin
echo "root:x:0:
mosquitto:x:$(id -g):" >router/etc/group
echo "# OpenWRT's own" >router/etc/mosquitto/mosquitto.conf
echo "# OpenWRT's own" >router/etc/config/mosquitto
record() { # FILE NAME
    printf '#!/bin/sh\necho "%s $*" >>"%s"\n' "$2" "$work/calls" >"$1"
    chmod +x "$1"
}
record router/etc/init.d/mosquitto init
# The router's other tools are busybox's too; giving a file away needs root there, and nobody here.
for tool in awk cat chmod chown cmp cp dirname grep ls mkdir mv rm sed sha256sum; do ln -s "$(command -v busybox)" bin/$tool; done
[ "$(id -u)" = 0 ] || { rm bin/chown && record bin/chown chown; }
ours=router/etc/mosquitto/sluice
# Unpacked as opkg does; its own script 'reload' looks for the broker's process in this folder only.
unpack() {
    busybox tar -C router -xzf parts/data.tar.gz
    sed -i "s|/run/mosquitto/mosquitto.pid|$work/none|; s|/var/run/mosquitto.pid|$work/pid|" $ours/reload
}
# script NAME ARGUMENTS...: run on the router, whose root is a folder here; what it called is in calls.
script() {
    name=$1
    shift
    : >calls
    sed "s|^root=.*|root=$work/router|" "control/$name" >run
    PATH=$work/bin:$PATH busybox ash run "$@" >out 2>&1
}
called() { grep -v chown calls | tr '\n' ';' | sed 's/ *;/;/g'; }
put=router/etc/mosquitto/mosquitto.conf
unpack
script postinst || fail "postinst: $(cat out)"
[ "$(called)" = "init enable;init restart;" ] || fail "first installation: $(called)"
for file in mosquitto/mosquitto.conf config/mosquitto; do
    cmp tree/etc/$file router/etc/$file || fail "/etc/$file is not in its place"
    grep -q "OpenWRT's own" router/etc/$file.before-sluice || fail "the router's /etc/$file is lost"
done
[ "$(stat -c %a:%g $ours/server.pem)" = "640:$(id -g)" ] || fail "Mosquitto cannot read its key"
unpack
script postinst || fail "postinst, no broker: $(cat out)"
[ "$(called)" = "init enable;init restart;" ] || fail "an upgrade where no broker runs: $(called)"
(trap 'echo HUP >>calls' HUP; echo ready >>started; while :; do sleep 0.1; done) &
echo $! >pid
pids="$pids $!"
until_true test -s started
unpack
script postinst || fail "postinst again: $(cat out)"
until_true grep -q . calls
[ "$(called)" = "HUP;" ] || fail "an upgrade: $(called)"
# A full flash cuts a file short: the broker must not read it.
head -c 100 tree/etc/mosquitto/sluice/acl >$ours/acl
script postinst && fail "a cut access list is taken"
[ "$(called)" = "init stop;" ] && grep -q "read acl.*Is the flash full?" out || fail "a cut file: $(called) $(cat out)"
unpack
sed -i /mosquitto/d router/etc/group
script postinst && fail "without a group mosquitto"
grep -q "is mosquitto-ssl installed" out || fail "no group: $(cat out)"
script prerm upgrade || fail "prerm upgrade"
[ "$(called)" = "" ] || fail "before an upgrade: $(called)"
script prerm || fail "prerm: $(cat out)"
[ "$(called)" = "init stop;" ] || fail "removal: $(called)"
for file in mosquitto/mosquitto.conf config/mosquitto; do
    grep -q "OpenWRT's own" router/etc/$file && [ ! -e router/etc/$file.before-sluice ] || fail "removal keeps ours: $file"
done
# Into the image that a builder makes, nothing is started.
echo "mosquitto:x:$(id -g):" >>router/etc/group
: >calls
IPKG_INSTROOT=$work/router PATH=$work/bin:$PATH busybox ash control/postinst >out 2>&1 || fail "image: $(cat out)"
[ "$(called)" = "" ] && cmp tree/etc/mosquitto/mosquitto.conf $put || fail "in an image: $(called)"
echo "ipk: ok"
