### cli
cli-no-home = No se conoce tu carpeta personal. Indica una carpeta con --home DIR o con ACOLYTE_HOME
