#!/bin/sh
# A real Mosquitto under 'broker run': who gets in, who may do what, and what on, off, status and
# watch say. The node is played by mosquitto_sub and mosquitto_pub with the node's own certificate.
. "$(dirname "$0")/cli_lib.sh"
port=$(free_port)
expect 0 "is made" "$sluice" init --no-passphrase --port "$port" --operator anna --operator bob
expect 0 "is made" "$sluice" node add garden --base irrigation
expect 0 "is made" "$sluice" node add pond
expect 3 "nothing listens at 127.0.0.1:$port" "$sluice" on garden 2 120

# The port: taken, free, taken by ourselves.
expect 0 "is made" "$sluice" --site second init --no-passphrase --port "$port"
start_broker
expect 1 "runs already (process $broker)" "$sluice" broker run
expect 1 "port $port on 127.0.0.1 is taken" "$sluice" --site second broker run
expect 3 "not of this site" "$sluice" --site second status

anna() { "$sluice" client-args --operator anna "$@"; }
# Without a certificate, with one for another purpose, with one of another site: no.
ca="-V mqttv5 -h 127.0.0.1 -p $port --cafile site/ca/certificate.pem"
let_in() {
    # shellcheck disable=SC2086
    timeout 10 mosquitto_pub "$@" -t irrigation/zone/on -m "2 120" -q 1 >out 2>&1
}
# shellcheck disable=SC2046,SC2086
{
    let_in $(anna) || fail "anna is not let in: $(cat out)"
    let_in $ca && fail "no certificate was needed"
    let_in $ca --cert site/broker/certificate.pem --key site/broker/key.pem &&
        fail "the broker's certificate served as a client's"
    let_in $ca --cert second/operators/operator/certificate.pem \
        --key second/operators/operator/key.pem && fail "a stranger's certificate was taken"
    let_in $(anna) -V mqttv311 || fail "3.1.1 is not let in: $(cat out)"
    # The original project's quick test gives no client id; the certificate's name stands in.
    let_in -h 127.0.0.1 -p $port --cafile site/ca/certificate.pem \
        --cert site/operators/anna/certificate.pem --key site/operators/anna/key.pem ||
        fail "a client without an id is not let in: $(cat out)"
    grep -q "as anna (p2, c1.* u'anna')" broker.log || fail "it was not called by its certificate"
}

# Options from a file, as Mosquitto's clients read their defaults, also when the site's path has blanks.
mkdir "$work/b c" config
ln -s "$work/site" "$work/b c/site"
for client in pub sub; do
    watch=; [ $client = sub ] && watch=--watch
    # shellcheck disable=SC2086
    "$sluice" client-args --operator anna $watch --write config/mosquitto_$client >out 2>&1 || fail "$(cat out)"
    [ ! -s out ] && [ "$(stat -c %a config/mosquitto_$client)" = 600 ] || fail "--write: $(cat out)"
done
sed -i "s,$work/site,$work/b c/site," config/mosquitto_pub
XDG_CONFIG_HOME=$work/config let_in || fail "the file of options does not let in: $(cat out)"
"$sluice" client-args --operator bob --write config/mosquitto_pub || fail "our own file stays"
grep -qx -e "-i bob" config/mosquitto_pub || fail "our own file was not replaced"
echo "-h elsewhere" >config/other
expect 1 "was not replaced" "$sluice" client-args --write config/other
grep -qx -e "-h elsewhere" config/other || fail "somebody's file was replaced"
: >config/empty
ln -s mosquitto_pub config/link
for other in config config/empty config/link /dev/null; do # no advice to restore these, or to remove them
    expect 1 "$other was not made by this command, and was not replaced: choose another name" \
        "$sluice" client-args --write "$other"
done
expect 4 "cannot write nowhere/file" "$sluice" client-args --write nowhere/file

