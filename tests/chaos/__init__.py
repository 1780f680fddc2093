"""The long proof: random faults under load, and invariants that hold throughout; `python -m tests.chaos --help`."""
