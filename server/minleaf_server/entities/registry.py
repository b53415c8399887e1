"""The model registry: registered models and their versions. A prompt is a registered model with a tag that says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

IS_PROMPT_TAG = "mlflow.prompt.is_prompt"
PROMPT_TEXT_TAG = "mlflow.prompt.text"
PROMPT_TYPE_TAG = "_mlflow_prompt_type"
PROMPT_SOURCES = ("dummy-source", "prompt-template")
"""What MLflow's client sends as the source of a prompt version, which has none."""


class Stage(IntEnum):
    """MLflow's stages, in its order. The numbers are what the database stores."""

    NONE = 0
    STAGING = 1
    PRODUCTION = 2
    ARCHIVED = 3

    @property
    def label(self) -> str:
        """The stage as MLflow writes it, such as `Staging`."""
        return self.name.capitalize()

    @property
    def is_active(self) -> bool:
        """Whether the stage is one in which a new version may replace the others."""
        return self in (Stage.STAGING, Stage.PRODUCTION)


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a registered model. Times in ms since 1970; tags by key and aliases in order.

    `storage_location` is where the artifacts lie, `source` what the request named. `run_id`, `run_link` and `model_id`
    (of a logged model) are empty where there is none.
    """

    name: str
    version: int
    creation_time: int
    last_updated_time: int
    description: str | None
    stage: Stage
    source: str
    storage_location: str
    run_id: str
    run_link: str
    model_id: str
    tags: dict[str, str]
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """A name with versions. `latest` has the highest version of each stage; `aliases` map to version numbers."""

    name: str
    creation_time: int
    last_updated_time: int
    description: str | None
    tags: dict[str, str]
    aliases: dict[str, int]
    latest: tuple[ModelVersion, ...]


def is_prompt(tags: Mapping[str, str]) -> bool:
    """Whether something with these tags is a prompt."""
    return tags.get(IS_PROMPT_TAG, "").lower() == "true"
