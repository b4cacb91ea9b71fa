### wizard: the window

## Frame

wizard-step-welcome = Welcome
wizard-step-hardware = Hardware
wizard-step-compatibility = Compatibility
wizard-step-profile = Profile
wizard-step-consent = Consent
wizard-step-summary = Summary
wizard-step-install = Install
wizard-step-result = Result
wizard-step-manage = Manage
wizard-back = Back
wizard-continue = Continue
wizard-cancel = Cancel…
wizard-finish = Finish
wizard-language = Language
wizard-language-switch = Language: { $language }
wizard-theme-light = Switch to the light theme
wizard-theme-dark = Switch to the dark theme
wizard-appearance = Text size, contrast and motion
wizard-text-size = Text size
wizard-high-contrast = High contrast
wizard-still = No motion
wizard-still-detail = Nothing fades or slides.
wizard-save-report = Save report…
wizard-report-saved = Saved in { $path }
wizard-unknown = unknown
wizard-yes = yes
wizard-no = no
wizard-of = { $part } of { $whole }
wizard-of-rest = of { $whole }
wizard-left = left

## Welcome

wizard-welcome-title = A coding assistant that stays on this computer
wizard-welcome-lead = This program sets up a language model for ACOLYTE. Downloading it takes most of the time.
wizard-welcome-check-title = Check
wizard-welcome-check = It detects the hardware of this computer and shows which models it can run, and how fast.
wizard-welcome-choose-title = Choose
wizard-welcome-choose = You choose. Nothing is downloaded or changed before you confirm a summary.
wizard-welcome-measure-title = Measure
wizard-welcome-measure = After installing, the model's speed is measured, and the result is shown next to the estimate.
wizard-welcome-changes-title = What it changes
wizard-welcome-changes = One folder, **{ $home }**, and what you tick on the summary page: starting the server at login, and keeping this program in your menu and on your PATH. No administrator rights, and nothing that other computers can reach.
wizard-welcome-undo-title = How to undo it
wizard-welcome-undo = Open this program again and choose **Remove**. The server is stopped, and everything that was added is removed.
wizard-welcome-next = Check this computer

## Hardware

wizard-hardware-title = What this computer has
wizard-hardware-querying = Querying the system and the drivers…
wizard-hardware-detecting = detecting…
wizard-hardware-lead = Detected in { $seconds } s. Nothing has been changed.
wizard-hardware-failed-lead = Detection failed. Nothing has been changed.
wizard-detect-again = Detect again
wizard-hardware-graphics = Graphics
wizard-hardware-memory = Memory
wizard-hardware-processor = Processor
wizard-hardware-disk = Disk
wizard-hardware-engine = Ollama already here
wizard-hardware-used = used by Ollama, { $backend }
wizard-hardware-usable = can hold a model
wizard-hardware-vram = memory ({ $mib } MiB)
wizard-hardware-vram-unified = of the shared memory
wizard-hardware-vram-unknown = Its memory could not be determined
wizard-hardware-free-now = free of { $total } now
wizard-hardware-free-unknown = how much of it is free is unknown
wizard-hardware-others = other programs { $size }
wizard-hardware-bandwidth = Memory bandwidth
wizard-hardware-from-table = from a table
wizard-hardware-bandwidth-unknown = bandwidth unknown
wizard-hardware-driver = Driver
wizard-hardware-capability = Compute capability
wizard-known-from = source: { $source }
wizard-hardware-no-gpu = No graphics card that can hold a model
wizard-hardware-nothing-found = No display adapter was found.
wizard-hardware-needs-gpu = ACOLYTE needs a graphics card with 6 GB of memory or more, or a computer with unified memory.
wizard-hardware-available = { $size } available
wizard-hardware-available-unknown = available: unknown
wizard-hardware-measured-now = measured just now
wizard-hardware-cores = { $count ->
    [one] { $count } core
   *[other] { $count } cores
}
wizard-hardware-threads = { $count ->
    [one] { $count } thread
   *[other] { $count } threads
}
wizard-hardware-from-system = from the system
wizard-hardware-disk-free = { $size } free
wizard-hardware-disk-unknown = free space unknown
wizard-hardware-no-engine = None found
wizard-hardware-no-engine-detail = a private one will be installed
wizard-hardware-version-unknown = version unknown
wizard-hardware-engine-unchanged = not changed; the private one runs alongside it on its own port
wizard-hardware-ask-again = Try again
wizard-hardware-models = { $size } of models: { $names }
wizard-hardware-engine-exposed = other computers can reach this server
wizard-hardware-also-integrated = Also found: **{ $name }** (integrated). It shares the main memory, so its memory is not counted.
wizard-hardware-also-software = Also found: **{ $name }**. It draws on the processor and is not a graphics card.
wizard-hardware-also-virtual = Also found: **{ $name }**, the adapter of a virtual machine. It cannot hold a model.
wizard-hardware-also-usable = Also found: **{ $name }**.

