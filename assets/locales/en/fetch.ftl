### Fetching and unpacking: what went wrong and what to do

fetch-cancelled = Stopped
fetch-proxy-invalid = { $proxy } is not the address of a proxy. Write it like http://proxy.example.org:8080.
fetch-ca-unreadable = The certificates in { $path } cannot be read: { $problem }. Name a file that you can read.
fetch-ca-no-content = { $path } is empty. Ask whoever gave you the file for it again.
fetch-ca-empty = { $path } holds no certificates: it is neither PEM nor DER. Ask whoever gave you the file for the PEM form.
fetch-ca-private-key = { $path } holds a private key and no certificate. Name the file with the authority's certificate, often .crt or .pem. The key is needed by nobody but its owner.
fetch-ca-pkcs7 = { $path } is a PKCS #7 container (.p7b), which is not supported. Make a PEM file of it: openssl pkcs7 -print_certs -in FILE -out ca.pem (with -inform der, if it is binary)
fetch-ca-pkcs12 = { $path } is a PKCS #12 container (.pfx, .p12), which is not supported. Make a PEM file of its certificates: openssl pkcs12 -in FILE -nokeys -out ca.pem
fetch-ca-nothing-usable = { $path } holds no certificate that can be used: { $entries }. Ask whoever gave you the file for a whole one in PEM format.
fetch-ca-skipped = Of the certificates in { $path }, { $count ->
    [one] { $count } of { $total } entries is
   *[other] { $count } of { $total } entries are
} not used: { $entries }.
fetch-ca-entry = entry { $index }: { $problem }
fetch-ca-entry-of = entry { $index } ({ $subject }): { $problem }
fetch-ca-entry-private-key = a private key
fetch-ca-entry-container = a { $kind } container, which is not supported
fetch-ca-entry-other = no certificate but { $kind }
fetch-ca-entry-damaged = damaged
fetch-ca-entry-unusable = a certificate that cannot be an authority
fetch-no-client = Connections cannot be made: { $problem }. Check the proxy and the certificates of the system.
fetch-disk-full = There is no space left for { $path }. Free some space, or choose another folder, and try again: what was fetched is kept.
fetch-unpack-unreadable = The archive { $path } cannot be read: { $problem }
fetch-unpack-format = { $path } is not an archive of a release (.tar.zst, .tgz or .zip). Check the address it came from.
fetch-unpack-damaged = The archive { $path } is damaged ({ $problem }). Delete it and try again, or use another mirror.
fetch-unpack-hostile = The archive tries to write outside its folder ("{ $entry }"). It is not used. Check where it came from.
fetch-unpack-too-large = The archive contains more than { $entries } files or { $size }, far more than a release. It is not used. Check where it came from.

fetch-archive-wrong = { $path } is not the expected archive. Its SHA-256 is { $actual }, expected is { $expected }. It is not used. Name the archive of this release and system, or give the list of your own build with --release.

source-pinned = The release this program was tested with; its hash is built in.
source-listed = The release listed in { $path }; its hash is the list's.
source-newest = The newest release. Its hash was published with it: less certain than the pinned release, and not tested with this program.
source-signed = Checked against the signed list of newer versions.
source-installed = Already on this computer at { $path }; copied, not downloaded. Its hash is recorded, not verified.

newest-asking = Looking up the newest release of Ollama
newest-not-found = { $why } Ollama { $version }, the release this program was tested with, is installed instead.
newest-unreachable = The newest release cannot be found: { $host } ({ $problem }).
newest-obstructed = The newest release cannot be found: { $problem }. { $advice }
newest-insecure = The newest release cannot be found: a redirect leads to { $address }, which is not encrypted.
newest-no-sums = The newest release cannot be verified: { $address } has no checksum for this system.
newest-older = The newest release offered, { $found }, is older than { $pinned }.

fetch-unavailable = { $file } could not be downloaded. { $reasons }. Check the connection and the proxy and try again, or name another mirror: what was fetched is kept.
fetch-obstructed = { $file } could not be downloaded. { $reasons }. { $advice } What was fetched is kept.
fetch-checksum = The file from { $address } is not the expected one: its SHA-256 is { $actual } instead of { $expected }. It was deleted. Use another mirror, or ask its operator.
fetch-disk-too-small = The disk needs { $size } more free space for { $path }. Free some space or choose another folder, and try again: what was fetched is kept.

