"""The command line: one file per command."""

from lbd.cli.command_line import main as main
