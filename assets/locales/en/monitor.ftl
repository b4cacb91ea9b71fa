### Messages of the monitor.

monitor-vram-critical = Graphics memory of { $gpu } is { $share } full ({ $used } of { $total }). The model may stop at any moment. What helps: close other programs that use the graphics card, restart the model, or choose a smaller profile. The context is not reduced: ACOLYTE needs its 32,768 tokens.
monitor-vram-recovered = Graphics memory of { $gpu } is down to { $share }

monitor-line = { $gpu }: { $used } of { $total } in use ({ $share })
monitor-nothing-to-watch = No graphics card here reports its memory use, so there is nothing to watch. “acolyte detect” shows the hardware
