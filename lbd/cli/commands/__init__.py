"""The commands, one a file; each has HELP, add_arguments(parser) and run(args) -> exit code."""
