"""`lbd schema`: the reference of the configuration, for people or for editors."""

import argparse
import json

from lbd.balance import ALGORITHMS
from lbd.config.json_schema import json_schema
from lbd.config.reference import toml_reference
from lbd.health import CHECKS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The form of the reference."""
    parser.add_argument("--json", action="store_true", help="print a JSON Schema (draft 2020-12) for editors")


def run(args: argparse.Namespace) -> int:
    """Print the reference; always 0."""
    if args.json:
        print(json.dumps(json_schema(ALGORITHMS, CHECKS), ensure_ascii=False, indent=2))
    else:
        print(toml_reference(ALGORITHMS, CHECKS), end="")
    return 0
