# Installing, managing, removing.

## The release

install-release-unreadable = The release file { $path } cannot be read: { $cause }. Check its path and permissions.
install-release-malformed = { $path } is not a release file: { $cause }. The format is described in docs/release-file.md.
install-release-none-for-system = Release { $version } has no archive for { $os } on { $arch }. Use --release with a list that has one.
install-release-no-address = The release file has no base_url. Add it, or set the address with --mirror.

## The engine's answers

install-client-setup = The connection to the engine cannot be set up: { $cause }. Restart the program; if it happens again, report it.
install-client-unreachable = The engine on port { $port } does not respond: { $cause }. Check its log, or start it again.
install-client-silent = The engine has not responded for { $duration }. Try again: finished work is kept.
install-client-refused = The engine says: { $message }
install-client-cut-short = The engine's response was interrupted. Try again: finished work is kept.
install-client-prompt-too-long = The conversation is longer than the model's context. Send less, or start a new one.
install-client-file-in-use = Another program, such as a virus scanner, has a file open that Ollama needs ({ $message })
install-client-unreadable = The engine's response is not valid: { $cause }. Is another program on its port?

## The server

install-server-port-taken = Port { $port } is taken by another program. Choose another port, or let the installer choose one.
install-server-no-free-port = All ports from { $first } to { $last } are taken. Close a program that uses one of them, or name a free port with --port.
install-server-not-listening = The private server is not running on port { $port }. Start it with acolyte start.
install-server-unconfirmed = The system does not say which program listens on port { $port }: the one that responds may not be the private server.
install-client-stranger = Port { $port } of the server was taken by { $by }. Its response is not used. Close that program, or run acolyte install again to use another port.
install-server-other-version = The server on port { $port } reports Ollama { $found } instead of { $expected }. It is not queried further. Run acolyte install again to replace it.
install-server-spawn = { $path } cannot be started: { $cause }.
install-server-ended = The engine ended ({ $status }) without responding.
install-server-last-lines =
    The last lines of its log:
    { $lines }
# How a program ended, and what that usually means.
program-end-code = exit code { $code }
program-end-signal = signal { $signal }
crash-illegal-instruction = The processor does not have an instruction that the engine uses: it is an old one, or a virtual machine hides what it has (AVX, AVX2). Let the virtual machine pass the processor through (type "host"), or use another computer.
crash-killed = Something killed it. Usually the system's OOM killer does that when main memory is full, or a container when its limit is reached: close other programs, raise the limit, or choose a smaller model or context.
crash-out-of-memory = Main memory is full. Close other programs, enlarge the page file, or choose a smaller model or context.
crash-segmentation-fault = It used memory that is not its own: a fault of the engine or of the graphics driver, or defective memory modules. Update the driver and install again; if it stays, test the memory.
crash-bus-error = A file that it had mapped into memory could not be read: the drive has a fault, is full, or was disconnected. Check the drive, and install again.
crash-aborted = It ended itself after an error of its own, often in the graphics driver. Update the driver; the lines of its log say more.
crash-terminated = Something asked it to end: another program, the end of the session, or a shutdown. Start it again.
crash-forbidden-call = The system does not allow a call that it needs: a sandbox or a container forbids it. Run it outside, or allow the call.
crash-limit = It reached a limit of your account. Raise it (ulimit -t, ulimit -f).
crash-library-missing = A library that it needs is missing. On Windows, install the Visual C++ Redistributable (x64); elsewhere install the engine again.
crash-library-unsuitable = A library is of another version or architecture than it needs. On Windows, install the current Visual C++ Redistributable (x64) and the current graphics driver; then install again.
install-server-not-ready =
    The engine is running but has not responded for { $duration }. The last lines of its log:
    { $lines }
install-server-process = A process of the engine cannot be stopped: { $cause }. Stop it yourself and try again.

## Files

