# Shared by the tests of 'sluice doctor': certificates with any dates, and counting of faults.
. "$(dirname "$0")/cli_lib.sh"

cat >ca.conf <<END
[ca]
default_ca = site
[site]
database = $work/index
new_certs_dir = $work
serial = $work/serial
default_md = sha256
policy = any
copy_extensions = none
unique_subject = no
[any]
commonName = supplied
END
: >index
(umask 077 && echo correct horse >passphrase)
day() { date -u -d "$1 days" +%y%m%d%H%M%SZ; }

# sign KEY NAME EXTENSIONS FROM UNTIL OUT: a certificate by $ca_certificate and $ca_key, from and
# until so many days from now.
sign() {
    echo "01$(openssl rand -hex 16)" >serial
    openssl req -new -key "$1" -subj "/CN=$2" -out request.pem 2>signed &&
        openssl ca -batch -notext -config ca.conf -cert "$ca_certificate" -keyfile "$ca_key" -passin file:passphrase \
            -extfile "$3" -startdate "$(day "$4")" -enddate "$(day "$5")" -in request.pem -out signed.pem \
            2>>signed && cat signed.pem >"$6" || fail "openssl cannot sign: $(cat signed)"
}

# extensions FILE NAMES [PURPOSE]: as the site's own certificates have them.
extensions() {
    cat >"$1" <<END
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
${3:+extendedKeyUsage = $3}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
${2:+subjectAltName = $2}
END
}
