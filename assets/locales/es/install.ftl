# Instalar, gestionar, quitar.

## La versión

install-release-unreadable = No se puede leer el archivo de versión { $path }: { $cause }. Comprueba su ruta y sus permisos.
install-release-malformed = { $path } no es un archivo de versión: { $cause }. El formato se describe en docs/release-file.md.
install-release-none-for-system = La versión { $version } no tiene archivo para { $os } en { $arch }. Usa --release con una lista que lo tenga.
install-release-no-address = El archivo de versión no da base_url. Añádela o indica la dirección con --mirror.

## Respuestas del motor

install-client-setup = No se puede preparar la conexión con el motor: { $cause }. Reinicia el programa; si vuelve a ocurrir, avísanos.
install-client-unreachable = El motor del puerto { $port } no responde: { $cause }. Consulta su registro o vuelve a iniciarlo.
install-client-silent = El motor no responde desde hace { $duration }. Inténtalo de nuevo: lo hecho se conserva.
install-client-refused = El motor dice: { $message }
install-client-cut-short = La respuesta del motor se interrumpió. Inténtalo de nuevo: lo hecho se conserva.
install-client-prompt-too-long = La conversación supera el contexto del modelo. Envía menos o empieza otra.
install-client-file-in-use = Otro programa, por ejemplo un antivirus, tiene abierto un archivo que Ollama necesita ({ $message })
install-client-unreadable = La respuesta del motor no es válida: { $cause }. ¿Hay otro programa en su puerto?

## El servidor

install-server-port-taken = Otro programa ocupa el puerto { $port }. Elige otro puerto o deja que lo elija el instalador.
install-server-no-free-port = Todos los puertos del { $first } al { $last } están ocupados. Cierra el programa que tenga uno de ellos o indica un puerto libre con --port.
install-server-not-listening = El servidor privado no está en marcha en el puerto { $port }. Arráncalo con acolyte start.
install-server-unconfirmed = El sistema no indica qué programa escucha en el puerto { $port }: puede que quien responde no sea el servidor privado.
install-client-stranger = El puerto { $port } del servidor lo ocupó { $by }. No se usa su respuesta. Cierra ese programa o vuelve a ejecutar acolyte install para usar otro puerto.
install-server-other-version = El servidor del puerto { $port } dice ser Ollama { $found } en lugar de { $expected }. No se le consulta nada más. Vuelve a ejecutar acolyte install para sustituirlo.
install-server-spawn = No se puede iniciar { $path }: { $cause }.
install-server-ended = El motor terminó ({ $status }) sin responder.
install-server-last-lines =
    Las últimas líneas de su registro:
    { $lines }
# Cómo terminó un programa y qué suele significar.
program-end-code = código de salida { $code }
program-end-signal = señal { $signal }
crash-illegal-instruction = Al procesador le falta una instrucción que usa el motor: es antiguo o una máquina virtual oculta lo que tiene (AVX, AVX2). Haz que la máquina virtual use el procesador tal cual (tipo «host») o usa otro equipo.
crash-killed = Algo lo mató. Suele hacerlo el sistema (OOM killer) cuando la memoria principal se llena, o un contenedor al llegar a su límite: cierra otros programas, sube el límite o elige un modelo o un contexto más pequeño.
crash-out-of-memory = La memoria principal está llena. Cierra otros programas, amplía el archivo de paginación o elige un modelo o un contexto más pequeño.
crash-segmentation-fault = Usó memoria que no es suya: un fallo del motor o del controlador gráfico, o módulos de memoria defectuosos. Actualiza el controlador y vuelve a instalar; si sigue igual, comprueba la memoria.
crash-bus-error = No se pudo leer un archivo que tenía asignado en memoria: la unidad tiene un fallo, está llena o se ha desconectado. Revisa la unidad y vuelve a instalar.
crash-aborted = Terminó por un error propio, a menudo en el controlador gráfico. Actualiza el controlador; las líneas de su registro dicen más.
crash-terminated = Algo le pidió que terminara: otro programa, el fin de la sesión o el apagado. Vuelve a arrancarlo.
crash-forbidden-call = El sistema no permite una llamada que necesita: la prohíbe un contenedor o un entorno aislado. Ejecútalo fuera o permite la llamada.
crash-limit = Alcanzó un límite de tu cuenta. Súbelo (ulimit -t, ulimit -f).
crash-library-missing = Falta una biblioteca que necesita. En Windows, instala Visual C++ Redistributable (x64); en otros sistemas, vuelve a instalar el motor.
crash-library-unsuitable = Una biblioteca es de otra versión o arquitectura. En Windows, instala la última versión de Visual C++ Redistributable (x64) y del controlador gráfico; después vuelve a instalar.
install-server-not-ready =
    El motor está en marcha pero lleva { $duration } sin responder. Las últimas líneas de su registro:
    { $lines }