ownership-foreign = { $path } belongs to { $owner }, and this program runs as { $user }: what is in it may not be yours, so it is not used. Run it as { $owner }, or use another folder with --home. If you know everything in it: chown -R { $user } "{ $path }"
ownership-foreign-root = { $path } belongs to { $owner }, and this program runs as root: it is not used. Run it without sudo, as { $owner }, or use another folder with --home.
ownership-writable = Other users can change { $path }, so what is in it may not be yours: it is not used. If you know everything in it: chmod -R go-w "{ $path }" – or use another folder with --home.
ownership-writable-above = Other users can change { $path }, and so replace what is in it: it is not used. Remove their write permission (chmod go-w "{ $path }"), or use another folder.
ownership-link = { $path } is a link, and links are not followed here: it is not used. Remove it, or use the folder that it leads to with --home.
ownership-kind = { $path } is not a regular file, or not a folder where one is expected: it is not used. Move it away, or use another folder with --home.
install-foreign-path = { $document } refers to { $path }, which does not belong to this installation. Nothing was changed. Somebody has edited that file, or the folder was moved: move it back, or remove yourself what you recognise.
install-file-read = { $path } cannot be read: { $problem }.
install-file-create = { $path } cannot be created: { $problem }.
install-file-rename = { $path } cannot be renamed: { $problem }.
install-file-remove = { $path } cannot be removed: { $problem }.
install-file-write = { $path } cannot be written: { $problem }.
file-cause-permission = You may not do that there: choose another folder, or have its owner give you access.
file-cause-not-permitted = The file system may not support that (FAT and exFAT do not), or the file is protected against changes. Choose a folder on another drive.
file-cause-read-only = The drive is mounted read-only. Choose a folder on another drive, or mount it for writing.
file-cause-unsupported = The file system there does not support that. Choose a folder on another drive.
file-cause-no-locks = The file system there has no locks (NFS without its lock service). Start that service, or choose a folder on another drive.
file-cause-busy = Another program is using it. Close that program and try again.
file-cause-busy-by = It is in use by { $by }. Close that program and try again.
file-cause-folder-in-use = A terminal or a file manager has this folder open. Close it, or go to another folder in it, and try again.
install-home-too-long = { $home } is too long: Windows starts nothing in a folder whose path has more than { $most } characters. Choose a shorter one with --home, or set ACOLYTE_HOME.
file-held = Waiting for { $path }, which another program has open (a virus scanner does this for a moment)
file-held-by = Waiting for { $path }, which { $by } has open
file-cause-name-too-long = The path is too long. Choose a folder with a shorter path.
file-cause-too-large = The file system, or a limit of your account, does not allow files of that size (FAT32: 4 GiB). Choose a folder on another drive.
file-cause-quota = Your quota there is used up. Delete what you do not need, or choose a folder on another drive.
file-cause-drive-full = The drive has no room for more data or more files. Free some space, or choose a folder on another drive.
file-cause-drive-fault = The drive reports a fault. Check its cable and its health, and save what is on it.
file-cause-disconnected = The network drive is not connected any more. Connect it and try again.
file-cause-dangling-link = { $link } is a link to { $target }, which does not exist. Create that folder, or delete the link.
file-cause-link-loop = Links in the path lead in a circle. Delete one of them, or choose another folder.
file-cause-not-a-folder = Part of the path is a file. Delete it, or choose another folder.
file-cause-missing = It does not exist, or a folder above it does not. Check the path.
file-cause-too-many-open-files = Too many files are open. Close other programs, or raise the limit (ulimit -n).

## Why it stopped