# What each may write: the broker's own word (MQTT 5) for the topic.
may_write() { # NAME-OPTIONS TOPIC
    # shellcheck disable=SC2086
    timeout 10 mosquitto_pub $1 -t "$2" -m probe -q 1 >out 2>&1 && ! grep -qi "not auth" out
}
garden=$(node_args garden)
for topic in irrigation/zone/0/state irrigation/report irrigation/refused irrigation/availability \
             irrigation/answer/anna irrigation/answer/bob; do
    may_write "$garden" $topic || fail "garden cannot write $topic: $(cat out)"
done
for topic in irrigation/zone/on irrigation/zone/0/set irrigation/zone/8/state irrigation/answer/eve \
             irrigation/pond/report irrigation/pond/zone/on irrigation other '$SYS/x'; do
    may_write "$garden" $topic && fail "garden can write $topic"
done
for topic in irrigation/zone/on irrigation/zone/off irrigation/zone/status irrigation/zone/7/set \
             irrigation/pond/zone/on; do
    may_write "$(anna)" $topic || fail "anna cannot write $topic: $(cat out)"
    may_write "$(anna --watch)" $topic && fail "anna-watch can write $topic"
done
for topic in irrigation/report irrigation/zone/0/state irrigation/answer/anna irrigation/availability; do
    may_write "$(anna)" $topic && fail "anna can write $topic"
done

# What each may read: everything is published, and only what is allowed arrives.
listen() { # FILE OPTIONS...: lines with "got" in FILE; returns when the broker listens
    file=$1
    shift
    rm -f "$file"
    # -d: it says when it has subscribed. stdbuf: it says so at once.
    stdbuf -oL mosquitto_sub "$@" -d -q 1 -W 20 >"$file" 2>&1 &
    listener=$!
    pids="$pids $listener"
    until_true grep -q '^Subscribed' "$file" || fail "cannot listen: $(cat "$file")"
}
# shellcheck disable=SC2086
reads() { listen reads.out $1 -t '#' -F 'got %t'; }
reads "$(node_args pond)"
may_write "$(anna)" irrigation/zone/on && may_write "$(anna)" irrigation/pond/zone/on ||
    fail "anna cannot switch"
may_write "$garden" irrigation/answer/anna || fail "garden cannot answer"
until_true grep -q ^got reads.out || fail "pond hears nothing"
kill "$listener" && wait "$listener" 2>/dev/null
[ "$(grep ^got reads.out | sort -u)" = "got irrigation/pond/zone/on" ] || fail "pond hears $(cat reads.out)"
reads "$(anna --watch)"
may_write "$garden" irrigation/answer/anna && may_write "$(anna)" irrigation/zone/on &&
    may_write "$garden" irrigation/refused
until_true grep -q refused reads.out || fail "anna-watch hears nothing"
kill "$listener" && wait "$listener" 2>/dev/null
[ "$(grep -c '^got.*\(answer\|zone/on\)' reads.out)" = 0 ] || fail "anna-watch hears $(cat reads.out)"

# answer JSON [CORRELATION]: the node takes one command and answers it.
answer() {
    # shellcheck disable=SC2086
    listen asked $garden -t irrigation/zone/on -t irrigation/zone/off -C 1 -F 'got %R %D %E %t %p'
    (
        while kill -0 "$listener" 2>/dev/null; do sleep 0.02; done
        read -r _ topic correlation _ <<END
$(grep ^got asked)
END
        # shellcheck disable=SC2086
        mosquitto_pub $garden -t "$topic" -q 1 -m "$1" -D publish correlation-data \
            "${2:-$correlation}"
    ) &
    node=$!
    pids="$pids $node"
}
check() { # ANSWER CODE WORDS COMMAND...
    answer "$1"
    shift
    expect "$@"
    wait "$node"
}
done_on='{"result":"done","zone":2,"state":"ON","remaining_s":120,"pins":4}'
check "$done_on" 0 "(120 s), confirmed at the pin" "$sluice" on garden 2 120
check '{"result":"sent","zone":2,"state":"ON","remaining_s":120,"pins":4}' 0 \
    "(120 s), sent, not confirmed" "$sluice" on garden 2 120
