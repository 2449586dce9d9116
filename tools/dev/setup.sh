#!/bin/sh
# Installs what a command needs and this machine lacks: Debian packages, by name, shown first.
# Usage: setup.sh demo|board|check|lint|fuzz|bench|deb [...]      Asks only when its input is a terminal.
set -eu

products="gcc libc6-dev cmake ninja-build pkg-config libbearssl-dev libssl-dev libmosquitto-dev libcjson-dev libgpiod-dev"
build="$products gcc-avr avr-libc binutils-avr libsimavr-dev libelf-dev"
deb="$products build-essential debhelper lintian"
run="mosquitto mosquitto-clients openssl procps"
board="gcc-xtensa-lx106 picolibc-xtensa-lx106-elf qemu-system-misc xz-utils"

packages=""
for group in "$@"; do
    case $group in
    build | firmware) packages="$packages $build" ;;
    demo) packages="$packages $build $run" ;;
    board) packages="$packages $build $run $board" ;;
    check) packages="$packages $build $run $board libcmocka-dev python3-minimal systemd busybox mandoc zsh \
$deb fakeroot faketime man-db" ;;
    lint) packages="$packages $build libcmocka-dev clang-format clang-tidy cppcheck" ;;
    fuzz) packages="$packages $build libcmocka-dev clang libclang-rt-14-dev python3-minimal" ;;
    bench) packages="$packages $build $run libcmocka-dev $board valgrind libpaho-mqtt-dev" ;;
    deb) packages="$packages $deb" ;;
    program) packages="$packages $build avrdude" ;;
    *)
        echo "setup: '$group' is no group: use build, demo, board, check, lint, fuzz, bench, deb or program" >&2
        exit 2
        ;;
    esac
done

if ! command -v dpkg-query >/dev/null; then
    echo "setup: this is no Debian, so nothing is installed here. Needed is what corresponds to these"
    echo "       packages of Debian 12; the build tells what it misses:$packages"
    exit 0
fi

missing=""
for package in $packages; do
    case " $missing " in *" $package "*) continue ;; esac
    state=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
    [ "$state" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

# Some CI systems give a terminal that nobody sits at.
has_reader() { [ -t 0 ] && [ "${CI:-}" != true ]; }

echo "These Debian packages are missing and will be installed:"
for package in $missing; do echo "    $package"; done
case $missing in
*" mosquitto "* | *" mosquitto")
    echo "(Debian also starts a mosquitto service of its own, on loopback. Sluice does not use it:"
    echo " 'systemctl disable --now mosquitto' if you do not want it.)"
    ;;
esac
if has_reader; then
    printf 'Install them now? [Y/n] '
    read -r answer
    case $answer in
    "" | y | Y | yes | Yes) ;;
    *)
        echo "setup: nothing was installed" >&2
        exit 1
        ;;
    esac
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "setup: not root and no sudo here; run this as root: apt-get install --no-install-recommends$missing" >&2
        exit 1
    fi
    as_root="sudo"
    # sudo would find the terminal by itself, but nothing is asked when the input is none.
    has_reader || as_root="sudo -n"
    if ! has_reader && ! sudo -n true 2>/dev/null; then
        echo "setup: sudo wants a password, and the input is no terminal; run this first:" >&2
        echo "    sudo apt-get install --no-install-recommends$missing" >&2
        exit 1
    fi
fi
$as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
# shellcheck disable=SC2086 # the list is meant to split
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
