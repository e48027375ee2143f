"""Other Jupyter servers for the tests: real ones, in environments that do not have this package."""
