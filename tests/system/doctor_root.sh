#!/bin/sh
# What only root can plant for 'sluice doctor': files of other users, and a broker of root's that
# others can reach. $1 sluice
. "$(dirname "$0")/cli_lib.sh"
port=$(free_port)
expect 0 "is made" "$sluice" init --no-passphrase --port "$port" --bind 0.0.0.0
chown 1 site/broker/acl
expect 6 "error file-foreign $work/site/broker/acl" "$sluice" doctor --no-probe
grep -q "1 error, 1 warning, 1 note" out || fail "more than one: $(cat out)"
chown 0 site/broker/acl
start_broker
expect 5 "warning broker-root mosquitto" "$sluice" doctor
grep -q "0 errors, 2 warnings, 1 note" out || fail "more than one: $(cat out)"
