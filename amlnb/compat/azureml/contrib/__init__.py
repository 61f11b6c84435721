"""``azureml.contrib``: v1's place of what was new."""
