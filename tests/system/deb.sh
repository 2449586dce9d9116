#!/bin/sh
# The Debian packages: built twice, they are the same; into a root of this test they are installed,
# upgraded, removed and purged; what is in them runs.
# Usage: deb.sh SOURCES
set -eu
sources=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
cd "$work"
fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# Another folder, language, time zone and umask; and no network, where this machine lets us do without.
offline=
unshare -rn true 2>/dev/null && offline="unshare -rn"
"$sources/tools/dev/deb.sh" one >out 2>&1 || fail "$(cat out)"
mkdir -p another/folder && (
    umask 077
    TMPDIR=$work/another/folder LC_ALL=C.UTF-8 TZ=Asia/Tokyo $offline "$sources/tools/dev/deb.sh" two
) >out 2>&1 || fail "$(cat out)"
echo "built twice${offline:+, the second time without a network}"
ls one/*.deb two/*.deb >out
[ "$(wc -l <out)" = 4 ] || fail "not two packages: $(cat out)"
for package in one/*.deb; do cmp "$package" "two/${package#one/}" || fail "$package is not reproducible"; done

# The text of the licence, and the version, stand in several places.
sed '1,/^License: Expat$/d' "$sources/debian/copyright" | sed '1,/^License: Expat$/d; s/^ //; s/^\.$//' >copyright
sed '1,4d' "$sources/LICENSE" | diff - copyright || fail "debian/copyright is not LICENSE"
sed -n 3p "$sources/LICENSE" | grep -qF "$(sed -n 's/^Copyright: \([0-9-]*\) .*/\1/p' "$sources/debian/copyright")" ||
    fail "debian/copyright has other years than LICENSE"

as_root=
[ "$(id -u)" = 0 ] || as_root=fakeroot
mkdir -p root/var/lib/dpkg/info root/var/lib/dpkg/updates root/etc
: >root/var/lib/dpkg/status
# What the packages need is on this machine, not in that root; their scripts act on the root all the same.
in_root() {
    $as_root dpkg --root="$work/root" --force-script-chrootless --force-depends --log=/dev/null "$@" >out 2>&1 ||
        fail "dpkg $*: $(cat out)"
}
state() { dpkg-query --admindir=root/var/lib/dpkg -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | cut -c1-2; }

in_root -i one/*.deb
for package in sluice-cli sluice-node; do [ "$(state $package)" = ii ] || fail "$package is not installed"; done
for file in usr/bin/sluice usr/bin/sluice-node lib/systemd/system/sluice-node@.service \
    lib/systemd/system/sluice-maintain.service lib/systemd/system/sluice-maintain.timer \
    usr/lib/sysusers.d/sluice.conf lib/udev/rules.d/60-sluice.rules usr/share/sluice/node.conf \
    usr/share/bash-completion/completions/sluice usr/share/zsh/vendor-completions/_sluice \
    usr/share/doc/sluice-cli/copyright usr/share/doc/sluice-node/service.md.gz; do
    [ -s "root/$file" ] || fail "$file is not installed"
done
[ -d root/etc/sluice ] || fail "no folder for the configurations"
[ -z "$(find root/etc/systemd -type l 2>/dev/null)" ] || fail "a service is enabled before it is configured"
[ -z "$(find root -perm /6022 ! -type l)" ] || fail "too many rights: $(find root -perm /6022 ! -type l)"
grep -q '^gpio:' root/etc/group && grep -q '^spi:' root/etc/group || fail "the groups of the devices are not made"
version=$(dpkg-deb -f one/sluice-cli_*.deb Version)
root/usr/bin/sluice --version | grep -qxF "sluice $version" || fail "sluice has another version than its package"
root/usr/bin/sluice-node --version | grep -q "^sluice-node $version\b" || fail "sluice-node has another version"
root/usr/bin/sluice --site "$work/site" init --no-passphrase >out 2>&1 || fail "sluice does not run: $(cat out)"
for page in 1/sluice 1/sluice-on 7/sluice-errors 8/sluice-node; do
    MANPATH=$work/root/usr/share/man man -w "${page%/*}" "${page#*/}" >out 2>&1 ||
        fail "man does not find ${page#*/}: $(cat out)"