install-server-process = No se puede detener un proceso del motor: { $cause }. Detenlo tú e inténtalo de nuevo.

## Archivos

ownership-foreign = { $path } es de { $owner } y este programa se ejecuta como { $user }: puede que su contenido no sea tuyo, así que no se usa. Ejecútalo como { $owner } o usa otra carpeta con --home. Si conoces todo lo que contiene: chown -R { $user } "{ $path }"
ownership-foreign-root = { $path } es de { $owner } y este programa se ejecuta como root: no se usa. Ejecútalo sin sudo, como { $owner }, o usa otra carpeta con --home.
ownership-writable = Otros usuarios pueden modificar { $path }, así que puede que su contenido no sea tuyo: no se usa. Si conoces todo lo que contiene: chmod -R go-w "{ $path }" – o usa otra carpeta con --home.
ownership-writable-above = Otros usuarios pueden modificar { $path } y, con ello, sustituir lo que contiene: no se usa. Quítales ese permiso (chmod go-w "{ $path }") o usa otra carpeta.
ownership-link = { $path } es un enlace, y ahí los enlaces no se siguen: no se usa. Elimínalo o usa con --home la carpeta a la que lleva.
ownership-kind = { $path } no es un archivo normal, o no es una carpeta donde debería haberla: no se usa. Muévelo a otro sitio o usa otra carpeta con --home.
install-foreign-path = { $document } apunta a { $path }, que no es de esta instalación. No se ha cambiado nada. Alguien ha editado ese archivo o la carpeta se ha movido: devuélvela a su sitio o elimina tú lo que reconozcas.
install-file-read = No se puede leer { $path }: { $problem }.
install-file-create = No se puede crear { $path }: { $problem }.
install-file-rename = No se puede cambiar el nombre de { $path }: { $problem }.
install-file-remove = No se puede borrar { $path }: { $problem }.
install-file-write = No se puede escribir { $path }: { $problem }.
file-cause-permission = No tienes permiso ahí: elige otra carpeta o pide acceso a su dueño.
file-cause-not-permitted = Puede que el sistema de archivos no lo admita (FAT y exFAT no lo hacen) o que el archivo esté protegido contra cambios. Elige una carpeta en otra unidad.
file-cause-read-only = La unidad está montada solo para lectura. Elige una carpeta en otra unidad o móntala con escritura.
file-cause-unsupported = El sistema de archivos no lo admite. Elige una carpeta en otra unidad.
file-cause-no-locks = El sistema de archivos no tiene bloqueos (NFS sin su servicio de bloqueo). Inicia ese servicio o elige una carpeta en otra unidad.
file-cause-busy = Otro programa lo está usando. Ciérralo e inténtalo de nuevo.
file-cause-busy-by = Lo está usando { $by }. Ciérralo e inténtalo de nuevo.
file-cause-folder-in-use = Un terminal o el explorador de archivos tiene abierta esta carpeta. Ciérralo, o cambia en él a otra carpeta, e inténtalo de nuevo.
install-home-too-long = { $home } es demasiado larga: Windows no inicia nada en una carpeta cuya ruta tiene más de { $most } caracteres. Elige una más corta con --home o con la variable ACOLYTE_HOME.
file-held = Esperando a { $path }, que otro programa tiene abierto (un antivirus lo hace por un momento)
file-held-by = Esperando a { $path }, que { $by } tiene abierto
file-cause-name-too-long = La ruta es demasiado larga. Elige una carpeta con una ruta más corta.
file-cause-too-large = El sistema de archivos, o un límite de tu cuenta, no permite archivos de ese tamaño (FAT32: 4 GiB). Elige una carpeta en otra unidad.
file-cause-quota = Has agotado tu cuota ahí. Borra lo que no necesites o elige una carpeta en otra unidad.
file-cause-drive-full = En la unidad no caben más datos o más archivos. Libera espacio o elige una carpeta en otra unidad.
file-cause-drive-fault = La unidad informa de un fallo. Comprueba el cable y su estado, y guarda lo que contiene.
file-cause-disconnected = La unidad de red ya no está conectada. Conéctala e inténtalo de nuevo.
file-cause-dangling-link = { $link } es un enlace a { $target }, que no existe. Crea esa carpeta o borra el enlace.
file-cause-link-loop = Los enlaces de la ruta forman un círculo. Borra uno de ellos o elige otra carpeta.
file-cause-not-a-folder = Parte de la ruta es un archivo. Bórralo o elige otra carpeta.
file-cause-missing = No existe, o no existe una carpeta superior. Comprueba la ruta.
file-cause-too-many-open-files = Hay demasiados archivos abiertos. Cierra otros programas o aumenta el límite (ulimit -n).

