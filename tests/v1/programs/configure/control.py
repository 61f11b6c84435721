import os
import sys

from azureml.core import Environment, Experiment, RunConfiguration, ScriptRunConfig, Workspace
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.core.compute_target import ComputeTargetException
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.runconfig import MpiConfiguration
from azureml.exceptions import ActivityFailedException, UserErrorException

ws = Workspace.from_config()
experiment = Experiment(workspace=ws, name="my_experiment")

# Ways to an environment
user_managed = Environment("user-managed-env")
user_managed.python.user_managed_dependencies = True
user_managed.python.interpreter_path = sys.executable

curated = Environment.get(workspace=ws, name="AzureML-Minimal")
print(curated.name, curated.python.user_managed_dependencies)

own = Environment("myenv")
own.python.conda_dependencies = CondaDependencies.create(pip_packages=["azureml-defaults"])
own.register(workspace=ws)
print(Environment.get(ws, "myenv").version, "myenv" in Environment.list(ws))

# A cluster, made once
try:
    cluster = ComputeTarget(workspace=ws, name="my-cluster")
except ComputeTargetException as error:
    print("ComputeTargetNotFound" in error.message)
    cluster = ComputeTarget.create(
        ws, "my-cluster", AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", min_nodes="0", max_nodes="4")
    )
    cluster.wait_for_completion(show_output=True)
print(type(cluster) is AmlCompute, cluster.type, "my-cluster" in ws.compute_targets)

# On this machine, with this Python
script_run_config = ScriptRunConfig(
    source_directory="source",
    script="train.py",
    arguments=["--learning-rate", 0.5, "--epochs", 4, "--message", "$GREETING you"],
    environment=user_managed,
    max_run_duration_seconds=15 * 60,
)
script_run_config.run_config.environment_variables = {"GREETING": "hello"}
script_run_config.run_config.target = "local"
run = experiment.submit(config=script_run_config, tags={"model": "first"})
details = run.wait_for_completion(show_output=True)

print("STATUS", run.get_status(), details["status"])
metrics = run.get_metrics()
print("METRICS", len(metrics["my metric name"]), metrics["loss"], metrics["summary"])
print("TAGS", run.get_tags())
print("FILES", [name for name in run.get_file_names() if not name.startswith("azureml-logs")])
print("ARGUMENTS", details["runDefinition"]["arguments"])
print("GIT", sorted(key for key in run.get_properties() if key.startswith("azureml.git")))
print("CHILDREN", [(child.name, child.get_metrics()) for child in run.get_children()])
run.download_file(name="outputs/my_output_file", output_file_path="my_destination_path")
with open("my_destination_path") as file:
    print("DOWNLOADED", file.read())
try:
    run.download_file(name="outputs/nothing")
except UserErrorException as error:
    print("MISSING", "outputs/my_output_file" in error.message)

# On the cluster, many processes wanted, by a command
config = ScriptRunConfig(
    source_directory="source",
    command=["python", "train.py", "--learning-rate", "0.1"],
    compute_target=cluster,
    environment=curated,
    distributed_job_config=MpiConfiguration(process_count_per_node=1, node_count=2),
)
second = experiment.submit(config)
second.wait_for_completion(show_output=False)
print("SECOND", second.get_status(), second.get_details()["target"])

# A run configuration by itself
run_config = RunConfiguration()
run_config.target = cluster
run_config.environment = user_managed
third = experiment.submit(ScriptRunConfig("source", "fails.py", run_config=run_config))
try:
    third.wait_for_completion(show_output=True)
except ActivityFailedException as error:
    print("FAILED", "the data are not what they were" in str(error))
details = third.get_details_with_logs()
print("ERROR", details["error"]["error"]["code"], "about to fail" in details["logFiles"]["azureml-logs/70_driver_log.txt"])
third.wait_for_completion(raise_on_error=False)

# Logging from here
with experiment.start_logging(snapshot_directory=None) as interactive:
    interactive.log("alpha", 0.03)
    with open("outputs/model.txt", "w") as file:
        file.write("a model")
    print("inside")
print("INTERACTIVE", interactive.get_status(), interactive.get_metrics(), "outputs/model.txt" in interactive.get_file_names())

model = run.register_model(model_name="demo", model_path="outputs/my_output_file", tags={"area": "test"})
print("MODEL", model.name, model.version, model.tags)

print("RUNS", [each.id == interactive.id for each in experiment.get_runs()][0], len(list(experiment.get_runs())))
experiment.archive()
print("ARCHIVED", [each.name for each in Experiment.list(ws)])
