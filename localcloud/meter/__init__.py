"""The local cloud's bill: turns the lives of emulated resources into line items, and plays Cost Explorer over them."""
