### Descargar y descomprimir: qué ha fallado y qué hacer

fetch-cancelled = Detenido
fetch-proxy-invalid = { $proxy } no es la dirección de un proxy. Escríbela así: http://proxy.example.org:8080.
fetch-ca-unreadable = No se pueden leer los certificados de { $path }: { $problem }. Indica un archivo en formato PEM que puedas leer.
fetch-ca-empty = { $path } no contiene certificados en formato PEM. Pide la versión PEM a quien te dio el archivo.
fetch-no-client = No se pueden establecer conexiones: { $problem }. Revisa el proxy y los certificados del sistema.
fetch-disk-full = No queda espacio para { $path }. Libera espacio o elige otra carpeta y vuelve a intentarlo: lo descargado se conserva.
fetch-unpack-unreadable = No se puede leer el archivo comprimido { $path }: { $problem }
fetch-unpack-format = { $path } no es el archivo comprimido de una versión (.tar.zst, .tgz o .zip). Revisa la dirección de la que procede.
fetch-unpack-damaged = El archivo comprimido { $path } está dañado ({ $problem }). Bórralo y vuelve a intentarlo, o usa otro servidor espejo.
fetch-unpack-hostile = El archivo comprimido intenta escribir fuera de su carpeta («{ $entry }»). No se usa. Comprueba de dónde procede.
fetch-unpack-too-large = El archivo comprimido contiene más de { $entries } archivos o { $size }, mucho más que una versión normal. No se usa. Comprueba de dónde procede.

fetch-archive-wrong = { $path } no es el archivo comprimido esperado. Su SHA-256 es { $actual } y se esperaba { $expected }. No se usa. Indica el de esta versión y este sistema, o la lista de tu propia compilación con --release.

source-pinned = La versión con la que se probó este programa; su hash está incluido.
source-listed = La versión de la lista { $path }; su hash es el de la lista.
source-newest = La versión más reciente. Su hash se publicó junto a ella: es menos segura que la versión con la que se probó este programa, y no se ha probado con él.
source-installed = Ya está en este equipo, en { $path }; se copia, no se descarga. Su hash se registra, no se verifica.

newest-asking = Buscando la versión más reciente de Ollama
newest-not-found = { $why } Se instala Ollama { $version }, la versión con la que se probó este programa.
newest-unreachable = No se encuentra la versión más reciente: { $host } ({ $problem }).
newest-insecure = No se encuentra la versión más reciente: una redirección lleva a { $address }, que no está cifrada.
newest-no-sums = No se puede verificar la versión más reciente: { $address } no tiene suma de verificación para este sistema.
newest-older = La versión más reciente que se ofrece, { $found }, es anterior a { $pinned }.

fetch-unavailable = No se ha podido descargar { $file }. { $reasons }. Revisa la conexión y el proxy y vuelve a intentarlo, o indica otro servidor espejo: lo descargado se conserva.
fetch-checksum = El archivo de { $address } no es el esperado: su SHA-256 es { $actual } en lugar de { $expected }. Se ha borrado. Usa otro servidor espejo o consulta a quien lo administra.
fetch-disk-too-small = Faltan { $size } en el disco para { $path }. Libera espacio o elige otra carpeta y vuelve a intentarlo: lo descargado se conserva.

fetch-problem-connection = sin conexión ({ $problem })
fetch-problem-certificate = su certificado no es de confianza ({ $problem }); en la red de una empresa, indica el archivo de certificados de la empresa
fetch-problem-stalled = sin datos durante { $time }
fetch-problem-cut-short = la conexión se ha cortado antes de tiempo
fetch-problem-not-found = no tiene el archivo
fetch-problem-proxy-login = el proxy pide usuario y contraseña
fetch-problem-status = el servidor ha respondido { $status }
fetch-problem-insecure = redirige a { $address }, que no está cifrada
fetch-problem-this-computer = lleva a { $host }, un nombre de este equipo que no se ha indicado
fetch-problem-redirects = redirige demasiadas veces o a una dirección no válida
fetch-problem-length = su archivo tiene { $actual } bytes en lugar de { $expected }
fetch-problem-invalid-response = su respuesta no corresponde a la petición ({ $problem })
fetch-problem-ranges-ignored = solo envía el archivo entero
fetch-problem-changed = su archivo ha cambiado
fetch-problem-checksum = su archivo tiene el SHA-256 { $actual } en lugar de { $expected }

