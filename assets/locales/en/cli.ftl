### cli
cli-no-home = Your home folder is unknown. Name a folder with --home DIR or ACOLYTE_HOME

cli-detecting = Detecting the hardware of this computer
cli-this-computer = This computer
cli-notes = Notes
cli-system = System
cli-processor = Processor
cli-processor-value =
    { $cores ->
        [one] { $name }, { $cores } core
       *[other] { $name }, { $cores } cores
    }
cli-memory = Main memory
cli-memory-value = { $total }, { $available } available
cli-memory-value-unknown = { $total }, available part unknown
cli-graphics = Graphics
cli-gpu-discrete = card with its own memory
cli-gpu-integrated = integrated
cli-gpu-unified = shares main memory
cli-gpu-software = software, not a graphics card
cli-gpu-virtual = virtual
cli-gpu-memory = { $free } free of { $total }
cli-gpu-memory-total = { $total }, free part unknown
cli-gpu-memory-unknown = memory unknown
cli-gpu-blocked = left out by Ollama: { $why }
cli-bandwidth = { $rate } GB/s
cli-bandwidth-table = { $rate } GB/s (from our table)
cli-bandwidth-measured = { $rate } GB/s measured
cli-driver = driver { $version }
cli-capability = compute capability { $version }
cli-none-found = none found
cli-disk = Disk
cli-disk-value = { $path }: { $free } free
cli-engine = Ollama
cli-engine-port = port { $port }
cli-engine-exposed = open to other computers
cli-engine-loaded = { $model } loaded, { $vram } of graphics memory
cli-engine-models = models: { $names }
cli-models = Models here
cli-models-value = { $count ->
    [one] { $size } in { $path }: { $names }
   *[other] { $size } in { $path }, { $count } models: { $names }
}
cli-unknown = unknown

cli-verdict-compatible = Compatible: it will run well
cli-verdict-degraded = Degraded: it will run, with limits
cli-verdict-refused = Refused: it will not run
cli-why = Why
cli-what-would-change-it = What would change it
cli-all-profiles = All profiles on this computer (GB needed / GB free)
cli-range-meaning = Speeds are estimates; the range holds 8 times out of 10.
cli-to-install = To install it: { $command }

cli-model = Model
cli-quality = Quality
cli-model-value = { $title } ({ $tag }, { $quantisation }, { $size })
cli-layers = Layers
cli-layers-value = { $gpu } of { $total } on the graphics card ({ $share })
cli-experts = Experts
cli-experts-value = { $blocks } of { $total } blocks in main memory
cli-batch = Batch
cli-batch-value = { $tokens } tokens of a prompt at once
cli-context = Context
cli-context-value = { $tokens } tokens, KV cache { $kv }
cli-vram = Graphics memory
cli-ram = Main memory
cli-of-free = { $need } of { $have } free
cli-of-available = { $need } of { $have } available
cli-of-free-assumed = { $need } of about { $have } free (assumed, not reported by the driver)
cli-of-available-assumed = { $need } of about { $have } available (assumed, not reported by the system)
cli-no-card = none used
cli-speed = Speed
cli-speed-value = { $speed } tokens/s, { $full } with a full context
cli-first-token = First token
cli-first-token-value = { $wait } after a prompt that fills the context

cli-column-profile = Profile
cli-column-verdict = Verdict
cli-column-model = Model
cli-column-quality = Quality
cli-column-layers = Layers
cli-column-context = Context
cli-column-kv = KV
cli-column-vram = VRAM
cli-column-ram = RAM
cli-column-speed = Tokens/s
cli-column-first-token = First token

cli-hardware-unreadable = The hardware file { $path } could not be read: { $why }
cli-hardware-format = { $path } is not a hardware document: { $why }. Compare it with what “acolyte detect --json” prints
cli-hardware-value = { $path } holds an impossible value: { $why }
cli-unknown-profile = There is no profile “{ $id }”. Known profiles: { $known }
cli-unknown-model = “{ $tag }” is not a known model. Known models: { $known }; or give the path of a .gguf file or a registry reference such as HOST:PORT/NAMESPACE/NAME:TAG
cli-unknown-gpu = “{ $name }” is not in the table of graphics cards. Give --vram-gib and --gpu-bandwidth-gb-s with it
cli-experts-not-a-mixture = { $model } is not a mixture of experts, so --n-cpu-moe has nothing to keep in main memory. Leave it out, or give --gpu-layers
cli-experts-too-many-blocks = { $model } has { $blocks } blocks. Give --n-cpu-moe a number up to { $blocks }, or “all”
cli-experts-without-card = --n-cpu-moe keeps experts in main memory and everything else on a graphics card. Describe a card with --gpu
cli-experts-with-layers = --n-cpu-moe puts all { $total } layers on the graphics card. Leave out --gpu-layers
cli-incomplete-gpu = A card without a name needs both --vram-gib and --gpu-bandwidth-gb-s

