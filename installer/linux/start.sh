#!/bin/sh
# Starts the window from the folder that acolyte-installer-VERSION-linux-ARCH.run has unpacked; that removes the folder when
# the window is closed.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
# Paths in arguments are meant from where the user was.
[ -z "${USER_PWD:-}" ] || cd -- "$USER_PWD" || exit 1
"$here/bin/acolyte-installer" "$@"
