### Descargar y descomprimir: qué ha fallado y qué hacer

fetch-cancelled = Detenido
fetch-proxy-invalid = { $proxy } no es la dirección de un proxy. Escríbela así: http://proxy.example.org:8080.
fetch-ca-unreadable = No se pueden leer los certificados de { $path }: { $problem }. Indica un archivo que puedas leer.
fetch-ca-no-content = { $path } está vacío. Vuelve a pedírselo a quien te lo dio.
fetch-ca-empty = { $path } no contiene certificados: no es PEM ni DER. Pide la versión PEM a quien te dio el archivo.
fetch-ca-private-key = { $path } contiene una clave privada y ningún certificado. Indica el archivo con el certificado de la autoridad, normalmente .crt o .pem. La clave solo la necesita su dueño.
fetch-ca-pkcs7 = { $path } es un contenedor PKCS #7 (.p7b), que no se admite. Conviértelo a PEM: openssl pkcs7 -print_certs -in ARCHIVO -out ca.pem (con -inform der si es binario)
fetch-ca-pkcs12 = { $path } es un contenedor PKCS #12 (.pfx, .p12), que no se admite. Convierte sus certificados a PEM: openssl pkcs12 -in ARCHIVO -nokeys -out ca.pem
fetch-ca-nothing-usable = { $path } no contiene ningún certificado que se pueda usar: { $entries }. Pide a quien te dio el archivo uno completo en formato PEM.
fetch-ca-skipped = De los certificados de { $path } { $count ->
    [one] no se usa { $count } de { $total } entradas
   *[other] no se usan { $count } de { $total } entradas
}: { $entries }.
fetch-ca-entry = entrada { $index }: { $problem }
fetch-ca-entry-of = entrada { $index } ({ $subject }): { $problem }
fetch-ca-entry-private-key = una clave privada
fetch-ca-entry-container = un contenedor { $kind }, que no se admite
fetch-ca-entry-other = no es un certificado, sino { $kind }
fetch-ca-entry-damaged = dañada
fetch-ca-entry-unusable = un certificado que no puede ser de una autoridad
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
source-signed = Se comprueba con la lista firmada de versiones nuevas.
source-installed = Ya está en este equipo, en { $path }; se copia, no se descarga. Su hash se registra, no se verifica.

newest-asking = Buscando la versión más reciente de Ollama
newest-not-found = { $why } Se instala Ollama { $version }, la versión con la que se probó este programa.
newest-unreachable = No se encuentra la versión más reciente: { $host } ({ $problem }).
newest-obstructed = No se puede encontrar la última versión: { $problem }. { $advice }
newest-insecure = No se encuentra la versión más reciente: una redirección lleva a { $address }, que no está cifrada.
newest-no-sums = No se puede verificar la versión más reciente: { $address } no tiene suma de verificación para este sistema.
newest-older = La versión más reciente que se ofrece, { $found }, es anterior a { $pinned }.

fetch-unavailable = No se ha podido descargar { $file }. { $reasons }. Revisa la conexión y el proxy y vuelve a intentarlo, o indica otro servidor espejo: lo descargado se conserva.
fetch-obstructed = No se ha podido descargar { $file }. { $reasons }. { $advice } Lo descargado se conserva.
fetch-checksum = El archivo de { $address } no es el esperado: su SHA-256 es { $actual } en lugar de { $expected }. Se ha borrado. Usa otro servidor espejo o consulta a quien lo administra.
fetch-disk-too-small = Faltan { $size } en el disco para { $path }. Libera espacio o elige otra carpeta y vuelve a intentarlo: lo descargado se conserva.

fetch-problem-connection = sin conexión ({ $problem })
fetch-problem-stalled = sin datos durante { $time }
fetch-problem-cut-short = la conexión se ha cortado antes de tiempo
fetch-problem-not-found = no tiene el archivo
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
reference-port-on-windows = «{ $reference }» no se puede instalar en Windows: el motor crea una carpeta con el nombre del registro, y el nombre de una carpeta no puede incluir un puerto. Haz que el registro escuche en el puerto 443 (80 con --insecure-registry) y omite el puerto, o descarga el archivo .gguf del modelo y usa --model-file.

registry-unreachable = El registro { $host } no responde ({ $problem }). Revisa la dirección y la conexión y vuelve a intentarlo.
registry-unreachable-encrypted = El registro { $host } no responde por HTTPS ({ $problem }). Revisa la dirección y la conexión. Si es tu propio registro sin cifrar, añade --insecure-registry.
registry-obstructed = No se puede consultar el registro { $host }: { $problem }. { $advice }
registry-not-found = { $host } no tiene el modelo { $reference }. Revisa el nombre y la etiqueta.
registry-refused = { $host } no permite el acceso a { $reference }. Elige un modelo público.
registry-newer-engine = { $host } indica que { $reference } requiere una versión de Ollama más reciente que la que instala este programa (HTTP 412). Elige otro modelo o instala con --ollama newest.
registry-status = El registro { $host } ha respondido { $status }. Vuelve a intentarlo más tarde.
registry-insecure = El registro { $host } lleva a { $address }, que no está cifrada. No se ha descargado nada. Si es tu propio registro sin cifrar, añade --insecure-registry. Si esta red tiene una página de inicio de sesión, abre un navegador, inicia sesión y vuelve a intentarlo.
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

