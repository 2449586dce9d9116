#!/bin/sh
# The CA's key behind a passphrase: every source of it, wrong ones, changing it, and a broker that has
# nobody to ask. A refused passphrase changes nothing.
. "$(dirname "$0")/cli_lib.sh"
unset SLUICE_PASSPHRASE_FILE CREDENTIALS_DIRECTORY
port=$(free_port)
printf 'correct horse\n' >right
printf 'wrong horse\n' >wrong
chmod 600 right wrong
state() { find site -type f ! -path 'site/run/*' -exec sha256sum {} + | sort; }
unchanged() { [ "$before" = "$(state)" ] || fail "$1 changed the site"; }

# --- init ---
expect 2 "or choose --no-passphrase [passphrase-unchosen]" setsid -w "$sluice" init # no terminal
printf '\n' >blank
printf 'short\n' >short
head -c 3000 /dev/zero | tr '\0' x >long
printf 'with a \000 in it\n' >nul
# FILE COMMAND...: the passphrase in a file, by descriptor 3.
cat >by_fd <<'END'
#!/bin/sh
file=$1; shift
exec "$@" --passphrase-fd 3 3<"$file"
END
chmod +x by_fd
expect 2 "is empty or no text" ./by_fd blank "$sluice" init
expect 2 "is empty or no text" ./by_fd nul "$sluice" init
expect 2 "use at least 8 characters" ./by_fd short "$sluice" init
expect 2 "use at most 1023 characters" ./by_fd long "$sluice" init
expect 2 "is no number of an open file" "$sluice" init --passphrase-fd x
expect 4 "cannot read a passphrase" "$sluice" init --passphrase-fd 77
expect 2 "is no address" "$sluice" init --no-passphrase --bind foo
expect 2 "is no address" "$sluice" init --no-passphrase --bind broker.lan
[ -e site ] && fail "a refused init left a site"
[ -z "$(find . -name '.site*')" ] || fail "a refused init left a folder"
expect 0 "not locked: whoever reads ca/key.pem" "$sluice" --site open init --no-passphrase
expect 0 "locked by the passphrase" ./by_fd right "$sluice" init --port "$port"
grep -q "ENCRYPTED PRIVATE KEY" site/ca/key.pem || fail "the key is open: $(head -1 site/ca/key.pem)"
[ "$(stat -c %a site/ca/key.pem)" = 600 ] || fail "the key's mode"
openssl asn1parse -in site/ca/key.pem | grep -q scrypt || fail "no scrypt"
openssl pkey -in site/ca/key.pem -passin file:right -noout || fail "openssl cannot open the key"
openssl pkey -in site/ca/key.pem -passin file:wrong -noout 2>/dev/null && fail "any passphrase opens it"
grep -rl horse site && fail "the passphrase is in the site"

# --- signing ---
before=$(state)
for command in "node add garden" "ca passphrase --no-passphrase"; do
    # shellcheck disable=SC2086
    expect 1 "the passphrase does not open $work/site/ca/key.pem: try again" ./by_fd wrong "$sluice" $command
    # shellcheck disable=SC2086
    expect 1 "is locked, and nobody gave a passphrase" setsid -w "$sluice" $command
    unchanged "$command without the right passphrase"
done
expect 0 "is made" ./by_fd right "$sluice" node add garden
expect 0 "garden" "$sluice" node list
before=$(state)
for command in "node add garden --replace" "node revoke garden" "node add pond"; do
    # shellcheck disable=SC2086
    expect 1 "does not open" ./by_fd wrong "$sluice" $command
    unchanged "$command with a wrong passphrase"
done
# The other sources.
expect 0 "is made" env SLUICE_PASSPHRASE_FILE=right "$sluice" node add pond
mkdir credentials
cp right credentials/ca-passphrase
expect 0 "is made anew" env CREDENTIALS_DIRECTORY="$work/credentials" "$sluice" node add pond --replace
expect 1 "does not open" env CREDENTIALS_DIRECTORY="$work/credentials" ./by_fd wrong "$sluice" node revoke pond
expect 1 "does not open" env CREDENTIALS_DIRECTORY="$work/credentials" SLUICE_PASSPHRASE_FILE=wrong \
    "$sluice" node revoke pond
