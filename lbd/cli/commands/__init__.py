"""The commands, one a file; each has add_arguments(parser) and run(args) -> exit code."""
