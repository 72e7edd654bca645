"""`python -m kata_lib.cli` is the `kata` command."""

from kata_lib.cli import main

main()
