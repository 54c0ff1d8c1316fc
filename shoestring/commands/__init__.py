"""The commands: a module for each group, which `shoestring.cli` loads when one of them is called."""
