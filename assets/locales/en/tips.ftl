## Optimization tips

tip-title = Optimization tips
tip-program = { $name } ({ $memory })
tip-close-gpu-programs = Close { $programs }: that frees { $frees } of graphics memory on { $gpu }.
tip-close-gpu-unnamed = Close other programs that use { $gpu } (browsers, games, video): that frees up to { $frees } of graphics memory.
tip-close-for-better-model = Close { $programs }: then { $title } ({ $stars } of 5 stars, { $speed } tokens/s) is recommended instead of { $other } ({ $other_stars }).
tip-close-for-a-model = Close { $programs }: then { $title } ({ $stars } of 5 stars) runs here, at { $speed } tokens/s.
tip-unload-model = Unload { $model } from the Ollama server on port { $port }: that frees { $frees } of graphics memory.
tip-close-ram-programs = Close { $programs }: that frees about { $frees } of main memory.
tip-plug-in = Plug in the charger: on its battery, this computer slows down processor and graphics card.
tip-end-power-saving = Switch the power-saving mode off while the model works: it slows down the processor.
tip-raise-power-limit = The power limit of { $gpu } is { $limit } W instead of { $usual } W, its default: prompts are read more slowly.
tip-raise-power-limit-laptop = { $gpu } may draw { $limit } W at present, but up to { $usual } W: plug in the charger and choose the laptop's performance mode.
tip-card-hot = { $gpu } is slowed down by heat: free its fans and air vents.
tip-card-hot-at = { $gpu } is slowed down by heat ({ $degrees } °C): free its fans and air vents.
tip-card-power-supply = { $gpu } is slowed down by its power supply: check the power cables and whether the supply is strong enough.
tip-card-power-limit = { $gpu } is slowed down by its power limit.
tip-move-display = Connect the display to { $to }: the desktop then uses no memory of { $gpu }.
tip-idle-fits-one = { $gpu } is idle, because the model fits one card. A larger model or context would use both.
tip-idle-other-backend = { $gpu } is idle: the model is not shared between cards of different kinds.
tip-other-kv = Use a { $kv } KV cache.
tip-exact-kv = A { $kv } KV cache is more exact: { $speed } instead of { $now } tokens/s, and { $vram } instead of { $vram_now } of graphics memory.
tip-other-batch = Use a batch of { $tokens } tokens: { $vram } instead of { $vram_now } of graphics memory.
tip-hard-disk = The models are on a hard disk: the first load takes { $hdd } instead of { $ssd } from a solid-state disk.
tip-hard-disk-folder = The models are on a hard disk: the first load takes { $hdd } instead of { $ssd } from a solid-state disk. { $path } is on one: choose a folder there.
tip-add-ram-module = Main memory reads { $rate } GB/s with a single module ({ $size }). A second one of the same kind doubles that.
tip-ram-below-rated = Main memory runs at { $mts } instead of { $rated } MT/s: enable its profile (XMP or EXPO) in the firmware settings.
tip-slow-ram = Main memory reads { $rate } GB/s; about { $usual } GB/s are usual here. If nothing else was running, check that both channels have a module and that the memory profile (XMP or EXPO) is enabled.
tip-update-driver = Update the NVIDIA driver of { $gpu } from { $driver } to { $branch } or later: the engine then uses its newer CUDA library.

tip-gain-runs = Then this model runs here, at { $speed } tokens/s.
tip-gain-layers = Then { $layers } instead of { $before } of { $total } layers fit on the card: { $speed } instead of { $now } tokens/s.
tip-gain-experts =
    { $blocks ->
        [one] Then the experts of one more block fit on the card: { $speed } instead of { $now } tokens/s.
       *[other] Then the experts of { $blocks } more blocks fit on the card: { $speed } instead of { $now } tokens/s.
    }
tip-gain-speed = That gives { $speed } instead of { $now } tokens/s.
tip-gain-speed-full = That gives { $speed } instead of { $now } tokens/s with a full context.
tip-gain-wait = The first token of a full prompt then comes after { $wait } instead of { $now }.
tip-gain-prompt-cache = Then the engine keeps an earlier prompt in { $memory } of main memory instead of reading it again ({ $wait } for a full one).
tip-gain-verdict = Then it runs with fewer limits.