install-cancelled = Stopped. What was downloaded is kept; run the installation again to resume.
install-busy = Another installer is working in { $home }. Wait until it has finished, or stop it.
install-document-damaged = { $path } is not valid: { $cause }. Restore it, or remove it and install again.
install-refused = This profile does not run on this computer. Choose another one, or see what check-requirements says.
install-consent-missing = This profile runs here only with limits, which need your consent first.
install-disk-short = { $path }: { $need } are needed and { $free } are free. Free some space, or choose a folder on another drive.
install-engine-damaged = { $path } is damaged or missing, so the server cannot be started. Run acolyte install again, or choose Repair in the window: only the engine is downloaded again.
install-engine-changed = The installed Ollama { $path } can no longer be reused: { $reason }. Run the installation again.
reuse-older = version { $version } is older than { $minimum }
reuse-unknown = its version or its program is unknown
reuse-layout = { $path } is not laid out like a release
reuse-writable = other users can write { $path }
reuse-changed = it is being changed
reuse-unreadable = { $path } cannot be read ({ $problem })
install-programs-forbidden = The system starts no programs from { $path }: the drive is mounted without permission to run programs (noexec), or a security policy forbids it. Choose another folder with --home, or ask the administrator. Nothing has been downloaded.
install-file-too-large = { $path } holds files of up to { $largest } (FAT32: 4 GiB; or the limit of your account, ulimit -f), and a file of the model has { $need }. Choose a folder on another drive. Nothing has been downloaded.
install-too-few-entries = Only { $free } more files can be created on the drive of { $path }, although it may have free space (inodes). Delete some files, or choose a folder on another drive.
install-no-loader = The engine needs the loader { $path } of the GNU C library, which this system does not have there (as NixOS, Alpine and other systems without that library). On NixOS enable programs.nix-ld; elsewhere install the package for glibc programs, or use a container with Debian, Ubuntu or Fedora. Nothing has been downloaded.
install-old-c-library = The GNU C library of this system is { $found }, and the engine needs { $needed } (as in RHEL 8, Debian 10, Ubuntu 18.10). Update the system, or use a container with a newer one. Nothing has been downloaded.
install-no-program = No Ollama program was found in { $path }. The archive is not an Ollama release.
install-pull-missing = The registry has no model { $model }. Check its name and tag.
install-pull-disk-full = The disk became full while { $model } was downloaded. Free some space and run the installation again: what was downloaded is kept.
install-model-replaced = { $model } was replaced in its registry while it was being installed: the file that was downloaded is not the one whose figures you saw. Install it again to see the new figures; what was downloaded is kept.
install-model-file-gone = { $path }, from which the model was to be installed, is no longer there. Put it back or connect its drive and run the installation again, or choose another model.
install-model-file-changed = { $path } was changed after the figures that you saw were read from it. Run the installation again to see the new ones.
install-pull-newer-engine = { $model } needs a newer version of Ollama than { $engine }, which was to be installed (HTTP 412). Choose another model, or install again with the newest release (--ollama newest; in the window under Advanced).
install-pull-needs-engine = { $model } needs Ollama { $needed } or newer, and { $engine } was to be installed (HTTP 412). Choose another model, or install again with the newest release (--ollama newest; in the window under Advanced).
install-pull-obstructed = { $model } cannot be downloaded: { $problem }. { $advice }
install-pull-plain-http = The registry of { $model } uses plain HTTP. Add --insecure-registry if it is your own.
install-pull-failed = { $model } could not be downloaded. { $cause } What was downloaded is kept; run the installation again.
install-parameter-dropped = The engine keeps { $name } as { $found } instead of { $wanted }. This version does not support what is needed; use the pinned release.
install-context-clamped = The engine limits this model to { $found } tokens of context instead of { $wanted }. The model's file does not support more; choose another model.
install-not-listed = The engine says that it loaded the model but does not list it. Run the installation again.
install-layers-dropped = { $wanted } layers should be on the GPU, the engine put { $found } there. Update the graphics driver, or close programs that use the card, and run the installation again.
install-kv-differs = The KV cache should be { $wanted }, the engine keeps it as { $found }. Run the installation again; if it happens again, report it.
install-load-failed =
    The engine cannot load the model: { $message }
    { $lines }