chmod 640 right
expect 4 "others can read the passphrase in right: run 'chmod 600 right'" \
    env SLUICE_PASSPHRASE_FILE=right "$sluice" node revoke pond
chmod 600 right
expect 4 "cannot read not-there" env SLUICE_PASSPHRASE_FILE=not-there "$sluice" node revoke pond
printf 'correct horse\r\nmore\n' >windows
chmod 600 windows
expect 0 "pond is revoked" env SLUICE_PASSPHRASE_FILE=windows "$sluice" node revoke pond

# --- another passphrase ---
printf 'battery staple\n' >second
chmod 600 second
key=$(openssl pkey -in site/ca/key.pem -passin file:right -pubout)
before=$(state)
expect 2 "use at least 8 characters" sh -c "./by_fd right '$sluice' ca passphrase --new-passphrase-fd 4 4<short"
expect 2 "nobody gave the new passphrase" setsid -w ./by_fd right "$sluice" ca passphrase
unchanged "a refused new passphrase"
expect 0 "locked by the new passphrase" sh -c "./by_fd right '$sluice' ca passphrase --new-passphrase-fd 4 4<second"
expect 1 "does not open" ./by_fd right "$sluice" node add fern
expect 0 "is made" ./by_fd second "$sluice" node add fern
expect 0 '"ca_key_locked":false' ./by_fd second "$sluice" ca passphrase --no-passphrase --json
expect 0 "is made" "$sluice" node add moss
expect 0 "locked by the new passphrase" ./by_fd right "$sluice" ca passphrase
[ "$key" = "$(openssl pkey -in site/ca/key.pem -passin file:right -pubout)" ] || fail "another key"

# --- a broker that has nobody to ask ---
start_broker
expect 0 "is made" ./by_fd right "$sluice" node add dill
kill -TERM "$broker"
wait "$broker"
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\n' >ca.cnf
day() { date -u -d "$1 days" +%Y%m%d000000Z; }
list_until() { # FROM UNTIL, in days from today
    : >index.txt
    openssl ca -gencrl -config ca.cnf -cert site/ca/certificate.pem -keyfile site/ca/key.pem \
        -passin file:right -crl_lastupdate "$(day "$1")" -crl_nextupdate "$(day "$2")" \
        -out site/broker/crl.pem 2>words || fail "openssl makes no list: $(cat words)"
}
list_until -20 10
start_broker
grep -q "the CA's key is locked: run 'sluice maintain' within 1[01] days" broker.log ||
    fail "nobody is told what to run: $(cat broker.log)"
kill -TERM "$broker"
wait "$broker"
list_until -40 -2
expect 1 "run 'sluice maintain' where the CA's key is" setsid -w "$sluice" broker run
expect 1 "does not open" env SLUICE_PASSPHRASE_FILE=wrong "$sluice" broker run
export SLUICE_PASSPHRASE_FILE="$work/right"
start_broker
grep -q "the revocation list was renewed" broker.log || fail "not renewed: $(cat broker.log)"
unset SLUICE_PASSPHRASE_FILE
kill -TERM "$broker"
wait "$broker"

# --- the journal ---
expect 0 "MADE " "$sluice" ca log
grep -Eq "^20[^ ]*Z +node +garden +20..-..-.. +[0-9a-f]{12} +01[0-9A-F]{32}$" out || fail "ca log: $(cat out)"
lines=$(grep -c purpose= site/issued.log)
[ "$(tail -n +2 out | wc -l)" = "$lines" ] || fail "ca log has not $lines lines: $(cat out)"
printf '2026-11-22T17:00:00Z serial=01ABC' >>site/issued.log
expect 0 "issued.log has 1 line that a power cut left unfinished" "$sluice" ca log
expect 0 '"purpose":"node","name":"garden"' "$sluice" ca log --json
serial=$(openssl x509 -noout -serial -in site/nodes/garden/certificate.pem | cut -d= -f2)
grep -q "\"serial\":\"$serial\"" out || fail "ca log --json: $(cat out)"
digest=$(openssl x509 -noout -pubkey -in site/nodes/garden/certificate.pem | openssl pkey -pubin -outform DER |
    sha256sum | cut -c1-64)
grep -q "\"key_sha256\":\"$digest\"" out || fail "the key's digest is another: $(grep garden out)"
echo "ok"
