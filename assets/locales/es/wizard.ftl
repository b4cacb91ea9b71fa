### wizard: la ventana

## Marco

wizard-step-welcome = Bienvenida
wizard-step-hardware = Equipo
wizard-step-compatibility = Compatibilidad
wizard-step-profile = Perfil
wizard-step-consent = Consentimiento
wizard-step-summary = Resumen
wizard-step-install = Instalación
wizard-step-result = Resultado
wizard-step-manage = Gestión
wizard-back = Atrás
wizard-continue = Continuar
wizard-cancel = Cancelar…
wizard-finish = Terminar
wizard-language = Idioma
wizard-language-switch = Idioma: { $language }
wizard-theme-light = Cambiar al tema claro
wizard-theme-dark = Cambiar al tema oscuro
wizard-appearance = Tamaño del texto, contraste y movimiento
wizard-text-size = Tamaño del texto
wizard-high-contrast = Alto contraste
wizard-still = Sin movimiento
wizard-still-detail = Nada se desvanece ni se desliza.
wizard-save-report = Guardar informe…
wizard-report-saved = Guardado en { $path }
wizard-unknown = desconocido
wizard-yes = sí
wizard-no = no
wizard-of = { $part } de { $whole }
wizard-of-rest = de { $whole }
wizard-left = restantes

## Bienvenida

wizard-welcome-title = Un asistente de programación que no sale de este equipo
wizard-welcome-lead = Este programa prepara un modelo de lenguaje para ACOLYTE. Lo que más tarda es la descarga.
wizard-welcome-check-title = Analizar
wizard-welcome-check = Detecta el hardware de este equipo y muestra qué modelos puede ejecutar y a qué velocidad.
wizard-welcome-choose-title = Elegir
wizard-welcome-choose = Tú eliges. No se descarga ni se cambia nada hasta que confirmes un resumen.
wizard-welcome-measure-title = Medir
wizard-welcome-measure = Al terminar se mide la velocidad del modelo, y el resultado se muestra junto a la estimación.
wizard-welcome-changes-title = Qué cambia
wizard-welcome-changes = Una carpeta, **{ $home }**, y lo que marques en el resumen: arrancar el servidor al iniciar sesión y conservar este programa en el menú y en el PATH. Sin permisos de administrador y sin nada que otros equipos puedan alcanzar.
wizard-welcome-undo-title = Cómo se deshace
wizard-welcome-undo = Abre este programa otra vez y elige **Quitar**. Se detiene el servidor y se quita todo lo que se añadió.
wizard-welcome-next = Analizar este equipo

## Equipo

wizard-hardware-title = Qué tiene este equipo
wizard-hardware-querying = Consultando al sistema y a los controladores…
wizard-hardware-detecting = detectando…
wizard-hardware-lead = Detectado en { $seconds } s. No se ha cambiado nada.
wizard-hardware-failed-lead = La detección ha fallado. No se ha cambiado nada.
wizard-detect-again = Detectar de nuevo
wizard-hardware-graphics = Gráficos
wizard-hardware-memory = Memoria
wizard-hardware-processor = Procesador
wizard-hardware-disk = Disco
wizard-hardware-engine = Ollama ya presente
wizard-hardware-used = la usa Ollama, { $backend }
wizard-hardware-usable = puede alojar un modelo
wizard-hardware-vram = de memoria ({ $mib } MiB)
wizard-hardware-vram-unified = de la memoria compartida
wizard-hardware-vram-unknown = No se ha podido determinar su memoria
wizard-hardware-free-now = libres de { $total }
wizard-hardware-free-unknown = no se sabe cuánta está libre
wizard-hardware-others = otros programas { $size }
wizard-hardware-bandwidth = Ancho de banda
wizard-hardware-from-table = según tabla
wizard-hardware-bandwidth-unknown = ancho de banda desconocido
wizard-hardware-driver = Controlador
wizard-hardware-capability = Capacidad de cómputo
wizard-known-from = fuente: { $source }
wizard-hardware-no-gpu = Ninguna tarjeta gráfica que pueda alojar un modelo
wizard-hardware-nothing-found = No se ha encontrado ningún adaptador gráfico.
wizard-hardware-needs-gpu = ACOLYTE necesita una tarjeta gráfica con 6 GB de memoria o más, o un equipo con memoria unificada.
wizard-hardware-available = { $size } disponibles
wizard-hardware-available-unknown = disponible: desconocido
wizard-hardware-measured-now = medido ahora mismo
wizard-hardware-cores = { $count ->
    [one] { $count } núcleo
   *[other] { $count } núcleos
}
wizard-hardware-threads = { $count ->
    [one] { $count } hilo
   *[other] { $count } hilos
}
wizard-hardware-from-system = según el sistema
wizard-hardware-disk-free = { $size } libres
wizard-hardware-disk-unknown = espacio libre desconocido
wizard-hardware-no-engine = No se ha encontrado
wizard-hardware-no-engine-detail = se instalará uno privado
wizard-hardware-version-unknown = versión desconocida
wizard-hardware-engine-unchanged = no se modifica; el privado funciona en paralelo, en su propio puerto
wizard-hardware-ask-again = Intentarlo de nuevo
wizard-hardware-models = { $size } en modelos: { $names }
wizard-hardware-engine-exposed = otros equipos pueden acceder a este servidor
wizard-hardware-also-integrated = También hay: **{ $name }** (integrada). Comparte la memoria principal, así que la suya no se cuenta.
wizard-hardware-also-software = También hay: **{ $name }**. Es un renderizador por software, no una tarjeta gráfica.
wizard-hardware-also-virtual = También hay: **{ $name }**, el adaptador de una máquina virtual. No puede alojar un modelo.
wizard-hardware-also-usable = También hay: **{ $name }**.

