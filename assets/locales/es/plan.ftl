### El plan: veredictos, razones, mejoras, consentimiento

plan-verdict-compatible = Compatible
plan-verdict-degraded = Degradado
plan-verdict-refused = Rechazado

plan-grade-good = Bueno
plan-grade-recommended = Recomendado
plan-grade-premium = Premium

plan-speed-assumed = Las velocidades se suponen a partir de chips parecidos: ninguno de esta familia se ha medido.

plan-reason-no-usable-gpu-title = Sin tarjeta gráfica utilizable
plan-reason-no-gpu = No se ha encontrado ninguna tarjeta gráfica. ACOLYTE necesita una con { $need } GB de memoria propia o más; sin ella, «acolyte install --emergency-cpu» ejecuta un modelo pequeño en el procesador, despacio.
plan-reason-no-usable-gpu = Se ha encontrado { $found }, donde Ollama no carga ningún modelo: deja fuera los gráficos integrados en el procesador, que no tienen memoria propia, y los adaptadores de software y de máquinas virtuales. ACOLYTE necesita una tarjeta gráfica con { $need } GB o más; sin ella, «acolyte install --emergency-cpu» ejecuta un modelo pequeño en el procesador, despacio.
plan-reason-vram-too-small-title = Requiere una tarjeta de { $need } GB
plan-reason-vram-too-small = La tarjeta gráfica tiene { $have } GB. El modelo más pequeño con el que ACOLYTE funciona bien necesita una tarjeta de { $need } GB, porque los 32.768 tokens de contexto no se reducen nunca. Usa una tarjeta mayor, o «acolyte install --emergency-cpu», que ejecuta un modelo pequeño en el procesador, despacio.
plan-reason-vram-unknown-title = Memoria gráfica desconocida
plan-reason-vram-unknown = No se ha podido determinar la memoria de { $gpu }. Actualiza su controlador e inténtalo de nuevo, o guarda un archivo de hardware con «acolyte detect --json», rellena vram_total_bytes y úsalo con --hardware.
plan-reason-profile-needs-vram-title = Requiere { $need } GB
plan-reason-profile-needs-vram = Pensado para tarjetas de { $need } GB o más. Esta tiene { $have } GB.
plan-reason-profile-needs-ram-title = Requiere { $need } GB de RAM
plan-reason-profile-needs-ram = Pensado para { $need } GB de memoria principal o más. Este equipo tiene { $have } GB.
plan-reason-vram-short-title = Memoria gráfica ocupada
plan-reason-vram-short = Necesita { $need } de memoria gráfica y hay { $free } libres. Tampoco cabría con los demás programas cerrados: elige un modelo más pequeño.
plan-reason-vram-short-now = Necesita { $need } de memoria gráfica y ahora hay { $free } libres. Cierra los programas que usan la tarjeta gráfica y vuelve a comprobarlo.
plan-reason-ram-short-title = Falta memoria principal
plan-reason-ram-short = Necesita { $need } de memoria principal, más de los { $have } que este equipo puede darle. Elige un modelo más pequeño o amplía la memoria.
plan-reason-ram-short-now = Necesita { $need } de memoria principal y ahora hay { $have } disponibles, así que el sistema movería memoria al disco y se volvería lento. Cierra programas antes de usarlo.
plan-reason-layers-on-cpu-title =
    { $cpu ->
        [one] { $cpu } de { $total } capas en el procesador
       *[other] { $cpu } de { $total } capas en el procesador
    }
plan-reason-layers-on-cpu =
    { $cpu ->
        [one] { $cpu } de { $total } capas no cabe en la tarjeta gráfica y se ejecuta en el procesador: cuenta con { $speed } tokens/s en lugar de { $whole }.
       *[other] { $cpu } de { $total } capas no caben en la tarjeta gráfica y se ejecutan en el procesador: cuenta con { $speed } tokens/s en lugar de { $whole }.
    }
