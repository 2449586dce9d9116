#!/bin/sh
# Packs a site's broker files for OpenWRT 24.10 and older (opkg): a gzipped tar of debian-binary,
# data.tar.gz and control.tar.gz. The same bundle gives the same package, bit by bit.
# Usage: ipk.sh BUNDLE.tar FOLDER     The bundle is what 'sluice broker install --openwrt --bundle'
#                                     writes.     Gives: FOLDER/sluice-site_VERSION_all.ipk
set -eu

fail() {
    echo "ipk: $*" >&2
    exit 1
}
[ $# -eq 2 ] || {
    echo "usage: ipk.sh BUNDLE.tar FOLDER" >&2
    exit 2
}
parts=$(cd "$(dirname "$0")/ipk" && pwd)
[ -f "$1" ] || fail "there is no $1: write it with 'sluice broker install --openwrt --bundle $1'"
mkdir -p "$2"
target=$(cd "$2" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
mkdir "$work/data" "$work/control" "$work/package"
umask 022 # of folders that the bundle does not name; nobody else gets into $work
tar -C "$work/data" --no-same-owner -xpf "$1" || fail "$1 is no whole tar file"
cd "$work/data"

strange=$(find . ! -type f ! -type d)
[ -z "$strange" ] || fail "only files and folders can be packed, not $strange"
conf=etc/mosquitto/mosquitto.conf
[ -f $conf ] || fail "$1 has no /$conf: write it with 'sluice broker install --openwrt'"

# What Mosquitto will read must be in the package, and of private keys the server's alone: the one
# that fits the server's certificate, which is no authority's.
for setting in acl_file cafile certfile crlfile keyfile; do
    file=$(sed -n "s|^$setting /||p" $conf)
    [ -n "$file" ] || fail "mosquitto.conf names no $setting: this is no configuration of a site"
    [ -s "$file" ] || fail "mosquitto.conf names /$file, which is not in $1"
    eval "$setting=\$file"
done
# shellcheck disable=SC2154 # assigned above
others=$(grep -rl -e '-----BEGIN [A-Z ]*PRIVATE KEY-----' . | grep -vxF "./$keyfile" || true)
[ -z "$others" ] || fail "a private key that is not the server's must not leave this computer: $others"
[ "$(grep -c -e '-----BEGIN [A-Z ]*PRIVATE KEY-----' "$keyfile")" = 1 ] || fail "/$keyfile must hold one private key"
# shellcheck disable=SC2154
[ "$(openssl pkey -in "$keyfile" -pubout 2>/dev/null)" = "$(openssl x509 -in "$certfile" -noout -pubkey 2>/dev/null)" ] ||
    fail "the key in /$keyfile does not fit the certificate in /$certfile"
openssl x509 -in "$certfile" -noout -ext basicConstraints | grep -q 'CA:FALSE' ||
    fail "the certificate in /$certfile is an authority's: its key must not leave this computer"
[ -z "$(find "$keyfile" -perm /027)" ] || fail "/$keyfile can be read by everybody, or written by others"

# A later bundle is a later version, so that opkg takes it as an upgrade.
newest=${SOURCE_DATE_EPOCH:-$(find . -type f -printf '%Ts\n' | sort -n | tail -n 1)}
version=$(date -u -d "@$newest" +%Y%m%d.%H%M%S)

# Two packages cannot have one file: mosquitto-ssl has these, and postinst puts ours there.
for file in $conf etc/config/mosquitto; do
    mkdir -p "usr/share/sluice/${file%/*}"
    mv "$file" "usr/share/sluice/$file"
done
rmdir etc/config 2>/dev/null || true

cp "$parts/postinst" "$parts/prerm" "$work/control"
chmod 0755 "$work/data" "$work/control" "$work/control"/*
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
pack "$work/control" . >"$work/package/control.tar.gz"
echo 2.0 >"$work/package/debian-binary"
package=sluice-site_${version}_all.ipk
umask 077 # there is a key in it
pack "$work/package" ./debian-binary ./data.tar.gz ./control.tar.gz >"$work/$package"
mv "$work/$package" "$target/$package"
echo "$target/$package"
