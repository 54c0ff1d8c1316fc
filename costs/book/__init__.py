"""The price book: what AWS lists, what spot capacity costs, and how both are refreshed."""
