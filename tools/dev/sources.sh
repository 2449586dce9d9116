#!/bin/sh
# Fetches the sources of the libraries that the virtual board is built from: Debian's source packages,
# known by the hash of the upstream archive. Nothing of this system is changed: the list of package
# sources is derived from its own into a folder of ours.
# Usage: sources.sh FOLDER      Gives: FOLDER/bearssl, lwip, cmocka, cjson; nothing when all are there.
set -eu

if [ $# -ne 1 ]; then
    echo "usage: tools/dev/sources.sh FOLDER" >&2
    exit 2
fi
mkdir -p "$1"
target=$(cd "$1" && pwd)

# name, archive, SHA-256
wanted() {
    cat <<'END'
bearssl bearssl_0.6+dfsg.1.orig.tar.xz 102a625bd8f6155260867a50c508df8d8c3f796985dd744df1a68e5cd1a79004
lwip lwip_2.1.3+dfsg1.orig.tar.xz 0a8276d09fc4e97bbba2f953d74af2388fc2195ea156be9d7589e297a68fde24
cmocka cmocka_1.1.5.orig.tar.xz f0ccd8242d55e2fd74b16ba518359151f6f8383ff8aef4976e48393f77bba8b6
cjson cjson_1.7.15.orig.tar.gz 5308fd4bd90cef7aa060558514de6a1a4a0819974a26e6ed13973c5f624c24b2
END
}
is_there() { [ "$(cat "$target/$1.sha256" 2>/dev/null)" = "$2" ] && [ -d "$target/$1" ]; }

missing=$(wanted | while read -r name archive hash; do is_there "$name" "$hash" || echo "$name"; done)
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "sources: this is no Debian. Unpack the archives of these hashes as $target/NAME, and write" >&2
    echo "         each hash into $target/NAME.sha256:" >&2
    wanted >&2
    exit 1
fi

apt=$target/.apt
rm -rf "$apt"
mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/archives"
# The system's own lines, turned to sources: the mirror, the keys and the proxy stay what they are.
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -f "$list" ] || continue
    sed -n 's/^[[:space:]]*deb[[:space:]]/deb-src /p' "$list" | sort -u >"$apt/parts/$(basename "$list" .list).list"
done
for list in /etc/apt/sources.list.d/*.sources; do
    [ -f "$list" ] || continue
    sed 's/^[Tt]ypes:.*/Types: deb-src/' "$list" >"$apt/parts/$(basename "$list")"
done

get() {
    apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$apt/parts" \
        -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User="$(id -un)" "$@"
}
echo "fetching Debian's source packages of:" $missing
# One repository that has no sources does not matter: what counts is what arrives.
get update >"$apt/log" 2>&1 || true
# shellcheck disable=SC2086 # the list is meant to split
if ! (cd "$apt/archives" && get source --download-only $missing >>"$apt/log" 2>&1); then
    tail -n 5 "$apt/log" >&2
    echo "sources: apt-get could not fetch them; is there a network, and is this Debian 12?" >&2
    exit 1
fi

wanted | while read -r name archive hash; do
    if is_there "$name" "$hash"; then continue; fi
    file=$apt/archives/$archive
    if ! echo "$hash  $file" | sha256sum -c --status 2>/dev/null; then
        echo "sources: $archive is not there, or is not the one that Sluice was tested with (Debian 12's)" >&2
        exit 1
    fi
    rm -rf "${target:?}/$name" "$apt/unpacked"
    mkdir "$apt/unpacked"
    tar -C "$apt/unpacked" -xaf "$file" --strip-components=1
    mv "$apt/unpacked" "$target/$name"
    echo "$hash" >"$target/$name.sha256"
done
rm -rf "$apt"
