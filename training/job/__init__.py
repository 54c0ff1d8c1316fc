"""What runs inside a training job."""
