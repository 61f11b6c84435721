"""``azureml.train``: v1's estimators."""
