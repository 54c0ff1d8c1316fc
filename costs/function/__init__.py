"""What runs inside the functions that watch over the costs."""