install-out-of-memory = The model does not fit into the free memory; { $count ->
        [one] one placement was
       *[other] { $count } placements were
    } tried. Close other programs, or choose a smaller profile.
install-fewer-layers-need-consent = The engine ran out of memory with { $layers } of { $total } layers on the GPU. With fewer it is slower, which needs your consent: use --accept-degraded, close programs that use the card, or choose a smaller profile.
install-more-experts-need-consent = The engine ran out of the card's memory with the experts of { $blocks } of { $total } blocks in main memory. With more of them there it is slower, which needs your consent: use --accept-degraded, close programs that use the card, or choose a smaller profile.
install-login-failed = Start at login could not be enabled: { $cause }. Run the installation again with --no-autostart, and start the server yourself.
install-not-installed = Nothing is installed in { $home }.
install-release-bad-address = { $address } is not an http or https address.

## Steps

install-unknown = unknown
install-checking = Checking disks and folders
install-checked = { $size } of disk space is available
install-checked-nothing = Nothing to download
install-fetching = Downloading Ollama { $version }
install-fetching-file = Downloading { $name }
install-fetched = Downloaded and verified
install-fetch-skipped = Ollama { $version } is already here
install-fetch-installed = Using the Ollama at { $path }
install-fetch-archive = Using the archive on this computer
install-copying = Copying
install-unpacking = Unpacking
install-unpacked = Unpacked into { $path }
install-unpack-skipped = Nothing to unpack
install-unpack-syncing = Writing the engine to disk
install-engine-checking = Verifying the engine's files
install-engine-repairing = { $path } is damaged or missing: unpacking the engine again
install-starting-server = Starting the private server
install-server-started = Ollama { $version } responds on port { $port }
install-server-kept = The server on port { $port } already runs with these settings
install-server-with-proxy = Restarting the server with the proxy for the download
install-server-without-proxy = Restarting the server without the proxy: it needs no network from here on
install-pulling = Downloading { $model }
install-pulling-file = Taking { $model } from its file
install-copying-file = Copying { $path } into the models folder and computing its checksum
install-pulled = { $model } is complete
install-looking-for-layers = Looking for the model in the folders of other Ollama servers
install-pull-reused = Using { $model } from the folder of another Ollama server
install-pull-repairing = { $count ->
    [one] A part of the model on the disk is damaged and is downloaded again
   *[other] { $count } parts of the model on the disk are damaged and are downloaded again
}
install-model-checking = Verifying the model
install-pull-skipped = { $model } is already here
install-pull-verifying = Verifying the download
install-pull-stalled = No data from the registry for { $duration }; waiting
install-pull-again = Retrying. { $cause }
install-paused = Paused
install-creating = Creating { $model }
install-created = { $model } is created and its parameters are verified
install-loading = Loading the model
install-loading-since = Loading the model for { $duration }
install-loaded = Loaded with { $tokens } tokens of context, KV cache { $kv }, on the GPU: { $share }
install-fewer-layers = Memory ran out; trying with { $layers } of { $total } layers on the GPU
install-more-experts-in-ram = The card's memory ran out; trying with the experts of { $blocks } of { $total } blocks in main memory
install-fewer-experts-in-ram = Main memory ran out; trying with the experts of { $blocks } of { $total } blocks there
install-without-pinned-memory = The graphics driver did not page-lock enough main memory; trying with memory that is not page-locked, which reads prompts more slowly
install-measuring-speed = Measuring the speed
install-measuring-wait = Measuring the wait for a prompt of { $tokens } tokens, expected { $seconds } s
install-measuring-since = Waiting for the engine's answer for { $duration }
install-measured = { $speed } tokens/s; first token of a prompt of { $tokens } tokens after { $wait } s
install-login = Enabling start at login
install-login-checking = Checking start at login
install-login-skipped = Start at login is off
install-login-done = The server starts at login
install-login-refused = Start at login could not be enabled: { $cause } The server runs now; start it yourself next time, or run the installation again.
install-writing-receipt = Writing profile and receipt
install-finished = Installed and measured

