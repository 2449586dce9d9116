# What bash would offer for the last word of a line, sorted, in one line.
# Usage: bash complete.bash SCRIPT WORD...     readline's own options go to stderr as "option: NAME".
source "$1" || exit 1
shift
compopt() { told=$2; }
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_sluice
echo "option: $told" >&2
printf '%s\n' "${COMPREPLY[@]}" | sort | paste -s -d ' '
