## Consejos de optimización

tip-title = Consejos de optimización
tip-program = { $name } ({ $memory })
tip-close-gpu-programs = Cierra { $programs }: se liberan { $frees } de memoria gráfica en { $gpu }.
tip-close-gpu-unnamed = Cierra otros programas que usen { $gpu } (navegadores, juegos, vídeo): se liberan hasta { $frees } de memoria gráfica.
tip-close-for-better-model = Cierra { $programs }: entonces se recomienda { $title } ({ $stars } de 5 estrellas, { $speed } tokens/s) en lugar de { $other } ({ $other_stars }).
tip-close-for-a-model = Cierra { $programs }: entonces { $title } ({ $stars } de 5 estrellas) funciona aquí, a { $speed } tokens/s.
tip-unload-model = Descarga de la memoria { $model } en el servidor de Ollama del puerto { $port }: se liberan { $frees } de memoria gráfica.
tip-close-ram-programs = Cierra { $programs }: se liberan unos { $frees } de memoria principal.
tip-plug-in = Conecta el cargador: con la batería, este equipo ralentiza el procesador y la tarjeta gráfica.
tip-end-power-saving = Desactiva el modo de ahorro de energía mientras trabaja el modelo: ralentiza el procesador.
tip-raise-power-limit = El límite de potencia de { $gpu } es de { $limit } W en lugar de { $usual } W, su valor predeterminado: las peticiones se leen más despacio.
tip-raise-power-limit-laptop = { $gpu } puede consumir ahora { $limit } W, pero llega hasta { $usual } W: conecta el cargador y elige el modo de rendimiento del portátil.
tip-card-hot = El calor ralentiza { $gpu }: despeja sus ventiladores y rejillas.
tip-card-hot-at = El calor ralentiza { $gpu } ({ $degrees } °C): despeja sus ventiladores y rejillas.
tip-card-power-supply = La alimentación ralentiza { $gpu }: comprueba los cables de corriente y si la fuente es lo bastante potente.
tip-card-power-limit = El límite de potencia ralentiza { $gpu }.
tip-move-display = Conecta la pantalla a { $to }: así el escritorio no ocupa memoria de { $gpu }.
tip-idle-fits-one = { $gpu } no se usa, porque el modelo cabe en una tarjeta. Un modelo o un contexto más grande usaría las dos.
tip-idle-other-backend = { $gpu } no se usa: el modelo no se reparte entre tarjetas de distinto tipo.
tip-other-kv = Usa una caché KV { $kv }.
tip-exact-kv = Una caché KV { $kv } es más exacta: { $speed } en lugar de { $now } tokens/s, y { $vram } en lugar de { $vram_now } de memoria gráfica.
tip-other-batch = Usa un lote de { $tokens } tokens: { $vram } en lugar de { $vram_now } de memoria gráfica.
tip-hard-disk = Los modelos están en un disco duro: la primera carga tarda { $hdd } en lugar de { $ssd } desde una unidad SSD.
tip-hard-disk-folder = Los modelos están en un disco duro: la primera carga tarda { $hdd } en lugar de { $ssd } desde una unidad SSD. { $path } está en una: elige una carpeta allí.
tip-add-ram-module = La memoria principal lee { $rate } GB/s con un solo módulo ({ $size }). Otro igual duplica esa velocidad.
tip-ram-below-rated = La memoria principal va a { $mts } en lugar de { $rated } MT/s: activa su perfil (XMP o EXPO) en la configuración del firmware.
tip-slow-ram = La memoria principal lee { $rate } GB/s; aquí lo habitual son unos { $usual } GB/s. Si no había otro programa trabajando, comprueba que los dos canales tengan un módulo y que el perfil de memoria (XMP o EXPO) esté activado.
tip-update-driver = Actualiza el controlador NVIDIA de { $gpu } de { $driver } a { $branch } o posterior: el motor usa entonces su biblioteca CUDA más nueva.

tip-gain-runs = Entonces este modelo funciona aquí, a { $speed } tokens/s.
tip-gain-layers = Entonces caben en la tarjeta { $layers } de { $total } capas en lugar de { $before }: { $speed } en lugar de { $now } tokens/s.
tip-gain-experts =
    { $blocks ->
        [one] Entonces caben en la tarjeta los expertos de un bloque más: { $speed } en lugar de { $now } tokens/s.
       *[other] Entonces caben en la tarjeta los expertos de { $blocks } bloques más: { $speed } en lugar de { $now } tokens/s.
    }
tip-gain-speed = Eso da { $speed } en lugar de { $now } tokens/s.
tip-gain-speed-full = Eso da { $speed } en lugar de { $now } tokens/s con el contexto lleno.
tip-gain-wait = El primer token de una petición que llena el contexto llega entonces tras { $wait } en lugar de { $now }.
tip-gain-prompt-cache = Entonces el motor guarda una petición anterior en { $memory } de memoria principal en lugar de leerla otra vez ({ $wait } si llena el contexto).
tip-gain-verdict = Entonces funciona con menos límites.
