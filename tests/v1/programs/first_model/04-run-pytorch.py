# 04-run-pytorch.py: the control script
from azureml.core import Environment, Experiment, ScriptRunConfig, Workspace

if __name__ == "__main__":
    ws = Workspace.from_config()
    experiment = Experiment(workspace=ws, name="day1-experiment-train")
    config = ScriptRunConfig(source_directory="src", script="train.py", compute_target="cpu-cluster")

    env = Environment.from_conda_specification(name="pytorch-env", file_path=".azureml/pytorch-env.yml")
    config.run_config.environment = env

    run = experiment.submit(config)

    aml_url = run.get_portal_url()
    print(aml_url)
    run.wait_for_completion(show_output=True)
