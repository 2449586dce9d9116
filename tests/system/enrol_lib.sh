# Shared by the tests of 'node enrol', behind cli_lib.sh: $node and $modem are the programs.
# start_node LINE [OPTIONS]: a device of the folder 'device', in $env more of its environment.
start_node() {
    line=$1
    shift
    mkdir -p device
    # shellcheck disable=SC2086
    env $env "$node" --identity device/identity --state device --chip spi --serial "$line" "$@" >node.log 2>&1 &
    device=$!
    pids="$pids $device"
}
env=
end() { # PID
    kill "$1" 2>/dev/null
    wait "$1" 2>/dev/null
}
waits() { until_true grep -q "waiting on the serial line" node.log || fail "$1: $(cat node.log)"; }
fresh_node() { # LINE: one that was never enrolled
    end "$device"
    rm -rf device
    start_node "$1"
    waits "a new device does not wait"
}
start_modem() { # [FAULT]
    rm -f a b modem.log
    "$modem" a b "$@" >modem.log 2>&1 &
    cable=$!
    pids="$pids $cable"
    until_true grep -q ready modem.log || fail "no cable: $(cat modem.log)"
}
fingerprint() { sed -n 's/.*fingerprint: //p' node.log | tail -1; }
serial_of() { openssl x509 -noout -serial -in "site/nodes/$1/certificate.pem" | cut -d= -f2; }
is_revoked() { openssl crl -noout -text -in site/broker/crl.pem | grep -q "Serial Number: $1"; }
enrol() { "$sluice" node enrol "$@"; }