## Verdicts

wizard-verdict-compatible = Good
wizard-verdict-degraded = Degraded
wizard-verdict-refused = Refused
wizard-verdict-needs = Needs { $size }

## Compatibility

wizard-compatibility-good = It will run well
wizard-compatibility-limits = It will run, with limits
wizard-compatibility-refused = This computer cannot run ACOLYTE
wizard-compatibility-lead = The best choices for this computer, and everything else that runs on it. Speeds are estimates; the range holds 8 times out of 10.
wizard-compatibility-refused-lead = What was found, what is missing, and what you can do. Nothing has been changed.
wizard-choose-profile = Continue with the selection
wizard-compare-reference = Compare with the reference table
wizard-reference-here = a computer like this one
wizard-reference-close = Close
wizard-table-profile = Profile
wizard-table-verdict = Verdict
wizard-table-model = Model
wizard-table-context-head = Context
wizard-table-layers = GPU layers
wizard-table-memory = GPU memory
wizard-table-speed = Tokens/s
wizard-table-context = { $thousands }K, { $kv }
wizard-table-ram = RAM { $part } of { $whole }
wizard-table-first-token = First token
wizard-why-compatible = Why { $profile } is good
wizard-why-degraded = Why { $profile } is degraded
wizard-why-refused = Why { $profile } is refused
wizard-what-would-change = What would change it
wizard-what-you-can-do = What you can do
wizard-nothing-to-change = Nothing needs to change.

## Profile

wizard-profile-title = Choose what to install
wizard-profile-lead = What you selected, and everything about it that can be changed. Every figure follows at once.
wizard-another-model = Another model…
wizard-another-model-detail = from the catalogue, a reference or a file
wizard-to-download = { $size } to download
wizard-in-a-file = { $size } in a file on this computer
wizard-licence-non-commercial = { $licence }: no commercial use
wizard-licence-unknown = { $licence }: terms unknown
wizard-memory-graphics = Graphics memory
wizard-memory-main = Memory
wizard-of-free = of { $free } free, { $total } in total
wizard-of-available = of { $available } available
wizard-bar-others = other programs
wizard-bar-weights = weights
wizard-bar-context = context, { $tokens } tokens
wizard-bar-buffers = buffers
wizard-bar-free = free
wizard-tokens-a-second = Tokens per second
wizard-speed-full = , then { $range } with a full context
wizard-speed-scale = Tokens per second: { $range }
wizard-speed-slow = slow
wizard-speed-usable = usable
wizard-speed-comfortable = comfortable
wizard-first-token-full = First token, full prompt
wizard-first-token-4k = First token, 4K prompt
wizard-layers = Layers on the GPU
wizard-layers-on-gpu = { $layers }
wizard-context = Context
wizard-context-value = { $tokens } tokens, { $kv }
wizard-context-type = Context memory
wizard-kv-f16 = f16: exact, the largest
wizard-kv-q8 = q8_0: half as large, hardly any loss
wizard-kv-q4 = q4_0: a quarter as large, lower quality
wizard-advanced = Advanced: model, layers, folders, port, start at login, engine, network
wizard-advanced-model = Model from the catalogue
wizard-advanced-reference = Or the reference of another model
wizard-advanced-look-up = Look up
wizard-advanced-model-file = Choose a model file…
wizard-advanced-looking-up = Looking it up…
wizard-advanced-layers = Layers on the GPU: { $layers }
wizard-advanced-fit = As many as fit
wizard-advanced-home = ACOLYTE folder
wizard-advanced-models = Models folder
wizard-advanced-port = Server port
wizard-browse = Browse…
wizard-browse-for = Browse: { $what }
wizard-folder-not-absolute = Type an absolute path
wizard-port-automatic = automatic
wizard-port-wrong = Type a port from 1024 to 65535, or leave it empty
wizard-engine = Engine
wizard-engine-version = Ollama version
wizard-engine-here = { $version }, already on this computer
wizard-engine-pinned = { $version }, tested with this program
wizard-engine-newest = The newest release, not tested with this program
wizard-engine-newest-found = The newest release is { $version }
wizard-engine-archive = Archive on this computer, instead of a download
wizard-engine-mirror = Other addresses to download from
wizard-engine-mirror-wrong = Type addresses that begin with https:// or http://, separated by spaces
wizard-network = Network
wizard-network-proxy = Proxy
wizard-network-proxy-hint = The system’s
wizard-network-proxy-wrong = Type it like http://proxy.example.org:8080
wizard-network-ca = Certificates to trust as well (PEM)
wizard-network-rate = Rate limit, in bytes per second
wizard-network-rate-hint = No limit
wizard-network-rate-wrong = Type it like 500k or 5M
wizard-start-at-login = Start at login

