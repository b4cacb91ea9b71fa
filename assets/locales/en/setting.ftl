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

## acolyte models, and the models on the Manage page

models-column-model = Model
models-column-size = Size
models-column-use = Used by
models-column-folder = Folder
models-served = ACOLYTE
models-base = the served model, which was made from it
models-unused = nothing
models-others = another Ollama
models-missing = { $model } is not among the models on the drive. They are listed by acolyte models.
models-in-use = { $model } is in use and stays. Install another profile first.
models-not-ours = { $model } stays: another Ollama uses its folder.
models-ask = Remove { $model } ({ $size })? [y/N]
models-removed = Removed { $model }, { $size } are free again

## The Manage page

wizard-settings-title = Settings
wizard-settings-detail = Layers, experts, KV cache, context and batch of what is installed. Memory and speed are shown before anything changes.
wizard-settings-open = Change settings…
wizard-settings-looking = Looking at the computer. The model leaves memory meanwhile, and loads again with the next question.
wizard-settings-cpu-only = Emergency: everything on the CPU
wizard-settings-back = Back to the plan
wizard-settings-apply = Apply
wizard-settings-close = Discard
wizard-settings-agree = I agree to these limits
wizard-settings-changing = The setting is being changed and measured.
wizard-models-title = Models on this drive
wizard-models-remove = Remove { $model }
wizard-models-looking = Looking at the drive
wizard-ask-model-title = Remove this model?
wizard-ask-model = { $model } ({ $size }) is deleted from the drive. To use it again it has to be downloaded again.
wizard-ask-model-yes = Remove
wizard-ask-model-no = Keep
