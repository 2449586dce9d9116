#!/bin/sh
# The linked image keeps to the rule of the flash: whole words only (ports/lx106/lx106.ld).
#
# A function that loads bytes or halfwords, and takes the address of a constant, would load parts of
# words from flash. It must be compiled with -mforce-l32, which turns such loads into words, or stand
# below with the reason why that constant is never loaded in parts by it. Constants that are handed
# on to other functions are not seen here: flash_rule.c sees those, at run time.
# Usage: flash_rule.sh BUILD_FOLDER IMAGE
set -eu
build=$1
image=$2
found=$(mktemp)
in_ram=$(mktemp)
trap 'rm -f "$found" "$in_ram"' EXIT

# function constant: why it is right.
allowed() {
    cat <<'END'
p256_decode$part$0 .rodata.F256 its elements are words
p256_decode$part$0 .rodata.P256_B words
p256_mulgen .rodata.F256 words
p256_mulgen .rodata.Gwin words
br_ecdsa_i15_sign_raw .rodata.CSWTCH$3 pointers
br_ecdsa_i15_vrfy_raw .rodata.CSWTCH$3 pointers
sl_answer_encode .rodata.results$1 pointers
sl_refused_encode .rodata.topics$0 pointers
sl_publish_report .rodata.handshakes$0 pointers
sl_mqtt_encode_connect .rodata handed to memcpy
take_mqtt_event .rodata.tails$1 pointers
sl_connection_tick .rodata.timeouts$0 words
sl_tls_init .rodata.zero$1 handed to memcmp
sl_tls_open .rodata.suites$0 handed to memcpy, by BearSSL
sl_run_step .rodata.moves pointers
END
}

objects=$(grep -oE '[^ ]+\.obj?\)?$' "$build/$image.map" | sort -u)
for object in $objects; do
    case $object in
    *"("*)
        archive=${object%%(*}
        member=${object##*(}
        find "$build/$(dirname "$archive")" -path "*$(basename "$archive" .a | sed 's/^lib//').dir*" -name "${member%)}"
        ;;
    *) echo "$build/$object" ;;
    esac
done | sort -u | while read -r file; do
    { xtensa-lx106-elf-objdump -r "$file"; xtensa-lx106-elf-objdump -d "$file"; } | awk -v file="$(basename "$file" .obj)" '
        /^RELOCATION RECORDS FOR/ { name = $4; sub(/^\[\.(literal|text)\.?/, "", name); sub(/\]:$/, "", name) }
        /^Disassembly of section/ { name = $4; sub(/^\.text\.?/, "", name); sub(/:$/, "", name) }
        $2 ~ /^R_XTENSA/ && $3 ~ /^\.rodata/ { sub(/\+.*/, "", $3); constants[name, ++n[name]] = $3 }
        $3 ~ /^l(8ui|16ui|16si)$/ { loads[name] = 1 }
        END { for (f in loads) for (i = 1; i <= n[f]; i++) print f, constants[f, i], file }' | sort -u
done >"$found"
[ "$(wc -l <"$found")" -gt 20 ] || { echo "FAILED: the image's objects were not found" >&2; exit 1; }

# Constants that lie in RAM may be loaded as one likes: SECTION FILE.
awk '/^ \.rodata/ { section = $1; if (NF == 1) { getline; $0 = section " " $0 } }
     section != "" && $2 ~ /^0x0*3ff/ { file = $4; sub(/.*[(\/]/, "", file); sub(/\.obj\)?$/, "", file); print section, file }
     { section = "" }' "$build/$image.map" >"$in_ram"

# Texts are handed to functions that are compiled for words; a jump table has its function's name.
allowed | awk '
    FILENAME == "-" { allowed[$1, $2] = 1; next }
    FILENAME == ARGV[2] { in_ram[$1, $2] = 1; next }
    $2 ~ /\.str1\./ || $2 == ".rodata." $1 || ($1, $2) in allowed || ($2, $3) in in_ram { next }
    { print "FAILED: " $3 ": " $1 " loads parts of words, and refers to " $2; bad = 1 }
    END { exit bad }' - "$in_ram" "$found"
echo ok