# Qué hay entre este equipo y un servidor: el final de una frase, y qué hacer.
network-sign-in-page = ha respondido una página de inicio de sesión o un filtro en { $host }
network-proxy-password = el proxy pide usuario y contraseña
network-proxy-refused = el proxy rechaza el usuario y la contraseña
network-proxy-schemes = el proxy exige { $schemes }, que este programa no admite
network-advice-sign-in = Abre un navegador, inicia sesión en la red y vuelve a intentarlo. En la red de una empresa, indica su proxy (--proxy) y su archivo de certificados (--ca), o pide que permitan la dirección.
network-advice-proxy-password = Escríbelos en su dirección: --proxy http://USUARIO:CLAVE@SERVIDOR:PUERTO, o lo mismo en HTTPS_PROXY.
network-advice-proxy-refused = Revísalos. En una dirección, los caracteres especiales se escriben con su código: @ como %40, : como %3A, # como %23.
network-advice-proxy-schemes = Usa un proxy local que inicie sesión en él, como px o cntlm, e indica ese: --proxy http://127.0.0.1:3128. O descarga el archivo comprimido del motor en otro equipo e indícalo con --archive.
certificate-not-yet-valid = su certificado es válido a partir del { $begin } y el reloj de este equipo marca { $clock }
certificate-not-yet-valid-unknown = su certificado aún no es válido según el reloj de este equipo, que marca { $clock }
certificate-expired = su certificado caducó el { $end } y el reloj de este equipo marca { $clock }
certificate-expired-unknown = su certificado ha caducado según el reloj de este equipo, que marca { $clock }
certificate-unknown-issuer = su certificado lo emitió { $issuer }, en quien este equipo no confía
certificate-unnamed-issuer = su certificado lo emitió una autoridad en la que este equipo no confía
certificate-self-signed = su certificado ({ $subject }) está firmado por sí mismo
certificate-self-signed-unnamed = su certificado está firmado por sí mismo
certificate-wrong-name = su certificado es para { $names }, no para { $host }
certificate-other-name = su certificado no es para { $host }
certificate-revoked = su autoridad ha revocado su certificado
certificate-refused = su certificado no se acepta ({ $problem })
certificate-advice-clock = Pon en hora el reloj de este equipo si está mal y vuelve a intentarlo. Si está bien, lo que falla es el certificado: usa otro servidor espejo o avisa a quien administra el servidor.
certificate-advice-clock-here = El reloj del servidor marca { $server }: pon en hora el reloj de este equipo y vuelve a intentarlo.
certificate-advice-clock-neither = El reloj del servidor marca la misma hora, así que falla el certificado y no el reloj: usa otro servidor espejo o avisa a quien administra el servidor.
certificate-advice-issuer = En la red de una empresa, indica el archivo de certificados de la empresa (--ca). En cualquier otro sitio, alguien puede estar leyendo la conexión: usa otra red.
certificate-advice-self-signed = Si el servidor es tuyo o de tu empresa, indica su archivo de certificados (--ca). En cualquier otro sitio, alguien puede estar leyendo la conexión: usa otra red.
certificate-advice-name = Revisa la dirección. Puede haber respondido la página de inicio de sesión de la red: abre un navegador, inicia sesión y vuelve a intentarlo.
certificate-advice-other = Usa otro servidor espejo u otra red, o avisa a quien administra el servidor.

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
model-file-big-endian = se creó para equipos que guardan primero el byte más significativo (big-endian)
model-file-encoder = es el codificador de imagen o audio de un modelo (mmproj), que por sí solo no escribe texto
model-file-adapter = es un adaptador (LoRA), que solo modifica otro modelo
model-file-importance-matrix = es una matriz de importancia (imatrix), con la que se cuantizan modelos
model-file-other-part = el archivo { $part } de { $of } no indica que sea la parte { $part } de { $of }
model-file-tensor-count = todas las partes juntas tienen { $found } tensores, y la primera indica { $wanted }
model-file-parts-tensor = el tensor «{ $name }» está repetido o se solapa con otro
model-file-gone = No existe el archivo { $path }. Si está en una unidad que no está conectada, conéctala; si no, elige otro archivo o modelo
model-file-truncated = { $path } está incompleto: ocupa { $found }, y su cabecera describe { $wanted } (faltan { $missing } bytes). Descárgalo o cópialo de nuevo
model-file-part-name = { $path } es una de las { $of } partes de un modelo. Las partes deben llamarse como se publicaron, con un final como -00001-of-00003.gguf
model-file-part-missing = Falta { $path }, una de las { $of } partes del modelo. Pon todas las partes en una misma carpeta
model-file-parts = Las partes de { $path } no son del mismo modelo: { $why }. Descárgalas de nuevo
