"""Which experiment new runs go to."""

import logging
import os

from minleaf import _tracking_uri
from minleaf._client import MinleafClient
from minleaf._settings import variable
from minleaf._sink import current_sink
from minleaf.entities import Experiment, LifecycleStage
from minleaf.exceptions import AlreadyExists, InvalidParameter, NotFound

DEFAULT_EXPERIMENT_ID = "0"

_log = logging.getLogger("minleaf")
_active_id: str | None = None


def set_experiment(experiment_name: str | None = None, experiment_id: str | int | None = None) -> Experiment:
    """Choose the experiment for the runs started from now on in this process, by name or by id.

    A name that does not exist yet is created. A deleted experiment is not restored but an error, as with MLflow.
    The id is also put into the environment for the processes started from here.

    Raises InvalidParameter, NotFound for an unknown id, and the errors of the connection.
    """
    if (experiment_name is None) == (experiment_id is None):
        raise InvalidParameter("Give set_experiment either experiment_name or experiment_id.")
    client = MinleafClient()
    if experiment_name is not None:
        found = _by_name(client, experiment_name)
    else:
        found = client.get_experiment(str(experiment_id))
    if found.lifecycle_stage != LifecycleStage.ACTIVE:
        raise InvalidParameter(
            f"Experiment {found.name!r} (id {found.experiment_id}) is deleted and cannot take runs. Bring it back with "
            f"restore_experiment({found.experiment_id!r}), or choose another name."
        )
    _activate(found.experiment_id)
    return found


def _by_name(client: MinleafClient, name: str) -> Experiment:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found
    try:
        experiment_id = current_sink().create_experiment(name, None, None)
    except AlreadyExists:
        # Another process was quicker, or an attempt of ours whose answer was lost.
        raced = client.get_experiment_by_name(name)
        if raced is None:
            raise
        return raced
    _log.info("Created experiment %r (id %s).", name, experiment_id)
    return client.get_experiment(experiment_id)


def _activate(experiment_id: str) -> None:
    global _active_id
    _active_id = experiment_id
    os.environ["MINLEAF_EXPERIMENT_ID"] = experiment_id


def forget() -> None:
    """Go back to the experiment of the environment, else the default one."""
    global _active_id
    if _active_id is not None:
        os.environ.pop("MINLEAF_EXPERIMENT_ID", None)
    _active_id = None


def chosen_id() -> str | None:
    """The experiment that `set_experiment` chose."""
    return _active_id


def active_experiment_id() -> str:
    """The chosen experiment, else that of EXPERIMENT_NAME or EXPERIMENT_ID in the environment, else the default one.

    Raises NotFound or InvalidParameter where the environment names an experiment that does not exist, or two.
    """
    return _active_id or _from_environment() or DEFAULT_EXPERIMENT_ID


def _from_environment() -> str | None:
    name, experiment_id = variable("EXPERIMENT_NAME"), variable("EXPERIMENT_ID")
    if name is not None:
        found = _by_name(MinleafClient(), name)
        if experiment_id is not None and experiment_id != found.experiment_id:
            raise InvalidParameter(
                f"The environment names two experiments: {name!r} has the id {found.experiment_id}, and EXPERIMENT_ID "
                f"says {experiment_id}. Unset one of the two."
            )
        return found.experiment_id
    if experiment_id is not None:
        try:
            return MinleafClient().get_experiment(experiment_id).experiment_id
        except NotFound as error:
            raise NotFound(
                f"The environment's EXPERIMENT_ID names experiment {experiment_id!r}, which this server does not have.",
                status=error.status,
            ) from error
    return None


def set_tracking_uri(uri: str | None) -> None:
    """Choose the server by its address; None or "" goes back to the environment.

    The experiment chosen before is forgotten when the server changes, since an id means nothing on another server.
    As with MLflow, the address is also put into the environment for the processes started from here.

    Raises ConfigurationError for an address that is not http:// or https://.
    """
    before = _tracking_uri.get_tracking_uri()
    _tracking_uri.set_tracking_uri(uri)
    if _tracking_uri.get_tracking_uri() != before:
        forget()