## Por qué se detuvo

install-cancelled = Detenido. Lo descargado se conserva; vuelve a ejecutar la instalación para continuar.
install-busy = Otro instalador está trabajando en { $home }. Espera a que acabe o ciérralo.
install-document-damaged = { $path } no es válido: { $cause }. Restáuralo, o elimínalo y vuelve a instalar.
install-refused = Este perfil no funciona en este equipo. Elige otro o mira lo que dice check-requirements.
install-consent-missing = Este perfil solo funciona aquí con limitaciones, y antes hace falta tu consentimiento.
install-disk-short = { $path }: se necesitan { $need } y hay { $free } libres. Libera espacio o elige una carpeta de otra unidad.
install-engine-damaged = { $path } está dañado o falta, así que no se puede iniciar el servidor. Vuelve a ejecutar acolyte install, o elige Reparar en la ventana: solo se descarga de nuevo el motor.
install-engine-changed = El Ollama instalado { $path } ya no se puede reutilizar: { $reason }. Repite la instalación.
reuse-older = la versión { $version } es anterior a { $minimum }
reuse-unknown = no se conoce su versión o su programa
reuse-layout = { $path } no tiene la estructura de una versión publicada
reuse-writable = otros usuarios pueden escribir en { $path }
reuse-changed = alguien lo está modificando
reuse-unreadable = no se puede leer { $path } ({ $problem })
install-programs-forbidden = El sistema no ejecuta programas desde { $path }: la unidad está montada sin permiso para ejecutar (noexec) o lo prohíbe una política de seguridad. Elige otra carpeta con --home o consulta al administrador. No se ha descargado nada.
install-file-too-large = En { $path } caben archivos de hasta { $largest } (FAT32: 4 GiB; o el límite de tu cuenta, ulimit -f), y un archivo del modelo ocupa { $need }. Elige una carpeta en otra unidad. No se ha descargado nada.
install-too-few-entries = En la unidad de { $path } solo se pueden crear { $free } archivos más, aunque quede espacio (inodos). Borra archivos o elige una carpeta en otra unidad.
install-no-loader = El motor necesita el cargador { $path } de la biblioteca C de GNU, que este sistema no tiene ahí (como NixOS, Alpine y otros sistemas sin esa biblioteca). En NixOS activa programs.nix-ld; en otros, instala el paquete para programas de glibc o usa un contenedor con Debian, Ubuntu o Fedora. No se ha descargado nada.
install-old-c-library = La biblioteca C de GNU de este sistema es la { $found } y el motor necesita la { $needed } (como en RHEL 8, Debian 10 o Ubuntu 18.10). Actualiza el sistema o usa un contenedor con una más nueva. No se ha descargado nada.
install-no-program = No hay ningún programa de Ollama en { $path }. El archivo no es una versión de Ollama.
install-pull-missing = El registro no tiene el modelo { $model }. Comprueba su nombre y su etiqueta.
install-pull-disk-full = El disco se llenó mientras se descargaba { $model }. Libera espacio y vuelve a ejecutar la instalación: lo descargado se conserva.
install-model-replaced = { $model } se sustituyó en su registro durante la instalación: el archivo descargado no es aquel cuyas cifras viste. Vuelve a instalarlo para ver las cifras nuevas; lo descargado se conserva.
install-model-file-gone = { $path }, desde el que se iba a instalar el modelo, ya no está. Vuelve a ponerlo en su sitio o conecta su unidad y repite la instalación, o elige otro modelo.
install-model-file-changed = { $path } cambió después de leer las cifras que viste. Repite la instalación para ver las nuevas.
install-pull-newer-engine = { $model } requiere una versión de Ollama más reciente que { $engine }, la que se iba a instalar (HTTP 412). Elige otro modelo o vuelve a instalar con la versión más reciente (--ollama newest; en la ventana, en Avanzado).
install-pull-needs-engine = { $model } requiere Ollama { $needed } o posterior, y se iba a instalar { $engine } (HTTP 412). Elige otro modelo o vuelve a instalar con la versión más reciente (--ollama newest; en la ventana, en Avanzado).
install-pull-obstructed = No se puede descargar { $model }: { $problem }. { $advice }
install-pull-plain-http = El registro de { $model } usa HTTP sin cifrar. Añade --insecure-registry si es tuyo.
install-pull-failed = No se pudo descargar { $model }. { $cause } Lo descargado se conserva; vuelve a ejecutar la instalación.
install-parameter-dropped = El motor guarda { $name } como { $found } en vez de { $wanted }. Esta versión no admite lo necesario; usa la versión fijada.
install-context-clamped = El motor limita este modelo a { $found } tokens de contexto en vez de { $wanted }. El archivo del modelo no admite más; elige otro modelo.
install-not-listed = El motor dice que cargó el modelo, pero no lo muestra en su lista. Repite la instalación.
install-layers-dropped = Debía haber { $wanted } capas en la GPU y el motor puso { $found }. Actualiza el controlador gráfico o cierra programas que usen la tarjeta y repite la instalación.
install-kv-differs = La caché KV debía ser { $wanted } y el motor la guarda como { $found }. Repite la instalación; si sigue así, comunícalo.
install-load-failed =
    El motor no puede cargar el modelo: { $message }
    { $lines }
