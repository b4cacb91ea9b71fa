# Installing, managing, removing.

## The release

install-release-unreadable = The release file { $path } cannot be read: { $cause }. Check its path and permissions.
install-release-malformed = { $path } is not a release file: { $cause }. The format is described in docs/release-file.md.
install-release-none-for-system = Release { $version } has no archive for { $os } on { $arch }. Use --release with a list that has one.
install-release-no-address = The release file gives no base_url. Add it, or name the address with --mirror.

## The engine's answers

install-client-setup = No connection to the engine can be prepared: { $cause }. Restart the program; if it happens again, report it.
install-client-unreachable = The engine on port { $port } does not answer: { $cause }. Look at its log, or start it again.
install-client-silent = The engine has said nothing for { $duration }. Run the installation again: what was done is kept.
install-client-refused = The engine says: { $message }
install-client-cut-short = The engine broke off before it was done. Run the installation again: what was done is kept.
install-client-unreadable = The engine's answer cannot be understood: { $cause }. Is another program on its port?

## The server

install-server-port-taken = Port { $port } is taken by another program. Choose another port, or leave the choice to the installer.
install-server-no-free-port = All ports from { $first } to { $last } are taken. End the program that holds one of them, or name a free port with --port.
install-server-spawn = { $path } cannot be started: { $cause }.
install-server-ended =
    The engine ended ({ $status }) instead of answering. The last lines of its log:
    { $lines }
install-server-not-ready =
    The engine runs but has not answered for { $duration }. The last lines of its log:
    { $lines }
install-server-process = A process of the engine cannot be ended: { $cause }. End it by hand and try again.

## Files

install-file-write = { $path } cannot be written: { $cause }. Check that the disk is not full and that the folder is yours.
