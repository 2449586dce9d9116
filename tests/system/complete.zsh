# What zsh offers behind a line, sorted, in one line: a real interactive zsh on a terminal of its own,
# whose compadd is listened to. Usage: zsh -f complete.zsh FOLDER-OF-_sluice LINE
# Leaves its files in the working folder: zsh.*.
zmodload zsh/zpty || exit 1
heard=$PWD/zsh.heard setup=$PWD/zsh.setup # no trap: the inner shell would run it too
: >$heard
cat >$setup <<END
fpath=(${(q)1} \$fpath)
autoload -Uz compinit && compinit -u -d ${(q)PWD}/zsh.dump
zstyle ':completion:*' insert-tab false
bindkey '^I' complete-word
compadd() {
    local -a words
    # Asked for words only, not to offer them.
    [[ "\${@[1,(i)(-|--)]}" == *-[OAD]\ * ]] || { builtin compadd -A words "\$@"; print -rl -- \$words >>$heard; }
    builtin compadd "\$@"
}
finish() { print end >>$heard; }
comppostfuncs=(finish)
print ready >>$heard
END
# Until the file says so; what the terminal shows is thrown away.
await() {
    local -i tries
    for ((tries = 0; tries < 400; tries++)); do
        while zpty -r -t inner shown; do :; done
        grep -qx $1 $heard && return
        sleep 0.025
    done
    print -u2 "zsh says nothing"
    exit 1
}
zpty -b inner zsh -f -i
zpty -w inner "source $setup"
await ready
zpty -n -w inner "$2"$'\t'
await end
zpty -d inner
grep -vx -e ready -e end -e '' $heard | sort -u | paste -s -d ' '
