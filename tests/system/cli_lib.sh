# Shared by the tests of the CLI. $1 is the program; every test works in a folder of its own and
# ends what it started, by process id.
sluice=$1
[ -x "$sluice" ] || { echo "usage: $0 PATH-OF-SLUICE" >&2; exit 2; }
unset SLUICE_SITE
tests=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
pids=
cleanup() {
    for pid in $pids; do kill "$pid" 2>/dev/null; done
    for pid in $pids; do wait "$pid" 2>/dev/null; done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP
cd "$work" || exit 1

fail() {
    echo "FAILED: $*" >&2
    [ -f broker.log ] && sed 's/^/broker: /' broker.log >&2
    exit 1
}

# expect CODE WORDS COMMAND...: the exit code and what stdout or stderr must say.
expect() {
    want=$1 words=$2
    shift 2
    timeout 20 "$@" >out 2>&1
    got=$?
    [ "$got" = "$want" ] || fail "$* gave $got, not $want: $(cat out)"
    grep -qF -- "$words" out || fail "$* did not say '$words': $(cat out)"
}

# Every subcommand, one a line, as --help lists them.
subcommands() {
    "$sluice" --help | sed -n '/^  [a-z]/ { s/^  //; s/  .*//; s/ [A-Z[].*//; p; }'
}

# until_true COMMAND...: at most 10 s.
until_true() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || return 1
        sleep 0.05
    done
}

free_port() {
    while :; do
        port=$(($(od -An -N2 -tu2 /dev/urandom) % 20000 + 20000))
        timeout 5 mosquitto_pub -h 127.0.0.1 -p $port -t x -n 2>&1 | grep -qi refused && break
    done
    echo $port
}

start_broker() {
    rm -f broker.log
    "$sluice" broker run >broker.log 2>&1 &
    broker=$!
    pids="$pids $broker"
    until_true grep -q ' running$' broker.log || fail "the broker does not start"
}

# node_args NAME: options for mosquitto_pub and _sub with the certificate of a node.
node_args() {
    [ -f "$1.key" ] || sh "$tests/node_key.sh" "site/nodes/$1/identity" "$1.key" ||
        fail "no key in the identity of $1"
    echo "-V mqttv5 -i $1 -h 127.0.0.1 -p $port --cafile site/ca/certificate.pem" \
         "--cert site/nodes/$1/certificate.pem --key $1.key"
}
