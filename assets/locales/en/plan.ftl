### The plan: verdicts, reasons, improvements, consent

plan-verdict-compatible = Compatible
plan-verdict-degraded = Degraded
plan-verdict-refused = Refused

plan-grade-good = Good
plan-grade-recommended = Recommended
plan-grade-premium = Premium

plan-speed-assumed = Speeds are assumed from related chips: none of this family has been measured.

plan-reason-no-usable-gpu-title = No usable graphics card
plan-reason-no-gpu = No graphics card was found. ACOLYTE needs one with { $need } GB of its own memory or more; without one, “acolyte install --emergency-cpu” runs a small model on the processor, slowly.
plan-reason-no-usable-gpu = Found { $found }, on which Ollama loads no model: it leaves out graphics in a processor, which have no memory of their own, and adapters of software and virtual machines. ACOLYTE needs a graphics card with { $need } GB or more; without one, “acolyte install --emergency-cpu” runs a small model on the processor, slowly.
plan-reason-vram-too-small-title = Needs a { $need } GB card
plan-reason-vram-too-small = The graphics card has { $have } GB. The smallest model that ACOLYTE works well with needs a card of { $need } GB, because 32,768 tokens of context are never reduced. Use a larger card, or “acolyte install --emergency-cpu”, which runs a small model on the processor, slowly.
plan-reason-vram-unknown-title = Graphics memory unknown
plan-reason-vram-unknown = The memory of { $gpu } could not be determined. Update its driver and try again, or save a hardware file with “acolyte detect --json”, fill in vram_total_bytes and use it with --hardware.
plan-reason-profile-needs-vram-title = Needs { $need } GB
plan-reason-profile-needs-vram = Made for cards of { $need } GB and more. This one has { $have } GB.
plan-reason-profile-needs-ram-title = Needs { $need } GB of RAM
plan-reason-profile-needs-ram = Made for { $need } GB of main memory and more. This computer has { $have } GB.
plan-reason-vram-short-title = Graphics memory in use
plan-reason-vram-short = It needs { $need } of graphics memory and { $free } are free. It would not fit with other programs closed either: choose a smaller model.
plan-reason-vram-short-now = It needs { $need } of graphics memory and { $free } are free now. Close programs that use the graphics card and check again.
plan-reason-ram-short-title = Main memory short
plan-reason-ram-short = It needs { $need } of main memory, more than the { $have } this computer can give it. Choose a smaller model or add memory.
plan-reason-ram-short-now = It needs { $need } of main memory and { $have } are available now, so the system would move memory to the disk and become slow. Close programs before you use it.
plan-reason-layers-on-cpu-title =
    { $cpu ->
        [one] { $cpu } of { $total } layers on the processor
       *[other] { $cpu } of { $total } layers on the processor
    }
plan-reason-layers-on-cpu =
    { $cpu ->
        [one] { $cpu } of { $total } layers does not fit the graphics card and runs on the processor: expect { $speed } tokens/s instead of { $whole }.
       *[other] { $cpu } of { $total } layers do not fit the graphics card and run on the processor: expect { $speed } tokens/s instead of { $whole }.
    }
