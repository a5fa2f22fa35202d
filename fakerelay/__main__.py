"""`python -m fakerelay`."""

from fakerelay.cli import main

if __name__ == "__main__":
    main(prog_name="fakerelay")
