#!/usr/bin/env bash
# Makes "ACOLYTE Installer.app" and, of it, a zip and a disk image. Run it on a Mac, from anywhere:
#   installer/macos/package.sh [--binaries DIR] [--output DIR] [--identity NAME] [--universal] [--bundle-only]
# Without --binaries the programs are built for release first, with --universal for both processors.
# --identity is a "Developer ID Application: …" of your keychain; without it the signature is ad hoc, which is enough for
# the Mac that made it, while others ask whether to open it.
# --bundle-only stops before signing; that much works on every system.
set -euo pipefail

called_from=$PWD
cd "$(dirname "$0")/../.."
# Folders are meant from where the script was called.
absolute() { case $1 in /*) echo "$1" ;; *) echo "$called_from/$1" ;; esac; }
binaries='' output=target/packages identity='-' universal='' bundle_only=''
while [ $# -gt 0 ]; do
    case $1 in
        --binaries) binaries=$(absolute "${2:?--binaries needs a folder}") && shift 2 ;;
        --output) output=$(absolute "${2:?--output needs a folder}") && shift 2 ;;
        --identity) identity=${2:?--identity needs a name} && shift 2 ;;
        --universal) universal=yes && shift ;;
        --bundle-only) bundle_only=yes && shift ;;
        *)
            echo "usage: $0 [--binaries DIR] [--output DIR] [--identity NAME] [--universal] [--bundle-only]" >&2
            exit 2
            ;;
    esac
done
if [ -z "$bundle_only" ] && [ "$(uname -s)" != Darwin ]; then
    echo "$0: codesign, ditto and hdiutil are on macOS only; --bundle-only stops before them" >&2
    exit 1
fi

data=installer/macos
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
minimum=$(sed -n '/LSMinimumSystemVersion/{n;s/.*<string>\(.*\)<\/string>.*/\1/p;}' "$data/Info.plist")
built=${CARGO_TARGET_DIR:-target}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if [ -z "$binaries" ]; then
    # The programs must not ask for a newer system than the bundle states.
    export MACOSX_DEPLOYMENT_TARGET=$minimum
    if [ -n "$universal" ]; then
        for target in aarch64-apple-darwin x86_64-apple-darwin; do
            cargo build --release --locked --bins --target "$target"
        done
        binaries=$scratch/universal
        mkdir "$binaries"
        for program in acolyte-installer acolyte; do
            lipo -create -output "$binaries/$program" \
                "$built/aarch64-apple-darwin/release/$program" "$built/x86_64-apple-darwin/release/$program"
        done
    else
        cargo build --release --locked --bins
        binaries=$built/release
    fi
fi

mkdir -p "$output"
app="$output/ACOLYTE Installer.app"
rm -rf "$app"
mkdir -p "$app/Contents/MacOS" "$app/Contents/Resources"
cp "$binaries/acolyte-installer" "$binaries/acolyte" "$app/Contents/MacOS/"
chmod 755 "$app"/Contents/MacOS/*
cp assets/icons/app.icns "$app/Contents/Resources/"
cp LICENSE-MIT LICENSE-APACHE "$app/Contents/Resources/"
cp assets/fonts/OFL.txt "$app/Contents/Resources/Inter-OFL.txt"
sed "s/@VERSION@/$version/g" "$data/Info.plist" >"$app/Contents/Info.plist"
printf 'APPL????' >"$app/Contents/PkgInfo"
echo "$app"
[ -z "$bundle_only" ] || exit 0

plutil -lint -s "$app/Contents/Info.plist"
# Inside out: the bundle's signature covers that of the terminal twin. Apple notarises only what has the hardened
# runtime and a time stamp, and an ad hoc signature can have none.
stamp=--timestamp
[ "$identity" != - ] || stamp=--timestamp=none
codesign --force --options runtime "$stamp" --sign "$identity" "$app/Contents/MacOS/acolyte"
codesign --force --options runtime "$stamp" --sign "$identity" "$app"
codesign --verify --strict --verbose=2 "$app"

name=acolyte-installer-$version-macos
[ -n "$universal" ] || name=$name-$(uname -m)
rm -f "$output/$name.zip" "$output/$name.dmg"
ditto -c -k --keepParent "$app" "$output/$name.zip"
mkdir "$scratch/image"
ditto "$app" "$scratch/image/ACOLYTE Installer.app"
hdiutil create -quiet -volname "ACOLYTE Installer" -fs HFS+ -format UDZO -srcfolder "$scratch/image" "$output/$name.dmg"
[ "$identity" = - ] || codesign --timestamp --sign "$identity" "$output/$name.dmg"
(cd "$output" && for file in "$name.zip" "$name.dmg"; do shasum -a 256 "$file" >"$file.sha256" && echo "$output/$file"; done)
