### Mensajes del monitor.

monitor-vram-critical = La memoria gráfica de { $gpu } está al { $share } ({ $used } de { $total }). El modelo puede detenerse en cualquier momento. Qué ayuda: cierra otros programas que usen la tarjeta gráfica, reinicia el modelo o elige un perfil más pequeño. El contexto no se reduce: ACOLYTE necesita sus 32.768 tokens.
monitor-vram-recovered = La memoria gráfica de { $gpu } ha bajado al { $share }

monitor-line = { $gpu }: { $used } de { $total } en uso ({ $share })
monitor-nothing-to-watch = Ninguna tarjeta gráfica de este equipo indica cuánta memoria usa, así que no hay nada que vigilar. «acolyte detect» muestra el hardware
