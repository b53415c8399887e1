"""What makes every event of the registry happen, told by the real client to any server.

Run as a program, it takes the address of a server and of a receiver: for versions of MLflow in other environments.
"""

import sys

from mlflow import MlflowClient
from mlflow.entities.webhook import VALID_ENTITY_ACTIONS, WebhookEvent

SECRET = "whsec_story"
DELIVERIES = 16
"""How many calls the story makes a server make."""


def tell(server: str, receiver: str) -> None:
    """Make a webhook that asks for everything, then do everything that it asks for."""
    client = MlflowClient(server, server)
    pairs = [(entity, action) for entity, actions in VALID_ENTITY_ACTIONS.items() for action in sorted(actions)]
    events = [WebhookEvent(*pair) for pair in pairs if pair[0].value != "budget_policy"]
    hook = client.create_webhook("story", receiver, events, secret=SECRET)
    models(client)
    prompts(client)
    client.delete_webhook(hook.webhook_id)
    client.create_registered_model("nobody is told")


def models(client: MlflowClient) -> None:
    client.create_registered_model("m", tags={"k": "v", "é": ""}, description="of a model")
    client.create_registered_model("bare")
    made = client.create_model_version("m", "s3://bucket/path", "1234567890abcdef", tags={"a": "b"}, description="one")
    client.create_model_version("m", "s3://bucket/other")
    client.set_model_version_tag("m", made.version, "key", "välue")
    client.delete_model_version_tag("m", made.version, "key")
    client.set_registered_model_alias("m", "champion", made.version)
    client.delete_registered_model_alias("m", "champion")
    client.set_registered_model_tag("m", "nobody", "asks")
    client.update_model_version("m", made.version, description="nobody asks")


def prompts(client: MlflowClient) -> None:
    client.create_prompt("p", description="of a prompt", tags={"k": "v"})
    client.create_prompt_version("p", "Hello {{name}}!", description="first", tags={"a": "b"})
    client.set_prompt_tag("p", "key", "value")
    client.delete_prompt_tag("p", "key")
    client.set_prompt_version_tag("p", "1", "key", "value")
    client.delete_prompt_version_tag("p", "1", "key")
    client.set_prompt_alias("p", "live", 1)
    client.delete_prompt_alias("p", "live")


if __name__ == "__main__":
    tell(*sys.argv[1:])