## Veredictos

wizard-verdict-compatible = Bien
wizard-verdict-degraded = Degradado
wizard-verdict-refused = Rechazado
wizard-verdict-needs = Requiere { $size }

## Compatibilidad

wizard-compatibility-good = Funcionará bien
wizard-compatibility-limits = Funcionará, con límites
wizard-compatibility-refused = Este equipo no puede ejecutar ACOLYTE
wizard-compatibility-lead = Las mejores opciones para este equipo y todo lo demás que funciona en él. Velocidades estimadas; el intervalo acierta 8 de cada 10 veces.
wizard-compatibility-refused-lead = Qué se ha encontrado, qué falta y qué puedes hacer. No se ha cambiado nada.
wizard-choose-profile = Continuar con la selección
wizard-compare-reference = Comparar con la tabla de referencia
wizard-reference-here = un equipo como este
wizard-reference-close = Cerrar
wizard-table-profile = Perfil
wizard-table-verdict = Veredicto
wizard-table-model = Modelo
wizard-table-context-head = Contexto
wizard-table-layers = Capas GPU
wizard-table-memory = Memoria GPU
wizard-table-speed = Tokens/s
wizard-table-context = { $thousands }K, { $kv }
wizard-table-ram = RAM { $part } de { $whole }
wizard-table-first-token = 1.er token
wizard-why-compatible = Por qué { $profile } va bien
wizard-why-degraded = Por qué { $profile } va degradado
wizard-why-refused = Por qué { $profile } se rechaza
wizard-what-would-change = Qué lo cambiaría
wizard-what-you-can-do = Qué puedes hacer
wizard-nothing-to-change = No hace falta cambiar nada.

## Perfil

