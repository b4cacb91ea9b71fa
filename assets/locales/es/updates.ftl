### Versiones más nuevas

updates-program = Hay una versión nueva del instalador de ACOLYTE, { $version }; esta es la { $own }.
updates-program-where = Se descarga de { $page }
updates-engine = El motor recomendado es ahora Ollama { $version }; está instalado { $installed }.
updates-model = La etiqueta { $model } apunta ahora a otro archivo.
updates-size = Descarga: { $size }.
updates-none = No hay nada más nuevo.
updates-problem = No se pudo consultar todo: { $problem }
updates-ask = ¿Instalarlo ahora? [s/N]
updates-daily-on = Se comprueba una vez al día si hay versiones más nuevas.
updates-daily-off = No se comprueba si hay versiones más nuevas.
updates-source-invalid = { $path } no indica dónde está la lista de versiones: { $problem }
updates-hint = acolyte update instala el motor y el modelo.

wizard-updates-title = Versiones más nuevas
wizard-updates-looking = Leyendo lo que se sabe…
wizard-updates-page = Abrir su página
wizard-updates-none-known = No se sabe de nada más nuevo.
wizard-updates-install = Actualizar
wizard-updates-look = Comprobar ahora
wizard-updates-daily = Comprobar una vez al día si hay versiones más nuevas
wizard-updates-daily-detail = Consulta una lista firmada de versiones y la etiqueta del modelo. No se descarga nada sin ti.
