"""What a job is told in variables beside SageMaker's own: the window's program sets them, the session reads them."""

MLFLOW = "MLFLOW_TRACKING_URI"  # MLflow's own name
BUCKET = "SHOESTRING_BUCKET"  # takes the registered model
ENVIRONMENT = "SHOESTRING_ENVIRONMENT"
DATA_SHA256, CODE_SHA256 = "SHOESTRING_DATA_SHA256", "SHOESTRING_CODE_SHA256"
MODEL, TARGET = "SHOESTRING_MODEL", "SHOESTRING_TARGET"  # the model's name, and the column with its class
CHECKPOINT_SECONDS = "SHOESTRING_CHECKPOINT_SECONDS"