wizard-profile-title = Elige qué instalar
wizard-profile-lead = Lo que has seleccionado y todo lo que se puede cambiar. Cada cifra se actualiza al momento.
wizard-another-model = Otro modelo…
wizard-another-model-detail = del catálogo, una referencia o un archivo
wizard-to-download = { $size } por descargar
wizard-in-a-file = { $size } en un archivo de este equipo
wizard-licence-non-commercial = { $licence }: sin uso comercial
wizard-licence-unknown = { $licence }: condiciones desconocidas
wizard-memory-graphics = Memoria gráfica
wizard-memory-main = Memoria
wizard-of-free = de { $free } libres, { $total } en total
wizard-of-available = de { $available } disponibles
wizard-bar-others = otros programas
wizard-bar-weights = pesos
wizard-bar-context = contexto, { $tokens } tokens
wizard-bar-buffers = búferes
wizard-bar-free = libre
wizard-tokens-a-second = Tokens por segundo
wizard-speed-full = , { $range } con contexto lleno
wizard-speed-scale = Tokens por segundo: { $range }
wizard-speed-slow = lento
wizard-speed-usable = usable
wizard-speed-comfortable = cómodo
wizard-first-token-full = Primer token, texto completo
wizard-first-token-4k = Primer token, texto de 4K
wizard-layers = Capas en la GPU
wizard-layers-on-gpu = { $layers }
wizard-context = Contexto
wizard-context-value = { $tokens } tokens, { $kv }
wizard-context-type = Memoria del contexto
wizard-kv-f16 = f16: exacta, la mayor
wizard-kv-q8 = q8_0: la mitad, casi sin pérdida
wizard-kv-q4 = q4_0: la cuarta parte, menos calidad
wizard-advanced = Avanzado: modelo, capas, carpetas, puerto, inicio de sesión, motor, red
wizard-advanced-model = Modelo del catálogo
wizard-advanced-reference = O la referencia de otro modelo
wizard-advanced-look-up = Buscar
wizard-advanced-model-file = Elegir un archivo de modelo…
wizard-advanced-looking-up = Buscando…
wizard-advanced-layers = Capas en la GPU: { $layers }
wizard-advanced-fit = Todas las que quepan
wizard-advanced-home = Carpeta de ACOLYTE
wizard-advanced-models = Carpeta de los modelos
wizard-advanced-port = Puerto del servidor
wizard-browse = Examinar…
wizard-browse-for = Examinar: { $what }
wizard-folder-not-absolute = Escribe una ruta absoluta
wizard-port-automatic = automático
wizard-port-wrong = Escribe un puerto de 1024 a 65535, o déjalo vacío
wizard-engine = Motor
wizard-engine-version = Versión de Ollama
wizard-engine-here = { $version }, ya está en este equipo
wizard-engine-pinned = { $version }, probada con este programa
wizard-engine-newest = La versión más reciente, no probada con este programa
wizard-engine-newest-found = La versión más reciente es la { $version }
wizard-engine-archive = Archivo comprimido de este equipo, en lugar de descargar
wizard-engine-mirror = Otras direcciones de descarga
wizard-engine-mirror-wrong = Escribe direcciones que empiecen por https:// o http://, separadas por espacios
wizard-network = Red
wizard-network-proxy = Proxy
wizard-network-proxy-hint = El del sistema
wizard-network-proxy-wrong = Escríbelo así: http://proxy.example.org:8080
wizard-network-ca = Otros certificados de confianza (PEM)
wizard-network-rate = Límite, en bytes por segundo
wizard-network-rate-hint = Sin límite
wizard-network-rate-wrong = Escríbelo así: 500k o 5M
wizard-start-at-login = Arrancar al iniciar sesión

## Consentimiento

wizard-consent-title = Funcionará en modo degradado
wizard-consent-lead = Estas son las razones en este equipo, la más importante primero. No se ha cambiado nada.
wizard-consent-avoid = Qué lo evitaría
wizard-consent-stays-title = Qué se mantiene
wizard-consent-stays = { $tokens } tokens de contexto, siempre. Tu código nunca sale de este equipo.
wizard-consent-tick = Lo entiendo y quiero instalar { $profile } en modo degradado
wizard-consent-recorded = Se guarda con fecha, perfil y este texto en consent.json. Una línea sobre cada respuesta te lo recordará.
wizard-choose-another = Elegir otro perfil

## Resumen

wizard-summary-title = Todo listo para instalar { $profile }
wizard-summary-lead = La última página antes de cambiar algo. No ocurre nada hasta que elijas Instalar.
wizard-summary-downloads = Descargas
wizard-summary-total = En total
wizard-summary-disk = Espacio necesario en disco
wizard-summary-not-twice = Lo que ya está en este equipo no se descarga otra vez.
wizard-summary-folders = Carpetas
wizard-summary-changes = Qué se preparará
wizard-summary-server = Servidor privado
wizard-summary-port-automatic = 127.0.0.1, el primer puerto libre desde el 42434
wizard-watch = Vigilar la memoria gráfica desde el inicio de sesión
wizard-watch-how = Avisa en el escritorio cuando la tarjeta está casi llena o el modelo ya no está en ella
wizard-summary-no-login = no
wizard-summary-model = { $tokens } tokens, { $layers } capas en la GPU, { $kv }
wizard-summary-undo = **Quitar**, en este programa, detiene el servidor y borra la carpeta de ACOLYTE, los modelos que descargó y la entrada de inicio de sesión. Todo lo demás de este equipo queda como está.
wizard-install = Instalar

