"""A priced plan for machines and people: JSON, a table for the terminal, Markdown for a pull request, an HTML page."""
