### Messages of the monitor.

monitor-vram-critical = Graphics memory of { $gpu } is { $share } full ({ $used } of { $total }). The model may stop at any moment. What helps: close other programs that use the graphics card, restart the model, or choose a smaller profile. The context is not reduced: ACOLYTE needs its 32,768 tokens.
monitor-vram-recovered = Graphics memory of { $gpu } is down to { $share }

monitor-line = { $gpu }: { $used } of { $total } in use ({ $share })
monitor-nothing-to-watch = No graphics card here reports its memory use, so there is nothing to watch. “acolyte detect” shows the hardware

monitor-layers-left = { $layers } of { $total } layers have left the graphics card: answers are slower now. Close other programs that use the card, then restart the model
monitor-spilled = The graphics card is full, and { $size } of the model is in main memory: answers are much slower now. Close other programs that use the card, then restart the model

monitor-layers = { $layers } of { $total } layers on the graphics card
monitor-experts = { $layers }, experts of { $blocks } of { $total } blocks in main memory
monitor-on-processor = on the processor, nothing on the graphics card
monitor-context = { $used } of { $total } tokens in use
monitor-answers = { $speeds } tokens/s

monitor-label-model = Model
monitor-label-context = Context
monitor-label-answers = Last answers
monitor-none-loaded = not in memory
monitor-bar-model = model { $model }, other programs { $others }
monitor-graph = last { $span }
monitor-no-answer = The graphics driver does not answer
monitor-stop-hint = Ctrl-C ends

monitor-notice-title = Graphics memory is nearly full
monitor-notice-left = The model has left the graphics card
monitor-notice-body = { $gpu }: { $share } ({ $used } of { $total }). The model may stop at any moment.
monitor-action-programs = Who uses it?
monitor-action-reload = Restart the model
monitor-action-smaller = Smaller profile
monitor-programs-title = Programs on the graphics card
monitor-programs-line = { $program }: { $size }
monitor-programs-model = the model ({ $program })
monitor-programs-unknown = The graphics driver does not tell which programs use it
monitor-reloaded = The model was loaded again
monitor-smaller-command = “acolyte check-requirements” shows what fits; “acolyte install --profile ID” changes to it

logs-none = There is no log of the server yet: { $path }

monitor-until = for { $span } more
monitor-until-forever = until it is unloaded
monitor-until-now = being unloaded

live-title = Graphics memory now
live-waiting = Reading the graphics memory…
live-blind = No graphics card here reports its memory use
live-bar-model = model { $size }
live-graph = { $gpu }, last { $span }: between { $low } and { $high } in use, now { $now }
live-measured = Speed when installed
live-log = Server log
live-log-empty = The server has written nothing yet
live-open-logs = Open the log folder
