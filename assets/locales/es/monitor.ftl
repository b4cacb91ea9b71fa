### Mensajes del monitor.

monitor-vram-critical = La memoria gráfica de { $gpu } está al { $share } ({ $used } de { $total }). El modelo puede detenerse en cualquier momento. Qué ayuda: cierra otros programas que usen la tarjeta gráfica, reinicia el modelo o elige un perfil más pequeño. El contexto no se reduce: ACOLYTE necesita sus 32.768 tokens.
monitor-vram-recovered = La memoria gráfica de { $gpu } ha bajado al { $share }

monitor-line = { $gpu }: { $used } de { $total } en uso ({ $share })
monitor-nothing-to-watch = Ninguna tarjeta gráfica de este equipo indica cuánta memoria usa, así que no hay nada que vigilar. «acolyte detect» muestra el hardware

monitor-layers-left = { $layers } de { $total } capas ya no están en la tarjeta gráfica: ahora las respuestas son más lentas. Cierra otros programas que usen la tarjeta y reinicia el modelo
monitor-spilled = La tarjeta gráfica está llena y { $size } del modelo están en la memoria principal: ahora las respuestas son mucho más lentas. Cierra otros programas que usen la tarjeta y reinicia el modelo

monitor-layers = { $layers } de { $total } capas en la tarjeta gráfica
monitor-experts = { $layers }, expertos de { $blocks } de { $total } bloques en la memoria principal
monitor-on-processor = en el procesador, nada en la tarjeta gráfica
monitor-context = { $used } de { $total } tokens en uso
monitor-answers = { $speeds } tokens/s

monitor-label-model = Modelo
monitor-label-context = Contexto
monitor-label-answers = Últimas respuestas
monitor-none-loaded = no está en memoria
monitor-bar-model = modelo { $model }, otros programas { $others }
monitor-graph = últimos { $span }
monitor-no-answer = El controlador gráfico no responde
monitor-stop-hint = Ctrl-C termina

monitor-notice-title = La memoria gráfica está casi llena
monitor-notice-left = El modelo ya no está en la tarjeta gráfica
monitor-notice-body = { $gpu }: { $share } ({ $used } de { $total }). El modelo puede detenerse en cualquier momento.
monitor-action-programs = ¿Quién la usa?
monitor-action-reload = Reiniciar el modelo
monitor-action-smaller = Perfil más pequeño
monitor-programs-title = Programas en la tarjeta gráfica
monitor-programs-line = { $program }: { $size }
monitor-programs-model = el modelo ({ $program })
monitor-programs-unknown = El controlador gráfico no indica qué programas la usan
monitor-reloaded = El modelo se ha cargado de nuevo
monitor-smaller-command = «acolyte check-requirements» muestra lo que cabe; «acolyte install --profile ID» lo cambia

logs-none = Aún no hay registro del servidor: { $path }

monitor-until = durante { $span } más
monitor-until-forever = hasta que se descargue
monitor-until-now = se está descargando

live-title = Memoria gráfica ahora
live-waiting = Leyendo la memoria gráfica…
live-blind = Ninguna tarjeta gráfica de este equipo indica cuánta memoria usa
live-bar-model = modelo { $size }
live-graph = { $gpu }, últimos { $span }: entre el { $low } y el { $high } en uso, ahora el { $now }
live-measured = Velocidad al instalar
live-log = Registro del servidor
live-log-empty = El servidor aún no ha escrito nada
live-open-logs = Abrir la carpeta de registros
