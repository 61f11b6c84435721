import argparse
import os

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--learning-rate", type=float, required=True)
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--message")
args = parser.parse_args()

run = Run.get_context()
print("experiment", run.experiment.name, "workspace", run.experiment.workspace.name)
print("message", args.message)

my_metric = [args.learning_rate * step for step in range(600)]
N = 250
run.log_list("my metric name", my_metric[:N])
run.log_list("my metric name", my_metric[N:])
for epoch in range(args.epochs):
    run.log("loss", 1 / (epoch + 1))
run.log_row("summary", epochs=args.epochs, rate=args.learning_rate)
run.tag("kind", "demo")

os.makedirs("outputs", exist_ok=True)
os.makedirs("logs", exist_ok=True)
with open("outputs/my_output_file", "w") as file:
    file.write("the output")
with open("logs/progress.txt", "w") as file:
    file.write("the log")
with open("elsewhere.txt", "w") as file:
    file.write("lost")

child = run.child_run(name="evaluation")
child.log("accuracy", 0.9)
child.complete()
run.complete()
