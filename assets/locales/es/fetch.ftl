### Descargar y descomprimir: qué ha fallado y qué hacer

fetch-cancelled = Detenido
fetch-proxy-invalid = { $proxy } no es la dirección de un proxy. Escríbela así: http://proxy.example.org:8080.
fetch-ca-unreadable = No se pueden leer los certificados de { $path }: { $problem }. Indica un archivo en formato PEM que puedas leer.
fetch-ca-empty = { $path } no contiene certificados en formato PEM. Pide la versión PEM a quien te dio el archivo.
fetch-no-client = No se pueden establecer conexiones: { $problem }. Revisa el proxy y los certificados del sistema.
fetch-disk-full = No queda espacio para { $path }. Libera espacio o elige otra carpeta y vuelve a intentarlo: lo descargado se conserva.
fetch-cannot-write = No se puede escribir { $path }: { $problem }. Comprueba que la carpeta es tuya o elige otra.
fetch-unpack-unreadable = No se puede leer el archivo comprimido { $path }: { $problem }
fetch-unpack-format = { $path } no es el archivo comprimido de una versión (.tar.zst, .tgz o .zip). Revisa la dirección de la que procede.
fetch-unpack-damaged = El archivo comprimido { $path } está dañado ({ $problem }). Bórralo y vuelve a intentarlo, o usa otro servidor espejo.
fetch-unpack-hostile = El archivo comprimido intenta escribir donde no debe («{ $entry }»). No se usa nada de él. Comprueba de dónde procede.
fetch-unpack-too-large = El archivo comprimido contiene más de { $entries } archivos o { $size }, mucho más que una versión normal. No se usa nada de él. Comprueba de dónde procede.
