import os
import shutil

import azureml.core
from azureml.core import Experiment
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.core.compute_target import ComputeTargetException
from azureml.core.workspace import Workspace
from azureml.telemetry import set_diagnostics_collection
from azureml.train.dnn import Chainer
from azureml.widgets import RunDetails

print("SDK version:", azureml.core.VERSION)
set_diagnostics_collection(send_diagnostics=True)

ws = Workspace.from_config()
print("Workspace name: " + ws.name, "Azure region: " + ws.location, "Resource group: " + ws.resource_group, sep="\n")

cluster_name = "gpu-cluster"
try:
    compute_target = ComputeTarget(workspace=ws, name=cluster_name)
    print("Found existing compute target.")
except ComputeTargetException:
    print("Creating a new compute target...")
    compute_config = AmlCompute.provisioning_configuration(vm_size="STANDARD_NC6", max_nodes=4)
    compute_target = ComputeTarget.create(ws, cluster_name, compute_config)
    compute_target.wait_for_completion(show_output=True)
print(compute_target.get_status().serialize())

project_folder = "./chainer-mnist"
os.makedirs(project_folder, exist_ok=True)
shutil.copy("chainer_mnist.py", project_folder)

experiment = Experiment(ws, name="chainer-mnist")

script_params = {"--epochs": 10, "--batchsize": 128, "--output_dir": "./outputs"}
estimator = Chainer(
    source_directory=project_folder,
    script_params=script_params,
    compute_target=compute_target,
    pip_packages=["numpy", "pytest"],
    entry_script="chainer_mnist.py",
    use_gpu=True,
)
run = experiment.submit(estimator)
RunDetails(run).show()
run.wait_for_completion(show_output=True)
print(run.get_details()["status"])

model = run.register_model(model_name="chainer-dnn-mnist", model_path="outputs/model.npz")
print(model.name, model.id, model.version, sep="\t")

for f in run.get_file_names():
    if f.startswith("outputs"):
        output_file_path = os.path.join("./model", f.split("/")[-1])
        print(f"Downloading from {f} to {output_file_path} ...")
        run.download_file(name=f, output_file_path=output_file_path)
