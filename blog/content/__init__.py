"""Content files to values: no Flask, no database."""
