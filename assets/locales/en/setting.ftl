## acolyte set, and the settings on the Manage page

set-nothing-named = Name what is to be changed: --gpu-layers, --n-cpu-moe, --kv, --context, --num-batch, --cpu-only or --plan
set-column-before = now
set-column-after = after
set-refused = This setting does not run on this computer
set-may-fail = It is tried. If it fails, the present setting returns.
set-unchanged = That is the present setting. Nothing was changed
set-ask = Change it now? [y/N]
set-consent-how = To set it anyway, run the command again with --accept-degraded.
set-restored = The setting before is in force again
set-result =
    Measured (predicted):
      on the GPU   { $layers } of { $total } layers
      context      { $context } tokens, KV cache { $kv }, { $batch } prompt tokens at once
      VRAM         { $vram } ({ $vram_promised })
      main memory  { $ram } ({ $ram_promised })
      speed        { $speed } tokens/s ({ $speed_promised })
      first token  { $wait } s for { $tokens } tokens ({ $wait_promised })
set-by-hand = Set by hand: { $what }. Back to the plan: acolyte set --plan
set-by-hand-auto = as many as fit
set-by-hand-cpu-only = everything on the CPU
set-by-hand-layers = layers on the GPU: { $layers }
set-by-hand-experts = blocks with experts in main memory: { $blocks }
set-by-hand-kv = KV cache { $kv }
set-by-hand-context = { $tokens } tokens of context
set-by-hand-batch = { $tokens } prompt tokens at once
set-no-experts = This model is not a mixture of experts, so none can stay in main memory.
set-too-many-layers = The model has { $total } layers.
set-too-many-blocks = The model has { $blocks } blocks.
set-experts-with-layers = With experts in main memory all { $total } layers are on the GPU. Leave out --gpu-layers, or set --n-cpu-moe 0.
install-changed-meanwhile = What is installed in { $home } was changed by another program meanwhile. Run the command again.
usage-value-amount = use a number, all or auto
usage-value-number-or-auto = use a whole number from 1 to { $most }, or auto
