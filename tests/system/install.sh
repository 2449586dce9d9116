#!/bin/sh
# 'make install' into folders of this test, and what systemd says of the unit.
# $1: sluice, $2: build folder, $3: cmake
build=$2 cmake=$3
. "$(dirname "$0")/cli_lib.sh"

DESTDIR=$work/dest "$cmake" --install "$build" --prefix /usr >out 2>&1 || fail "$(cat out)"
for file in usr/bin/sluice usr/bin/sluice-node usr/lib/systemd/system/sluice-node@.service \
    usr/lib/systemd/system/sluice-maintain.service usr/lib/systemd/system/sluice-maintain.timer \
    usr/lib/systemd/system/sluice-renew.service \
    usr/lib/sysusers.d/sluice.conf usr/lib/udev/rules.d/60-sluice.rules usr/share/man/man8/sluice-node.8 \
    usr/share/sluice/node.conf usr/share/man/man1/sluice.1 usr/share/man/man1/sluice-node-add.1 \
    usr/share/man/man7/sluice-errors.7 usr/share/bash-completion/completions/sluice \
    usr/share/zsh/site-functions/_sluice; do
    [ -s "dest/$file" ] || fail "$file is not installed: $(cat out)"
done
(cd dest && find . -type f | sort)
[ -z "$(find dest -name '*chip*')" ] || fail "the simulated chip is no product"
[ -z "$(find dest -perm /022 ! -type l)" ] || fail "others may write: $(find dest -perm /022)"
grep -q '^ExecStart=/usr/bin/sluice-node ' dest/usr/lib/systemd/system/sluice-node@.service || fail "PREFIX is not in the unit"
expect 0 'sluice-node ' dest/usr/bin/sluice-node --version

DESTDIR=$work/dest "$cmake" --install "$build" --component openwrt >out 2>&1 || fail "$(cat out)"
[ -x dest/etc/init.d/sluice-node ] && grep -qx /etc/sluice/ dest/lib/upgrade/keep.d/sluice || fail "OpenWRT's files: $(cat out)"

# Where the program is as installed, systemd has nothing to say against the unit.
"$cmake" --install "$build" --prefix "$work/usr" >out 2>&1 || fail "$(cat out)"
unit=$work/usr/lib/systemd/system/sluice-node@.service
systemd-analyze verify --man=no "$unit" >out 2>&1 && [ ! -s out ] || fail "systemd-analyze verify: $(cat out)"
# In tenths: 'OK' ends at 4.9, 'safe' is below 2.0.
systemd-analyze security --offline=true --no-pager --threshold=15 "$unit" >out 2>&1 || fail "exposure above 1.5: $(cat out)"
tail -n 1 out
for name in sluice-renew.service sluice-maintain.service sluice-maintain.timer; do
    unit=$work/usr/lib/systemd/system/$name
    systemd-analyze verify --man=no "$unit" >out 2>&1 && [ ! -s out ] || fail "systemd-analyze verify: $(cat out)"
done
systemd-analyze security --offline=true --no-pager --threshold=45 "${unit%.timer}.service" >out 2>&1 ||
    fail "exposure above 4.5: $(cat out)"
tail -n 1 out
systemd-sysusers --root="$work" --dry-run "$work/usr/lib/sysusers.d/sluice.conf" >out 2>&1 || fail "sysusers: $(cat out)"
echo "install: ok"