fetch-problem-connection = no connection ({ $problem })
fetch-problem-stalled = no data for { $time }
fetch-problem-cut-short = the connection ended early
fetch-problem-not-found = it does not have the file
fetch-problem-status = the server answered { $status }
fetch-problem-insecure = it redirects to { $address }, which is not encrypted
fetch-problem-this-computer = it leads to { $host }, a name of this computer that was not entered
fetch-problem-redirects = it redirects too often, or to an invalid address
fetch-problem-length = its file has { $actual } bytes instead of { $expected }
fetch-problem-invalid-response = its response does not match the request ({ $problem })
fetch-problem-ranges-ignored = it only sends the whole file
fetch-problem-changed = its file has changed
fetch-problem-checksum = its file has the SHA-256 { $actual } instead of { $expected }

fetch-waiting-resume = Paused
fetch-waiting-answer = Waiting for { $host } to respond, for { $time } now
fetch-waiting-data = Waiting for more data from { $host }, for { $time } now
fetch-waiting-retry = { $host }: { $problem }. Next try in { $time }
fetch-waiting-check = Verifying the file

login-no-folder = The server cannot be started at login: your home folder is unknown. Set HOME and try again.
login-unrepresentable = The server cannot be started at login: "{ $value }" holds characters that such an entry cannot hold, or is too long. Choose another folder.
login-refused = The system refused ({ $command }): { $problem }

reference-empty = The name of the model is empty. Write it like qwen2.5-coder:7b.
reference-too-many-parts = "{ $reference }" is not the name of a model: it has more parts than host/namespace/name:tag.
reference-part = "{ $part }" cannot be part of a model's name ("{ $reference }"). Write it like qwen2.5-coder:7b or registry.example.org:5000/team/coder:7b.
reference-port-on-windows = “{ $reference }” cannot be installed on Windows: the engine makes a folder with the name of the registry, and no folder can have a name with a port. Let the registry listen on port 443 (80 with --insecure-registry) and leave the port out, or download the model’s .gguf file and use --model-file.

registry-unreachable = The registry { $host } does not respond ({ $problem }). Check the address and the connection, and try again.
registry-unreachable-encrypted = The registry { $host } does not respond over HTTPS ({ $problem }). Check the address and the connection. If it is your own registry without encryption, add --insecure-registry.
registry-obstructed = The registry { $host } cannot be asked: { $problem }. { $advice }
registry-not-found = { $host } has no model { $reference }. Check the name and the tag.
registry-refused = { $host } does not allow access to { $reference }. Choose a public model.
registry-newer-engine = { $host } says that { $reference } needs a newer version of Ollama than the one this program installs (HTTP 412). Choose another model, or install with --ollama newest.
registry-status = The registry { $host } answered { $status }. Try again later.
registry-insecure = The registry { $host } leads to { $address }, which is not encrypted. Nothing was fetched. If it is your own registry without encryption, add --insecure-registry. If this network has a sign-in page, open a browser, sign in, and try again.
registry-unusable = { $reference } in { $host } cannot be used: { $problem }. Choose another model or tag.
registry-this-computer = it leads to { $host }, a name of this computer that was not entered
registry-silent = no data for { $duration }
registry-slow = the response was not complete after { $duration }
registry-no-model-layer = it holds no GGUF model
registry-manifest-too-large = its manifest is too large
registry-header-incomplete = its header is incomplete
registry-redirect-invalid = a redirect is invalid
registry-too-many-redirects = there are too many redirects
registry-manifest-invalid = its manifest is not valid: { $problem }
registry-url-invalid = its URL is not valid: { $problem }