## Consent

wizard-consent-title = This will run in degraded mode
wizard-consent-lead = These are the reasons on this computer, the most important first. Nothing has been changed.
wizard-consent-avoid = What would avoid it
wizard-consent-stays-title = What stays as promised
wizard-consent-stays = { $tokens } tokens of context, always. Your code never leaves this computer.
wizard-consent-tick = I understand, and want to install { $profile } in degraded mode
wizard-consent-recorded = Recorded with date, profile and this text in consent.json. A line above each answer will remind you.
wizard-choose-another = Choose another profile

## Summary

wizard-summary-title = Ready to install { $profile }
wizard-summary-lead = The last page before anything changes. Nothing happens until you choose Install.
wizard-summary-downloads = Downloads
wizard-summary-total = Total
wizard-summary-disk = Disk space needed
wizard-summary-not-twice = What is already here is not downloaded again.
wizard-summary-folders = Folders
wizard-summary-changes = What will be set up
wizard-summary-server = Private server
wizard-summary-port-automatic = 127.0.0.1, the first free port from 42434
wizard-watch = Watch graphics memory from login on
wizard-watch-how = Notifies on the desktop when the card is nearly full or the model has left it
wizard-summary-no-login = no
wizard-summary-model = { $tokens } tokens, { $layers } layers on the GPU, { $kv }
wizard-summary-undo = **Remove** in this program stops the server and deletes the folder of ACOLYTE, the models it downloaded, and the login entry. Anything else on this computer stays as it is.
wizard-install = Install

## Install

wizard-install-title = Installing { $profile }
wizard-install-lead = You can close this window: what has been downloaded is kept.
wizard-install-stopping = Stopping
wizard-install-stopping-lead = Waiting for the current step to stop safely.
wizard-install-cancelled = Stopped
wizard-install-cancelled-lead = Nothing is running. Installing again resumes from here.
wizard-install-kept = What has been downloaded is kept and will not be downloaded again.
wizard-install-failed = The installation failed
wizard-install-failed-lead = What has been downloaded is kept. You can try again, or change the choice.
wizard-install-paused = paused
wizard-install-again = Install again
wizard-pause = Pause
wizard-skip-tuning = Skip tuning
wizard-resume = Resume
wizard-try-again = Try again
wizard-show-log = Show log
wizard-hide-log = Hide log
wizard-log = Log
wizard-limited-by-network = limited by the network
wizard-limited-by-disk = limited by the disk
wizard-step-check = Check disk and port
wizard-step-check-detail = free space, folders, port
wizard-step-fetch = Download Ollama
wizard-step-fetch-detail = verified by its checksum
wizard-step-unpack = Unpack
wizard-step-unpack-detail = into the folder of ACOLYTE
wizard-step-start = Start the private server
wizard-step-start-detail = this computer only
wizard-step-pull = Download the model
wizard-step-copy = Copy the model
wizard-step-create = Create acolyte:latest
wizard-step-create-detail = { $tokens } tokens, { $layers } layers, { $kv }
wizard-step-load = Load and verify
wizard-step-load-detail = context, layers, memory
wizard-step-measure = Tune and measure
wizard-step-measure-detail = the fastest setting, tokens per second and first token
wizard-step-login = Start at login
wizard-step-login-detail = if you chose it
wizard-step-receipt = Write the receipt
wizard-step-receipt-detail = what was promised and what was measured

