## acolyte set, and the settings on the Manage page

set-nothing-named = Indica qué hay que cambiar: --gpu-layers, --n-cpu-moe, --kv, --context, --num-batch, --cpu-only o --plan
set-column-before = ahora
set-column-after = después
set-refused = Esta configuración no funciona en este equipo
set-may-fail = Se prueba. Si falla, vuelve la configuración actual.
set-unchanged = Esa es la configuración actual. No se ha cambiado nada
set-ask = ¿Cambiarla ahora? [s/N]
set-consent-how = Para aplicarla de todos modos, repite la orden con --accept-degraded.
set-restored = Vuelve a estar en vigor la configuración anterior
set-result =
    Medido (previsto):
      en la GPU          { $layers } de { $total } capas
      contexto           { $context } tokens, caché KV { $kv }, { $batch } tokens de petición a la vez
      VRAM               { $vram } ({ $vram_promised })
      memoria principal  { $ram } ({ $ram_promised })
      velocidad          { $speed } tokens/s ({ $speed_promised })
      primer token       { $wait } s con { $tokens } tokens ({ $wait_promised })
set-by-hand = Ajustado a mano: { $what }. Para volver al plan: acolyte set --plan
set-by-hand-auto = las que quepan
set-by-hand-cpu-only = todo en la CPU
set-by-hand-layers = capas en la GPU: { $layers }
set-by-hand-experts = bloques con expertos en la memoria principal: { $blocks }
set-by-hand-kv = caché KV { $kv }
set-by-hand-context = { $tokens } tokens de contexto
set-by-hand-batch = { $tokens } tokens de petición a la vez
set-no-experts = Este modelo no es una mezcla de expertos, así que ninguno puede quedarse en la memoria principal.
set-too-many-layers = El modelo tiene { $total } capas.
set-too-many-blocks = El modelo tiene { $blocks } bloques.
set-experts-with-layers = Con expertos en la memoria principal, las { $total } capas están en la GPU. Quita --gpu-layers o usa --n-cpu-moe 0.
install-changed-meanwhile = Otro programa cambió entretanto lo instalado en { $home }. Repite la orden.
usage-value-amount = usa un número, all o auto
usage-value-number-or-auto = usa un número entero de 1 a { $most }, o auto