# What stands between this computer and a server: the end of a sentence, and what to do.
network-sign-in-page = a sign-in page or filter answered at { $host }
network-proxy-password = the proxy requires a user name and a password
network-proxy-refused = the proxy refuses the user name and the password
network-proxy-schemes = the proxy requires { $schemes }, which this program cannot do
network-advice-sign-in = Open a browser, sign in to the network, and try again. In a company network, name its proxy (--proxy) and its certificate file (--ca), or ask for the address to be allowed.
network-advice-proxy-password = Write them into its address: --proxy http://NAME:PASSWORD@HOST:PORT, or the same in HTTPS_PROXY.
network-advice-proxy-refused = Check them. In an address, special characters are written with their codes: @ as %40, : as %3A, # as %23.
network-advice-proxy-schemes = Run a local proxy that signs in to it, such as px or cntlm, and name that one: --proxy http://127.0.0.1:3128. Or download the engine's archive on another computer and name it with --archive.
certificate-not-yet-valid = its certificate is valid from { $begin } on, and this computer's clock says { $clock }
certificate-not-yet-valid-unknown = its certificate is not valid yet by this computer's clock, which says { $clock }
certificate-expired = its certificate expired on { $end }, and this computer's clock says { $clock }
certificate-expired-unknown = its certificate has expired by this computer's clock, which says { $clock }
certificate-unknown-issuer = its certificate was issued by { $issuer }, which this computer does not trust
certificate-unnamed-issuer = its certificate was issued by an authority that this computer does not trust
certificate-self-signed = its certificate ({ $subject }) is signed by itself
certificate-self-signed-unnamed = its certificate is signed by itself
certificate-wrong-name = its certificate is for { $names }, not for { $host }
certificate-other-name = its certificate is not for { $host }
certificate-revoked = its certificate was revoked by its authority
certificate-refused = its certificate is not accepted ({ $problem })
certificate-advice-clock = Set this computer's clock if it is wrong, and try again. If it is right, the certificate is wrong: use another mirror, or tell whoever runs the server.
certificate-advice-clock-here = The server's clock says { $server }: set this computer's clock, and try again.
certificate-advice-clock-neither = The server's clock says the same time, so the certificate is wrong and not the clock: use another mirror, or tell whoever runs the server.
certificate-advice-issuer = In a company network, name the company's certificate file (--ca). Anywhere else, somebody may be reading the connection: use another network.
certificate-advice-self-signed = If it is your own or your company's server, name its certificate file (--ca). Anywhere else, somebody may be reading the connection: use another network.
certificate-advice-name = Check the address. The network's sign-in page may have answered: open a browser, sign in, and try again.
certificate-advice-other = Use another mirror or network, or tell whoever runs the server.

# Why a model file cannot be used: part of registry-unusable and cli-model-not-gguf.
model-file-incomplete = its header ends too early, after { $bytes } bytes
model-file-unreadable = its header cannot be read: { $cause }
model-file-not-gguf = it is not a GGUF file
model-file-version = it has GGUF version { $version }, and only 2 and 3 are supported
model-file-too-long = its header is longer than { $most }
model-file-too-much = its header describes more than any model has
model-file-damaged = its header is damaged: { $problem }
model-file-too-many-tensors = { $count } tensors are more than any model has
model-file-too-many-entries = { $count } metadata entries are more than any model has
model-file-name-too-long = a name is too long
model-file-value-type = a value has the unknown type { $kind }
model-file-deep-arrays = arrays are nested too deeply
model-file-tensor = tensor “{ $name }” { $problem }
model-file-tensor-twice = appears twice
model-file-tensor-dimensions = has { $count } dimensions, not 1 to 4
model-file-tensor-length = has a dimension of { $length }
model-file-tensor-type = has the unknown type { $kind }
model-file-tensor-row = has rows that are not a whole number of { $kind } blocks
model-file-missing = it has no { $key }
model-file-no-embedding = it has no tensor token_embd.weight
model-file-impossible = its { $key } is { $value }, which is not possible
model-file-other-kind = it is a file of type “{ $kind }”, not a language model
model-file-split = it is one of { $parts } parts of a model, and a file in one piece is needed
model-file-larger = it claims { $tensors } of tensors in a file of { $file }
model-file-big-endian = it was made for computers that store the most significant byte first (big-endian)
model-file-encoder = it is the image or audio encoder of a model (mmproj), which does not write text by itself
model-file-adapter = it is an adapter (LoRA), which only changes another model
model-file-importance-matrix = it is an importance matrix (imatrix), from which models are quantised
model-file-other-part = file { $part } of { $of } does not say that it is part { $part } of { $of }
model-file-tensor-count = all parts together have { $found } tensors, and the first one says { $wanted }
model-file-parts-tensor = tensor “{ $name }” is there twice or overlaps another one
model-file-gone = There is no file { $path }. If it is on a drive that is not connected, connect it; otherwise choose another file or model
model-file-truncated = { $path } is not complete: it has { $found }, and its header describes { $wanted } ({ $missing } bytes are missing). Download or copy it again
model-file-part-name = { $path } is one of the { $of } parts of a model. The parts must be named as they were published, with an end like -00001-of-00003.gguf
model-file-part-missing = { $path } is missing, one of the { $of } parts of the model. Put all parts into one folder
model-file-parts = The parts of { $path } do not belong together: { $why }. Download them again
