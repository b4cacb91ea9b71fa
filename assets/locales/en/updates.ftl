### Newer versions

updates-program = ACOLYTE Installer { $version } is out; this is { $own }.
updates-program-where = Get it from { $page }
updates-engine = Ollama { $version } is the recommended engine now; { $installed } is installed.
updates-model = There is another file under the tag { $model } now.
updates-size = Download: { $size }.
updates-none = Nothing newer.
updates-problem = Not everything could be asked: { $problem }
updates-ask = Install it now? [y/N]
updates-daily-on = Newer versions are looked for once a day.
updates-daily-off = Newer versions are not looked for.
updates-source-invalid = { $path } does not say where the list of versions is: { $problem }
updates-hint = acolyte update installs engine and model.

wizard-updates-title = Newer versions
wizard-updates-looking = Reading what is known…
wizard-updates-page = Open its page
wizard-updates-none-known = Nothing newer is known.
wizard-updates-install = Update
wizard-updates-look = Look now
wizard-updates-daily = Look for newer versions once a day
wizard-updates-daily-detail = Asks for a signed list of versions and for the tag of the model. Nothing is downloaded without you.
