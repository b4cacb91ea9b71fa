### cli
cli-no-home = No se conoce tu carpeta personal. Indica una carpeta con --home DIR o con ACOLYTE_HOME

cli-detecting = Detectando el hardware de este equipo
cli-this-computer = Este equipo
cli-notes = Notas
cli-system = Sistema
cli-processor = Procesador
cli-processor-value =
    { $cores ->
        [one] { $name }, { $cores } núcleo
       *[other] { $name }, { $cores } núcleos
    }
cli-memory = Memoria principal
cli-memory-value = { $total }, { $available } disponibles
cli-memory-value-unknown = { $total }, parte disponible desconocida
cli-graphics = Gráficos
cli-gpu-discrete = tarjeta con memoria propia
cli-gpu-integrated = integrados
cli-gpu-unified = comparte la memoria principal
cli-gpu-software = por software, no es una tarjeta gráfica
cli-gpu-virtual = virtuales
cli-gpu-memory = { $free } libres de { $total }
cli-gpu-memory-total = { $total }, parte libre desconocida
cli-gpu-memory-unknown = memoria desconocida
cli-gpu-blocked = Ollama la deja fuera: { $why }
cli-bandwidth = { $rate } GB/s
cli-bandwidth-table = { $rate } GB/s (según nuestra tabla)
cli-bandwidth-measured = { $rate } GB/s medidos
cli-driver = controlador { $version }
cli-capability = capacidad de cómputo { $version }
cli-none-found = no se ha encontrado ninguno
cli-disk = Disco
cli-disk-value = { $path }: { $free } libres
cli-engine = Ollama
cli-engine-port = puerto { $port }
cli-engine-exposed = abierto a otros equipos
cli-engine-loaded = { $model } cargado, { $vram } de memoria gráfica
cli-engine-models = modelos: { $names }
cli-models = Modelos aquí
cli-models-value = { $count ->
    [one] { $size } en { $path }: { $names }
   *[other] { $size } en { $path }, { $count } modelos: { $names }
}
cli-unknown = desconocido

cli-verdict-compatible = Compatible: funcionará bien
cli-verdict-degraded = Degradado: funcionará, con límites
cli-verdict-refused = Rechazado: no funcionará
cli-why = Por qué
cli-what-would-change-it = Qué lo cambiaría
cli-all-profiles = Todos los perfiles en este equipo (GB necesarios / GB libres)
cli-range-meaning = Las velocidades son estimaciones; el intervalo acierta 8 de cada 10 veces.
cli-to-install = Para instalarlo: { $command }

cli-model = Modelo
cli-quality = Calidad
cli-model-value = { $title } ({ $tag }, { $quantisation }, { $size })
cli-layers = Capas
cli-layers-value = { $gpu } de { $total } en la tarjeta gráfica ({ $share })
cli-experts = Expertos
cli-experts-value = { $blocks } de { $total } bloques en la memoria principal
cli-batch = Lote
cli-batch-value = { $tokens } tokens del prompt a la vez
cli-context = Contexto
cli-context-value = { $tokens } tokens, caché KV { $kv }
cli-vram = Memoria gráfica
cli-ram = Memoria principal
cli-of-free = { $need } de { $have } libres
cli-of-available = { $need } de { $have } disponibles
cli-of-free-assumed = { $need } de unos { $have } libres (supuesto, el controlador no lo indica)
cli-of-available-assumed = { $need } de unos { $have } disponibles (supuesto, el sistema no lo indica)
cli-no-card = no se usa
cli-speed = Velocidad
cli-speed-value = { $speed } tokens/s, { $full } con el contexto lleno
cli-first-token = Primer token
cli-first-token-value = { $wait } tras una petición que llena el contexto