plan-reason-cpu-only-title = Runs on the processor
plan-reason-cpu-only = Emergency mode: the whole model runs on the processor. It works, but answers are slow, a long prompt takes minutes, and the computer is busy meanwhile.
plan-reason-small-card-title = { $have } GB card
plan-reason-small-card = The card has { $have } GB. Below { $comfortable } GB the model leaves little graphics memory free: a browser or a game can push it out, and answers become several times slower.
plan-reason-kv-q4-title = KV cache at 4 bits
plan-reason-kv-q4 = The KV cache, the model's working memory, is kept at 4 bits. The model makes more mistakes, above all in long contexts.
plan-reason-slow-decode-title = About { $speed } tokens/s
plan-reason-slow-decode = Answers come at about { $speed } tokens/s. Below { $limit } tokens/s they are slower than most people read.
plan-reason-slow-first-token-title = { $wait } to the first token of a full prompt
plan-reason-slow-first-token = When a prompt fills the context, the first token takes about { $wait }. More than { $limit } is a long wait; short prompts wait less.
plan-reason-context-below-minimum-title = Needs { $minimum } tokens of context
plan-reason-context-below-minimum = { $want } tokens of context were requested. ACOLYTE needs at least { $minimum }.
plan-reason-context-not-carried-title = Supports { $carried } tokens
plan-reason-context-not-carried = The model's file supports { $carried } tokens of context, not { $want }; the engine would silently reduce it. Choose a model with a longer context.
plan-reason-kv-needs-flash-attention-title = Needs an f16 KV cache
plan-reason-kv-needs-flash-attention = { $gpu } has no flash attention in the engine, and without it a quantised KV cache does not load. Use f16.
plan-reason-experts-in-ram-title = Experts in main memory
plan-reason-experts-in-ram = The experts of { $blocks } of { $total } blocks stay in main memory and run on the processor. Attention, context and everything else are on the graphics card.
plan-reason-several-cards-title = On { $count } cards together
plan-reason-several-cards = One card does not hold this model, so its layers are spread over { $count } cards with { $together } together. Each takes its turn for every token: the speed is that of all of them, one after the other.
plan-reason-kv-quality-lost-title = Unusable with this KV cache
plan-reason-kv-quality-lost = Models of this family lose nearly all quality with a { $kv } KV cache: in a measurement only { $share } of the output stayed the same. Use q8_0.
plan-reason-tool-calls-unreliable-title = Tool calls unreliable
plan-reason-tool-calls-unreliable = Tool calls of this model often do not arrive in Ollama: { $worked } of { $of } worked in a test. As an agent that edits files it will often fail; choose another model for that.
plan-reason-architecture-unknown-title = Architecture not known
plan-reason-architecture-unknown = This program does not know how models of the architecture "{ $family }" keep their context. Its memory is computed as if every layer kept the whole context, which is the most it can take; the model may need much less.
plan-reason-no-chat-template-title = No chat template
plan-reason-no-chat-template = The file has no chat template, so the engine formats conversations in its usual way, which this model may not have been trained with. Answers may be poor or not end, and tools may not work; another conversion of the model may have the template.
plan-reason-non-commercial-title = Not for commercial use
plan-reason-non-commercial = The model's licence ({ $licence }) does not allow commercial use.
plan-reason-disk-short-title = Disk space short
plan-reason-disk-short = It needs { $need } on the disk and { $free } are free. Free some space or choose a folder on another disk.
plan-reason-fits-title = Fits the card
plan-reason-fits = Everything is on the graphics card, and { $spare } stay free.

plan-quality-weak = weak
plan-quality-basic = basic
plan-quality-fair = fair
plan-quality-good = good
plan-quality-excellent = excellent
plan-quality-not-rated = not rated
plan-quality-not-rated-why = not rated (no published coding score is known for it)
plan-quality-basis = { $benchmark } { $score }, { $who }
plan-quality-independent = independent
plan-quality-other-maker = measured by another maker
plan-quality-maker = measured by its maker
plan-quality-maker-only = only its maker's figures

plan-improve-close-gpu-programs = Close programs that use the graphics card: that frees { $frees }, and { $layers } of { $total } layers fit, { $speed } tokens/s.
plan-improve-close-ram-programs = Close programs that use { $frees } of main memory.
plan-improve-larger-card = A graphics card with { $need } GB.
plan-improve-more-ram = { $need } GB of main memory.
plan-improve-other-kv = Use a { $kv } KV cache.
plan-improve-free-disk = Free { $frees } on the disk, or choose a folder on another one.
plan-improve-emergency-cpu = Emergency mode on the processor, slow but working: acolyte install --emergency-cpu

plan-consent-intro = On this computer, { $profile } with { $model } runs in degraded mode:
plan-consent-expect = Expect { $speed } tokens/s and { $wait } to the first token of a full prompt. The context stays at { $context } tokens.
plan-consent-ask = Have you read this, and do you want to install it anyway? [y/N]
plan-consent-agree = I have read this and want to install it anyway.
plan-banner = ACOLYTE in degraded mode: { $why }

plan-reference-title = Original expectations and estimates
plan-reference-about = The figures on the left are from the table ACOLYTE was first planned with; they were never measured. Those on the right are estimated like all others here, for a typical card of that size with a desktop open.
plan-reference-computer = Graphics memory + RAM
plan-reference-expected = Expected
plan-reference-computed = Estimated
plan-reference-size = { $vram } + { $ram } GB
plan-reference-speed = { $speed } tokens/s
plan-reference-setting = { $what }, { $part } of { $whole } layers, { $thousands }K
plan-reference-like-this = as much memory as this computer

