#!/bin/sh
# Everything that reads the code without running it. Needs a configured build for clang-tidy.
# Usage: lint.sh BUILD_FOLDER
set -eu
build=$1
sources=$(git ls-files '*.c' '*.h')
failed=""

step() { # name, then the command
    name=$1
    shift
    printf 'lint: %s ... ' "$name"
    if output=$("$@" 2>&1); then
        echo ok
    else
        echo FAILED
        printf '%s\n' "$output" | grep -vE 'warnings generated|Suppressed|Use -header-filter' | head -n 200
        failed="$failed $name"
    fi
}

tidy() {
    # The AVR's and the lx106's own sources need their compilers and headers; the rest is in the host's database.
    git ls-files 'src/*.c' 'ports/*.c' 'twin/*.c' 'tools/*.c' 'bench/*.c' ':!ports/lx106' ':!bench/lx106' |
        sort -u | xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p "$build" --warnings-as-errors='*'
}

no_private_material() {
    ! git grep -lE 'BEGIN (EC |RSA |ENCRYPTED )?PRIVATE KEY' -- . ':!tools/dev/lint.sh'
}

scripts() {
    git ls-files '*.sh' .ci/run | while read -r file; do sh -n "$file" || bash -n "$file"; done
}

# shellcheck disable=SC2086 # lists of files are meant to split
step clang-format clang-format --dry-run --Werror $sources
step layers tools/dev/layers.sh .
step cppcheck cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --inline-suppr \
    --suppress=missingIncludeSystem --std=c11 -j "$(nproc)" -Isrc -Iports -I. src ports twin tools firmware
step clang-tidy tidy
step keys no_private_material
step scripts scripts
[ -z "$failed" ] || {
    echo "lint: failed:$failed" >&2
    exit 1
}
echo "lint: ok"
