"""The endpoints under `runs/`."""

from minleaf_server.entities import Point, PointColumns
from minleaf_server.entities.logged_model import ModelPoint
from minleaf_server.entities.validation import parse_experiment_id, validate_run_id
from minleaf_server.rest import choices, encode, messages, replies
from minleaf_server.rest.endpoint import Encoded, Endpoint
from minleaf_server.tracking import runs, search
from minleaf_server.tracking.services import Services
from minleaf_server.web.policy import Access, On, access

_USER_TAG = "mlflow.user"


@access(Access.LOG, On.EXPERIMENT)
async def create(services: Services, message: messages.CreateRun) -> replies.OneRun:
    """Create a run. Without an experiment it goes to the default one; without a name it is given one."""
    made = await runs.create(
        services.store,
        parse_experiment_id(message.experiment_id or "0"),
        name=message.run_name or None,
        user=_user(message),
        start_time=choices.or_none(message.start_time),
        tags=[(tag.key, tag.value) for tag in message.tags],
    )
    return replies.OneRun(encode.run(made))


def _user(message: messages.CreateRun) -> str:
    """The user of a new run: as given, else the one in the tag that MLflow's client sets, else "unknown"."""
    tagged = next((tag.value for tag in message.tags if tag.key == _USER_TAG), "")
    return message.user_id or tagged or "unknown"


@access(Access.READ, On.RUN)
async def get(services: Services, message: messages.RunId) -> replies.OneRun | Encoded:
    """Get a run with its latest metrics, its params and tags. Deleted runs too."""
    return Encoded(encode.one_run_json(await services.answers.get(services.store, message.run_id, encode.run_json)))


@access(Access.READ, On.EXPERIMENT)
async def find(services: Services, message: messages.SearchRuns) -> replies.Runs | Encoded:
    """Search the runs of some experiments. `max_results` is at most 50,000; without it there are 1,000."""
    query = search.RunQuery(
        experiment_ids=choices.experiment_ids(message.experiment_ids),
        filter=message.filter,
        order_by=tuple(message.order_by),
        view=choices.view(message.run_view_type, "run_view_type"),
        max_results=message.max_results,
        page_token=message.page_token or None,
        inputs=True,
    )
    return Encoded(await services.answers.search(services.store, query, encode.run_json, encode.runs_json))


@access(Access.LOG, On.RUN)
async def update(services: Services, message: messages.UpdateRun) -> replies.UpdatedRun:
    """Change the status, end time or name of a run. What is not given stays; an empty name too."""
    info = await runs.update(
        services.store,
        message.run_id,
        status=choices.status(message.status),
        end_time=choices.or_none(message.end_time),
        name=message.run_name or None,
    )
    return replies.UpdatedRun(encode.run_info(info))


@access(Access.MANAGE, On.RUN)
async def delete(services: Services, message: messages.RunId) -> replies.Empty:
    """Mark a run as deleted. Nothing of it is removed."""
    await runs.delete(services.store, message.run_id)
    return replies.Empty()


@access(Access.MANAGE, On.RUN)
async def restore(services: Services, message: messages.RunId) -> replies.Empty:
    """Bring a deleted run back."""
    await runs.restore(services.store, message.run_id)
    return replies.Empty()


@access(Access.LOG, On.RUN)
async def log_metric(services: Services, message: messages.LogMetric) -> replies.Empty:
    """Log one point of a metric. The same point again changes nothing."""
    point = Point(message.key, message.value, message.timestamp, message.step)
    await runs.log_metric(services.store, message.run_id, point, _of_model(message) if message.model_id else None)
    return replies.Empty()


@access(Access.LOG, On.RUN)
async def log_param(services: Services, message: messages.LogParam) -> replies.Empty:
    """Log a param. Its value cannot be changed; the same value again changes nothing."""
    await runs.log_param(services.store, message.run_id, message.key, message.value)
    return replies.Empty()


@access(Access.LOG, On.RUN)
async def log_batch(services: Services, message: messages.LogBatch) -> replies.Empty:
    """Log up to 1,000 points, 100 params and 100 tags, 1,000 entries in all. Either all of it is stored or nothing."""
    validate_run_id(message.run_id)
    metrics = message.metrics
    await runs.log_batch(
        services.store,
        message.run_id,
        # A pass over the metrics for each column is several times as fast as a tuple for each metric.
        metrics=PointColumns(
            [metric.key for metric in metrics],
            [metric.value for metric in metrics],
            [metric.timestamp for metric in metrics],
            [metric.step for metric in metrics],
        ),
        of_models=[_of_model(metric) for metric in metrics if metric.model_id],
        params=[(param.key, param.value) for param in message.params],
        tags=[(tag.key, tag.value) for tag in message.tags],
    )
    return replies.Empty()


def _of_model(metric: messages.NewMetric | messages.LogMetric) -> ModelPoint:
    point = Point(metric.key, metric.value, metric.timestamp, metric.step)
    return ModelPoint(point, metric.model_id, metric.dataset_name, metric.dataset_digest)


@access(Access.LOG, On.RUN)
async def set_tag(services: Services, message: messages.SetTag) -> replies.Empty:
    """Set a tag of a run. A tag that is there gets the new value."""
    await runs.set_tag(services.store, message.run_id, message.key, message.value)
    return replies.Empty()


@access(Access.LOG, On.RUN)
async def delete_tag(services: Services, message: messages.DeleteTag) -> replies.Empty:
    """Remove a tag of a run."""
    await runs.delete_tag(services.store, message.run_id, message.key)
    return replies.Empty()


ENDPOINTS = (
    Endpoint("POST", "/2.0/mlflow/runs/create", create),
    Endpoint("GET", "/2.0/mlflow/runs/get", get),
    Endpoint("POST", "/2.0/mlflow/runs/search", find),
    Endpoint("POST", "/2.0/mlflow/runs/update", update),
    Endpoint("POST", "/2.0/mlflow/runs/delete", delete),
    Endpoint("POST", "/2.0/mlflow/runs/restore", restore),
    Endpoint("POST", "/2.0/mlflow/runs/log-metric", log_metric),
    Endpoint("POST", "/2.0/mlflow/runs/log-parameter", log_param),
    Endpoint("POST", "/2.0/mlflow/runs/log-batch", log_batch),
    Endpoint("POST", "/2.0/mlflow/runs/set-tag", set_tag),
    Endpoint("POST", "/2.0/mlflow/runs/delete-tag", delete_tag),
)