plan-reason-cpu-only-title = Se ejecuta en el procesador
plan-reason-cpu-only = Modo de emergencia: todo el modelo se ejecuta en el procesador. Funciona, pero las respuestas son lentas, una petición larga tarda minutos y mientras tanto el equipo está ocupado.
plan-reason-small-card-title = Tarjeta de { $have } GB
plan-reason-small-card = La tarjeta tiene { $have } GB. Por debajo de { $comfortable } GB el modelo deja poca memoria gráfica libre: un navegador o un juego pueden desplazarlo, y las respuestas se vuelven varias veces más lentas.
plan-reason-kv-q4-title = Caché KV a 4 bits
plan-reason-kv-q4 = La caché KV, la memoria de trabajo del modelo, se guarda a 4 bits. El modelo comete más errores, sobre todo en contextos largos.
plan-reason-slow-decode-title = Unos { $speed } tokens/s
plan-reason-slow-decode = Las respuestas llegan a unos { $speed } tokens/s. Por debajo de { $limit } tokens/s son más lentas que la lectura de la mayoría.
plan-reason-slow-first-token-title = { $wait } hasta el primer token con el prompt lleno
plan-reason-slow-first-token = Cuando una petición llena el contexto, el primer token tarda unos { $wait }. Más de { $limit } es una espera larga; las peticiones cortas esperan menos.
plan-reason-context-below-minimum-title = Requiere { $minimum } tokens de contexto
plan-reason-context-below-minimum = Se han pedido { $want } tokens de contexto. ACOLYTE necesita al menos { $minimum }.
plan-reason-context-not-carried-title = Admite { $carried } tokens
plan-reason-context-not-carried = El archivo del modelo admite { $carried } tokens de contexto, no { $want }; el motor lo recortaría sin decirlo. Elige un modelo con un contexto más largo.
plan-reason-kv-needs-flash-attention-title = Requiere caché KV f16
plan-reason-kv-needs-flash-attention = El motor no tiene flash attention para { $gpu }, y sin ella una caché KV cuantizada no se carga. Usa f16.
plan-reason-experts-in-ram-title = Expertos en la memoria principal
plan-reason-experts-in-ram = Los expertos de { $blocks } de { $total } bloques se quedan en la memoria principal y se ejecutan en la CPU. La atención, el contexto y todo lo demás están en la tarjeta gráfica.
plan-reason-several-cards-title = En { $count } tarjetas a la vez
plan-reason-several-cards = Este modelo no cabe en una tarjeta, así que sus capas se reparten entre { $count } tarjetas con { $together } en total. Cada una trabaja por turno en cada token: la velocidad es la de todas, una tras otra.
plan-reason-kv-quality-lost-title = Inservible con esta caché KV
plan-reason-kv-quality-lost = Los modelos de esta familia pierden casi toda la calidad con una caché KV { $kv }: en una medición solo el { $share } de la salida quedó igual. Usa q8_0.
plan-reason-tool-calls-unreliable-title = Llamadas a herramientas poco fiables
plan-reason-tool-calls-unreliable = Las llamadas a herramientas de este modelo a menudo no llegan en Ollama: en una prueba funcionaron { $worked } de { $of }. Como agente que edita archivos fallará con frecuencia; elige otro modelo para eso.
plan-reason-architecture-unknown-title = Arquitectura desconocida
plan-reason-architecture-unknown = Este programa no sabe cómo guardan el contexto los modelos de la arquitectura «{ $family }». Su memoria se calcula como si todas las capas guardaran el contexto completo, que es lo máximo que puede ocupar; el modelo puede necesitar mucho menos.
plan-reason-no-chat-template-title = Sin plantilla de chat
plan-reason-no-chat-template = El archivo no incluye plantilla de chat, así que el motor da formato a las conversaciones a su manera habitual, con la que este modelo quizá no se entrenó. Las respuestas pueden ser malas o no terminar, y las herramientas pueden no funcionar; otra conversión del modelo puede incluir la plantilla.
plan-reason-non-commercial-title = Sin uso comercial
plan-reason-non-commercial = La licencia del modelo ({ $licence }) no permite el uso comercial.
plan-reason-disk-short-title = Falta espacio en disco
plan-reason-disk-short = Necesita { $need } en el disco y hay { $free } libres. Libera espacio o elige una carpeta en otro disco.
plan-reason-fits-title = Cabe en la tarjeta
plan-reason-fits = Todo está en la tarjeta gráfica y quedan { $spare } libres.