fetch-waiting-resume = En pausa
fetch-waiting-answer = Esperando a que { $host } responda, desde hace { $time }
fetch-waiting-data = Esperando más datos de { $host }, desde hace { $time }
fetch-waiting-retry = { $host }: { $problem }. Siguiente intento en { $time }
fetch-waiting-check = Verificando el archivo

login-no-folder = El servidor no se puede iniciar al entrar en la sesión: no se conoce tu carpeta personal. Define HOME y vuelve a intentarlo.
login-unrepresentable = El servidor no se puede iniciar al entrar en la sesión: «{ $value }» contiene caracteres que una entrada así no admite, o es demasiado largo. Elige otra carpeta.
login-refused = El sistema lo ha rechazado ({ $command }): { $problem }

reference-empty = El nombre del modelo está vacío. Escríbelo así: qwen2.5-coder:7b.
reference-too-many-parts = «{ $reference }» no es el nombre de un modelo: tiene más partes que servidor/espacio/nombre:etiqueta.
reference-part = «{ $part }» no puede formar parte del nombre de un modelo («{ $reference }»). Escríbelo así: qwen2.5-coder:7b o registry.example.org:5000/equipo/coder:7b.

registry-unreachable = El registro { $host } no responde ({ $problem }). Revisa la dirección y la conexión y vuelve a intentarlo.
registry-unreachable-encrypted = El registro { $host } no responde por HTTPS ({ $problem }). Revisa la dirección y la conexión. Si es tu propio registro sin cifrar, añade --insecure-registry.
registry-not-found = { $host } no tiene el modelo { $reference }. Revisa el nombre y la etiqueta.
registry-refused = { $host } no permite el acceso a { $reference }. Elige un modelo público.
registry-newer-engine = { $host } indica que { $reference } requiere una versión de Ollama más reciente que la que instala este programa (HTTP 412). Elige otro modelo o instala con --ollama newest.
registry-status = El registro { $host } ha respondido { $status }. Vuelve a intentarlo más tarde.
registry-insecure = El registro { $host } lleva a { $address }, que no está cifrada. No se ha descargado nada. Si es tu propio registro sin cifrar, añade --insecure-registry.
registry-unusable = No se puede usar { $reference } de { $host }: { $problem }. Elige otro modelo u otra etiqueta.
registry-this-computer = lleva a { $host }, un nombre de este equipo que no se ha indicado
registry-silent = sin datos durante { $duration }
registry-slow = la respuesta no estaba completa tras { $duration }
registry-no-model-layer = no contiene ningún modelo GGUF
registry-manifest-too-large = su manifiesto es demasiado grande
registry-header-incomplete = su cabecera está incompleta
registry-redirect-invalid = una redirección no es válida
registry-too-many-redirects = hay demasiadas redirecciones
registry-manifest-invalid = su manifiesto no es válido: { $problem }
registry-url-invalid = su URL no es válida: { $problem }

# Por qué no se puede usar el archivo de un modelo: va dentro de registry-unusable y cli-model-not-gguf.
model-file-incomplete = su cabecera termina antes de tiempo, a los { $bytes } bytes
model-file-unreadable = no se puede leer su cabecera: { $cause }
model-file-not-gguf = no es un archivo GGUF
model-file-version = es de la versión { $version } de GGUF, y solo se admiten la 2 y la 3
model-file-too-long = su cabecera ocupa más de { $most }
model-file-too-much = su cabecera describe más de lo que tiene cualquier modelo
model-file-damaged = su cabecera está dañada: { $problem }
model-file-too-many-tensors = { $count } tensores son más de los que tiene ningún modelo
model-file-too-many-entries = { $count } metadatos son más de los que tiene ningún modelo
model-file-name-too-long = hay un nombre demasiado largo
model-file-value-type = hay un valor del tipo desconocido { $kind }
model-file-deep-arrays = los arrays están anidados a demasiada profundidad
model-file-tensor = el tensor «{ $name }» { $problem }
model-file-tensor-twice = está repetido
model-file-tensor-dimensions = tiene { $count } dimensiones, y debe tener de 1 a 4
model-file-tensor-length = tiene una dimensión de { $length }
model-file-tensor-type = es del tipo desconocido { $kind }
model-file-tensor-row = tiene filas que no constan de bloques { $kind } completos
model-file-missing = no indica su { $key }
model-file-no-embedding = le falta el tensor token_embd.weight
model-file-impossible = su { $key } es { $value }, lo que no es posible
model-file-other-kind = es un archivo de tipo «{ $kind }», no un modelo de lenguaje
model-file-split = es una de las { $parts } partes de un modelo, y hace falta un archivo completo
model-file-larger = declara { $tensors } de tensores en un archivo de { $file }
