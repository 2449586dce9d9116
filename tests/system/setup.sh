#!/bin/sh
# tools/dev/setup.sh on machines of several kinds, each played by programs of this test. Nothing is
# installed. $1: setup.sh
set -u
setup=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

fail() {
    echo "FAILED: $*: $(cat "$work/out")" >&2
    exit 1
}

# machine PROGRAM...: a PATH with these, played, and the shell's own few.
machine() {
    rm -rf "$work/bin"
    mkdir "$work/bin"
    for tool in sh env sleep id; do ln -s "$(command -v $tool)" "$work/bin/$tool"; done
    for program in "$@"; do
        rm -f "$work/bin/${program%-*}"
        cp "$work/$program" "$work/bin/${program%-*}"
    done
}
play() { # NAME SCRIPT
    printf '#!/bin/sh\n%s\n' "$2" >"$work/$1"
    chmod +x "$work/$1"
}
play id-user 'echo 1000'
play id-root 'echo 0'
play dpkg-query-none 'exit 1'
play dpkg-query-all 'echo install ok installed'
play apt-get-any 'echo "apt-get $*" >>"$0.log"'
play sudo-free '[ "$1" = -n ] && shift; "$@"'
play sudo-strict '[ "$1" = -n ] && { echo "sudo: a password is required" >&2; exit 1; }; exec sleep 60'

timeout_path=$(command -v timeout)
# expect CODE WORDS: setup.sh on the machine as it is, without a terminal.
expect() {
    PATH=$work/bin "$timeout_path" 10 sh "$setup" demo >"$work/out" 2>&1 </dev/null
    code=$?
    [ "$code" = "$1" ] || fail "exit code $code, not $1"
    [ -z "$2" ] || grep -qF -- "$2" "$work/out" || fail "no word of '$2'"
}

machine dpkg-query-all
expect 0 ""
[ ! -s "$work/out" ] || fail "words where nothing is missing"
machine dpkg-query-none apt-get-any id-root
expect 0 "    mosquitto"
grep -q '^apt-get install .* mosquitto ' "$work/bin/apt-get.log" || fail "nothing was installed"
# A CI system that gives a terminal: nothing is asked either.
machine dpkg-query-none apt-get-any id-root
CI=true "$(command -v script)" -qec "PATH=$work/bin $timeout_path 10 $(command -v sh) $setup demo" \
    /dev/null </dev/null >"$work/out" || fail "a terminal and CI=true"
grep -q "Install them now" "$work/out" && fail "CI was asked"
grep -q '^apt-get install' "$work/bin/apt-get.log" || fail "nothing was installed with CI=true"
machine dpkg-query-none apt-get-any id-user
expect 1 "no sudo here"
machine dpkg-query-none apt-get-any id-user sudo-free
expect 0 "    mosquitto"
grep -q '^apt-get install' "$work/bin/apt-get.log" || fail "nothing was installed with sudo"
# A password that nobody can type: at once, with the command that an administrator needs.
machine dpkg-query-none apt-get-any id-user sudo-strict
expect 1 "sudo apt-get install --no-install-recommends gcc "
[ ! -e "$work/bin/apt-get.log" ] || fail "apt-get was called"
# Not Debian: what is needed is told, and the build says what is missing.
machine id-user
expect 0 "no Debian"
grep -q 'libbearssl-dev' "$work/out" || fail "the packages are not told"
echo "ok"