cli-crashed = ACOLYTE crashed because of a bug. Details are in { $path }. Run it again: an interrupted installation can be resumed or undone. If it crashes again, send us that file
cli-crashed-unwritten = ACOLYTE crashed because of a bug ({ $why }). Run it again: an interrupted installation can be resumed or undone

cli-model-unreadable = The model file { $path } could not be read: { $why }
cli-model-not-gguf = { $path } cannot be used as a model: { $why }. Give a complete .gguf file of a language model

cli-prompts-no-terminal = Cannot ask: standard input is not a terminal. Use “acolyte install --profile ID --accept-degraded --yes”, and “acolyte check-requirements” to see the profiles
cli-prompts-welcome =
    ACOLYTE sets up a local coding model on this computer. First it shows what the computer has and what runs on it;
    nothing is changed before you have seen and confirmed a summary. Everything goes into { $home }
    and can be removed with “acolyte uninstall”.
cli-prompts-choose = Which profile? Number or name, Enter for { $recommended }, q to stop:
cli-prompts-not-a-choice = “{ $answer }” is not one of these profiles
cli-prompts-emergency = No profile runs on this computer. Install the emergency mode on the processor? It is slow; its limits are shown first [y/N]:
cli-prompts-nothing-done = Nothing was changed
cli-prompts-no-answer = The input ended before the question was answered. Nothing was changed
cli-no-window = No window can be opened ({ $why }). Continuing in the terminal
cli-no-display = There is no display to open a window on. Continuing in the terminal
cli-press-enter = Press Enter to close this window
cli-window-stopped = The window crashed ({ $why }). Downloads are kept: open it again to resume, or resume in the terminal with acolyte install

cli-choices = The best choices for this computer, among all models
cli-column-choice = Choice
cli-column-speed-full = Full context
cli-profiles-recommended = Best of the profiles: { $id }
cli-better-choice = { $profile }: { $why }

### Wrong usage

usage-error = error:
usage-hint = tip:
usage-heading = Usage: { $usage }
usage-more = For more information, try '--help'.
usage-similar = something similar: { $similar }
usage-as-value = to use '{ $value }' as a value, write '-- { $value }'
usage-unknown-option = unexpected option '{ $option }'
usage-unknown-argument = unexpected argument '{ $argument }'
usage-unknown-command = unrecognized command '{ $command }'
usage-missing-command = a command is required
usage-missing-value = a value is required for '{ $option }'
usage-missing-options = these are required: { $options }
usage-unexpected-value = unexpected value '{ $value }' for '{ $option }'
usage-wrong-value = invalid value '{ $value }' for '{ $option }': { $problem }
usage-not-possible = invalid value '{ $value }' for '{ $option }': use one of { $possible }
usage-conflict = '{ $option }' cannot be used with { $others }
usage-conflict-others = '{ $option }' cannot be used with the other options
usage-twice = '{ $option }' can be used only once
usage-not-unicode = the command line contains text that is not Unicode
usage-value-language = use en or es
usage-value-rate = write it like 500k or 5M (bytes a second)
usage-value-kv = use f16, q8_0 or q4_0
usage-value-blocks = use a number of blocks, or all
usage-value-renderer = use wgpu or glow
usage-value-number = use a number above 0 and up to { $most }
usage-value-marks = use one decimal mark and no separators of thousands: { $point } or { $comma }
usage-value-whole = use a whole number
usage-value-range = use a whole number from { $least } to { $most }
usage-value-least = use a whole number from { $least } on
usage-value-other = { $problem }

### Questions

cli-ask-continue = Continue with { $model }? [y/N]
cli-ask-continue-degraded = Continue with { $model } and the limits above? [y/N]

### Answers

cli-ask-nothing = There is no question. Give one, for example: acolyte ask "Explain this" --file main.rs
cli-chat-begin = Ask something. Ctrl-C stops an answer; an empty line or Ctrl-D ends.
cli-answer-stopped = Stopped.
cli-answer-length = The answer ends at the limit of its length.
cli-answer-figures = { $speed } tokens/s, first token after { $wait } s

### Bench

cli-bench-first-token = Measuring the wait for a prompt of { $tokens } tokens
cli-bench-now = Now:              { $speed } tokens/s; first token of { $tokens } tokens after { $wait } s
cli-bench-then = After installing: { $speed } tokens/s; first token of { $tokens } tokens after { $wait } s
cli-bench-stopped = Stopped. Nothing was changed.
cli-bench-as-fast = Not slower than after installing, as far as the range of the prediction tells.
cli-bench-slower = It writes slower than after installing, by more than the range of the prediction.
cli-bench-slower-prompts = It reads prompts slower than after installing, by more than the range of the prediction.
cli-bench-less-on-card = { $now } of the model is on the graphics card now, { $then } was after installing.
cli-bench-advice = Close programs that use the graphics card, check that the computer is on mains power and not hot, then measure again. acolyte tune searches for the fastest setting as the computer is now.

# Heading in the help of a command.
cli-examples = Examples
