### What the monitor says about a running installation.

monitor-vram-critical = Graphics memory of { $gpu } is { $share } full ({ $used } of { $total }). The model may stop at any moment. What helps: close other programs that draw or compute, restart the model, or choose a smaller profile. The context is not reduced: ACOLYTE needs its 32,768 tokens.
monitor-vram-over = Graphics memory of { $gpu } is at { $share } again

monitor-line = { $gpu }: { $used } of { $total } in use ({ $share })
monitor-nothing-to-watch = No graphics card here tells how full its memory is, so there is nothing to watch. “acolyte detect” shows what was found
