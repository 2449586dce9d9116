#!/bin/sh
# The OpenWRT script, run by busybox ash with procd's functions as recorders.
# $1: sluice, $2: sluice-node, $3: the script
node=$2 script=$3
. "$(dirname "$0")/cli_lib.sh"
busybox ash -n "$script" || fail "busybox ash does not take $script"

"$sluice" --site site init --no-passphrase >out && "$sluice" --site site node add garden >out || fail "no site"
mkdir conf
for name in garden 'north bed' broken; do
    cp -p site/nodes/garden/identity "conf/$name.identity"
    echo "chip = /run/sluice/$name.spi" >"conf/$name.conf"
done
echo "at_once = 2" >>conf/broken.conf
cp -p site/nodes/garden/identity conf/idle.identity # no configuration: not started

# procd FUNCTION ARGUMENTS...: what the script tells procd and the log, a line each.
cat >procd <<'END'
note() {
    local word
    for word in "$@"; do printf '[%s]' "$word"; done
    echo
}
procd_open_instance() { note open "$@"; }
procd_close_instance() { note close; }
procd_set_param() { note "$@"; }
procd_add_reload_trigger() { note trigger "$@"; }
logger() { note logger "$@"; }
. "$SCRIPT"
"$@"
END
procd() { SCRIPT=$script SLUICE_PROGRAM=$node SLUICE_DIR=$work/conf busybox ash procd "$@" 2>&1; }

procd start_service >told || fail "start_service gave $?: $(cat told)"
for name in garden 'north bed'; do
    cat >want <<END
[open][$name]
[command][$node][--config][$work/conf/$name.conf][--identity][$work/conf/$name.identity][--state][$work/conf/state/$name][--log][syslog]
[respawn][60][5][0]
[no_new_privs][1]
[file][$work/conf/$name.conf][$work/conf/$name.identity]
[limits][core=0]
[term_timeout][10]
[stderr][1]
[close]
END
    sed -n "/^\[open\]\[$name\]/,/^\[close\]/p" told >got
    diff want got || fail "$name is started in another way"
    [ "$(stat -c %a "conf/state/$name")" = 700 ] || fail "the state of $name is open to others"
done
[ "$(grep -c '^\[open\]' told)" = 2 ] || fail "not two instances: $(cat told)"
grep -q "^\[logger\].*node broken is not started: .*broken.conf:2: 'at_once' is no setting: did you mean 'at-once'?" told ||
    fail "nothing is said about the broken one: $(cat told)"

procd start_service garden >told
[ "$(grep -c '^\[open\]' told)" = 1 ] || fail "'start garden' starts others: $(cat told)"
rm conf/*.conf
procd start_service >told && [ ! -s told ] || fail "something is started without a configuration"
procd service_triggers >told
grep -qx '\[trigger\]\[sluice\]' told || fail "no trigger: $(cat told)"
grep -q '^USE_PROCD=1$' "$script" && head -n 1 "$script" | grep -qx '#!/bin/sh /etc/rc.common' || fail "not rc.common's"

# What the script gives to procd is a command that the node takes.
echo "chip = none" >conf/garden.conf
expect 0 'the configuration is good' "$node" --config conf/garden.conf --identity conf/garden.identity \
    --state conf/state/garden --log syslog --check-config
echo "node_procd: ok"