install-out-of-memory = El modelo no cabe en la memoria libre; { $count ->
        [one] se probó un reparto
       *[other] se probaron { $count } repartos
    }. Cierra otros programas o elige un perfil más pequeño.
install-fewer-layers-need-consent = El motor se quedó sin memoria con { $layers } de { $total } capas en la GPU. Con menos es más lento, y eso necesita tu consentimiento: usa --accept-degraded, cierra programas que usen la tarjeta o elige un perfil más pequeño.
install-more-experts-need-consent = El motor se quedó sin memoria en la tarjeta con los expertos de { $blocks } de { $total } bloques en la memoria principal. Con más en ella es más lento, y eso necesita tu consentimiento: usa --accept-degraded, cierra programas que usen la tarjeta o elige un perfil más pequeño.
install-login-failed = No se pudo activar el inicio al entrar en la sesión: { $cause }. Vuelve a ejecutar la instalación con --no-autostart e inicia el servidor tú.
install-not-installed = No hay nada instalado en { $home }.
install-release-bad-address = { $address } no es una dirección http ni https.

## Pasos

install-unknown = desconocido
install-checking = Comprobando discos y carpetas
install-checked = Hay { $size } de espacio disponible en disco
install-checked-nothing = No hay nada que descargar
install-fetching = Descargando Ollama { $version }
install-fetching-file = Descargando { $name }
install-fetched = Descargado y verificado
install-fetch-skipped = Ollama { $version } ya está aquí
install-fetch-installed = Se usa el Ollama de { $path }
install-fetch-archive = Se usa el archivo de este equipo
install-copying = Copiando
install-unpacking = Desempaquetando
install-unpacked = Desempaquetado en { $path }
install-unpack-skipped = No hay nada que desempaquetar
install-unpack-syncing = Escribiendo el motor en el disco
install-engine-checking = Verificando los archivos del motor
install-engine-repairing = { $path } está dañado o falta: se vuelve a desempaquetar el motor
install-starting-server = Arrancando el servidor privado
install-server-started = Ollama { $version } responde en el puerto { $port }
install-server-kept = El servidor del puerto { $port } ya funciona con estos ajustes
install-server-with-proxy = Reiniciando el servidor con el proxy para la descarga
install-server-without-proxy = Reiniciando el servidor sin el proxy: a partir de aquí no necesita red
install-pulling = Descargando { $model }
install-pulling-file = Tomando { $model } de su archivo
install-copying-file = Copiando { $path } a la carpeta de modelos y calculando su suma de verificación
install-pulled = { $model } está completo
install-looking-for-layers = Buscando el modelo en las carpetas de otros servidores Ollama
install-pull-reused = Se usa { $model } de la carpeta de otro servidor Ollama
install-pull-repairing = { $count ->
    [one] Una parte del modelo está dañada en el disco y se descarga de nuevo
   *[other] { $count } partes del modelo están dañadas en el disco y se descargan de nuevo
}
install-model-checking = Verificando el modelo
install-pull-skipped = { $model } ya está aquí
install-pull-verifying = Verificando la descarga
install-pull-stalled = El registro no envía datos desde hace { $duration }; esperando
install-pull-again = Reintentando. { $cause }
install-paused = En pausa
install-creating = Creando { $model }
install-created = { $model } está creado y sus parámetros, verificados
install-loading = Cargando el modelo
install-loading-since = Cargando el modelo desde hace { $duration }
install-loaded = Cargado con { $tokens } tokens de contexto, caché KV { $kv }, en la GPU: { $share }
install-fewer-layers = Se acabó la memoria; probando con { $layers } de { $total } capas en la GPU
install-more-experts-in-ram = Se acabó la memoria de la tarjeta; probando con los expertos de { $blocks } de { $total } bloques en la memoria principal
install-fewer-experts-in-ram = Se acabó la memoria principal; probando con los expertos de { $blocks } de { $total } bloques en ella
install-without-pinned-memory = El controlador gráfico no pudo fijar suficiente memoria principal; probando con memoria sin fijar, con la que los textos se leen más despacio
install-measuring-speed = Midiendo la velocidad
install-measuring-wait = Midiendo la espera con un texto de { $tokens } tokens, se prevén { $seconds } s
install-measuring-since = Esperando la respuesta del motor desde hace { $duration }
install-measured = { $speed } tokens/s; primer token de un texto de { $tokens } tokens a los { $wait } s
install-login = Activando el inicio al entrar en la sesión
install-login-checking = Comprobando el arranque al iniciar sesión
install-login-skipped = El inicio al entrar en la sesión está desactivado
install-login-done = El servidor se inicia al entrar en la sesión
install-login-refused = No se pudo activar el inicio al entrar en la sesión: { $cause } El servidor ya funciona; la próxima vez inícialo tú o repite la instalación.
install-writing-receipt = Escribiendo el perfil y el recibo
install-finished = Instalado y medido

