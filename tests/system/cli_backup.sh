#!/bin/sh
# sluice backup and restore: the same site comes back, or nothing; the file says nothing without its
# passphrase. Ended at every write in cli_writes.sh.
. "$(dirname "$0")/cli_lib.sh"
unset SLUICE_BACKUP_PASSPHRASE_FILE CREDENTIALS_DIRECTORY
printf 'battery staple\n' >words
printf 'another one\n' >wrong
chmod 600 words wrong
port=$(free_port)
expect 0 "is made" "$sluice" init --no-passphrase --port "$port"
expect 0 "is made" "$sluice" node add garden
expect 0 "is made" "$sluice" node add pond
expect 0 "pond is revoked" "$sluice" node revoke pond
expect 2 "nobody gave the passphrase of x.slb" setsid -w "$sluice" backup x.slb
[ -e x.slb ] && fail "a backup without a passphrase"
export SLUICE_BACKUP_PASSPHRASE_FILE="$work/words"
expect 0 "encrypted and checked" "$sluice" backup one.slb
[ "$(stat -c %a one.slb)" = 600 ] || fail "the mode of the backup"
grep -aq "BEGIN\|garden\|sluice-broker" one.slb && fail "the backup can be read"
cp one.slb kept
expect 1 "exists already" "$sluice" backup one.slb
cmp -s one.slb kept || fail "a backup was replaced"
expect 2 "is inside the site" "$sluice" backup site/two.slb
expect 2 "is inside the site" "$sluice" backup site/nodes/two.slb
expect 4 "there is no folder" "$sluice" backup not/there/two.slb
expect 0 '"files":' "$sluice" backup two.slb --json
[ "$(stat -c %s one.slb)" = "$(stat -c %s two.slb)" ] || fail "another size"
cmp -s one.slb two.slb && fail "two backups with the same key stream"

# --- the same again ---
same() { # FOLDER
    diff -r site "$1" >words.diff || fail "$1 differs: $(head -5 words.diff)"
    [ -z "$(find "$1" -type d ! -perm 700)" ] || fail "a folder is open to others"
    [ -z "$(find "$1" -type f ! -perm 600)" ] || fail "a file is open to others"
}
rm -f site/run/*
expect 0 "is as it was at 20" "$sluice" --site again restore one.slb
same again
expect 0 "garden" "$sluice" --site again node list
expect 0 "is made" "$sluice" --site again node add fern
expect 1 "exists already" "$sluice" --site again restore one.slb
mkdir empty
expect 1 "exists already" "$sluice" --site empty restore one.slb
expect 4 "there is no backup no.slb" "$sluice" --site new restore no.slb
expect 4 "is no backup" "$sluice" --site new restore "$sluice"
expect 4 "is no backup" "$sluice" --site new restore site
expect 4 "there is no folder" "$sluice" --site no/where restore one.slb

# --- wrong, cut, changed: nothing is written ---
nothing() {
    [ ! -e new ] || fail "$1: a site was made"
    [ -z "$(find . -maxdepth 1 -name '.new*')" ] || fail "$1: a folder was left"
}
expect 4 "the passphrase is wrong, or the file is damaged" env SLUICE_BACKUP_PASSPHRASE_FILE=wrong \
    "$sluice" --site new restore one.slb
nothing "a wrong passphrase"
size=$(stat -c %s one.slb)
for len in 0 1 31 32 35 36 1000 $((size / 2)) $((size - 17)) $((size - 1)); do
    head -c "$len" one.slb >cut.slb
    expect 4 "cut.slb" "$sluice" --site new restore cut.slb
    nothing "a backup of $len bytes"
done
for at in 0 7 10 20 31 33 35 40 $((size / 2)) $((size - 1)); do
    cp one.slb flipped.slb
    byte=$(od -An -tu1 -j "$at" -N 1 one.slb)
    # shellcheck disable=SC2059
    printf "\\$(printf %03o $((byte ^ 4)))" | dd of=flipped.slb bs=1 seek="$at" conv=notrunc 2>/dev/null
    expect 4 "flipped.slb" "$sluice" --site new restore flipped.slb
    nothing "a backup with a changed byte at $at"
done
{ cat one.slb; echo; } >longer.slb
expect 4 "longer.slb" "$sluice" --site new restore longer.slb
nothing "a backup with more behind it"

# --- what does not belong in a site ---
ln -s /etc/passwd site/nodes/link
expect 4 "site/nodes/link" "$sluice" backup three.slb
rm site/nodes/link
mkfifo site/broker/pipe
expect 4 "site/broker/pipe does not belong" "$sluice" backup three.slb
rm site/broker/pipe
: >"site/a b"
expect 4 "site/a b does not belong" "$sluice" backup three.slb
rm "site/a b"
[ -z "$(find . -maxdepth 1 -name 'three*')" ] || fail "a refused backup left a file"

# --- a full disk: a small file system of its own, where one can be mounted ---
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
    mkdir small
    cat >full <<'END'
mount -t tmpfs -o size=16k,mode=700 tmpfs small || exit 77
"$1" backup small/x.slb; code=$?
[ "$(ls small)" = "" ] || { echo "left: $(ls small)"; exit 99; }
[ $code = 4 ] || exit 98
"$1" --site small/new restore one.slb; code=$?
[ "$(ls -A small)" = "" ] || { echo "left: $(ls -A small)"; exit 97; }
exit $code
END
    expect 4 "No space left on device): free some space on that disk" unshare -m sh full "$sluice"
fi
echo "ok"
