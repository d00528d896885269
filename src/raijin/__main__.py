"""`python -m raijin`."""

from raijin.cli import main

main()
