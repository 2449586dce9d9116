#!/bin/sh
# Measures and prints tables; the same goes to bench/RESULTS.md. Nothing here passes or fails.
# Usage: bench/run.sh BUILD_FOLDER      (make bench)
set -eu

if [ $# -ne 1 ] || [ ! -d "$1" ]; then
    echo "usage: bench/run.sh BUILD_FOLDER (after 'make build'; 'make bench' does both)" >&2
    exit 2
fi
build=$(cd "$1" && pwd)
root=$(cd "$(dirname "$0")/.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
rows=$tmp/rows
tab=$(printf '\t')

# Rows of one table: metric, figure, target, with tabs between.
table() { printf '#%s\n' "$1" >>"$rows"; }
row() { printf '%s\t%s\t%s\n' "$1" "$2" "${3-}" >>"$rows"; }
need() { # PROGRAM: false, and a word about it, when it is not there
    command -v "$1" >/dev/null 2>&1 || { row "(not measured: $1 is missing)" ""; return 1; }
}

relay_chip() { # MCU
    elf=$root/build/$1/relay-chip.elf
    table "Relay chip, $1: the firmware on the simulated chip"
    need "$build/twin/sluice-chip" || return 0
    [ -e "$elf" ] || { row "(not measured: no $elf; 'make firmware')" ""; return 0; }
    "$build/twin/sluice-chip" --elf "$elf" --measure |
        sed "s/^ *//; s/   */$tab/; s/ \{2,\}/ /g" >>"$rows"
}

code_bytes() { # FILES: their code and constants
    xtensa-lx106-elf-size -t "$@" | awk '/TOTALS/ { print $1 + $2 }'
}

lx106_flags="-std=c11 -Os -mlongcalls -mtext-section-literals -ffunction-sections -fdata-sections \
    -fno-common -DNDEBUG -I$root/src"

lx106_sizes() {
    table "Node's core on the ESP8266's processor (lx106, gcc -Os)"
    need xtensa-lx106-elf-gcc || return 0
    mkdir "$tmp/include" # BearSSL's own headers and nothing else of this computer's
    ln -s /usr/include/bearssl* "$tmp/include/"
    for module in BASE MQTT TLS CLOCK ZONE LINK STORE NODE; do
        name=$(echo "$module" | tr '[:upper:]' '[:lower:]')
        mkdir "$tmp/$name"
        for source in $(cmake -DMODULE=$module -P "$root/bench/list.cmake"); do
            # shellcheck disable=SC2086 # the flags are meant to split
            xtensa-lx106-elf-gcc $lx106_flags -I"$tmp/include" -c "$root/src/$source" \
                -o "$tmp/$name/$(basename "$source" .c).o"
        done
        row "src/$name, code and constants" "$(code_bytes "$tmp/$name"/*.o) bytes"
    done
    row "src/mqtt, linked: what a client uses" \
        "$("$root/bench/mqtt_size.sh" xtensa-lx106-elf- "$tmp/mqtt"/*.o) bytes" "7000 bytes"
}

# The size of a type is the size of an object that long.
size_of() { # PREFIX FLAGS HEADER TYPE
    printf '#include "%s"\nextern char it[sizeof(%s)];\nchar it[sizeof(%s)];\n' "$3" "$4" "$4" \
        >"$tmp/size.c"
    # shellcheck disable=SC2086
    "${1}gcc" $2 -fno-common -c "$tmp/size.c" -o "$tmp/size.o"
    printf '%d' "0x$("${1}nm" -S "$tmp/size.o" | awk '$4 == "it" { print $2 }')"
}

host_mqtt_size() {
    mkdir "$tmp/host"
    for source in $(cmake -DMODULE=MQTT -P "$root/bench/list.cmake"); do
        gcc -std=c11 -Os -ffunction-sections -fdata-sections -DNDEBUG -I"$root/src" -c "$root/src/$source" \
            -o "$tmp/host/$(basename "$source" .c).o"
    done
    row "src/mqtt on x86-64, gcc -Os, linked the same way" "$("$root/bench/mqtt_size.sh" "" "$tmp/host"/*.o) bytes"
}

memory() {
    table "Memory of a node, everything in it"
    for type in sl_node sl_connection sl_tls sl_mqtt sl_master; do
        header=node/node.h
        host=$(size_of "" "-I$root/src" $header "struct $type")
        row "struct $type, x86-64" "$host bytes"
        need xtensa-lx106-elf-gcc || continue
        small=$(size_of xtensa-lx106-elf- "$lx106_flags -I$tmp/include" $header "struct $type")
        target=""
        [ $type != sl_node ] || target="12288 bytes"
        row "struct $type, lx106" "$small bytes" "$target"
    done
}

collected() { # callgrind's count of the program behind it
    LD_BIND_NOW=1 timeout 60 valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 |
        awk '/Collected/ && $NF > most { most = $NF } END { printf "%d", most }'
}
instructions() { # CASE
    path=${1%_v?}
    path=${path%_will}
    echo $(($(collected --toggle-collect="bench_$path" "$build/bench/mqtt-paths" "$1") / 1000))
}
peer() { # LIBRARY VERSION PATH
    echo $(($(collected --toggle-collect=bench_step "$build/bench/mqtt-peers" "$@" </dev/null) / 100))
}

mqtt() {
    table "MQTT, instructions (x86-64, gcc -O2, callgrind)"
    need valgrind || return 0
    row "PUBLISH of 27 bytes in, QoS 0: parsed, validated, given (3.1.1)" "$(instructions in_qos0_v3)"
    row "the same in MQTT 5 (28 bytes)" "$(instructions in_qos0_v5)"
    row "PUBLISH in, QoS 1, and PUBACK out (3.1.1)" "$(instructions in_qos1_v3)"
    row "the same in MQTT 5" "$(instructions in_qos1_v5)"
    row "PUBLISH of 16 bytes out, QoS 0 (3.1.1)" "$(instructions out_qos0_v3)"
    row "the same in MQTT 5" "$(instructions out_qos0_v5)"
    row "SUBSCRIBE, and SUBACK (3.1.1)" "$(instructions subscribe_v3)"
    row "the same in MQTT 5" "$(instructions subscribe_v5)"
    row "CONNECT, and CONNACK (3.1.1)" "$(instructions connect_v3)"
    row "CONNECT with will, and CONNACK (3.1.1)" "$(instructions connect_will_v3)"
    row "the same in MQTT 5" "$(instructions connect_will_v5)"
}

judged() { # LIBRARY TOPIC: what it does in 3.1.1, and in 5 where that differs
    v3=$(timeout 20 "$build/bench/mqtt-peers" "$1" 3 "$2" </dev/null)
    v5=$(timeout 20 "$build/bench/mqtt-peers" "$1" 5 "$2" </dev/null)
    if [ "$v3" = "$v5" ]; then echo "$v3"; else echo "$v3 (5: $v5)"; fi
}

text_bytes() { size -A "$(gcc -print-file-name="$1")" | awk '$1 == ".text" || $1 == ".rodata" { n += $2 } END { print n }'; }

# Whole libraries are counted with what cannot be taken off them: sockets, locks, allocation.
peers() {
    table "MQTT clients on the same work: instructions of Sluice / libmosquitto / Paho C (x86-64, callgrind)"
    need "$build/bench/mqtt-peers" || return 0
    need valgrind || return 0
    for path in in_qos0 in_qos1 out_qos0 subscribe connect; do
        for version in 3 5; do
            case $path in
            connect) ours=connect_will_v$version ;;
            *) ours=${path}_v$version ;;
            esac
            row "$path, MQTT $version" \
                "$(instructions "$ours") / $(peer mosquitto $version $path) / $(peer paho $version $path)"
        done
    done
    for topic in wildcard surrogate; do
        case $topic in
        wildcard) what="'#' in a received topic" ;;
        surrogate) what="bad UTF-8 (a surrogate) in a received topic" ;;
        esac
        row "$what" "$("$build/bench/mqtt-paths" $topic) / $(judged mosquitto $topic) / $(judged paho $topic)" "refused"
    done
    row "counted for Sluice" "protocol in memory: no socket, no allocation, nothing else to do"
    row "counted for the libraries" "every instruction of the call, theirs and the C library's, with sockets, locks, allocation and callbacks, for Paho C also its own trace and ledger of the heap; not the kernel, no TLS; connect with name lookup"
    row "code and constants of the whole libraries (libmosquitto: with its side of TLS)" \
        "libmosquitto $(text_bytes libmosquitto.so) bytes, Paho C $(text_bytes libpaho-mqtt3c.so) bytes"
}