plan-quality-weak = floja
plan-quality-basic = básica
plan-quality-fair = aceptable
plan-quality-good = buena
plan-quality-excellent = excelente
plan-quality-not-rated = sin valorar
plan-quality-not-rated-why = sin valorar (no se conoce ninguna puntuación publicada de programación)
plan-quality-basis = { $benchmark } { $score }, { $who }
plan-quality-independent = independiente
plan-quality-other-maker = medido por otro fabricante
plan-quality-maker = medido por su fabricante
plan-quality-maker-only = solo cifras de su fabricante

plan-improve-close-gpu-programs = Cierra los programas que usan la tarjeta gráfica: se liberan { $frees } y caben { $layers } de { $total } capas, { $speed } tokens/s.
plan-improve-close-ram-programs = Cierra programas que ocupen { $frees } de memoria principal.
plan-improve-larger-card = Una tarjeta gráfica con { $need } GB.
plan-improve-more-ram = { $need } GB de memoria principal.
plan-improve-other-kv = Usa una caché KV { $kv }.
plan-improve-free-disk = Libera { $frees } en el disco o elige una carpeta en otro.
plan-improve-emergency-cpu = Modo de emergencia en el procesador, lento pero funciona: acolyte install --emergency-cpu

plan-consent-intro = En este equipo, { $profile } con { $model } funciona en modo degradado:
plan-consent-expect = Cuenta con { $speed } tokens/s y { $wait } hasta el primer token de una petición que llene el contexto. El contexto se mantiene en { $context } tokens.
plan-consent-ask = ¿Lo has leído y quieres instalarlo de todos modos? [s/N]
plan-consent-agree = Lo he leído y quiero instalarlo de todos modos.
plan-banner = ACOLYTE en modo degradado: { $why }

plan-reference-title = Expectativas originales y estimaciones
plan-reference-about = Las cifras de la izquierda son de la tabla con la que se planeó ACOLYTE; nunca se midieron. Las de la derecha se estiman como todas las demás, para una tarjeta típica de ese tamaño con un escritorio abierto.
plan-reference-computer = Memoria gráfica + RAM
plan-reference-expected = Esperado
plan-reference-computed = Estimado
plan-reference-size = { $vram } + { $ram } GB
plan-reference-speed = { $speed } tokens/s
plan-reference-setting = { $what }, { $part } de { $whole } capas, { $thousands }K
plan-reference-like-this = tanta memoria como este equipo

plan-profiles-unreadable = No se han podido leer los perfiles de { $path }: { $why }
plan-profiles-mistake = { $path }, línea { $line }, { $key }: { $mistake }
plan-mistake-unknown-key = esta clave no se conoce. Revisa cómo está escrita o quítala
plan-mistake-missing-key = falta esta clave. Añádela
plan-mistake-twice = está definido dos veces. Quita una de ellas
plan-mistake-value = «{ $found }» no se admite aquí. Usa { $allowed }
plan-mistake-context = { $tokens } tokens de contexto son muy pocos. ACOLYTE necesita { $minimum } o más
plan-mistake-tag-form = «{ $tag }» no es el nombre de un modelo. Escribe NOMBRE:ETIQUETA, por ejemplo qwen2.5-coder:7b
plan-mistake-unknown-model = «{ $tag }» no está en el catálogo de modelos. Usa una etiqueta que esté
plan-mistake-not-carried = el archivo del modelo admite { $carried } tokens de contexto, no { $wanted }. Elige otro modelo o reduce el contexto
plan-mistake-syntax = esto no se puede leer: { $why }

