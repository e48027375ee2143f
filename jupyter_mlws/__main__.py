"""`python -m jupyter_mlws`: the command line, also where nothing was installed."""

from jupyter_mlws.cli.main import main

if __name__ == "__main__":
    main()