## Missed predictions

install-shortfall-context = { $promised } tokens of context were predicted, the engine keeps { $measured }.
install-shortfall-layers = { $promised } of { $total } layers were planned for the GPU, { $measured } are on it.
install-shortfall-experts = The experts of { $promised } of { $total } blocks were planned for main memory, those of { $measured } are there.
install-shortfall-experts-unknown = The experts of { $promised } blocks are configured to stay in main memory; the engine's log does not confirm it.
install-shortfall-weights-in-ram = { $promised } of weights were predicted in main memory, { $measured } are there.
install-shortfall-prompt-cache = The engine's cache of earlier prompts was limited to { $promised }, the engine says { $measured }.
install-shortfall-kv = The KV cache was planned as { $promised }, the engine keeps it as { $measured }.
install-shortfall-kv-unknown = The KV cache is configured as { $promised }; the engine's log does not confirm it.
install-shortfall-vram = { $promised } of graphics memory were predicted, it takes { $measured }.
install-shortfall-ram = { $promised } of main memory were predicted, it takes { $measured }.
install-shortfall-speed = { $promised } tokens/s were predicted, { $measured } were measured.
install-shortfall-speed-unknown = The speed could not be measured: the model wrote nothing.
install-shortfall-wait = The first token of a prompt of { $tokens } tokens was predicted after { $promised } s and came after { $measured } s.

## In the terminal

install-no-runtime = The program cannot start: { $cause }. Restart the computer and try again.
install-worker-panicked = Part of the program ended unexpectedly: { $cause }. Run the command again; if it happens again, report it.
install-cli-no-profile = There is no profile to install. Check the file named with --profiles.
install-cli-no-emergency = The model of the emergency mode is not in the catalogue. Name one with --model.
install-cli-refused = { $profile } does not run on this computer:
install-cli-consent-how = To install it anyway, run the command again with --accept-degraded.
install-cli-cannot-ask = There is no terminal for questions. Run the command again with --yes.
install-cli-ask = Install now? [y/N]
install-cli-ask-consent = Do you agree? [y/N]
install-cli-ask-uninstall = Remove all of this? [y/N]
install-cli-ask-models = Remove the downloaded models too? [y/N]
install-cli-yes = y yes
install-cli-experts = Experts of { $blocks } of { $total } blocks in main memory, { $batch } prompt tokens at once
install-cli-result-experts = Experts in main memory: of { $measured } blocks ({ $promised })
install-cli-summary =
    Profile { $profile }: { $model }, { $context } tokens of context, KV cache { $kv }, { $layers } of { $total } layers on the GPU
    Expected: { $speed } tokens/s
    Engine: Ollama { $engine }. { $engine_note }
    { $disk }
    Everything goes into { $home }, models into { $models }. Undo: acolyte uninstall
install-cli-result =
    Measured (predicted):
      context      { $context } tokens ({ $context_promised })
      KV cache     { $kv }
      on the GPU   { $share } ({ $share_promised })
      VRAM         { $vram } ({ $vram_promised })
      main memory  { $ram } ({ $ram_promised })
      speed        { $speed } tokens/s ({ $speed_promised })
      first token  { $wait } s for { $tokens } tokens ({ $wait_promised })
    ACOLYTE finds the model acolyte:latest at { $endpoint }
    Later: acolyte status, acolyte install (another profile), acolyte uninstall
