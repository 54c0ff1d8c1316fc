"""SageMaker training jobs on this machine: the service's API over HTTP, each job really run as a subprocess."""
