#!/bin/sh
# The other traps, of names and limits: each on a naive set-up and on ours.
# $1: sluice, $2: bearssl_trust, $3: libtell_nodelay
. "$(dirname "$0")/cli_lib.sh"
. "$tests/broker_lib.sh"
trust=$2 shim=$3
port=$(free_port)
expect 0 "is made" "$sluice" init --no-passphrase --port "$port"
expect 0 "is made" "$sluice" node add garden --base irrigation
node_args garden >/dev/null
make_root
expect 0 "next:" "$sluice" broker install --root root

# 7. BearSSL asks no certificate what it is for: one of a device that is called like the broker is the
# broker's. Ours cannot be called so, and have a name that is nobody's.
der() { openssl x509 -in "$1" -outform DER -out "$2"; }
der site/ca/certificate.pem ca.der
der site/nodes/garden/certificate.pem garden.der
der site/broker/certificate.pem broker.der
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout device.key -subj /CN=sluice-broker 2>/dev/null >req.pem
printf 'extendedKeyUsage=clientAuth\n' >ext
openssl x509 -req -in req.pem -CA site/ca/certificate.pem -CAkey site/ca/key.pem -days 9 -extfile ext -outform DER \
    -out device.der 2>/dev/null || fail "openssl cannot sign"
[ "$("$trust" ca.der broker.der sluice-broker)" = 0 ] || fail "trap 7: the broker is not itself"
[ "$("$trust" ca.der device.der sluice-broker)" = 0 ] || fail "trap 7 is void: BearSSL refuses the device"
[ "$("$trust" ca.der garden.der garden)" = 56 ] || fail "trap 7: ours passes under its own name"
[ "$("$trust" ca.der garden.der sluice-broker)" = 56 ] || fail "trap 7: ours passes as the broker"
expect 1 "is the name of the broker" "$sluice" node add sluice-broker

# 11. OpenSSL keeps a session of some 10 kB for every full handshake with a client that takes no ticket
# (BearSSL), 20480 of them, which Mosquitto's own memory_limit does not count. The unit has room for all, and an end; Debian's own has none.
start_mosquitto
memory() { awk '/^VmRSS/ { print $2 }' "/proc/$mosquitto/status"; }
handshakes() {
    n=0
    while [ $n -lt "$1" ]; do
        (sleep 0.02) | openssl s_client -connect "127.0.0.1:$port" -tls1_2 -no_ticket -key garden.key \
            -cert site/nodes/garden/certificate.pem >tls 2>&1
        n=$((n + 1))
    done
}
handshakes 20
before=$(memory)
handshakes 100
each=$((($(memory) - before) * 1024 / 100))
[ $each -gt 1000 ] || fail "trap 11 is void: a handshake leaves $each bytes"
unit=root/etc/systemd/system/mosquitto.service.d/sluice.conf
room=$(sed -n 's/^MemoryMax=\([0-9]*\)M$/\1/p' $unit)
need=$(((20480 * each + 2000 * 23000 + 67108864) / 1048576))
[ "$room" -ge $need ] || fail "trap 11: $room MB of room, $need needed"
[ ! -f /lib/systemd/system/mosquitto.service ] || ! grep -q MemoryMax /lib/systemd/system/mosquitto.service ||
    fail "trap 11 is void: Debian's unit has a limit"
end_mosquitto

# 12. Nagle's algorithm, which holds back a command for 40 ms, is on unless somebody switches it off.
delays() { # [SED-SCRIPT]: what Mosquitto asks for when a client comes
    : >nodelay
    chmod 666 nodelay # Mosquitto is its own user
    preload="LD_PRELOAD=$shim SL_NODELAY=$work/nodelay"
    start_mosquitto "$1"
    preload=
    # shellcheck disable=SC2046
    timeout 10 mosquitto_pub $("$sluice" client-args) -t irrigation/zone/off -m x -q 1 || fail "the operator is out"
    end_mosquitto
    [ ! -s nodelay ]
}


delays /set_tcp_nodelay/d || fail "trap 12 is void: $(cat nodelay)"
delays "" && fail "trap 12: ours leaves Nagle's algorithm on"

# 13. With the usual limit of open files Mosquitto lets no more in before max_connections is reached.
sed -n 's/^LimitNOFILE=//p' $unit >limit
[ "$(cat limit)" -gt $(($(sed -n 's/^max_connections //p' root/etc/mosquitto/conf.d/sluice.conf) + 100)) ] ||
    fail "trap 13: LimitNOFILE=$(cat limit) is too low"
crowd() { # LIMIT: is there room for one more besides forty?
    rm -f crowd.ready
    (
        # shellcheck disable=SC3045 # dash and bash have it
        ulimit -n "$1"
        exec "$(command -v mosquitto || echo /usr/sbin/mosquitto)" -c running.conf
    ) >broker.log 2>&1 &
    mosquitto=$!
    pids="$pids $mosquitto"
    until_true grep -q ' running$' broker.log || fail "mosquitto does not start"
    python3 - "$port" <<'END' &
import socket, sys, time
crowd = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(40)]
open("crowd.ready", "w").close()
time.sleep(20)
END
    crowd=$!
    pids="$pids $crowd"
    until_true test -e crowd.ready || fail "no crowd"
    # shellcheck disable=SC2046
    timeout 3 mosquitto_pub $("$sluice" client-args) -t irrigation/zone/off -m x -q 1 >said 2>&1
    room=$?
    kill $crowd
    end_mosquitto
    return $room
}
crowd 48 && fail "trap 13 is void: there is room beyond the limit"
crowd "$(cat limit)" || fail "trap 13: no room: $(cat said)"
echo "ok"
