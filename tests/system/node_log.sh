#!/bin/sh
# Where log lines go, with a real systemd-journald of this test's own: in a namespace, with /run and
# /dev that nobody else sees. Its /dev/log is the syslog. $1: sluice, $2: sluice-node
# Exit 77: this machine allows no namespaces, or has no journald.
node=$2
journald=/lib/systemd/systemd-journald
. "$(dirname "$0")/cli_lib.sh"

skip() {
    echo "SKIPPED: $*"
    exit 77
}

if [ "${3:-}" != inside ]; then
    [ -x "$journald" ] || skip "$journald is not installed (package systemd)"
    [ -e /etc/machine-id ] || skip "/etc/machine-id is not there, which systemd-journald reads"
    timeout 20 unshare -rm mount -t tmpfs tmpfs /run 2>"$work/why" ||
        skip "no mount in a namespace of our own: $(cat "$work/why")"
    port=$(free_port)
    timeout 20 "$sluice" --site "$work/site" init --no-passphrase --port "$port" >/dev/null &&
        timeout 20 "$sluice" --site "$work/site" node add garden >/dev/null || fail "no site"
    cd / && timeout 100 unshare -rm sh "$0" "$sluice" "$node" inside "$work/site/nodes/garden/identity"
    exit $?
fi

identity=$4
echo 0123456789abcdef0123456789abcdef >machine-id
mount --bind machine-id /etc/machine-id || fail "no machine-id"
mount -t tmpfs tmpfs /run && mkdir -p /run/log/journal /run/systemd/journal || fail "no /run"
mkdir dev && mount -t tmpfs tmpfs dev || fail "no /dev"
for device in null zero full random urandom; do
    : >"dev/$device" && mount --bind "/dev/$device" "dev/$device" || fail "no /dev/$device"
done
ln -s /run/systemd/journal/dev-log dev/log
mount --rbind dev /dev && umount -l dev || fail "no /dev"
"$journald" >journald.log 2>&1 &
pids="$pids $!"
until_true test -S /run/systemd/journal/stdout || fail "journald does not start: $(cat journald.log)"

# run COMMAND...: sluice-node until it has tried to reach its broker, which is not there.
run() {
    "$@" 2>stderr &
    pid=$!
    pids="$pids $pid"
    until_true has_tried || fail "$* does not log: $(cat stderr)"
    kill "$pid" && wait "$pid"
}
find_entry() { journalctl -q -D /run/log/journal -o export "$@" 2>/dev/null; }
# From here on, only what is logged later counts.
forget() { since=$(find_entry -n 1 --show-cursor | sed -n 's/^-- cursor: //p'); }
# has_entry MATCH...: the first one about the broker, into the file entry.
has_entry() {
    find_entry --after-cursor="$since" "$@" | awk -v RS= '/MESSAGE=cannot reach/ { print; exit }' >entry
    [ -s entry ]
}
must_have() {
    for line in "$@"; do
        grep -qx -- "$line" entry || fail "'$line' is not in the entry: $(cat entry)"
    done
}

# As systemd starts a service: stderr is a stream of the journal, and JOURNAL_STREAM names it.
cat >as_service <<'END'
JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2)
export JOURNAL_STREAM
exec "$@"
END

# The journal, by its own protocol, with fields that journalctl can ask for.
forget
has_tried() { has_entry SLUICE_EVENT=DIAL_FAILED; }
run "$node" --identity "$identity" --chip no-chip --log journal
must_have SLUICE_NODE=garden SLUICE_EVENT_CODE=3 SLUICE_A=111 SLUICE_B=0 PRIORITY=4 SYSLOG_IDENTIFIER=sluice-node \
    _TRANSPORT=journal 'MESSAGE=cannot reach the broker (Connection refused.*'
[ ! -s stderr ] || fail "--log journal writes to stderr: $(cat stderr)"

# auto: the same, when stderr is a stream of the journal.
forget
run systemd-cat -t other sh as_service "$node" --identity "$identity" --chip no-chip
must_have SLUICE_NODE=garden _TRANSPORT=journal SYSLOG_IDENTIFIER=sluice-node

# Text on such a stream has its level in front, which journald takes off.
forget
has_tried() { has_entry _TRANSPORT=stdout PRIORITY=4; }
run systemd-cat -t stream sh as_service "$node" --identity "$identity" --chip no-chip --log stderr
must_have SYSLOG_IDENTIFIER=stream 'MESSAGE=cannot reach the broker (Connection refused.*'

# syslog, with event and numbers at the end of the line.
forget
has_tried() { has_entry _TRANSPORT=syslog PRIORITY=4; }
run "$node" --identity "$identity" --chip no-chip --log syslog
must_have SYSLOG_IDENTIFIER=sluice-node SYSLOG_FACILITY=3 \
    'MESSAGE=cannot reach the broker .* node=garden event=DIAL_FAILED code=3 a=111 b=0'

# JSON, an object a line; and text with time and level, when stderr is no journal's.
has_tried() { grep -q 'DIAL_FAILED\|cannot reach' stderr; }
run "$node" --identity "$identity" --chip no-chip --log json
grep -qE '^\{"time":"20[0-9-]+T[0-9:.]+Z","level":"warning","node":"garden","event":"DIAL_FAILED","code":3,"a":111,"b":0,"lost":0,"message":"cannot reach the broker [^"]*"\}$' stderr ||
    fail "no JSON: $(cat stderr)"
! grep -vE '^\{.*\}$' stderr || fail "not all is JSON"
run "$node" --identity "$identity" --chip no-chip
grep -qE '^20[0-9-]+T[0-9:.]+Z warning: cannot reach the broker' stderr || fail "no text: $(cat stderr)"

# No journal, no syslog: the node runs all the same.
kill "${pids%% *}" 2>/dev/null
for sink in journal syslog; do
    rm -f /run/systemd/journal/socket /run/systemd/journal/dev-log
    "$node" --identity "$identity" --chip no-chip --log $sink 2>stderr &
    pid=$!
    sleep 0.3
    kill -0 $pid && kill $pid && wait $pid || fail "--log $sink does not run without one: $(cat stderr)"
done
# What is not written is no success.
for option in --help --version "--identity $identity --chip none --check-config"; do
    # shellcheck disable=SC2086
    "$node" $option >/dev/full 2>stderr
    [ $? = 4 ] && grep -q 'output-unwritten' stderr || fail "$option into a full disk: $(cat stderr)"
done
echo "node_log: ok"
