#!/bin/sh
# The demo's whole story on the virtual ESP8266, with every access to its code memories watched: it ends
# well, and no instruction breaks the rule of the flash (flash_rule.c).
# Usage: story.sh SLUICE SLUICE_BOARD PLUGIN IMAGE
set -eu
sluice=$1 board=$2 plugin=$3 image=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

cat >"$work/node" <<END
#!/bin/sh
exec "$board" "\$@" --plugin "$plugin,out=$work/broken"
END
chmod +x "$work/node"
"$sluice" demo --story --node "$work/node"

starts=$(grep -c '^watching$' "$work/broken" || true)
[ "$starts" -ge 3 ] || { echo "FAILED: the plugin watched $starts starts of the node, not 3" >&2; exit 1; }
if grep '^0x' "$work/broken" >"$work/list"; then
    echo "FAILED: the flash gives whole words only, but:" >&2
    while read -r line; do
        echo "$line in $(xtensa-lx106-elf-addr2line -f -s -e "$image" "${line%%:*}" | tr '\n' ' ')" >&2
    done <"$work/list"
    exit 1
fi
echo "no part of a word was loaded from flash or IRAM"
