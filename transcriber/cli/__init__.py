"""The command line: each command parses its options, calls one function of the package and prints paths."""
