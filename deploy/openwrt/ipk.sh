#!/bin/sh
# Packs a site's broker files for OpenWRT 24.10 and older (opkg): a gzipped tar of debian-binary,
# data.tar.gz and control.tar.gz. The same folder gives the same package, bit by bit.
# Usage: ipk.sh ROOT FOLDER     ROOT is the router's file tree as 'sluice broker install --openwrt --root
#                               ROOT' writes it.     Gives: FOLDER/sluice-site_VERSION_all.ipk
set -eu
umask 077

fail() {
    echo "ipk: $*" >&2
    exit 1
}
[ $# -eq 2 ] || { echo "usage: ipk.sh ROOT FOLDER" >&2; exit 2; }
parts=$(cd "$(dirname "$0")/ipk" && pwd)
from=$1
[ -f "$from/etc/mosquitto/mosquitto.conf" ] ||
    fail "$from/etc/mosquitto/mosquitto.conf does not exist: write the tree with 'sluice broker install --openwrt --root $from'"
from=$(cd "$from" && pwd)
mkdir -p "$2"
target=$(cd "$2" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
mkdir "$work/data" "$work/control" "$work/package"
tar -C "$from" -cf - . | tar -C "$work/data" --no-same-owner -xf -
cd "$work/data"

strange=$(find . ! -type f ! -type d)
[ -z "$strange" ] || fail "only files and folders can be packed, not $strange"

# What Mosquitto will read must be in the package, and of private keys the server's alone: the one
# that fits the server's certificate, which is no authority's.
named() { sed -n "s|^$1 /||p" etc/mosquitto/mosquitto.conf; }
for setting in acl_file cafile certfile crlfile keyfile; do
    file=$(named $setting)
    [ -n "$file" ] || fail "mosquitto.conf names no $setting: this is no configuration of a site"
    [ -s "$file" ] || fail "mosquitto.conf names /$file, which is not in $from"
done
key=$(named keyfile)
others=$(grep -rl -e '-----BEGIN [A-Z ]*PRIVATE KEY-----' . | grep -vxF "./$key" || true)
[ -z "$others" ] || fail "a private key that is not the server's must not leave this computer: $others"
server=$(named certfile)
[ "$(openssl pkey -in "$key" -pubout 2>/dev/null)" = "$(openssl x509 -in "$server" -noout -pubkey 2>/dev/null)" ] ||
    fail "the key /$key does not fit the certificate /$server"
openssl x509 -in "$server" -noout -ext basicConstraints | grep -q 'CA:FALSE' ||
    fail "the certificate /$server is an authority's: its key must not leave this computer"

# Two packages cannot have one file: mosquitto-ssl has mosquitto.conf, and postinst puts ours there.
mkdir -p usr/share/sluice
mv etc/mosquitto/mosquitto.conf usr/share/sluice/mosquitto.conf
rmdir etc/mosquitto 2>/dev/null || true
echo "$key" >usr/share/sluice/private

# A later state of the site is a later version, so that opkg takes it as an upgrade.
newest=${SOURCE_DATE_EPOCH:-$(find "$from" -type f -printf '%Ts\n' | sort -n | tail -n 1)}
version=$(date -u -d "@$newest" +%Y%m%d.%H%M%S)

find . -type f | sed 's|^\./||' | LC_ALL=C sort | xargs -d '\n' sha256sum >"$work/files.sha256"
mv "$work/files.sha256" usr/share/sluice/files.sha256
find . -type d -exec chmod 0755 {} +
find . -type f -exec chmod 0644 {} +
find . -path './etc/init.d/*' -type f -exec chmod 0755 {} +
chmod 0640 "$key"

cp "$parts/postinst" "$parts/prerm" "$work/control"
chmod 0755 "$work/control"/*
pack() { # FOLDER ENTRY...: a gzipped tar that is the same everywhere
    folder=$1
    shift
    tar -C "$folder" --format=gnu --numeric-owner --owner=0 --group=0 --sort=name --mtime="@$newest" -cf - "$@" |
        gzip -9n
}
pack "$work/data" . >"$work/package/data.tar.gz"
cat >"$work/control/control" <<END
Package: sluice-site
Version: $version
Depends: mosquitto-ssl
Section: net
Architecture: all
Installed-Size: $(gzip -dc "$work/package/data.tar.gz" | wc -c)
Maintainer: the operator of this site
Description: This site's broker
 Configuration, access list, certificates and the server's key of one site of
 Sluice. It holds a key: it is for this site's router alone.
END
chmod 0644 "$work/control/control"
chmod 0755 "$work/control"
pack "$work/control" . >"$work/package/control.tar.gz"
echo 2.0 >"$work/package/debian-binary"
chmod 0644 "$work/package"/*
package=sluice-site_${version}_all.ipk
pack "$work/package" ./debian-binary ./data.tar.gz ./control.tar.gz >"$work/$package"
mv "$work/$package" "$target/$package" # 0600: there is a key in it
echo "$target/$package"
