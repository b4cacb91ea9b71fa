### install
