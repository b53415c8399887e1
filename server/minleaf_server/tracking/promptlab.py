"""Runs of MLflow's page for trying prompts: one prompt and its answer, with the files that MLflow keeps of it."""

import json
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from platform import python_version
from typing import Any
from uuid import uuid4

from minleaf_server.db.write.experiments import now_ms
from minleaf_server.entities import NO_POINTS, Run, RunStatus
from minleaf_server.entities.validation import validate_batch
from minleaf_server.errors import MinleafError
from minleaf_server.tracking import artifacts, runs
from minleaf_server.tracking.services import Services

TABLE = "eval_results_table.json"

Pairs = Sequence[tuple[str, str]]

_VERSION = re.compile(r"[0-9A-Za-z.+\-]{1,50}")
# JSON is YAML but for these, which YAML wants escaped.
_ESCAPED_IN_YAML = re.compile("[\x7f-\x9f\ufeff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Trial:
    """One prompt: the template, what it was filled in with, the route it was sent to, and what came back."""

    template: str
    prompt_parameters: Pairs
    route: str
    model_parameters: Pairs
    input: str
    output: str | None
    output_parameters: Pairs
    mlflow_version: str


async def create(
    services: Services,
    experiment_id: int,
    trial: Trial,
    *,
    name: str | None,
    user: str,
    start_time: int | None,
    tags: Pairs,
) -> Run:
    """A finished run with the trial as params, tags and artifacts.

    Where the artifacts cannot be stored the run is FAILED, as in MLflow. Raises what `runs.create` and
    `runs.log_batch` raise, and then there is no run.
    """
    params = [*trial.model_parameters, ("model_route", trial.route), ("prompt_template", trial.template)]
    validate_batch(NO_POINTS, params, [])
    started = now_ms() if start_time is None else start_time
    made = await runs.create(services.store, experiment_id, name=name, user=user, start_time=started, tags=tags)
    model = {
        "run_id": made.info.id,
        "artifact_path": "model",
        "utc_time_created": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
        "model_uuid": uuid4().hex,
        "flavors": {},
    }
    marks = [
        ("mlflow.loggedArtifacts", json.dumps([{"path": TABLE, "type": "table"}])),
        ("mlflow.runSourceType", "PROMPT_ENGINEERING"),
        ("mlflow.log-model.history", json.dumps([model])),
    ]
    await runs.log_batch(services.store, made.info.id, params=params, tags=marks)
    try:
        await _store_files(services, made.info.id, {TABLE: _table(trial), **_model_files(trial, model)})
        status = RunStatus.FINISHED
    except MinleafError:
        status = RunStatus.FAILED
    await runs.update(services.store, made.info.id, status=status, end_time=now_ms())
    return await runs.get(services.store, made.info.id)


async def _store_files(services: Services, run_id: str, files: dict[str, str]) -> None:
    root = await artifacts.of_run(services, run_id)
    for path, text in files.items():
        place = root.at(path)
        await place.repository.write(place.path, _parts(text))


async def _parts(text: str) -> AsyncIterator[bytes]:
    yield text.encode()


def _table(trial: Trial) -> str:
    """The one row that MLflow's pages show in their table of evaluations."""
    row = dict([*trial.prompt_parameters, ("prompt", trial.input), ("output", trial.output), *trial.output_parameters])
    return json.dumps({"columns": list(row), "data": [list(row.values())]})


def _model_files(trial: Trial, model: dict[str, Any]) -> dict[str, str]:
    """The files of a model that `mlflow.pyfunc` loads: it fills in the template and asks the route."""
    version = trial.mlflow_version if _VERSION.fullmatch(trial.mlflow_version) else ""
    requirement = f"mlflow[gateway]=={version}" if version else "mlflow[gateway]"
    example = {"inputs": [value for _, value in trial.prompt_parameters]}
    pip = {"pip": [requirement]}
    texts = {
        "MLmodel": _yaml(_mlmodel(trial, model)),
        "parameters.yaml": _yaml(_parameters(trial)),
        "requirements.txt": requirement,
        "conda.yaml": _yaml(
            {
                "name": "mlflow-env",
                "channels": ["conda-forge"],
                "dependencies": [f"python={python_version()}", "pip", pip],
            }
        ),
        "python_env.yaml": _yaml({"python": python_version(), "dependencies": ["-r requirements.txt"]}),
        "input_example.json": json.dumps(example),
        "serving_input_example.json": json.dumps({"inputs": example}),
    }
    return {f"model/{name}": text for name, text in texts.items()}


def _mlmodel(trial: Trial, model: dict[str, Any]) -> dict[str, Any]:
    inputs = [{"type": "string", "name": key, "required": True} for key, _ in trial.prompt_parameters]
    outputs = [{"type": "string", "name": "output", "required": True}]
    flavor = {
        "loader_module": "mlflow.prompt.promptlab_model",
        "parameters_path": "parameters.yaml",
        "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
        "python_version": python_version(),
    }
    return model | {
        "flavors": {"python_function": flavor},
        "mlflow_version": trial.mlflow_version,
        "saved_input_example_info": {
            "artifact_path": "input_example.json",
            "serving_input_path": "serving_input_example.json",
            "type": "json_object",
        },
        "signature": {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs), "params": None},
    }


def _parameters(trial: Trial) -> dict[str, Any]:
    return {
        "prompt_template": trial.template,
        "prompt_parameters": dict(trial.prompt_parameters),
        "model_parameters": dict(trial.model_parameters),
        "model_route": trial.route,
    }


def _yaml(data: dict[str, Any]) -> str:
    """The data as JSON, which YAML is a superset of."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    return _ESCAPED_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