## Instalación

wizard-install-title = Instalando { $profile }
wizard-install-lead = Puedes cerrar esta ventana: lo descargado se conserva.
wizard-install-stopping = Deteniendo
wizard-install-stopping-lead = Esperando a que el paso en curso se detenga de forma segura.
wizard-install-cancelled = Detenida
wizard-install-cancelled-lead = No hay nada en marcha. Si instalas de nuevo, se continúa desde aquí.
wizard-install-kept = Lo descargado se conserva y no se descarga otra vez.
wizard-install-failed = La instalación ha fallado
wizard-install-failed-lead = Lo descargado se conserva. Puedes intentarlo de nuevo o cambiar la elección.
wizard-install-paused = en pausa
wizard-install-again = Instalar de nuevo
wizard-pause = Pausar
wizard-skip-tuning = Omitir el ajuste
wizard-resume = Reanudar
wizard-try-again = Intentar de nuevo
wizard-show-log = Ver registro
wizard-hide-log = Ocultar registro
wizard-log = Registro
wizard-limited-by-network = limitado por la red
wizard-limited-by-disk = limitado por el disco
wizard-step-check = Comprobar disco y puerto
wizard-step-check-detail = espacio libre, carpetas, puerto
wizard-step-fetch = Descargar Ollama
wizard-step-fetch-detail = comprobado con su suma de verificación
wizard-step-unpack = Desempaquetar
wizard-step-unpack-detail = en la carpeta de ACOLYTE
wizard-step-start = Arrancar el servidor privado
wizard-step-start-detail = solo en este equipo
wizard-step-pull = Descargar el modelo
wizard-step-copy = Copiar el modelo
wizard-step-create = Crear acolyte:latest
wizard-step-create-detail = { $tokens } tokens, { $layers } capas, { $kv }
wizard-step-load = Cargar y verificar
wizard-step-load-detail = contexto, capas, memoria
wizard-step-measure = Ajustar y medir
wizard-step-measure-detail = la configuración más rápida, tokens por segundo y primer token
wizard-step-login = Arrancar al iniciar sesión
wizard-step-login-detail = si lo has elegido
wizard-step-receipt = Escribir el recibo
wizard-step-receipt-detail = lo prometido y lo medido

## Resultado

wizard-result-title = Instalado y medido
wizard-result-missed = Instalado, pero no todo como se prometió
wizard-result-lead = acolyte:latest responde en { $address } con { $tokens } tokens de contexto.
wizard-result-lead-unknown = acolyte:latest responde en { $address }. El motor no ha informado de su contexto.
wizard-promised = Prometido
wizard-measured = Medido
wizard-first-token-of = Primer token, { $tokens }
wizard-result-better = más rápido
wizard-result-as-promised = lo prometido
wizard-result-verified = verificado
wizard-result-not-reported = sin datos
wizard-result-less = { $share } menos
wizard-result-more = { $share } más
wizard-try-title = Pruébalo
wizard-try-hint = Escribe una función en Rust que invierta las palabras de una frase
wizard-try-ask = Preguntar
wizard-try-stop = Parar
wizard-try-waiting = Esperando el primer token…
wizard-try-figures = { $speed } tokens/s, primer token a los { $wait } s
wizard-next-title = Siguientes pasos
wizard-next-use = Abre ACOLYTE: lee **{ $file }** y pregunta a acolyte:latest en **{ $address }**. También sirve a otros programas con la API de Ollama.
wizard-next-copy = Copiar la dirección
wizard-next-copied = Copiada
wizard-next-later-title = Más adelante
wizard-next-at-login = El servidor arranca solo cada vez que inicias sesión.
wizard-next-by-hand = El servidor no arranca solo: después de reiniciar el ordenador, abre este programa y pulsa **{ $start }**, o escribe **acolyte start**.
wizard-next-later = Vuelve a abrir este programa para comprobar la instalación, cambiar de perfil, actualizarla o quitarla.
wizard-open-folder = Abrir la carpeta
wizard-manage = Gestionar

