### cli
cli-no-home = Your home folder is unknown. Name a folder with --home DIR or ACOLYTE_HOME