## Previsiones no cumplidas

install-shortfall-context = Se previeron { $promised } tokens de contexto y el motor mantiene { $measured }.
install-shortfall-layers = Se planearon { $promised } de { $total } capas en la GPU y hay { $measured }.
install-shortfall-experts = Se planearon los expertos de { $promised } de { $total } bloques en la memoria principal y hay los de { $measured }.
install-shortfall-experts-unknown = Los expertos de { $promised } bloques están configurados para quedarse en la memoria principal; el registro del motor no lo confirma.
install-shortfall-weights-in-ram = Se previeron { $promised } de pesos en la memoria principal y hay { $measured }.
install-shortfall-prompt-cache = La caché de textos anteriores del motor se limitó a { $promised } y el motor indica { $measured }.
install-shortfall-kv = La caché KV se planeó como { $promised } y el motor la guarda como { $measured }.
install-shortfall-kv-unknown = La caché KV está configurada como { $promised }; el registro del motor no lo confirma.
install-shortfall-vram = Se previeron { $promised } de memoria gráfica y ocupa { $measured }.
install-shortfall-ram = Se previeron { $promised } de memoria principal y ocupa { $measured }.
install-shortfall-speed = Se previeron { $promised } tokens/s y se midieron { $measured }.
install-shortfall-speed-unknown = No se pudo medir la velocidad: el modelo no escribió nada.
install-shortfall-wait = El primer token de un texto de { $tokens } tokens se preveía a los { $promised } s y llegó a los { $measured } s.