grep -q 'garden: zone 2 on until ..:..:.. ' out || fail "no time: $(cat out)"
grep -q '^got irrigation/answer/anna [0-9a-f]\{32\} [1-5] irrigation/zone/on 2 120$' asked ||
    fail "the request was: $(cat asked)"
check '{"result":"done","zone":2,"state":"OFF","remaining_s":0,"pins":0}' 0 \
    "garden: zone 2 off, confirmed at the pin" "$sluice" off garden 2
check '{"result":"done","zone":"all","state":"OFF","remaining_s":0,"pins":0}' 0 \
    "garden: every zone off, confirmed at the pins" "$sluice" off garden
grep -q 'irrigation/zone/off all$' asked || fail "the request was: $(cat asked)"
check '{"result":"refused","why":"zone 9 does not exist: use 0 to 7"}' 1 \
    "garden refused: zone 9 does not exist: use 0 to 7" "$sluice" on garden 2 120
check '{"result":"unconfirmed","why":"the chip is silent"}' 3 \
    "could not confirm it at the pin: the chip is silent" "$sluice" on garden 2 120
# Pins that show something else, and answers that are none.
check '{"result":"done","zone":2,"state":"ON","remaining_s":120,"pins":0}' 3 "do not show it" \
    "$sluice" on garden 2 120
check '{"result":"done","zone":"all","state":"OFF","remaining_s":0,"pins":1}' 3 "do not show it" \
    "$sluice" off garden
check '{"result":"done"}' 3 "do not show it" "$sluice" on garden 2 120
check 'nonsense' 3 "does not know" "$sluice" on garden 2 120
check '{"result":"refused","why":"a\u001b[2Jb"}' 1 "refused: a?[2Jb" "$sluice" on garden 2 120
# The same as JSON, on stdout; the sentence stays on stderr.
check "$done_on" 0 '{"node":"garden","confirmed":true,"result":"done","zone":2,"state":"ON","remaining_s":120,"pins":4}' \
    "$sluice" on garden 2 120 --json
[ "$(wc -l <out)" = 1 ] || fail "more than one object: $(cat out)"
check '{"result":"sent","zone":2,"state":"ON","remaining_s":120,"pins":4}' 0 '"confirmed":false,"result":"sent"' \
    "$sluice" on garden 2 120 --json
check '{"result":"done","zone":2,"state":"OFF","remaining_s":0,"pins":4}' 3 '"confirmed":false,"result":"done"' \
    "$sluice" off garden 2 --json
check '{"result":"refused","why":"a\u001b[2Jb\u009bc","more":1}' 1 \
    '{"node":"garden","confirmed":false,"result":"refused","why":"a\u001b[2Jb\u009bc"}' "$sluice" on garden 2 120 --json
# An answer to somebody else's question is no answer.
answer "$done_on" 00000000000000000000000000000000
expect 3 "did not answer within 2 s" "$sluice" on garden 2 120 --timeout 2
wait "$node"

# Arguments.
expect 2 "zone '8' does not exist" "$sluice" on garden 8 120
expect 2 "zone 'two' does not exist" "$sluice" on garden two 120
expect 2 "is no time" "$sluice" on garden 2 -5
expect 2 "is no time" "$sluice" on garden 2 99999999999
expect 2 "there is no node 'eve'" "$sluice" on eve 2 120
expect 2 "SECONDS is missing" "$sluice" on garden 2
expect 2 "there is no operator 'eve'" "$sluice" on garden 2 120 --operator eve

