import os
import shutil

from azureml.core import Experiment
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.core.compute_target import ComputeTargetException
from azureml.core.model import Model
from azureml.core.runconfig import MpiConfiguration
from azureml.core.workspace import Workspace
from azureml.train.dnn import PyTorch
from azureml.widgets import RunDetails

ws = Workspace.from_config()

cluster_name = "gpu-cluster"
try:
    compute_target = ComputeTarget(workspace=ws, name=cluster_name)
    print("Found existing compute target.")
except ComputeTargetException:
    print("Creating a new compute target...")
    compute_config = AmlCompute.provisioning_configuration(vm_size="STANDARD_NC6", max_nodes=4)
    compute_target = ComputeTarget.create(ws, cluster_name, compute_config)
    compute_target.wait_for_completion(show_output=True, min_node_count=None, timeout_in_minutes=20)
print(compute_target.get_status().serialize())

project_folder = "./pytorch-hymenoptera"
os.makedirs(project_folder, exist_ok=True)
shutil.copy("pytorch_train.py", project_folder)
if not os.path.isdir(project_folder + "/hymenoptera_data"):
    shutil.copytree("hymenoptera_data", project_folder + "/hymenoptera_data")

experiment = Experiment(ws, name="pytorch-hymenoptera")

script_params = {"--num_epochs": 2, "--output_dir": "./outputs"}
estimator = PyTorch(
    source_directory=project_folder,
    script_params=script_params,
    compute_target=compute_target,
    entry_script="pytorch_train.py",
    use_gpu=True,
    pip_packages=["pillow==5.4.1", "onnx", "onnxruntime"],
)
run = experiment.submit(estimator)
print(run)
RunDetails(run).show()
run.wait_for_completion(show_output=True)

model = run.register_model(model_name="pt-dnn", model_path="outputs/")
print(model.name, model.id, model.version, sep="\t")

found = Model(ws, "pt-dnn")
print(sorted(os.listdir(found.download(target_dir="downloaded", exist_ok=True))))

distributed = PyTorch(
    source_directory=project_folder,
    script_params={"--num_epochs": 1, "--output_dir": "./outputs"},
    compute_target=compute_target,
    entry_script="pytorch_train.py",
    node_count=2,
    process_count_per_node=1,
    distributed_training=MpiConfiguration(),
    framework_version="1.13",
    use_gpu=True,
    pip_packages=["pillow==5.4.1", "onnx", "onnxruntime"],
)
run = experiment.submit(distributed)
run.wait_for_completion(show_output=True)
print(run.get_details()["runDefinition"]["nodeCount"])
