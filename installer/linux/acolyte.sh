#!/bin/bash
# /usr/bin/acolyte of the rpm, whose packager writes no links: the window program, called by the terminal program's name.
exec -a acolyte "${BASH_SOURCE[0]%/*}/acolyte-installer" "$@"
