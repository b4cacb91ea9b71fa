#!/usr/bin/env bash
# Makes acolyte-installer-VERSION-linux-ARCH.tar.gz and its SHA-256. Run it from anywhere:
#   installer/linux/package.sh [--binaries DIR] [--output DIR]
# Without --binaries the program is built for release first. It is one file with two names: called as acolyte, it is the
# terminal program. Output: target/packages.
# ARCH is the processor of the programs; without it, that of this computer.
# SOURCE_DATE_EPOCH fixes the dates; else they are those of the last commit, so that the same source gives the same archive.
set -euo pipefail

called_from=$PWD
cd "$(dirname "$0")/../.."
# Folders are meant from where the script was called.
absolute() { case $1 in /*) echo "$1" ;; *) echo "$called_from/$1" ;; esac; }
binaries='' output=target/packages
while [ $# -gt 0 ]; do
    case $1 in
        --binaries) binaries=$(absolute "${2:?--binaries needs a folder}") && shift 2 ;;
        --output) output=$(absolute "${2:?--output needs a folder}") && shift 2 ;;
        *)
            echo "usage: $0 [--binaries DIR] [--output DIR]" >&2
            exit 2
            ;;
    esac
done

if [ -z "$binaries" ]; then
    cargo build --release --locked --bin acolyte-installer
    binaries=${CARGO_TARGET_DIR:-target}/release
fi

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
arch=${ARCH:-$(uname -m)}
stamp=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
name=acolyte-installer-$version-linux-$arch
staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT
root=$staging/$name

fill_in() { sed -e "s/@VERSION@/$version/g" -e "s/@ARCH@/$arch/g" -e "s/@DATE@/$(date -u -d "@$stamp" +%F)/g" "$1"; }

install -D -m 755 "$binaries/acolyte-installer" "$root/bin/acolyte-installer"
ln -s acolyte-installer "$root/bin/acolyte"
data=installer/linux
install -D -m 644 "$data/acolyte-installer.desktop" "$root/share/applications/acolyte-installer.desktop"
for px in 16 22 24 32 48 64 128 512; do
    install -D -m 644 "assets/icons/app/$px.png" "$root/share/icons/hicolor/${px}x$px/apps/acolyte-installer.png"
done
install -D -m 644 assets/icons/app.png "$root/share/icons/hicolor/256x256/apps/acolyte-installer.png"
install -D -m 644 assets/icons/app.svg "$root/share/icons/hicolor/scalable/apps/acolyte-installer.svg"
install -d "$root/share/metainfo"
fill_in "$data/acolyte-installer.metainfo.xml" >"$root/share/metainfo/com.acolyte.installer.metainfo.xml"
licenses=$root/share/licenses/acolyte-installer
install -D -m 644 -t "$licenses" LICENSE-MIT LICENSE-APACHE
install -m 644 assets/fonts/OFL.txt "$licenses/Inter-OFL.txt"
install -m 755 "$data/start.desktop" "$root/acolyte-installer.desktop"
install -m 755 "$data/menu.sh" "$root/menu.sh"
fill_in "$data/README.txt" >"$root/README.txt"

mkdir -p "$output"
archive=$output/$name.tar.gz
tar --create --directory "$staging" --sort=name --owner=0 --group=0 --numeric-owner --mode=u+rwX,go+rX,go-w \
    --mtime="@$stamp" "$name" | gzip -9 --no-name >"$archive"
(cd "$output" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
echo "$archive"

# The programs run on no system with an older C library than the one they were built with asks for.
if command -v objdump >/dev/null; then
    glibc=$(objdump -T "$root/bin/acolyte-installer" 2>/dev/null | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1 || true)
    [ -z "$glibc" ] || echo "needs glibc ${glibc#GLIBC_} or newer"
fi