## Gestión

wizard-manage-title = ACOLYTE está instalado
wizard-manage-lead = Perfil { $profile }. Compruébalo, cámbialo o quítalo.
wizard-manage-removed = Se ha quitado todo
wizard-manage-removed-lead = El servidor está detenido, y sus archivos y la entrada de inicio de sesión, borrados.
wizard-manage-health = Estado
wizard-manage-working = trabajando…
wizard-manage-stopped = detenido
wizard-manage-well = sin problemas
wizard-manage-problems = ver abajo
wizard-manage-engine = Motor
wizard-manage-loaded = Modelo en memoria
wizard-manage-not-loaded = sin cargar ahora
wizard-manage-start = Arrancar
wizard-manage-stop = Detener
wizard-manage-remove = Quitar…
wizard-manage-installed = Qué está instalado
wizard-manage-folder = Carpeta
wizard-manage-measured-at = Medido el
wizard-check-again = Comprobar de nuevo
wizard-change-profile = Cambiar de perfil

## Preguntas

wizard-ask-cancel-title = ¿Detener la instalación?
wizard-ask-cancel = Lo descargado se conserva, y si instalas de nuevo se continúa desde ahí. No queda nada en marcha.
wizard-ask-cancel-no = Seguir instalando
wizard-ask-cancel-yes = Detener
wizard-ask-cancel-close = Detener y cerrar
wizard-ask-remove-title = ¿Quitar el modelo y el servidor de ACOLYTE?
wizard-ask-remove = Se detiene el servidor. Se borran sus archivos, los modelos que descargó y la entrada de inicio de sesión. No se puede deshacer, pero puedes instalar de nuevo.
wizard-ask-remove-keep = Conservar los modelos
wizard-ask-remove-keep-detail = Ocupan casi todo el espacio, y habría que descargarlos otra vez
wizard-ask-remove-no = Conservar todo
wizard-ask-remove-yes = Quitar
wizard-ask-save-title = Guardar el informe
wizard-ask-save = Este es el informe completo; no se guarda nada más. Contiene lo que se ha encontrado en este equipo, las respuestas en bruto de sus controladores y las últimas líneas de los registros. Se eliminan nombres, direcciones, números de serie y claves; léelo antes de compartirlo.
wizard-ask-save-building = Reuniendo lo que contiene el informe…
wizard-ask-save-report = El informe completo
wizard-ask-save-copy = Copiar el informe
wizard-ask-save-path = Archivo
wizard-ask-save-dialog = Elegir el archivo en un diálogo…
wizard-ask-save-no = Cerrar
wizard-ask-save-yes = Guardar

## Problemas y sistemas

wizard-manage-unfinished = La última instalación no terminó. Instala de nuevo para terminarla, o quítala.
wizard-manage-model-changed = El modelo ha cambiado desde que se midió. Reparar lo restaura.
wizard-manage-model-missing = El modelo se ha eliminado. Reparar lo restaura.
wizard-manage-orphan = Un proceso cuyo servidor terminó (llama-server, { $pid }) aún ocupa { $size } de memoria. Para terminarlo, detén o arranca el servidor.
wizard-manage-silent = El servidor está en marcha pero no responde. Detenlo y arráncalo de nuevo.
wizard-manage-context = El motor mantiene { $kept } tokens de contexto, no los { $promised } prometidos. Detén el servidor y arráncalo de nuevo; si no basta, instala otra vez.
wizard-worker-crashed = Este programa ha fallado por un error interno. Se ha escrito un informe del fallo. Inténtalo de nuevo.
wizard-no-worker = No se ha podido iniciar la tarea ({ $cause }). Cierra algunos programas e inténtalo de nuevo.
wizard-report-not-built = No se ha podido preparar el informe ({ $cause }). Es un fallo de este programa; comunícalo.
wizard-report-failed = No se ha podido escribir el informe en { $path } ({ $cause }). Elige otra carpeta.
wizard-open-failed = No se ha podido mostrar { $path } ({ $cause }). Ábrela en tu gestor de archivos.
wizard-login-systemd = mediante un servicio de usuario de systemd
wizard-login-autostart = mediante una entrada de inicio automático del escritorio
wizard-login-agent = mediante un agente de inicio
wizard-login-run-key = mediante una entrada Run de tu usuario
wizard-verdict-needs-short = Mín. { $size }
wizard-source-table = nuestra tabla de tarjetas
wizard-state-failed = falló
wizard-state-cancelled = detenido

