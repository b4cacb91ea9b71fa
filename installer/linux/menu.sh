#!/bin/sh
# Puts the program of this folder into your applications menu, or takes it out again:
#   sh menu.sh            sh menu.sh --remove
# Only an entry and its icons are written, below ~/.local/share (XDG_DATA_HOME); the program stays in this folder.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
data=${XDG_DATA_HOME:-$HOME/.local/share}
name=acolyte-installer
entry=$data/applications/$name.desktop

refresh() {
    # Menus notice by themselves; these only make it sooner, where they exist.
    update-desktop-database -q "$data/applications" 2>/dev/null || true
    gtk-update-icon-cache -q -t -f "$data/icons/hicolor" 2>/dev/null || true
}

case ${1:-} in
    --remove)
        rm -f -- "$entry"
        rm -f -- "$data"/icons/hicolor/*/apps/"$name".png "$data"/icons/hicolor/scalable/apps/"$name".svg
        refresh
        echo "removed from the menu"
        exit 0
        ;;
    '') ;;
    *)
        echo "usage: sh menu.sh [--remove]" >&2
        exit 2
        ;;
esac

# What has a meaning in a desktop entry or in sed would have to be escaped, several times over.
case $here in
    *[!A-Za-z0-9/._\ +@:,=~-]*)
        echo "the folder's name has characters that a menu entry does not take: $here" >&2
        echo "move it to another folder, or start bin/$name there" >&2
        exit 1
        ;;
esac

mkdir -p -- "$data/applications"
sed -e "s|^Exec=.*|Exec=\"$here/bin/$name\"|" -e "s|^TryExec=.*|TryExec=$here/bin/$name|" \
    "$here/share/applications/$name.desktop" >"$entry"
(cd "$here/share/icons" && find hicolor -type f) | while IFS= read -r icon; do
    mkdir -p -- "$data/icons/$(dirname "$icon")"
    cp -- "$here/share/icons/$icon" "$data/icons/$icon"
done
refresh
echo "added to the menu: $entry"