## Result

wizard-result-title = Installed, and measured
wizard-result-missed = Installed, but not all as promised
wizard-result-lead = acolyte:latest answers on { $address } with { $tokens } tokens of context.
wizard-result-lead-unknown = acolyte:latest answers on { $address }. The engine did not report its context.
wizard-promised = Promised
wizard-measured = Measured
wizard-first-token-of = First token, { $tokens }
wizard-result-better = faster
wizard-result-as-promised = as promised
wizard-result-verified = verified
wizard-result-not-reported = not reported
wizard-result-less = { $share } less
wizard-result-more = { $share } more
wizard-try-title = Try it
wizard-try-hint = Write a Rust function that reverses the words of a sentence
wizard-try-ask = Ask
wizard-try-stop = Stop
wizard-try-waiting = Waiting for the first token…
wizard-try-figures = { $speed } tokens/s, first token after { $wait } s
wizard-next-title = Next steps
wizard-next-use = Start ACOLYTE: it reads **{ $file }** and asks acolyte:latest at **{ $address }**. Other programs that speak Ollama's API can do the same.
wizard-next-copy = Copy the address
wizard-next-copied = Copied
wizard-next-later-title = Later
wizard-next-at-login = The server starts by itself at every login.
wizard-next-by-hand = The server does not start by itself: after a restart of the computer, open this program and press **{ $start }**, or type **acolyte start**.
wizard-next-later = Open this program again to check the installation, change the profile, update it or remove it.
wizard-open-folder = Open the folder
wizard-manage = Manage

## Manage

wizard-manage-title = ACOLYTE is installed
wizard-manage-lead = Profile { $profile }. Check it, change it, or remove it.
wizard-manage-removed = Everything was removed
wizard-manage-removed-lead = The server is stopped, and its files and login entry are deleted.
wizard-manage-health = Status
wizard-manage-working = working…
wizard-manage-stopped = stopped
wizard-manage-well = no problems
wizard-manage-problems = see below
wizard-manage-engine = Engine
wizard-manage-loaded = Model in memory
wizard-manage-not-loaded = not loaded now
wizard-manage-start = Start
wizard-manage-stop = Stop
wizard-manage-remove = Remove…
wizard-manage-installed = What is installed
wizard-manage-folder = Folder
wizard-manage-measured-at = Measured on
wizard-check-again = Check again
wizard-change-profile = Change profile

## Questions

wizard-ask-cancel-title = Stop the installation?
wizard-ask-cancel = What has been downloaded is kept, and installing again resumes from there. Nothing is left running.
wizard-ask-cancel-no = Keep installing
wizard-ask-cancel-yes = Stop
wizard-ask-cancel-close = Stop and close
wizard-ask-remove-title = Remove ACOLYTE's model and server?
wizard-ask-remove = The server is stopped. Its files, the models it downloaded and the login entry are deleted. This cannot be undone, but you can install again.
wizard-ask-remove-keep = Keep the models
wizard-ask-remove-keep-detail = They take up most of the space, and would have to be downloaded again
wizard-ask-remove-no = Keep everything
wizard-ask-remove-yes = Remove
wizard-ask-save-title = Save the report
wizard-ask-save = This is the whole report; nothing else is saved. It holds what was found on this computer, the raw answers of its drivers and the last lines of the logs. Names, addresses, serial numbers and keys are removed; read it before you share it.
wizard-ask-save-building = Collecting what belongs in the report…
wizard-ask-save-report = The whole report
wizard-ask-save-copy = Copy the report
wizard-ask-save-path = File
wizard-ask-save-dialog = Choose the file in a dialog…
wizard-ask-save-no = Close
wizard-ask-save-yes = Save

## Problems and systems

