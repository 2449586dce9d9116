#!/bin/sh
# The whole life of a device on the virtual ESP8266, against the real Mosquitto and the relay chip's
# firmware: enrolled over its serial line, commanded, renewed, restarted, revoked, and replaced under the
# same name. No identity ever comes from a file.
# $1 sluice, $2 sluice-board, $3 sluice-chip, $4 the chip's firmware
. "$(dirname "$0")/../system/cli_lib.sh"
board=$2 chip=$3 firmware=$4

port=$(free_port)
expect 0 "is made" "$sluice" init --no-passphrase --port $port
start_broker
"$chip" --elf "$firmware" --spi "$work/spi" --control "$work/control" >chip.log 2>&1 &
pids="$pids $!"

start_board() { # OPTION...
    "$board" --serial "pty:$work/tty" --state "$work" --chip "$work/spi" "$@" >board.log 2>&1 &
    board_pid=$!
    pids="$pids $board_pid"
}
heard() { until_true grep -q -- "$*" board.log || fail "the board did not say '$*': $(cat board.log)"; }
stop_board() { kill "$board_pid"; wait "$board_pid"; }
serial() { openssl x509 -noout -serial -in site/nodes/garden/certificate.pem; }
flash_has_one_identity() { [ "$(grep -ao SLID flash | wc -l)" = 1 ]; }
# The person at the desk: what the device shows is what the command is told.
enrol() { # OPTION...
    "$sluice" node enrol garden --port "$work/tty" --yes "$@" >enrol.log 2>&1 || fail "enrol: $(cat enrol.log)"
    shown=$(sed -n 's/.*fingerprint of the device.s key is //p' enrol.log)
    [ -n "$shown" ] || fail "no fingerprint: $(cat enrol.log)"
    heard "fingerprint: $shown"
}

# --- a new board has nothing, and gets a key of its own ---
start_board
heard "waiting on the serial line"
enrol
heard "connected: MQTT"
heard "the relay chip answers"
LC_ALL=C grep -q '[^ -~]' board.log && fail "frames in the log: $(cat board.log)"
[ ! -e site/nodes/garden/identity ] || fail "the site holds the device's key"
flash_has_one_identity || fail "one identity should be in the flash"
expect 0 "confirmed at the pin" "$sluice" on garden 2 120
expect 0 "zone 2 off, confirmed" "$sluice" off garden 2

# --- renewed, and the renewed identity outlives the power ---
first=$(serial)
expect 0 "garden: connected with its new key" "$sluice" renew garden
[ "$(serial)" != "$first" ] || fail "the certificate is still the first one"
heard "the new identity works"
until_true flash_has_one_identity || fail "the old identity is still in the flash"
stop_board
start_board
heard "connected: MQTT"
heard "the relay chip answers"
expect 0 "confirmed at the pin" "$sluice" on garden 3 120

# --- revoked: out at once, and after a restart ---
expect 0 "garden" "$sluice" node revoke garden
heard "cannot reach the broker\|refused our certificate\|next attempt in"
expect 3 "garden" "$sluice" off garden 3
stop_board
start_board
heard "next attempt in"
grep -q "connected: MQTT" board.log && fail "a revoked board is let in"
stop_board

# --- replaced under the same name, by its reset button ---
start_board --reset
heard "waiting on the serial line"
enrol --replace
heard "connected: MQTT protocol level 5, full TLS handshake"
heard "the relay chip answers"
expect 0 "confirmed at the pin" "$sluice" on garden 4 120
flash_has_one_identity || fail "the revoked identity is still in the flash"
grep -q "fault" board.log && fail "$(cat board.log)"
echo ok
