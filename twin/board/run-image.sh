#!/bin/sh
# Runs one program on the virtual ESP8266, to its end: the exit code is the program's.
# Usage: run-image.sh IMAGE [NAME=VALUE ...]      Deterministic: time is counted in instructions.
set -eu

image=$1
shift
arguments=arg=$(basename "$image")
for argument in "$@"; do arguments=$arguments,arg=$argument; done
exec qemu-system-xtensa -M kc705-nommu -cpu lx106 -display none -monitor none -serial stdio -no-reboot \
    -icount shift=0 -nic none -semihosting-config "enable=on,target=native,$arguments" \
    -kernel "$image" </dev/null