done
# shellcheck disable=SC2016
bash -c '. root/usr/share/bash-completion/completions/sluice && complete -p sluice' >out 2>&1 || fail "completion: $(cat out)"
# systemd takes the unit; the program stands where it says.
for unit in sluice-node@.service sluice-maintain.service sluice-maintain.timer; do
    sed "s|=/usr/bin/|=$work/root/usr/bin/|" "root/lib/systemd/system/$unit" >"$unit"
done
systemd-analyze verify --man=no "$work"/sluice-*.service "$work/sluice-maintain.timer" >out 2>&1 && [ ! -s out ] ||
    fail "the units: $(cat out)"

# The scripts on a machine that runs systemd and udev: their programs are recorders here.
mkdir -p bin run/systemd/system
python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' run/udev.control
for program in systemctl deb-systemd-invoke udevadm systemd-sysusers; do
    # shellcheck disable=SC2016
    printf '#!/bin/sh\necho "%s $*" >>"%s"\n' "$program" "$work/calls" >bin/$program
    chmod +x bin/$program
done
# calls SCRIPT ARGUMENTS...: what it has them do, but for reading anew what is installed.
calls() {
    script=$1
    shift
    sed "s|/run/udev/control|$work/run/udev.control|; s|/run/systemd|$work/run/systemd|" \
        "root/var/lib/dpkg/info/sluice-node.$script" >script
    : >calls
    PATH=$work/bin:$PATH sh script "$@" || fail "$script $* ends with an error"
    grep -v -e daemon-reload -e '^systemd-sysusers' -e 'udevadm control' calls || true
}
trigger='udevadm trigger --subsystem-match=gpio --subsystem-match=spidev'
[ "$(calls postinst configure "")" = "$trigger" ] || fail "installed, it does: $(cat calls)"
[ "$(calls postinst configure 0.0.9)" = "$trigger
deb-systemd-invoke try-restart sluice-node@*.service" ] || fail "upgraded, it does: $(cat calls)"
[ "$(calls prerm upgrade 9)" = "" ] || fail "before an upgrade it does: $(cat calls)"
[ "$(calls prerm remove)" = "deb-systemd-invoke stop sluice-node@*.service" ] || fail "removed, it does: $(cat calls)"

# What people and nodes wrote outlives an upgrade and a removal; a purge takes what nodes wrote.
mkdir -p root/var/lib/private/sluice/garden root/etc/systemd/system/multi-user.target.wants
echo key >root/etc/sluice/garden.identity
echo records >root/var/lib/private/sluice/garden/records
ln -s /lib/systemd/system/sluice-node@.service root/etc/systemd/system/multi-user.target.wants/sluice-node@garden.service
dpkg-deb -R one/sluice-node_*.deb next
sed -i 's/^Version: .*/&.1/' next/DEBIAN/control
dpkg-deb --root-owner-group -b next next.deb >out || fail "$(cat out)"
in_root -i next.deb
[ "$(state sluice-node)" = ii ] && [ -s root/usr/bin/sluice-node ] || fail "not upgraded"
in_root -r sluice-node sluice-cli
[ ! -e root/usr/bin/sluice ] && [ ! -e root/usr/bin/sluice-node ] || fail "a removed program is there"
[ -s root/etc/sluice/garden.identity ] && [ -s root/var/lib/private/sluice/garden/records ] ||
    fail "a removal took what is not the package's"
in_root -P sluice-node sluice-cli
[ -s root/etc/sluice/garden.identity ] || fail "the purge took an identity that a person put there"
left=$(find root -path root/var/lib/dpkg -prune -o \( -name '*sluice*' -o -path '*sluice*' \) -print |
    grep -vx -e root/etc/sluice -e root/etc/sluice/garden.identity || true)
[ -z "$left" ] || fail "left after the purge: $left"
echo "deb: ok"
