#!/bin/sh
# The completion, in a real bash and a real zsh: subcommands, options, values, names of the site.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/cli_lib.sh"
command -v zsh >/dev/null || fail "zsh is not installed: make setup"
mkdir bin
ln -s "$sluice" bin/sluice
PATH=$work/bin:$PATH
expect 0 "complete -F _sluice sluice" sluice completion bash
cp out script.bash
mkdir functions
expect 0 "#compdef sluice" sluice completion zsh
cp out functions/_sluice
expect 2 "use bash or zsh" sluice completion fish
expect 2 "SHELL is missing" sluice completion

expect 0 "is made" sluice init --no-passphrase --operator anna --operator bob
for node in garden pond greenhouse; do expect 0 "is made" sluice node add $node; done
mkdir site/nodes/.new.x site/nodes/Stray
expect 2 "use nodes or operators" sluice completion --words zones
expect 0 "garden" sluice completion --words nodes
[ "$(paste -s -d ' ' out)" = "garden greenhouse pond" ] || fail "the nodes are: $(cat out)"

# in_bash WANTED WORD...: the last word is the one at the cursor.
in_bash() {
    want=$1
    shift
    got=$(bash --norc "$here/complete.bash" script.bash "$@" 2>said </dev/null) || fail "bash: $(cat said)"
    [ "$got" = "$want" ] || fail "bash offers '$got', not '$want', for: $*"
}
# in_zsh WANTED LINE: the cursor is at its end.
in_zsh() {
    got=$(zsh -f "$here/complete.zsh" "$work/functions" "$2" 2>said </dev/null) || fail "zsh: $(cat said)"
    [ "$got" = "$1" ] || fail "zsh offers '$got', not '$1', for: $2"
}

# The table, as --help shows it, is what is offered.
names=$(subcommands | sed 's/ .*//' | sort -u | paste -s -d ' ')
in_bash "$names" sluice ""
in_zsh "$names" "sluice "
subcommands >commands
while read -r words; do
    # shellcheck disable=SC2086
    options=$({ sluice --help; sluice $words --help; } | sed -n 's/^  \(--[a-z-]*\).*/\1/p' |
        sort -u | paste -s -d ' ')
    # shellcheck disable=SC2086
    in_bash "$options" sluice $words --
    case $words in on | 'node add' | 'broker run') in_zsh "$options" "sluice $words --" ;; esac
done <commands
[ "$(wc -l <commands)" -ge 10 ] || fail "--help lists too little: $(cat commands)"

# Two words, zones, names; nothing where nobody can guess.
in_bash "add enrol list revoke" sluice node ""
in_bash "run" sluice broker r
in_bash "garden greenhouse pond" sluice on ""
in_bash "garden greenhouse" sluice on g
in_bash "0 1 2 3 4 5 6 7" sluice on garden ""
in_bash "" sluice on garden 2 ""
in_bash "0 1 2 3 4 5 6 7 all" sluice off garden ""
in_bash "pond" sluice on --timeout 3 --json p
in_bash "" sluice on --timeout ""
in_bash "anna bob" sluice status --operator ""
in_bash "anna" sluice status --operator = a
in_bash "bash zsh" sluice completion ""
in_bash "" sluice frobnicate ""
in_bash "" sluice --site nowhere on ""
in_zsh "add enrol list revoke" "sluice node "
in_zsh "garden greenhouse pond" "sluice on "
in_zsh "0 1 2 3 4 5 6 7" "sluice on garden "
in_zsh "" "sluice on garden 2 "
in_zsh "anna bob" "sluice status --operator "
in_zsh "anna" "sluice status --operator=a"
in_zsh "" "sluice --site nowhere on "

# A site with blanks and quotes in its path, in every way of writing it; nothing of it is run.
odd="a b'c \$(touch ran)"
mkdir "$odd" && mv site "$odd/site"
in_bash "garden greenhouse pond" sluice --site "a\\ b\\'c\\ \\\$\\(touch\\ ran\\)/site" on ""
in_bash "garden greenhouse pond" sluice --site = "\"a b'c \\\$(touch ran)/site\"" on ""
in_zsh "garden greenhouse pond" "sluice --site a\\ b\\'c\\ \\\$\\(touch\\ ran\\)/site on "
in_zsh "garden greenhouse pond" "sluice --site=\"a b'c \\\$(touch ran)/site\" on "
SLUICE_SITE="$odd/site"
export SLUICE_SITE
in_bash "garden greenhouse pond" sluice on ""
in_zsh "garden greenhouse pond" "sluice on "
unset SLUICE_SITE
[ ! -e ran ] || fail "a path was run"

# Files and folders, by the shell's own means.
: >chip.elf
in_bash "functions" sluice --site fu
grep -qx "option: filenames" said || fail "readline is not told that these are files"
in_bash "chip.elf" sluice demo --elf chip
in_zsh "chip.elf" "sluice demo --elf chip"
in_zsh "functions" "sluice --site func"
echo "ok"