install-cli-will-remove = This will be removed from { $home }:
removal-folder = folder { $path }, if nothing else is in it
removal-model = model { $model } in { $folder } ({ $size })
removal-model-made = model { $model } in { $folder }
removal-unfinished = unfinished downloads of models ({ $size })
removal-login = start at login: { $place }
removal-server = the running server, which is stopped first
install-cli-uninstalled = Removed. No process, file or login entry of ours is left.
install-cli-kept = Models kept in { $path }
install-cli-left = Left in place, because it is not ours: { $path }
install-status-none = Nothing is installed in { $home }
install-status-profile = Profile { $profile }: { $model }, { $context } tokens of context, KV cache { $kv }, { $layers } of { $total } layers on the GPU
install-status-experts = Experts of { $blocks } of { $total } blocks in main memory
install-status-not-pinned = Main memory is not page-locked for the graphics driver
install-status-running = The server responds on port { $port } (Ollama { $version })
install-status-silent = The server on port { $port } is running but does not respond. Run acolyte install again to repair it.
install-status-port-taken = Port { $port } of the server is taken by { $by }. It is not queried. Close that program, or run acolyte install again to use another port.
install-status-model-changed = { $model } was changed since it was measured. Run acolyte install again to restore it.
install-status-model-missing = { $model } was removed. Run acolyte install again to restore it.
install-server-stopped = The server was stopped. It starts at the next login, or with acolyte start.
install-server-stopped-by-hand = The server was stopped. Start it with acolyte start.
install-status-stopped = The server is not running. It starts at the next login, or with acolyte start.
install-status-stopped-by-hand = The server is not running. Start it with acolyte start.
install-status-loaded = The model is in memory with { $context } tokens of context
install-status-split = In memory: { $processor }, { $size }, { $context } tokens of context, { $until }
install-status-not-loaded = The model is not in memory; the first question loads it
install-status-orphan = llama-server (process { $pid }) has lost its server and still holds { $size } of memory. acolyte stop, start and install end it.
install-status-receipt = Measured { $speed } tokens/s, predicted { $promised } ({ $at })
install-status-unfinished = The last run did not finish. Run acolyte install to resume it, or acolyte undo to roll it back.
install-status-unused = The model { $model } ({ $size }) is no longer needed

## Interrupted

install-nothing-to-undo = No installation in { $home } was interrupted, so there is nothing to undo. To remove what is installed: acolyte uninstall
install-nothing-to-continue = No installation in { $home } was interrupted, so there is nothing to continue. To install: acolyte install
install-interrupted-before = An installation in { $home } did not finish. Resume it with acolyte install --continue, or undo it with acolyte undo, and repeat the command then.
install-unfinished = The installation of profile { $profile } ({ $model }), started at { $at } UTC, did not finish.
install-unfinished-unknown = An installation ended before it changed anything except folders.
install-unfinished-active = Profile { $profile } is still active.
install-unfinished-nothing-active = Nothing was installed before it.
install-undone = Undone. Profile { $profile } is active again
install-cli-ask-undo = Undo it now? [y/N]
install-cli-ask-unfinished = [c]ontinue, [u]ndo, or [l]ater?
install-cli-answer-continue = c continue
install-cli-answer-undo = u undo
install-cli-answer-later = l later
install-cli-no-saved-request = The interrupted installation did not record its request. Run acolyte install with the profile you want, or acolyte undo.

## When memory runs out, and when there is memory to spare

install-unverified-model = The registry { $host } cannot be reached ({ $cause }). { $store } has { $model }, but without the registry it cannot be verified that this is the published model: whoever put it there may have changed its instructions. Install again when the registry can be reached, or use it anyway with --accept-unverified-model.
install-four-bits-need-consent = The engine ran out of memory. It may fit with the KV cache at 4 bits (q4_0) and { $layers } of { $total } layers on the GPU. That costs some accuracy on long texts, so it needs your consent: use --accept-degraded, close programs that use the card, or choose a smaller profile.
install-consent-four-bits = When memory ran out while the model was loaded: the KV cache is kept at 4 bits (q4_0), which costs some accuracy on long texts.
install-smaller-cache = Memory ran out; trying with the KV cache as { $kv } and { $layers } of { $total } layers on the GPU
install-more-layers = More graphics memory is free than planned; trying with { $layers } of { $total } layers on the GPU

