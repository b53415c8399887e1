"""Every limit of what may be logged, as a named number. docs/compatibility.md lists those that differ from MLflow's.

Lengths are in characters (Unicode code points).
"""

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1

MAX_KEY_LENGTH = 250
"""Names of metrics, params and tags, of runs and experiments alike."""

MAX_PARAM_VALUE_LENGTH = 500_000
MAX_TAG_VALUE_LENGTH = 500_000
"""MLflow cuts params at 6,000 and tags at 8,000 without a word. Here a value is kept whole or refused."""

MAX_EXPERIMENT_NAME_LENGTH = 500
MAX_EXPERIMENT_TAG_VALUE_LENGTH = 20_000
MAX_ARTIFACT_LOCATION_LENGTH = 2048

MAX_RUN_NAME_LENGTH = 10_000
MAX_USER_LENGTH = 1_000
MAX_RUN_ID_LENGTH = 256

MAX_METRICS_PER_BATCH = 1000
MAX_PARAMS_PER_BATCH = 100
MAX_TAGS_PER_BATCH = 100
MAX_ENTITIES_PER_BATCH = 1000

MAX_MODEL_NAME_LENGTH = 500
MAX_REGISTRY_TAG_VALUE_LENGTH = 100_000
MAX_ALIAS_LENGTH = 255
MAX_DESCRIPTION_LENGTH = 1_000_000
MAX_SOURCE_LENGTH = 8192
"""Of the address that a model version is made from."""

MAX_WEBHOOK_URL_LENGTH = 2_000
MAX_WEBHOOK_DESCRIPTION_LENGTH = 5_000
MAX_WEBHOOK_SECRET_LENGTH = 1_000

MAX_SHOWN_LENGTH = 300
"""How much of a refused value an error message repeats."""
