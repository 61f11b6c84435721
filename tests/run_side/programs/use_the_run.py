"""A training script that asks its run about itself, makes children and registers models; prints what it was told."""

from __future__ import annotations

import json
import os

from azureml.core import Model, Run

run = Run.get_context()
os.makedirs("outputs/net", exist_ok=True)
for path in ("outputs/model.txt", "outputs/net/a.txt", "outputs/net/b.txt"):
    with open(path, "w") as file:
        file.write(path)
run.log("loss", 0.5)
run.log("loss", 0.25)
run.log("loss", 1)
run.log("whole", 2**70)
run.log_list("list", [1, 2, 3])
run.log_row("row", x=1, y="a")
run.log_table("table", {"x": [1, 2], "y": [3, 4]})
run.tag("kind", 3)
run.add_properties({"p": 1})
run.add_properties({"p": "1"})
try:
    run.add_properties({"p": 2})
    refused = ""
except Exception as error:
    refused = type(error).__name__

told = {
    "experiment": run.experiment.name,
    "workspace": run.experiment.workspace.name,
    "ids": [run.experiment.workspace.subscription_id, run.experiment.workspace.resource_group],
    "location": run.experiment.workspace.location,
    "status": run.get_status(),
    "tags": run.get_tags(),
    "properties": run.get_properties(),
    "refused": refused,
    "metrics": run.get_metrics(),
    "one": run.get_metrics("list"),
    "none": run.get_metrics("nothing"),
    "files": run.get_file_names(),
    "parent": None if run.parent is None else run.parent.id,
    "inputs": run.input_datasets,
}
details = run.get_details()
told["details"] = [details["runId"], details["status"], details["runDefinition"]["arguments"]]
run.download_file("outputs/model.txt", "outputs/copy.txt")
with open("outputs/copy.txt") as file:
    told["downloaded"] = file.read()

with run.child_run("kid") as kid:
    kid.log("x", 1)
    told["kid's parent"] = kid.parent.id
    told["kid's workspace"] = kid.experiment.workspace.name
folds = run.create_children(tag_key="fold", tag_values=["a", "b"])
for fold in folds:
    fold.log("y", 2)
    fold.complete()
left = run.child_run("left")
again = next(child for child in run.get_children() if child.id == left.id)
again.fail("by another object")
told["left"] = [left.get_status(), again.get_details()["error"]["error"]["message"]]
told["children"] = [child.id == kid.id for child in run.get_children(status="Completed")]
told["folds"] = [child.get_tags()["fold"] for child in run.get_children(tags="fold")]
told["below"] = sorted(map(list, run.get_metrics(recursive=True).values()))
told["again"] = Run(run.experiment, run.id).get_metrics() == run.get_metrics()

models = [run.register_model("net", "outputs/net", tags={"k": "v"}), run.register_model("text", "./outputs/model.txt")]
told["models"] = [[model.name, model.version, model.run_id == run.id] for model in models]
try:
    run.register_model("none", "outputs/none.txt")
except Exception as error:
    told["missing"] = type(error).__name__
if models[0].version is not None:
    told["path"] = Model.get_model_path("net")
    told["model"] = Model(run.experiment.workspace, "text").id
    told["listed"] = [model.id for model in Model.list(run.experiment.workspace, name="net")]
    told["of a run"] = models[0].run.id == run.id
print(json.dumps(told))
