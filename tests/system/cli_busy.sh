#!/bin/sh
# Two sluice commands at once: whatever changes a site waits for the other, then says so and changes
# nothing; whatever only reads does not wait. The first one holds the site while it is asked for the
# passphrase.
. "$(dirname "$0")/cli_lib.sh"
printf 'correct horse\n' >words
chmod 600 words
export SLUICE_PASSPHRASE_FILE="$work/words" SLUICE_BACKUP_PASSPHRASE_FILE="$work/words"
expect 0 "is made" "$sluice" init
expect 0 "is made" "$sluice" node add garden
expect 0 "has it no more" "$sluice" --site site ca offline ca
expect 0 "asks for" "$sluice" ca request request.json
cp -a site away # without its key
expect 0 "is signed" "$sluice" --site ca ca sign request.json
cp ca/ca/key.pem site/ca/key.pem

mkfifo words.fifo
hold() { # FOLDER COMMAND...: in the background, until something comes through the pipe
    folder=$1
    shift
    "$sluice" --site "$folder" "$@" --passphrase-fd 3 3<>words.fifo >"holder.$folder" 2>&1 &
    holders="$holders $!"
    pids="$pids $!"
    tries=0
    until python3 - "$folder/run/site.lock" <<'END'
import fcntl, struct, sys
lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)
try:
    with open(sys.argv[1], "r+b") as file:
        sys.exit(struct.unpack("hhqqi4x", fcntl.fcntl(file, fcntl.F_GETLK, lock))[0] == fcntl.F_UNLCK)
except FileNotFoundError:
    sys.exit(1)
END
    do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || fail "nobody holds $folder"
        sleep 0.05
    done
}
state() { find site away ca -type f ! -path '*/run/*' -exec sha256sum {} + | sort; }
before=$(state)
holders=
hold site node revoke garden
hold ca ca sign request.json
# These wait for 5 s each, all at the same time.
waiting=
n=0
busy() { # FOLDER COMMAND...
    n=$((n + 1))
    "$sluice" --site "$@" >"busy.$n" 2>&1 &
    waiting="$waiting $n:$!"
}
busy site node add pond
busy site node add garden --replace
busy site node revoke garden
busy site ca passphrase --no-passphrase
busy site ca roll
busy site ca roll --finish --force
busy site ca offline elsewhere
busy site backup x.slb
busy ca ca sign request.json --out other.json
for folder in site; do
    expect 0 "garden" "$sluice" --site $folder node list
    expect 0 "garden" "$sluice" --site $folder ca log
    expect 0 "one authority" "$sluice" --site $folder ca roll --status
done
for entry in $waiting; do
    wait "${entry#*:}"
    code=$?
    out="busy.${entry%:*}"
    [ $code = 1 ] && grep -q 'another sluice command is changing .*wait for its end' "$out" ||
        fail "command ${entry%:*} gave $code: $(cat "$out")"
done
[ "$before" = "$(state)" ] || fail "a command that was refused changed something"
[ ! -e x.slb ] && [ ! -e elsewhere ] && [ ! -e other.json ] || fail "a refused command left a file"
# Killed, the holder holds nothing any more.
for holder in $holders; do
    kill -KILL "$holder"
    wait "$holder"
done
expect 0 "is made" "$sluice" node add pond
echo "ok"
