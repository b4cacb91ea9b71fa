#!/usr/bin/env bash
# Installs the packages for Linux in clean systems, starts the programs there, removes the packages, and checks that nothing
# is left. As root on Debian, with debootstrap; the systems are made below target/roots and kept for the next run.
#   installer/linux/check-packages.sh [--dist DIR] [SUITE...]
# Suites are those of Debian, by default bookworm and trixie. MIRROR names a mirror (that of the archive for buster, glibc 2.28), GUI=no leaves out the
# window (a display and its libraries are some 150 MB of packages).
# The rpm is installed by rpm itself, in a root of Debian too: its dependencies are read, not resolved.
set -euo pipefail
called_from=$PWD
cd "$(dirname "$0")/../.."
dist=$PWD/target/dist
if [ "${1:-}" = --dist ]; then
    case $2 in /*) dist=$2 ;; *) dist=$called_from/$2 ;; esac
    shift 2
fi
[ "$(id -u)" = 0 ] || { echo "$0: needs root, for chroot" >&2; exit 1; }
[ $# -gt 0 ] || set -- bookworm trixie
deb=$(echo "$dist"/acolyte-installer_*_amd64.deb) rpm=$(echo "$dist"/acolyte-installer-*.x86_64.rpm)
run=$(echo "$dist"/acolyte-installer-*-linux-x86_64.run)
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
fail() { echo "check-packages: $suite: $1" >&2; exit 1; }
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
# Everything but what package managers, caches and the display keep for themselves.
files() {
    (cd "$root" && find . \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./tmp -o -path ./var/lib/dpkg -o -path ./var/lib/rpm \
        -o -path ./var/cache -o -path ./var/log -o -path ./var/lib/apt -o -path ./root/.cache -o -path ./root/.rpmdb -o -path ./packages \) -prune -o -print | LC_ALL=C sort)
}
# What was not there before.
added() { files | LC_ALL=C comm -13 "$root.before" -; }
starts() {
    [ "$(inside acolyte --version)" = "acolyte $version" ] || fail 'acolyte does not start'
    [ "$(inside acolyte-installer --version)" = "acolyte-installer $version" ] || fail 'acolyte-installer does not start'
    inside man --version >/dev/null 2>&1 && { inside man -w acolyte >/dev/null || fail 'there is no manual page'; }
    local code=0
    inside acolyte check-requirements --no-input >"$root/tmp/said" 2>&1 || code=$?
    case $code in 0 | 10 | 20) ;; *) cat "$root/tmp/said" >&2; fail "check-requirements ended with $code" ;; esac
    echo "check-packages: $suite: check-requirements ends with $code (0 compatible, 10 degraded, 20 refused)"
}
# The window's title is looked for on a display in the root.
window() {
    inside sh -c '
        rm -f /tmp/number
        Xvfb -displayfd 3 -screen 0 1280x800x24 3>/tmp/number 2>/tmp/display.log & display=$!
        for i in $(seq 100); do [ -s /tmp/number ] && break; sleep 0.1; done
        export DISPLAY=:$(cat /tmp/number)
        LANG=en_US.UTF-8 '"$1"' >/tmp/window.log 2>&1 & window=$!
        found=1
        for i in $(seq 300); do
            xdotool search --onlyvisible --class acolyte-installer getwindowname >/tmp/title 2>/dev/null && { found=0; break; }
            sleep 0.1
        done
        xdotool search --onlyvisible --class acolyte-installer windowclose 2>/dev/null
        kill $window $display 2>/dev/null
        wait
        exit $found' || { cat "$root/tmp/window.log" >&2; fail "no window opened: $1"; }
    echo "check-packages: $suite: a window opened: $(head -n 1 "$root/tmp/title")"
}

for suite in "$@"; do
    root=$PWD/target/roots/$suite
    if ! [ -e "$root/complete" ]; then
        rm -rf "$root"
        mkdir -p "$root"
        debootstrap --variant=minbase "$suite" "$root" ${MIRROR:+"$MIRROR"} >"$root.log" 2>&1 ||
            { tail -n 5 "$root.log" >&2; fail 'debootstrap failed'; }
        touch "$root/complete"
    fi
    for place in proc dev sys; do mkdir -p "$root/$place"; mountpoint -q "$root/$place" || mount --rbind "/$place" "$root/$place"; done
    trap 'for place in proc dev sys; do umount -R -l "$root/$place" 2>/dev/null || true; done' EXIT
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    mkdir -p "$root/packages"
    cp "$deb" "$rpm" "$run" "$root/packages/"
    inside apt-get update -qq
    echo "check-packages: $suite: glibc $(inside ldd --version 2>/dev/null | head -n 1 | grep -o '[0-9.]*$')"

    if [ "${GUI:-yes}" = yes ]; then
        inside apt-get install -y -qq --no-install-recommends xvfb xdotool libgl1-mesa-dri rpm xz-utils >/dev/null 2>&1 || fail 'no display'
    else
        inside apt-get install -y -qq --no-install-recommends rpm >/dev/null 2>&1 || fail 'no rpm'
    fi
    # The recommended libraries stay when the package goes, as apt does it; so they are there from the start.
    if [ "${GUI:-yes}" = yes ]; then
        # shellcheck disable=SC2046
        inside apt-get install -y -qq --no-install-recommends $(dpkg-deb --field "$deb" Recommends | tr -d ',') >/dev/null 2>&1 ||
            fail 'a recommended library is missing'
    fi
    # What a run that failed has left.
    inside apt-get purge -y -qq acolyte-installer >/dev/null 2>&1 || true
    inside rpm --erase acolyte-installer >/dev/null 2>&1 || true
    rm -rf "$root/root/.acolyte"
    files >"$root.before"
    inside apt-get install -y -qq --no-install-recommends "/packages/${deb##*/}" >/dev/null || fail 'the deb is not installed'
    starts
    [ "${GUI:-yes}" != yes ] || window acolyte-installer
    rm -rf "$root/root/.acolyte"
    inside apt-get purge -y -qq acolyte-installer >/dev/null || fail 'the deb is not removed'
    added | grep . && fail 'the deb leaves the files above'

    inside rpm --install --nodeps "/packages/${rpm##*/}" || fail 'the rpm is not installed'
    inside rpm --verify --nodeps acolyte-installer || fail 'the rpm does not match its own checksums'
    starts
    rm -rf "$root/root/.acolyte"
    inside rpm --erase acolyte-installer || fail 'the rpm is not removed'
    # Folders that a desktop has anyway are in no package of this root, and stay.
    added | while read -r path; do [ -d "$root/$path" ] && [[ $path != *acolyte* ]] || echo "$path"; done | grep . &&
        fail 'the rpm leaves the files above'
    files >"$root.before"

    [ "${GUI:-yes}" != yes ] || window "sh /packages/${run##*/}"
    rm -rf "$root/root/.acolyte"
    added | grep . && fail 'the self-extracting file leaves the files above'
    for place in proc dev sys; do umount -R -l "$root/$place" 2>/dev/null || true; done
    echo "check-packages: $suite: deb and rpm installed, started and removed with nothing left"
done
