"""`python -m lbd`: the same as the console script `lbd`."""

import sys

from lbd.cli import main

if __name__ == "__main__":
    sys.exit(main())
