"""The endpoint with which MLflow's page for trying prompts keeps a trial as a run."""

from minleaf_server.entities.validation import parse_experiment_id
from minleaf_server.errors import InvalidParameter
from minleaf_server.rest import choices, encode, messages, replies
from minleaf_server.rest.endpoint import Endpoint
from minleaf_server.tracking import promptlab
from minleaf_server.tracking.services import Services
from minleaf_server.web.policy import Access, On, access

_REQUIRED = ("experiment_id", "prompt_template", "prompt_parameters", "model_route", "model_input", "mlflow_version")


@access(Access.LOG, On.EXPERIMENT)
async def create(services: Services, message: messages.CreatePromptlabRun) -> replies.OneRun:
    """Keep one prompt and its answer as a finished run, with a table and a model as artifacts."""
    for name in _REQUIRED:
        if not getattr(message, name):
            raise InvalidParameter(f"CreatePromptlabRun request must specify {name}.")
    trial = promptlab.Trial(
        template=message.prompt_template,
        prompt_parameters=_pairs(message.prompt_parameters),
        route=message.model_route,
        model_parameters=_pairs(message.model_parameters),
        input=message.model_input,
        output=choices.or_none(message.model_output),
        output_parameters=_pairs(message.model_output_parameters),
        mlflow_version=message.mlflow_version,
    )
    made = await promptlab.create(
        services,
        parse_experiment_id(message.experiment_id),
        trial,
        name=message.run_name or None,
        user=message.user_id or "unknown",
        start_time=choices.or_none(message.start_time),
        tags=[(tag.key, tag.value) for tag in message.tags],
    )
    return replies.OneRun(encode.run(made))


def _pairs(parameters: list[messages.PromptParameter]) -> list[tuple[str, str]]:
    return [(one.key, str(one.value)) for one in parameters]


ENDPOINTS = (Endpoint("POST", "/2.0/mlflow/runs/create-promptlab-run", create),)
