#!/bin/sh
# make program, program_fuses and test_conn from a fresh tree, with an avrdude of this test: what it
# is told, and that what it is to write is there. $1: the source tree
set -u
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
unset MAKEFLAGS MFLAGS MAKELEVEL MCU PROGRAMMER PORT BITCLOCK

fail() {
    echo "FAILED: $*: $(cat "$work/out")" >&2
    exit 1
}

tree="$work/a tree"
mkdir "$work/bin" "$tree"
for entry in "$source"/*; do
    [ "${entry##*/}" = build ] || cp -r "$entry" "$tree"
done
cat >"$work/bin/avrdude" <<'END'
#!/bin/sh
echo "$*" >>"${0%/*}/../told"
for word in "$@"; do
    case $word in
    *:w:*:i) head -c 1 "$(echo "$word" | cut -d: -f3)" | grep -q : || exit 9 ;;
    *:w:*:e) head -c 4 "$(echo "$word" | cut -d: -f3)" | grep -q ELF || exit 9 ;;
    esac
done
[ ! -e "${0%/*}/../is-broken" ]
END
printf '#!/bin/sh\necho install ok installed\n' >"$work/bin/dpkg-query"
chmod +x "$work/bin/avrdude" "$work/bin/dpkg-query"

# told COMMAND-LINE MAKE-ARGUMENTS...: avrdude is called once, like this.
told() {
    want=$1
    shift
    rm -f "$work/told"
    PATH=$work/bin:$PATH make -C "$tree" "$@" >"$work/out" 2>&1 </dev/null || fail "make $*"
    [ "$(cat "$work/told")" = "$want" ] ||
        fail "make $* told avrdude '$(cat "$work/told")', not '$want'"
}
# refused WORDS MAKE-ARGUMENTS...
refused() {
    words=$1
    shift
    rm -f "$work/told"
    PATH=$work/bin:$PATH make -C "$tree" "$@" >"$work/out" 2>&1 </dev/null && fail "make $* gave 0"
    grep -q -- "$words" "$work/out" || fail "make $*: no word of '$words'"
}
# fuses MCU BYTES: low, high, extended, as the data sheet's table and our choice have them.
fuses() {
    avr-objcopy -O binary -j .fuse --set-section-flags .fuse=alloc,load \
        "$tree/build/$1/relay-chip.elf" "$work/fuse" >"$work/out" 2>&1 || fail "the fuses of $1"
    [ "$(od -An -tx1 "$work/fuse")" = " $2" ] || fail "the fuses of $1 are$(od -An -tx1 "$work/fuse")"
}

usual="-p atmega168 -c usbasp -P usb -B 10"
elf=build/atmega168/relay-chip.elf
told "$usual -U flash:w:build/atmega168/relay-chip.hex:i" program
told "$usual -U lfuse:w:$elf:e -U hfuse:w:$elf:e -U efuse:w:$elf:e" program_fuses
told "$usual -v" test_conn
other="MCU=atmega328p PROGRAMMER=arduino PORT=/dev/ttyUSB0 BITCLOCK=20"
# shellcheck disable=SC2086
told "-p atmega328p -c arduino -P /dev/ttyUSB0 -B 20 -U flash:w:build/atmega328p/relay-chip.hex:i" \
    program $other
elf=build/atmega328p/relay-chip.elf
# shellcheck disable=SC2086
told "-p atmega328p -c arduino -P /dev/ttyUSB0 -B 20 -U lfuse:w:$elf:e -U hfuse:w:$elf:e -U efuse:w:$elf:e" \
    program_fuses $other
fuses atmega168 "e2 c5 f9"
fuses atmega328p "e2 c7 fd"

for goal in program program_fuses test_conn; do
    refused "atmega168 or atmega328p" $goal MCU=atmega8
    [ ! -e "$work/told" ] || fail "make $goal MCU=atmega8 told avrdude '$(cat "$work/told")'"
done
: >"$work/is-broken"
for goal in program program_fuses test_conn; do
    refused "PROGRAMMER=" $goal
done
echo "ok"
