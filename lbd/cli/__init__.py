"""The command line: parser, options, and the helpers of the commands; imports control and below."""

from lbd.cli.command_line import main as main
