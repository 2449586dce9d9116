#!/bin/sh
# The man pages: whole, free of faults for mandoc, and with every subcommand, option and argument
# that --help and the completion know.
# Usage: cli_manual.sh SLUICE FOLDER-OF-PAGES
. "$(dirname "$0")/cli_lib.sh"
pages=$2
command -v mandoc >/dev/null || fail "mandoc is not installed: make setup"
struck=$(printf '.\b') # bold and underlined, as for a line printer
render() { mandoc -T ascii "$1" | sed "s/$struck//g" >page; }

[ -f "$pages/sluice.1" ] || fail "there is no sluice.1 in $pages"
for page in "$pages"/*; do
    mandoc -T lint -W warning "$page" >lint || fail "$(cat lint)"
    [ "$(grep -c '^\.Sh' "$page")" -ge 3 ] || fail "$page is no page"
done

subcommands >commands
[ "$(wc -l <commands)" -ge 10 ] || fail "--help lists too little: $(cat out)"
# A page may speak of the options of another subcommand, and of --now, which is systemctl's.
"$sluice" --help >everywhere
echo --now >>everywhere
while read -r words; do
    # shellcheck disable=SC2086
    "$sluice" $words --help >>everywhere
done <commands
"$sluice" completion bash >script.bash
"$sluice" completion zsh >script.zsh
render "$pages/sluice.1"
cp page overview
for code in 0 1 2 3 4; do grep -q "^ *$code  " overview || fail "sluice(1) lacks exit code $code"; done
for word in SLUICE_SITE NO_COLOR site.json sluice-errors; do
    grep -q "$word" overview || fail "sluice(1) lacks $word"
done
while read -r words; do
    name=$(echo "$words" | tr ' ' -)
    grep -q "sluice-$name(1)" overview || fail "sluice(1) lacks sluice-$name(1)"
    render "$pages/sluice-$name.1"
    # shellcheck disable=SC2086
    expect 0 "examples:" "$sluice" $words --help
    cp out help
    for option in $(sed -n 's/^  \(--[a-z-]*\).*/\1/p' help); do
        for file in page script.bash script.zsh; do
            grep -q -e "$option" $file || fail "$words: $option is in --help, not in $file"
        done
    done
    for option in $(grep -o -e '--[a-z][a-z-]*' page | sort -u); do
        grep -q -e "$option" everywhere || fail "$words: $option is in the man page, in no --help"
    done
    for argument in $(sed -n 's/^  \([A-Z][A-Z]*\)  .*/\1/p' help); do
        grep -q "^ *$argument" page || fail "$words: the man page lacks $argument"
    done
    # Every example, word for word.
    sed -n '/^examples:/,$ s/^      //p' help >examples
    [ -s examples ] || fail "$words has no example"
    while read -r example; do
        grep -qF -- "$example" page || fail "$words: the man page lacks the example: $example"
    done <examples
done <commands

# Every message that the programs can give.
render "$pages/sluice-errors.7"
for id in option-unknown node-unknown broker-down tls-broker-strange identity-open relays-ended; do
    grep -q "$id" page || fail "sluice-errors(7) lacks $id"
done
echo "ok"