wizard-manage-unfinished = The last installation did not finish. Install again to finish it, or remove it.
wizard-manage-model-changed = The model was changed since it was measured. Repair restores it.
wizard-manage-model-missing = The model was removed. Repair restores it.
wizard-manage-orphan = A process whose server was ended (llama-server, { $pid }) still holds { $size } of memory. Stop or start the server to end it.
wizard-manage-silent = The server is running but does not respond. Stop it and start it again.
wizard-manage-context = The engine keeps { $kept } tokens of context, not the { $promised } promised. Stop the server and start it again; if that does not help, install again.
wizard-worker-crashed = This program failed because of a bug. A crash report was written. Try again.
wizard-no-worker = The task could not be started ({ $cause }). Close some programs and try again.
wizard-report-not-built = The report could not be built ({ $cause }). This is a bug in this program; please report it.
wizard-report-failed = The report could not be written to { $path } ({ $cause }). Choose another folder.
wizard-open-failed = { $path } could not be shown ({ $cause }). Open it in your file manager.
wizard-login-systemd = by a systemd user service
wizard-login-autostart = by an autostart entry of the desktop
wizard-login-agent = by a launch agent
wizard-login-run-key = by a Run entry of your user
wizard-verdict-needs-short = Min. { $size }
wizard-source-table = our table of cards
wizard-state-failed = failed
wizard-state-cancelled = stopped

## Interrupted, repair, memory

wizard-ask-interrupted-title = The last installation did not finish
wizard-ask-interrupted = Continue resumes where it stopped, without downloading anything twice. Undo reverts its changes and does not touch what was there before.
wizard-ask-interrupted-continue = Continue
wizard-ask-interrupted-undo = Undo
wizard-ask-interrupted-later = Later
wizard-file-other-limits = The file that will be downloaded has other limits than the catalogue led to expect. Read them before you continue.
wizard-resume-choose = The earlier choice no longer fits this computer. Check it and continue from here.
wizard-undoing = Undoing the interrupted installation
wizard-undone = Undone. Everything is as it was before that installation
wizard-ask-unverified-title = The model cannot be verified
wizard-ask-unverified = The registry { $host } cannot be reached. { $store } has { $model }, but without the registry it cannot be verified that this is the published model: whoever put it there may have changed its instructions.
wizard-ask-unverified-yes = Use it anyway
wizard-ask-unverified-no = Do not use it
wizard-unverified-declined = The model cannot be verified without its registry. Try again when it can be reached.
wizard-ask-four-bits-title = Memory ran out
wizard-ask-four-bits = With fewer layers on the graphics card the model still did not fit. It may fit with a 4-bit KV cache (q4_0), which is slightly less accurate on long texts. The context stays as it is. Without your consent only fewer layers are tried, which is slower.
wizard-ask-four-bits-yes = Use 4 bits
wizard-ask-four-bits-no = Fewer layers only
wizard-four-bits-declined = The engine ran out of memory. Close programs that use the card and try again, or choose a smaller profile.
wizard-manage-tune = Tune
wizard-manage-tuning = Tuning: loading the model
wizard-cancel-tuning = Cancel
wizard-manage-repair = Repair
wizard-manage-repair-detail = Installs the same again: intact files are kept, and everything is checked and measured again.
wizard-manage-update-detail = Installs this version of the engine with the same profile. The model is kept, and everything is checked and measured again.
wizard-manage-update = Update to Ollama { $version }

## The three choices, and every model

wizard-card-tokens = tokens/s
wizard-card-full = { $speed } with { $tokens } tokens in the context. First token of such a prompt after { $wait }.
wizard-card-download = { $model }, { $size } to download, { $kv } context memory
wizard-tab-profiles = Profiles
wizard-tab-models = All models
wizard-table-quality = Model and quality
wizard-filter-all = All
wizard-filter-whole = Whole on the card
wizard-filter-experts = Experts in main memory
wizard-filter-commercial = Commercial use
wizard-filter-none = No model is like that on this computer.
wizard-emergency-choose = Emergency mode on the processor
wizard-advanced-context = Context
wizard-advanced-batch = Prompt tokens processed at once
wizard-advanced-experts = Experts in main memory: { $blocks } of { $total } blocks
wizard-experts = Experts in main memory
wizard-tokens = { $tokens } tokens
wizard-emergency-wait = The first token of a full prompt comes after { $wait }; short prompts wait less. You are asked to agree first.