# Offline: nobody listens, and what the node said last.
expect 3 "garden is offline (never heard of) and nothing was sent" "$sluice" on garden 2 120
# shellcheck disable=SC2086
{
    mosquitto_pub $garden -r -q 1 -t irrigation/report -m '{"time":{"utc":1795305600},"zones":[]}'
    mosquitto_pub $garden -r -q 1 -t irrigation/availability -m offline
}
expect 3 "last heard of at 2026-11-22T00:00:00Z" "$sluice" on garden 2 120
expect 3 "garden  offline  last report " "$sluice" status garden
expect 3 "offline" "$sluice" status
grep -q '^garden  *offline  *-  *-  *-  *20..-..-..  *-$' out || fail "an old report passes for news: $(cat out)"
expect 3 '"availability":"offline","fresh":false' "$sluice" status --json

# A fresh report: the node answers zone/status.
report='{"version":"0.1.0","zones":[{"zone":2,"state":"ON","remaining_s":75}],"chip":{"link":"up"},
"time":{"source":"system","utc":1795305600},"certificate":{"last_day":"2029-11-21"}}'
# shellcheck disable=SC2086
fresh() {
    mosquitto_pub $garden -r -q 1 -t irrigation/availability -m online
    listen asked $garden -t irrigation/zone/status -C 1 -F 'got %t'
    (
        while kill -0 "$listener" 2>/dev/null; do sleep 0.02; done
        mosquitto_pub $garden -r -q 1 -t irrigation/report -m "$report"
    ) &
    node=$!
    pids="$pids $node"
}
fresh
expect 3 "2 ON, 1:15 left" "$sluice" status
grep -q "^pond " out || fail "not every node: $(cat out)"
wait "$node"
fresh
expect 0 "1:15 of 1:15" "$sluice" status garden
grep -q '^  chip up ' out || fail "no chip: $(cat out)"
grep -q '^  certificate .*, until 2029-11-21$' out || fail "no certificate: $(cat out)"
wait "$node"
fresh
expect 0 '"fresh":true' "$sluice" status garden --json
wait "$node"
# A report that would give orders to the terminal: CSI as an escape, and as one character (U+009B); and what is no
# character at all.
good_report=$report
report='{"version":"a\u001b[2Jb\u009b2Jc'$(printf '\360\235\204\236\355\240\200')'"}'
fresh
expect 0 '"version":"a\u001b[2Jb\u009b2Jc\ud834\udd1e?"' "$sluice" status garden --json
wait "$node"
report=$good_report

# watch ends when nobody takes its lines; what the broker kept is more than one.
code=0
timeout 20 "$sluice" watch --json >/dev/full 2>out || code=$?
[ $code = 4 ] && grep -q "cannot write the output" out || fail "watch without a reader: $code, $(cat out)"

# watch: read-only, so that it does not end anna's own connection.
"$sluice" watch --json >watched 2>&1 &
watch=$!
pids="$pids $watch"
until_true grep -q '"payload":"online"' watched || fail "watch says: $(cat watched)"
expect 1 "another command is connected as anna-watch" "$sluice" watch
check "$done_on" 0 "confirmed at the pin" "$sluice" on garden 2 120
# shellcheck disable=SC2086
mosquitto_pub $garden -q 1 -r -t irrigation/zone/2/state -m ON
until_true grep -q '"topic":"zone/2/state","retained":false,"payload":"ON"' watched ||
    fail "watch says: $(cat watched)"
kill $watch
wait $watch || fail "watch ended with $?: $(cat watched)"

# A node added while the broker runs is let in at once.
expect 0 "is made" "$sluice" node add fern
may_write "$(node_args fern)" irrigation/fern/report || fail "fern is not let in: $(cat out)"
may_write "$(node_args fern)" irrigation/report && fail "fern can write as garden"
rm fern.key
expect 0 "is made anew" "$sluice" node add fern --replace
may_write "$(node_args fern)" irrigation/fern/report || fail "fern is not let in anew: $(cat out)"