plan-profiles-unreadable = The profiles in { $path } could not be read: { $why }
plan-profiles-mistake = { $path }, line { $line }, { $key }: { $mistake }
plan-mistake-unknown-key = this key is not known. Check its spelling or remove it
plan-mistake-missing-key = this key is missing. Add it
plan-mistake-twice = this is defined twice. Remove one of them
plan-mistake-value = “{ $found }” is not allowed here. Use { $allowed }
plan-mistake-context = { $tokens } tokens of context are too few. ACOLYTE needs { $minimum } or more
plan-mistake-tag-form = “{ $tag }” is not the name of a model. Write NAME:TAG, for example qwen2.5-coder:7b
plan-mistake-unknown-model = “{ $tag }” is not in the catalogue of models. Use a tag that is
plan-mistake-not-carried = the model's file supports { $carried } tokens of context, not { $wanted }. Choose another model or lower the context
plan-mistake-syntax = this cannot be read: { $why }

plan-downloads = To download: { $total } (Ollama: { $engine }, model: { $model }).
plan-disk-space = Disk space needed: { $size }.
plan-size-unknown = size not known yet
plan-already-here = already here
plan-copied-from-file = nothing, { $size } are copied from the file
plan-drive-short = The drive of { $path } has { $free } free, and { $need } are needed. Free some space, or choose another folder.

# The three choices among all models, and why each was made.
plan-choice-recommended = Recommended
plan-choice-smartest = Smartest
plan-choice-fastest = Fastest
plan-placement-whole = whole on the graphics card
plan-placement-cards = whole on { $cards } graphics cards
plan-placement-experts = experts of { $blocks } of { $total } blocks in main memory
plan-placement-partial = { $layers } of { $total } layers on the processor
plan-placement-processor = on the processor alone
plan-why-what = { $title }, { $placement }: { $speed } tokens/s, { $full } with { $context } tokens in the context.
plan-why-best = No other of the { $models } models that run here has better coding scores ({ $stars } of 5 stars).
plan-why-smarter = { $stars } stars for coding, where { $other }, the best that fits the card whole, has { $theirs }.
plan-why-faster-than-smartest = { $stars } stars for coding and { $times } times as fast as { $other } ({ $theirs } stars).
plan-why-faster = { $times } times as fast as { $other }, the recommended choice.
plan-why-same-as-recommended = It is the recommended choice too.
plan-why-same-as-smartest = It is the smartest choice too.
plan-why-only = It is the only model of the catalogue that runs here.
plan-dominated = Runs, but { $title } ({ $role }) is at least as good in every respect on this computer, and better in some.
plan-placement-sentence = { $title }: { $placement }, prompts in batches of { $batch } tokens.
plan-emergency-title = Emergency mode
plan-custom-title = Own model

# The file of the chosen model, read from its registry before anything changes.
plan-file-reading = Reading the description of the model's file at { $host }…
plan-file-of-registry = These are the figures of the file that { $host } serves now (SHA-256 { $digest }…).
plan-file-of-store = These are the figures of the file in the models folder (SHA-256 { $digest }…).
plan-file-of-user = These are the figures of the file { $path }. It is copied when the model is installed and stays as it is.
plan-file-of-user-parts = These are the figures of the { $parts } files from { $path } on. They are merged into one copy when the model is installed and stay as they are.
plan-file-changed = { $model } has changed since the catalogue was made: now { $now }; before { $before }. The plan follows the new file.
plan-file-figures = { $size }, { $quantisation }, { $layers } layers, up to { $context } tokens of context
plan-file-not-read = The file that will be downloaded could not be read: the figures are the catalogue's, and the file may have changed since. { $problem }
plan-file-not-compared = The file in the registry could not be read; it may be another one. { $problem }
plan-reason-several-sizes-title = Planned for the { $planned } GB card
plan-reason-several-sizes = { $gpu } is sold with { $sizes } GB of memory, and the name does not say which. This is the plan for { $planned } GB. Give the size with --vram-gib, or as vram_total_bytes in the hardware file.
plan-reason-fits-if-free-title = Fits if the memory is free
plan-reason-fits-if-free = Everything is on the graphics card, and { $spare } stay free, if { $free } are free as assumed: how much of the card’s memory is free could not be read.
plan-reason-arithmetic-cut-title = Arithmetic cut for mining
plan-reason-arithmetic-cut = { $gpu } is a card for mining, of which NVIDIA cut the arithmetic: with a stock build of the engine it reaches about { $share } of the speed of other cards with its chip. The range is wide, because it depends on build and quantisation.