## En la terminal

install-no-runtime = El programa no puede iniciarse: { $cause }. Reinicia el equipo e inténtalo de nuevo.
install-worker-panicked = Una parte del programa terminó inesperadamente: { $cause }. Vuelve a ejecutar el comando; si se repite, notifícalo.
install-cli-no-profile = No hay ningún perfil que instalar. Comprueba el archivo indicado con --profiles.
install-cli-no-emergency = El modelo del modo de emergencia no está en el catálogo. Indica uno con --model.
install-cli-refused = { $profile } no funciona en este equipo:
install-cli-consent-how = Para instalarlo a pesar de ello, vuelve a ejecutar el comando con --accept-degraded.
install-cli-cannot-ask = No hay un terminal en el que preguntar. Vuelve a ejecutar el comando con --yes.
install-cli-ask = ¿Instalar ahora? [s/N]
install-cli-ask-consent = ¿Estás de acuerdo? [s/N]
install-cli-ask-uninstall = ¿Quitar todo esto? [s/N]
install-cli-ask-models = ¿Quitar también los modelos descargados? [s/N]
install-cli-yes = s sí si
install-cli-experts = Expertos de { $blocks } de { $total } bloques en la memoria principal, { $batch } tokens de texto a la vez
install-cli-result-experts = Expertos en la memoria principal: de { $measured } bloques ({ $promised })
install-cli-summary =
    Perfil { $profile }: { $model }, { $context } tokens de contexto, caché KV { $kv }, { $layers } de { $total } capas en la GPU
    Previsto: { $speed } tokens/s
    Motor: Ollama { $engine }. { $engine_note }
    { $disk }
    Todo va a { $home }, los modelos a { $models }. Para deshacerlo: acolyte uninstall
install-cli-result =
    Medido (previsto):
      contexto           { $context } tokens ({ $context_promised })
      caché KV           { $kv }
      en la GPU          { $share } ({ $share_promised })
      VRAM               { $vram } ({ $vram_promised })
      memoria principal  { $ram } ({ $ram_promised })
      velocidad          { $speed } tokens/s ({ $speed_promised })
      primer token       { $wait } s con { $tokens } tokens ({ $wait_promised })
    ACOLYTE encuentra el modelo acolyte:latest en { $endpoint }
    Más adelante: acolyte status, acolyte install (otro perfil), acolyte uninstall
install-cli-will-remove = Se eliminará de { $home }:
removal-folder = carpeta { $path }, si no contiene nada más
removal-model = modelo { $model } en { $folder } ({ $size })
removal-model-made = modelo { $model } en { $folder }
removal-unfinished = descargas de modelos sin terminar ({ $size })
removal-login = inicio con la sesión: { $place }
removal-server = el servidor en marcha, que antes se detiene
install-cli-uninstalled = Quitado. No queda ningún proceso, archivo ni entrada de inicio nuestros.
install-cli-kept = Modelos conservados en { $path }
install-cli-left = Se deja, porque no es nuestro: { $path }
install-status-none = No hay nada instalado en { $home }
install-status-profile = Perfil { $profile }: { $model }, { $context } tokens de contexto, caché KV { $kv }, { $layers } de { $total } capas en la GPU
install-status-experts = Expertos de { $blocks } de { $total } bloques en la memoria principal
install-status-not-pinned = La memoria principal no está fijada para el controlador gráfico
install-status-running = El servidor responde en el puerto { $port } (Ollama { $version })
install-status-silent = El servidor del puerto { $port } está en marcha pero no responde. Vuelve a ejecutar acolyte install para repararlo.
install-status-port-taken = El puerto { $port } del servidor lo ocupa { $by }. No se le envía nada. Cierra ese programa o vuelve a ejecutar acolyte install para usar otro puerto.
install-status-model-changed = { $model } ha cambiado desde que se midió. Vuelve a ejecutar acolyte install para restaurarlo.
install-status-model-missing = { $model } se ha eliminado. Vuelve a ejecutar acolyte install para restaurarlo.
install-server-stopped = El servidor se ha detenido. Arranca al iniciar sesión o con acolyte start.
install-server-stopped-by-hand = El servidor se ha detenido. Arráncalo con acolyte start.
install-status-stopped = El servidor no está en marcha. Arranca al iniciar sesión o con acolyte start.
install-status-stopped-by-hand = El servidor no está en marcha. Arráncalo con acolyte start.
install-status-loaded = El modelo está en memoria con { $context } tokens de contexto
install-status-split = En memoria: { $processor }, { $size }, { $context } tokens de contexto, { $until }
install-status-not-loaded = El modelo no está en memoria; la primera pregunta lo carga
install-status-orphan = llama-server (proceso { $pid }) se ha quedado sin su servidor y aún ocupa { $size } de memoria. Lo terminan acolyte stop, start e install.
install-status-receipt = Medido: { $speed } tokens/s; previsto: { $promised } ({ $at })
install-status-unfinished = La última ejecución no terminó. Ejecuta acolyte install para continuarla, o acolyte undo para deshacerla.
install-status-unused = El modelo { $model } ({ $size }) ya no hace falta

