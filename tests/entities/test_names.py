"""Names that are made up for runs."""

import re

from mlflow.utils import name_utils

from minleaf_server.entities.names import random_run_name


def test_a_made_up_name_begins_with_a_word_that_mlflow_could_have_taken() -> None:
    for _ in range(300):
        adjective, noun, number = random_run_name().split("-")
        assert adjective in name_utils._GENERATOR_PREDICATES
        assert noun.isalpha()
        assert re.fullmatch("[1-9][0-9]{0,2}", number)