# A broker that ignores its list is noticed and stopped: here, one that never had it.
sed -i '/^acl_file/d' site/broker/mosquitto.conf
cp site/broker/mosquitto.conf open.conf
cat >mosquitto <<END
#!/bin/sh
exec $(command -v mosquitto || echo /usr/sbin/mosquitto) -c $work/open.conf
END
chmod +x mosquitto
kill -TERM "$broker"
wait "$broker"
PATH=$work:$PATH
start_broker
expect 1 "no longer keeps to" "$sluice" node add moss
wait "$broker" || fail "the open broker was not stopped in order: $?"
PATH=${PATH#"$work":}
start_broker

# Files that went bad: the broker is not told to read them, and goes on.
cp site/broker/crl.pem crl.good
: >site/broker/crl.pem
kill -HUP "$broker"
until_true grep -q "goes on with what it read before" broker.log || fail "a bad CRL was not noticed"
may_write "$(anna)" irrigation/zone/on || fail "the broker does not go on"
cp crl.good site/broker/crl.pem

# The end: by SIGTERM in order, by SIGKILL without leaving Mosquitto behind.
child=$(cat "/proc/$broker/task/$broker/children")
kill -TERM "$broker"
wait "$broker" || fail "SIGTERM gave $?"
kill -0 $child 2>/dev/null && fail "Mosquitto was left behind"
start_broker
child=$(cat "/proc/$broker/task/$broker/children")
"$sluice" watch >watched 2>&1 &
watch=$!
pids="$pids $watch"
until_true grep -q "as anna-watch" broker.log || fail "watch says: $(cat watched)"
kill -KILL "$broker"
wait "$broker" 2>/dev/null
until_true sh -c "! kill -0 $child" || fail "Mosquitto outlived us"
wait "$watch"
[ $? = 3 ] || fail "watch without a broker gave no 3: $(cat watched)"
# The broker may have died before or after it could answer.
grep -q "was lost (it ended, or the network did\|closed the connection before it began" watched ||
    fail "watch says: $(cat watched)"

# A port that is taken for a moment only, as by a Mosquitto that is just dying; then a parent that
# ignores SIGCHLD: the end of Mosquitto is noticed all the same. No core file, which would hold keys.
mosquitto -p "$port" >/dev/null 2>&1 &
holder=$!
until_true mosquitto_pub -h 127.0.0.1 -p "$port" -t x -n || fail "the port is not taken"
(sleep 0.7; kill "$holder") &
rm -f broker.log
env --ignore-signal=CHLD "$sluice" broker run >broker.log 2>&1 &
broker=$!
pids="$pids $holder $broker"
until_true grep -q ' running$' broker.log || fail "the broker does not wait for its port"
child=$(cat "/proc/$broker/task/$broker/children")
for pid in $broker $child; do
    grep -q '^Max core file size  *0  *0 ' "/proc/$pid/limits" || fail "process $pid may dump a core"
done
kill -KILL $child
until_true sh -c "! kill -0 $broker" || fail "the end of Mosquitto was not noticed"
grep -q "ended by signal 9" broker.log || fail "no word of the end of Mosquitto"

# A certificate near its end is renewed with the same key, and everybody gets in.
days_left() { openssl x509 -noout -checkend $(($1 * 86400)) -in site/broker/certificate.pem; }
openssl req -new -key site/broker/key.pem -subj /CN=sluice-broker 2>/dev/null |
    openssl x509 -req -CA site/ca/certificate.pem -CAkey site/ca/key.pem -days 20 \
        -out site/broker/certificate.pem 2>/dev/null || fail "openssl cannot sign"
start_broker
grep -q "was renewed" broker.log || fail "an old certificate was kept"
days_left 80 >/dev/null || fail "the new certificate is not new"
[ "$(grep -c purpose=broker site/issued.log)" = 2 ] || fail "the renewal is not in issued.log"
may_write "$(anna)" irrigation/zone/on || fail "anna is not let in after the renewal: $(cat out)"
kill -TERM "$broker"
wait "$broker" || fail "SIGTERM gave $?"
echo "ok"