## Interrupción

install-nothing-to-undo = En { $home } no se interrumpió ninguna instalación, así que no hay nada que deshacer. Para eliminar lo instalado: acolyte uninstall
install-nothing-to-continue = No se interrumpió ninguna instalación en { $home }, así que no hay nada que continuar. Para instalar: acolyte install
install-interrupted-before = En { $home } hay una instalación sin terminar. Reanúdala con acolyte install --continue o deshazla con acolyte undo, y repite la orden después.
install-unfinished = La instalación del perfil { $profile } ({ $model }), iniciada el { $at } UTC, no terminó.
install-unfinished-unknown = Una instalación acabó cuando solo había creado carpetas.
install-unfinished-active = El perfil { $profile } sigue activo.
install-unfinished-nothing-active = Antes no había nada instalado.
install-undone = Deshecha. El perfil { $profile } vuelve a estar activo
install-cli-ask-undo = ¿Deshacerla ahora? [s/N]
install-cli-ask-unfinished = ¿[c]ontinuar, [d]eshacer o [m]ás tarde?
install-cli-answer-continue = c continuar
install-cli-answer-undo = d deshacer
install-cli-answer-later = m más mas
install-cli-no-saved-request = La instalación interrumpida no anotó qué se pidió. Ejecuta acolyte install con el perfil que quieras, o acolyte undo.

## Cuando falta o sobra memoria

install-unverified-model = No se puede contactar con el registro { $host } ({ $cause }). { $store } contiene { $model }, pero sin el registro no se puede verificar que sea el modelo publicado: quien lo escribió ahí puede haber cambiado sus instrucciones. Repite la instalación cuando el registro esté disponible o úsalo a pesar de ello con --accept-unverified-model.
install-four-bits-need-consent = El motor se quedó sin memoria. Podría caber con la caché KV a 4 bits (q4_0) y { $layers } de { $total } capas en la GPU. Eso resta algo de precisión en textos largos, así que hace falta tu consentimiento: usa --accept-degraded, cierra programas que usen la tarjeta o elige un perfil menor.
install-consent-four-bits = Cuando faltó memoria al cargar el modelo: la caché KV se guarda a 4 bits (q4_0), lo que resta algo de precisión en textos largos.
install-smaller-cache = Falta memoria; probando con la caché KV en { $kv } y { $layers } de { $total } capas en la GPU
install-more-layers = Hay más memoria gráfica libre de lo previsto; probando con { $layers } de { $total } capas en la GPU

## Ajuste

