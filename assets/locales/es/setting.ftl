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

## acolyte models, and the models on the Manage page

models-column-model = Modelo
models-column-size = Tamaño
models-column-use = Lo usa
models-column-folder = Carpeta
models-served = ACOLYTE
models-base = el modelo servido, que se creó a partir de él
models-unused = nada
models-others = otro Ollama
models-missing = { $model } no está entre los modelos del disco. Se ven con acolyte models.
models-in-use = { $model } está en uso y se queda. Instala antes otro perfil.
models-not-ours = { $model } se queda: otro Ollama usa su carpeta.
models-ask = ¿Eliminar { $model } ({ $size })? [s/N]
models-removed = Se eliminó { $model }; quedan libres { $size }

## The Manage page

wizard-settings-title = Ajustes
wizard-settings-detail = Capas, expertos, caché KV, contexto y lote de lo instalado. La memoria y la velocidad se ven antes de cambiar nada.
wizard-settings-open = Cambiar ajustes…
wizard-settings-looking = Examinando el equipo. Mientras tanto el modelo sale de la memoria; la siguiente pregunta lo vuelve a cargar.
wizard-settings-cpu-only = Emergencia: todo en la CPU
wizard-settings-back = Volver al plan
wizard-settings-apply = Aplicar
wizard-settings-close = Descartar
wizard-settings-agree = Acepto estas limitaciones
wizard-settings-changing = Se está cambiando y midiendo la configuración.
wizard-models-title = Modelos en este disco
wizard-models-remove = Eliminar { $model }
wizard-models-looking = Examinando el disco
wizard-ask-model-title = ¿Eliminar este modelo?
wizard-ask-model = { $model } ({ $size }) se borra del disco. Para volver a usarlo hay que descargarlo otra vez.
wizard-ask-model-yes = Eliminar
wizard-ask-model-no = Conservar
