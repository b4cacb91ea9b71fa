# Instalar, gestionar, quitar.

## La versión

install-release-unreadable = No se puede leer el archivo de versión { $path }: { $cause }. Comprueba su ruta y sus permisos.
install-release-malformed = { $path } no es un archivo de versión: { $cause }. El formato se describe en docs/release-file.md.
install-release-none-for-system = La versión { $version } no tiene archivo para { $os } en { $arch }. Usa --release con una lista que lo tenga.
install-release-no-address = El archivo de versión no da base_url. Añádela o indica la dirección con --mirror.

## Respuestas del motor

install-client-setup = No se puede preparar ninguna conexión con el motor: { $cause }. Reinicia el programa; si vuelve a ocurrir, comunícalo.
install-client-unreachable = El motor del puerto { $port } no responde: { $cause }. Mira su registro o vuelve a iniciarlo.
install-client-silent = El motor lleva { $duration } sin decir nada. Repite la instalación: lo hecho se conserva.
install-client-refused = El motor dice: { $message }
install-client-cut-short = El motor se interrumpió antes de terminar. Repite la instalación: lo hecho se conserva.
install-client-unreadable = No se entiende la respuesta del motor: { $cause }. ¿Hay otro programa en su puerto?

## El servidor

install-server-port-taken = Otro programa ocupa el puerto { $port }. Elige otro puerto o deja que lo elija el instalador.
install-server-no-free-port = Todos los puertos del { $first } al { $last } están ocupados. Cierra el programa que tenga uno de ellos o indica un puerto libre con --port.
install-server-spawn = No se puede iniciar { $path }: { $cause }.
install-server-ended =
    El motor terminó ({ $status }) en vez de responder. Las últimas líneas de su registro:
    { $lines }
install-server-not-ready =
    El motor está en marcha pero lleva { $duration } sin responder. Las últimas líneas de su registro:
    { $lines }
install-server-process = No se puede terminar un proceso del motor: { $cause }. Termínalo a mano e inténtalo de nuevo.

## Archivos

install-file-write = No se puede escribir { $path }: { $cause }. Comprueba que el disco no está lleno y que la carpeta es tuya.
