"""The groups of commands that `shoestring.cli` adds: one module each, which loads at its top what `--help` may take."""
