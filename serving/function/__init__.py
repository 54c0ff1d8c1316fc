"""What runs inside the inference function."""
