"""schemathesis on what the server's OpenAPI documents declare: none of its requests is answered by a 5xx.

`test_api_fuzz.py` sends what no document declares, raw bytes and odd headers, too.
"""

from collections import Counter
from typing import Any

import pytest
import requests
import schemathesis
import yaml
from api_server import TOKEN, StartApi
from hypothesis import given
from hypothesis import strategies as st
from random_sets import examples
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from test_api_fuzz import ANSWER_SECONDS, is_failure

DOCUMENTS = ("api/v1", "apis/apps/v1", "apis/autoscaling/v2", "apis/networking.istio.io/v1")
NAMED = {"namespace": "default", "name": "it"}

Operation = APIOperation[Any, Any, Any, Any]


@pytest.fixture
def session() -> requests.Session:
    """A client with the administrator's token."""
    made = requests.Session()
    made.headers["Authorization"] = f"Bearer {TOKEN}"
    return made


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_is_declared_is_answered(document: str, start_api: StartApi, session: requests.Session) -> None:
    kubeconfig = yaml.safe_load(start_api(injection=False).kubeconfig.read_text())
    server = kubeconfig["clusters"][0]["cluster"]["server"]
    declared = session.get(f"{server}/openapi/v3/{document}", timeout=ANSWER_SECONDS).json()
    found = schemathesis.openapi.from_dict(declared).get_all_operations()
    statuses: Counter[int] = Counter()

    @examples(10)
    @given(case=st.sampled_from([one.ok() for one in found if isinstance(one, Ok)]).flatmap(_cases))
    def every(case: "Case[Any]") -> None:
        if "watch" in case.query:
            case.query["timeoutSeconds"] = "1"
        answer = case.call(base_url=server, session=session, timeout=ANSWER_SECONDS)
        statuses[answer.status_code] += 1
        assert not is_failure(answer.status_code, answer.text)

    every()
    print(dict(sorted(statuses.items())))
    assert min(statuses) < 300


def _cases(operation: Operation) -> "st.SearchStrategy[Case[Any]]":
    """Return requests as they are declared, on objects that may be there, and others."""
    names = {parameter.name for parameter in operation.path_parameters}
    known = {name: value for name, value in NAMED.items() if name in names}
    return st.one_of(
        operation.as_strategy(path_parameters=known),
        operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
    )
