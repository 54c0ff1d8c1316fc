"""What runs on the MLflow server's machine: all files here but this one go there, and import nothing of the project."""
