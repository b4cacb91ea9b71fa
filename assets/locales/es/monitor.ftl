### Lo que dice el monitor de una instalación en marcha.

monitor-vram-critical = La memoria gráfica de { $gpu } está al { $share } ({ $used } de { $total }). El modelo puede detenerse en cualquier momento. Qué ayuda: cierra otros programas que dibujen o calculen, reinicia el modelo o elige un perfil más pequeño. El contexto no se reduce: ACOLYTE necesita sus 32.768 tokens.
monitor-vram-over = La memoria gráfica de { $gpu } vuelve a estar al { $share }
