"""What runs inside a training job, and what describes one."""