## Tuning

install-tuning = Try { $number }: { $what }
install-tried-measured = { $what }: { $empty } tokens/s, { $filled } with { $tokens } tokens in the context, reading { $prompt } tokens/s
install-tried-best = { $what }: { $empty } tokens/s, { $filled } with { $tokens } tokens in the context, reading { $prompt } tokens/s; the fastest so far
install-tried-failed = { $what }: { $why }
install-tune-start = the setting that is loaded
install-tune-defaults = the engine's own defaults
install-tune-placement = the engine's own placement
install-tune-fixed-placement = a fixed placement
install-tune-experts = experts of { $blocks } blocks in main memory
install-tune-draft = { $tokens } tokens drafted at once
install-tune-no-draft = no drafted tokens
install-tune-batch = prompt read in batches of { $tokens } tokens
install-tune-threads = { $threads } threads on the processor
install-tune-mapped = the model's file mapped into memory
install-tune-not-mapped = the model's file read into memory
install-tune-kv = KV cache as { $kv }
install-tune-failed-card = the card's memory ran out
install-tune-failed-ram = main memory ran out
install-tune-failed-runner = the engine's runner ended while it answered, as when main memory is full
install-tune-failed-server = the server ended
install-tune-failed-short = the answer ended too early
install-tune-failed-silent = the engine sent nothing for { $seconds } s
install-tune-failed-time = not done within { $seconds } s
install-tune-failed-nothing = the model wrote nothing
install-tune-failed-unknown = the engine does not say where it put the experts
install-tune-failed-said = { $message }
install-tune-skipped = skipped
install-tuned-title = Tuned by measuring
install-tuned-faster = Tuned in { $duration } with { $tries } tries: { $percent } faster than the engine's own defaults
install-tuned-equal = Tuned in { $duration } with { $tries } tries: as fast as the engine's own defaults
install-tuned-alone = Tuned in { $duration } with { $tries } tries; the engine's own defaults could not be measured
install-tuned-kept = Kept: { $what }
install-tuned-time-up = The time limit of { $duration } ended the search, so not everything was tried. "acolyte tune" repeats it.
install-tuned-skipped = The rest of the tuning was skipped. "acolyte tune" repeats it.
install-tuned-off = Not tuned. "acolyte tune" searches for the fastest setting.
install-other-processor = Other programs used { $share } of the processor while it was measured, so the speeds may be too low.
install-other-gpu-program = { $program } held { $size } of graphics memory while it was measured.
install-other-gpu-memory = { $size } less graphics memory was free than when the plan was made.
install-other-model = The server also had { $model } in memory.

## Ports

install-server-port-taken-by = Port { $port } is taken by { $by }. Close it, choose another port, or let the installer choose one.
install-port-skipped = Port { $port } is taken by { $by }; using { $chosen }
install-another-program = another program
install-port-owner = { $name } (process { $pid })
install-port-owner-of = { $name } (process { $pid } of { $user })
install-port-owner-unnamed-of = process { $pid } of { $user }
install-port-owner-user = a program of { $user }
install-port-owner-unnamed = process { $pid }
install-keeps-awake = Installing ACOLYTE

## Rollback

rollback-incomplete = Not every change could be reverted:
rollback-failed = - { $what }: { $cause }
rollback-reverted = Reverted: { $what }
rollback-remedy = Fix the cause named above and run { $command }, which reverts the rest.
rollback-server-runs = The engine that uses it could not be stopped.
change-folder = folder { $path }
change-model = model { $model }
change-server = private server
change-login-entry = start at login
install-through-vulkan = Ollama found no graphics card through CUDA or ROCm, although this computer has one; trying once through Vulkan, which is somewhat slower
install-status-vulkan-only = Ollama uses the graphics card through Vulkan, because it does not find it through CUDA or ROCm. After an update of the graphics driver, install again to try those