## Interrupción, reparación, memoria

wizard-ask-interrupted-title = La última instalación no terminó
wizard-ask-interrupted = Continuar reanuda donde se detuvo, sin descargar nada dos veces. Deshacer revierte sus cambios y no toca lo que ya había.
wizard-ask-interrupted-continue = Continuar
wizard-ask-interrupted-undo = Deshacer
wizard-ask-interrupted-later = Más tarde
wizard-file-other-limits = El archivo que se va a descargar tiene otros límites que los que indicaba el catálogo. Léelos antes de continuar.
wizard-resume-choose = La elección anterior ya no encaja con este equipo. Revísala y continúa desde aquí.
wizard-undoing = Deshaciendo la instalación interrumpida
wizard-undone = Deshecha. Todo está como antes de esa instalación
wizard-ask-unverified-title = No se puede verificar el modelo
wizard-ask-unverified = No se puede contactar con el registro { $host }. { $store } contiene { $model }, pero sin el registro no se puede verificar que sea el modelo publicado: quien lo escribió ahí puede haber cambiado sus instrucciones.
wizard-ask-unverified-yes = Usarlo de todos modos
wizard-ask-unverified-no = No usarlo
wizard-unverified-declined = El modelo no se puede verificar sin su registro. Inténtalo de nuevo cuando esté disponible.
wizard-ask-four-bits-title = Falta memoria
wizard-ask-four-bits = Con menos capas en la tarjeta gráfica el modelo tampoco cabe. Puede caber con una caché KV de 4 bits (q4_0), algo menos exacta en textos largos. El contexto no cambia. Sin tu consentimiento solo se prueba con menos capas, que es más lento.
wizard-ask-four-bits-yes = Usar 4 bits
wizard-ask-four-bits-no = Solo menos capas
wizard-four-bits-declined = El motor se quedó sin memoria. Cierra programas que usen la tarjeta e inténtalo de nuevo, o elige un perfil menor.
wizard-manage-tune = Ajustar
wizard-manage-tuning = Ajustando: cargando el modelo
wizard-cancel-tuning = Cancelar
wizard-manage-repair = Reparar
wizard-manage-repair-detail = Instala lo mismo otra vez: los archivos intactos se conservan, y todo se comprueba y se mide de nuevo.
wizard-manage-update-detail = Instala esta versión del motor con el mismo perfil. El modelo se conserva, y todo se comprueba y se mide de nuevo.
wizard-manage-update = Actualizar a Ollama { $version }

## Las tres opciones y todos los modelos

wizard-card-tokens = tokens/s
wizard-card-full = { $speed } con { $tokens } tokens en el contexto. Primer token de un prompt así a los { $wait }.
wizard-card-download = { $model }, { $size } de descarga, memoria de contexto { $kv }
wizard-tab-profiles = Perfiles
wizard-tab-models = Todos los modelos
wizard-table-quality = Modelo y calidad
wizard-filter-all = Todos
wizard-filter-whole = Enteros en la tarjeta
wizard-filter-experts = Expertos en la memoria principal
wizard-filter-commercial = Uso comercial
wizard-filter-none = Ningún modelo es así en este equipo.
wizard-emergency-choose = Modo de emergencia en la CPU
wizard-advanced-context = Contexto
wizard-advanced-batch = Tokens del prompt procesados a la vez
wizard-advanced-experts = Expertos en la memoria principal: { $blocks } de { $total } bloques
wizard-experts = Expertos en la memoria principal
wizard-tokens = { $tokens } tokens
wizard-emergency-wait = El primer token de un prompt completo llega a los { $wait }; los prompts cortos esperan menos. Antes se te pide que lo aceptes.
