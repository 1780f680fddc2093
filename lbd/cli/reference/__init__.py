"""Reference texts of `lbd help`: keys, metrics and endings by name, printed from the tables of the code."""