plan-downloads = Se descargan { $total } (Ollama: { $engine }; modelo: { $model }).
plan-disk-space = Espacio necesario en disco: { $size }.
plan-size-unknown = tamaño aún desconocido
plan-already-here = ya está aquí
plan-copied-from-file = nada, se copian { $size } del archivo
plan-drive-short = La unidad de { $path } tiene { $free } libres y se necesitan { $need }. Libera espacio o elige otra carpeta.

# Las tres opciones entre todos los modelos, y por qué es cada una.
plan-choice-recommended = Recomendado
plan-choice-smartest = El más capaz
plan-choice-fastest = El más rápido
plan-placement-whole = entero en la tarjeta gráfica
plan-placement-cards = entero en { $cards } tarjetas gráficas
plan-placement-experts = expertos de { $blocks } de { $total } bloques en la memoria principal
plan-placement-partial = { $layers } de { $total } capas en la CPU
plan-placement-processor = solo en la CPU
plan-why-what = { $title }, { $placement }: { $speed } tokens/s, { $full } con { $context } tokens en el contexto.
plan-why-best = De los { $models } modelos que funcionan aquí, ninguno tiene mejor nota en programación ({ $stars } de 5 estrellas).
plan-why-smarter = { $stars } estrellas en programación; { $other }, el mejor que cabe entero en la tarjeta, tiene { $theirs }.
plan-why-faster-than-smartest = { $stars } estrellas en programación y { $times } veces más rápido que { $other } ({ $theirs } estrellas).
plan-why-faster = { $times } veces más rápido que { $other }, la opción recomendada.
plan-why-same-as-recommended = También es la opción recomendada.
plan-why-same-as-smartest = También es la opción más capaz.
plan-why-only = Es el único modelo del catálogo que funciona aquí.
plan-dominated = Funciona, pero { $title } ({ $role }) es igual o mejor en todo en este equipo.
plan-placement-sentence = { $title }: { $placement }, prompts en lotes de { $batch } tokens.
plan-emergency-title = Modo de emergencia
plan-custom-title = Modelo propio

# El archivo del modelo elegido, que se lee de su registro antes de cambiar nada.
plan-file-reading = Leyendo la descripción del archivo del modelo en { $host }…
plan-file-of-registry = Estas son las cifras del archivo que { $host } ofrece ahora (SHA-256 { $digest }…).
plan-file-of-store = Estas son las cifras del archivo de la carpeta de modelos (SHA-256 { $digest }…).
plan-file-of-user = Estas son las cifras del archivo { $path }. Al instalar el modelo se copia y se deja como está.
plan-file-of-user-parts = Estas son las cifras de los { $parts } archivos a partir de { $path }. Al instalar el modelo se unen en una sola copia y se dejan como están.
plan-file-changed = { $model } ha cambiado desde que se hizo el catálogo: ahora { $now }; antes { $before }. El plan sigue el archivo nuevo.
plan-file-figures = { $size }, { $quantisation }, { $layers } capas, hasta { $context } tokens de contexto
plan-file-not-read = No se pudo leer el archivo que se va a descargar: las cifras son las del catálogo y el archivo puede haber cambiado desde entonces. { $problem }
plan-file-not-compared = No se pudo leer el archivo del registro; puede ser otro. { $problem }
plan-reason-several-sizes-title = Plan para la tarjeta de { $planned } GB
plan-reason-several-sizes = { $gpu } se vende con { $sizes } GB de memoria y el nombre no dice cuál es. Este es el plan para { $planned } GB. Indica el tamaño con --vram-gib, o como vram_total_bytes en el archivo de hardware.
plan-reason-fits-if-free-title = Cabe si la memoria está libre
plan-reason-fits-if-free = Todo está en la tarjeta gráfica y quedan { $spare } libres, si hay { $free } libres como se supone: no se ha podido leer cuánta memoria de la tarjeta está libre.
plan-reason-arithmetic-cut-title = Aritmética recortada para minería
plan-reason-arithmetic-cut = { $gpu } es una tarjeta para minería a la que NVIDIA recortó la aritmética: con una compilación normal del motor alcanza alrededor del { $share } de la velocidad de otras tarjetas con su chip. El intervalo es amplio porque depende de la compilación y de la cuantización.