cli-column-profile = Perfil
cli-column-verdict = Veredicto
cli-column-model = Modelo
cli-column-quality = Calidad
cli-column-layers = Capas
cli-column-context = Contexto
cli-column-kv = KV
cli-column-vram = VRAM
cli-column-ram = RAM
cli-column-speed = Tokens/s
cli-column-first-token = Primer token

cli-hardware-unreadable = No se ha podido leer el archivo de hardware { $path }: { $why }
cli-hardware-format = { $path } no es un documento de hardware: { $why }. Compáralo con lo que muestra «acolyte detect --json»
cli-hardware-value = { $path } contiene un valor imposible: { $why }
cli-unknown-profile = No hay ningún perfil «{ $id }». Perfiles conocidos: { $known }
cli-unknown-model = «{ $tag }» no es un modelo conocido. Modelos conocidos: { $known }; o indica la ruta de un archivo .gguf o una referencia a un registro como SERVIDOR:PUERTO/ESPACIO/NOMBRE:ETIQUETA
cli-unknown-gpu = «{ $name }» no está en la tabla de tarjetas gráficas. Indica también --vram-gib y --gpu-bandwidth-gb-s
cli-experts-not-a-mixture = { $model } no es una mezcla de expertos, así que --n-cpu-moe no tiene nada que dejar en la memoria principal. Quítalo o usa --gpu-layers
cli-experts-too-many-blocks = { $model } tiene { $blocks } bloques. Indica con --n-cpu-moe un número hasta { $blocks }, o «all»
cli-experts-without-card = --n-cpu-moe deja los expertos en la memoria principal y todo lo demás en una tarjeta gráfica. Describe una tarjeta con --gpu
cli-experts-with-layers = --n-cpu-moe pone las { $total } capas en la tarjeta gráfica. Quita --gpu-layers
cli-incomplete-gpu = Una tarjeta sin nombre necesita --vram-gib y --gpu-bandwidth-gb-s

cli-crashed = ACOLYTE se ha cerrado por un fallo del programa. Los detalles están en { $path }. Ejecútalo de nuevo: una instalación interrumpida se puede reanudar o deshacer. Si vuelve a ocurrir, envíanos ese archivo
cli-crashed-unwritten = ACOLYTE se ha cerrado por un fallo del programa ({ $why }). Ejecútalo de nuevo: una instalación interrumpida se puede reanudar o deshacer

cli-model-unreadable = No se ha podido leer el archivo de modelo { $path }: { $why }
cli-model-not-gguf = { $path } no se puede usar como modelo: { $why }. Indica un archivo .gguf completo de un modelo de lenguaje

cli-prompts-no-terminal = No se puede preguntar: la entrada estándar no es un terminal. Usa «acolyte install --profile ID --accept-degraded --yes», y «acolyte check-requirements» para ver los perfiles
cli-prompts-welcome =
    ACOLYTE prepara un modelo de programación local en este equipo. Primero muestra qué tiene el equipo y qué funciona
    en él; no se cambia nada antes de que hayas visto y confirmado un resumen. Todo va a { $home }
    y se puede quitar con «acolyte uninstall».
cli-prompts-choose = ¿Qué perfil? Número o nombre, Intro para { $recommended }, q para salir:
cli-prompts-not-a-choice = «{ $answer }» no es uno de estos perfiles
cli-prompts-emergency = Ningún perfil funciona en este equipo. ¿Instalar el modo de emergencia en el procesador? Es lento; antes se muestran sus límites [s/N]:
cli-prompts-nothing-done = No se ha cambiado nada
cli-prompts-no-answer = La entrada terminó antes de responder a la pregunta. No se ha cambiado nada
cli-no-window = No se puede abrir una ventana ({ $why }). Se continúa en el terminal
cli-no-display = No hay pantalla en la que abrir una ventana. Se continúa en el terminal
cli-press-enter = Pulsa Intro para cerrar esta ventana
cli-window-stopped = La ventana se ha cerrado por un fallo ({ $why }). Lo descargado se conserva: ábrela de nuevo para reanudar, o reanuda en el terminal con acolyte install