install-tuning = Prueba { $number }: { $what }
install-tried-measured = { $what }: { $empty } tokens/s, { $filled } con { $tokens } tokens en el contexto, leyendo { $prompt } tokens/s
install-tried-best = { $what }: { $empty } tokens/s, { $filled } con { $tokens } tokens en el contexto, leyendo { $prompt } tokens/s; lo más rápido hasta ahora
install-tried-failed = { $what }: { $why }
install-tune-start = la configuración cargada
install-tune-defaults = los valores por defecto del motor
install-tune-placement = el reparto del propio motor
install-tune-fixed-placement = un reparto fijo
install-tune-experts = expertos de { $blocks } bloques en la memoria principal
install-tune-draft = { $tokens } tokens anticipados a la vez
install-tune-no-draft = sin tokens anticipados
install-tune-batch = lectura del prompt en lotes de { $tokens } tokens
install-tune-threads = { $threads } hilos en el procesador
install-tune-mapped = el archivo del modelo mapeado en memoria
install-tune-not-mapped = el archivo del modelo leído en memoria
install-tune-kv = caché KV en { $kv }
install-tune-failed-card = la memoria de la tarjeta se agotó
install-tune-failed-ram = la memoria principal se agotó
install-tune-failed-runner = el proceso del motor terminó mientras respondía, como cuando la memoria principal está llena
install-tune-failed-server = el servidor terminó
install-tune-failed-short = la respuesta terminó demasiado pronto
install-tune-failed-silent = el motor no envió nada durante { $seconds } s
install-tune-failed-time = no terminó en { $seconds } s
install-tune-failed-nothing = el modelo no escribió nada
install-tune-failed-unknown = el motor no indica dónde puso los expertos
install-tune-failed-said = { $message }
install-tune-skipped = omitida
install-tuned-title = Ajustado midiendo
install-tuned-faster = Ajustado en { $duration } con { $tries } pruebas: un { $percent } más rápido que los valores por defecto del motor
install-tuned-equal = Ajustado en { $duration } con { $tries } pruebas: tan rápido como los valores por defecto del motor
install-tuned-alone = Ajustado en { $duration } con { $tries } pruebas; los valores por defecto del motor no se pudieron medir
install-tuned-kept = Se conserva: { $what }
install-tuned-time-up = El límite de { $duration } terminó la búsqueda, así que no se probó todo. «acolyte tune» la repite.
install-tuned-skipped = Se omitió el resto del ajuste. «acolyte tune» lo repite.
install-tuned-off = Sin ajustar. «acolyte tune» busca la configuración más rápida.
install-other-processor = Otros programas usaron el { $share } del procesador durante la medición, así que las velocidades pueden ser demasiado bajas.
install-other-gpu-program = { $program } ocupó { $size } de memoria gráfica durante la medición.
install-other-gpu-memory = Había { $size } menos de memoria gráfica libre que al hacer el plan.
install-other-model = El servidor también tenía { $model } en memoria.

## Puertos

install-server-port-taken-by = El puerto { $port } lo ocupa { $by }. Ciérralo, elige otro puerto o deja que lo elija el instalador.
install-port-skipped = El puerto { $port } lo ocupa { $by }; se usa el { $chosen }
install-another-program = otro programa
install-port-owner = { $name } (proceso { $pid })
install-port-owner-of = { $name } (proceso { $pid } de { $user })
install-port-owner-unnamed-of = el proceso { $pid } de { $user }
install-port-owner-user = un programa de { $user }
install-port-owner-unnamed = el proceso { $pid }
install-keeps-awake = Instalando ACOLYTE

## Reversión

rollback-incomplete = No se pudieron revertir todos los cambios:
rollback-failed = - { $what }: { $cause }
rollback-reverted = Revertido: { $what }
rollback-remedy = Corrige la causa indicada y ejecuta { $command }, que revierte el resto.
rollback-server-runs = No se pudo detener el motor que lo usa.
change-folder = carpeta { $path }
change-model = modelo { $model }
change-server = servidor privado
change-login-entry = inicio al entrar en la sesión
install-through-vulkan = Ollama no ha encontrado ninguna tarjeta gráfica mediante CUDA o ROCm, aunque este equipo tiene una; probando una vez mediante Vulkan, que es algo más lento
install-status-vulkan-only = Ollama usa la tarjeta gráfica mediante Vulkan, porque no la encuentra mediante CUDA o ROCm. Tras actualizar el controlador gráfico, vuelve a instalar para probarlos
