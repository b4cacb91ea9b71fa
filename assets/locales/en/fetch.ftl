### Fetching and unpacking: what went wrong and what to do

fetch-cancelled = Stopped
fetch-proxy-invalid = { $proxy } is not the address of a proxy. Write it like http://proxy.example.org:8080.
fetch-ca-unreadable = The certificates in { $path } cannot be read: { $problem }. Name a file in PEM format that you may read.
fetch-ca-empty = { $path } holds no certificates in PEM format. Ask whoever gave you the file for the PEM form.
fetch-no-client = Connections cannot be made: { $problem }. Check the proxy and the certificates of the system.
fetch-disk-full = There is no space left for { $path }. Free some space, or choose another folder, and try again: what was fetched is kept.
fetch-cannot-write = { $path } cannot be written: { $problem }. Check that the folder belongs to you, or choose another one.
fetch-unpack-unreadable = The archive { $path } cannot be read: { $problem }
fetch-unpack-format = { $path } is not an archive of a release (.tar.zst, .tgz or .zip). Check the address it came from.
fetch-unpack-damaged = The archive { $path } is damaged ({ $problem }). Delete it and try again, or use another mirror.
fetch-unpack-hostile = The archive wants to write where it must not ("{ $entry }"). Nothing of it is used. Check where it came from.
fetch-unpack-too-large = The archive holds more than { $entries } files or { $size }, far more than a release. Nothing of it is used. Check where it came from.