cli-choices = Las mejores opciones para este equipo, entre todos los modelos
cli-column-choice = Opción
cli-column-speed-full = Contexto lleno
cli-profiles-recommended = El mejor de los perfiles: { $id }
cli-better-choice = { $profile }: { $why }

### Uso incorrecto

usage-error = error:
usage-hint = sugerencia:
usage-heading = Uso: { $usage }
usage-more = Más información: '--help'.
usage-similar = algo parecido: { $similar }
usage-as-value = para usar '{ $value }' como valor, escribe '-- { $value }'
usage-unknown-option = no existe la opción '{ $option }'
usage-unknown-argument = sobra el argumento '{ $argument }'
usage-unknown-command = no existe el comando '{ $command }'
usage-missing-command = falta un comando
usage-missing-value = falta el valor de '{ $option }'
usage-missing-options = falta lo siguiente: { $options }
usage-unexpected-value = '{ $option }' no admite el valor '{ $value }'
usage-wrong-value = valor no válido '{ $value }' para '{ $option }': { $problem }
usage-not-possible = valor no válido '{ $value }' para '{ $option }': usa uno de estos: { $possible }
usage-conflict = '{ $option }' no se puede usar con { $others }
usage-conflict-others = '{ $option }' no se puede usar con las demás opciones
usage-twice = '{ $option }' solo se puede usar una vez
usage-not-unicode = la línea de comandos contiene texto que no es Unicode
usage-value-language = usa en o es
usage-value-rate = escríbelo como 500k o 5M (bytes por segundo)
usage-value-kv = usa f16, q8_0 o q4_0
usage-value-blocks = usa un número de bloques, o all
usage-value-renderer = usa wgpu o glow
usage-value-number = usa un número mayor que 0 y hasta { $most }
usage-value-marks = usa una sola marca decimal y ningún separador de miles: { $point } o { $comma }
usage-value-whole = usa un número entero
usage-value-range = usa un número entero de { $least } a { $most }
usage-value-least = usa un número entero a partir de { $least }
usage-value-other = { $problem }

### Preguntas

cli-ask-continue = ¿Continuar con { $model }? [s/N]
cli-ask-continue-degraded = ¿Continuar con { $model } y los límites de arriba? [s/N]

### Respuestas

cli-ask-nothing = Falta la pregunta. Escribe una, por ejemplo: acolyte ask "Explica esto" --file main.rs
cli-chat-begin = Pregunta algo. Ctrl-C detiene una respuesta; una línea vacía o Ctrl-D termina.
cli-answer-stopped = Detenida.
cli-answer-length = La respuesta acaba en su límite de longitud.
cli-answer-figures = { $speed } tokens/s, primer token a los { $wait } s

### Bench

cli-bench-first-token = Midiendo la espera con un prompt de { $tokens } tokens
cli-bench-now = Ahora:       { $speed } tokens/s; primer token de { $tokens } tokens a los { $wait } s
cli-bench-then = Al instalar: { $speed } tokens/s; primer token de { $tokens } tokens a los { $wait } s
cli-bench-stopped = Detenido. No se cambió nada.
cli-bench-as-fast = No es más lento que al instalar, hasta donde distingue el rango de la predicción.
cli-bench-slower = Escribe más despacio que al instalar, por más de lo que abarca el intervalo previsto.
cli-bench-slower-prompts = Lee los prompts más despacio que al instalar, por más de lo que abarca el intervalo previsto.
cli-bench-less-on-card = Ahora está en la tarjeta gráfica el { $now } del modelo; al instalar, el { $then }.
cli-bench-advice = Cierra los programas que usan la tarjeta gráfica, comprueba que el equipo está enchufado y no se calienta, y vuelve a medir. acolyte tune busca el ajuste más rápido tal como está el equipo ahora.

# Heading in the help of a command.
cli-examples = Ejemplos