whole_path() {
    table "Whole path: Mosquitto with mutual TLS, sluice-node, firmware on the simulated chip"
    need "$build/bench/message-to-pin" || return 0
    timeout 60 "$build/bench/message-to-pin" >>"$rows" || row "(did not end well)" ""

    table "The program mosquitto_pub to pin, seen by relays before the broker and before the chip"
    need mosquitto_pub || return 0
    timeout 60 "$build/bench/publisher-to-pin" >>"$rows" || row "(did not end well)" ""

    table "Idle and busy node: commands from 4 connections, each with an answer of its own within 250 ms"
    timeout 150 "$build/bench/message-rate" >>"$rows" || row "(did not end well)" ""
}

print_plain() {
    awk -F '\t' '/^#/ { print "\n" substr($0, 2); next }
        { printf "  %-76s %-28s %s\n", $1, $2, $3 == "" ? "" : "target " $3 }' "$rows"
}

print_markdown() {
    echo "# Measured figures"
    echo
    echo "Written by \`make bench\`; nothing is asserted. $(date -u +%Y-%m-%d)," \
        "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores," \
        "$(gcc --version | head -n 1)."
    awk -F '\t' '/^#/ { print "\n## " substr($0, 2) "\n\n| | figure | target |\n|---|---|---|"; next }
        { print "| " $1 " | " $2 " | " $3 " |" }' "$rows"
}

relay_chip atmega168
relay_chip atmega328p
lx106_sizes
host_mqtt_size
memory
mqtt
peers
whole_path
print_plain
print_markdown >"$root/bench/RESULTS.md"
echo
echo "written to bench/RESULTS.md"
