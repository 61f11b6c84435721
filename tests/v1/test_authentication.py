"""Ways to sign in: accepted, told once, and forgotten."""

import gc
import os
import subprocess
import sys

import pytest

from amlnb.api import authentication
from amlnb.errors import NotServedException

SECRET = "hunter2-and-more"
WAYS = {
    "InteractiveLoginAuthentication": {"force": True, "tenant_id": SECRET},
    "ServicePrincipalAuthentication": {
        "tenant_id": "t", "service_principal_id": "i", "service_principal_password": SECRET,
    },
    "AzureCliAuthentication": {},
    "MsiAuthentication": {"identity_config": {"client_id": SECRET}},
    "TokenAuthentication": {"get_token_for_audience": lambda audience: SECRET},
    "ArmTokenAuthentication": {"arm_access_token": SECRET},
    "AzureMLTokenAuthentication": {"token": SECRET},
}  # fmt: skip


@pytest.mark.parametrize(("name", "given"), WAYS.items())
def test_what_was_given_is_forgotten(name, given):
    made = getattr(authentication, name)(**given)
    assert repr(made) == f"{name}()"
    assert vars(made) == {}
    assert not gc.get_referents(made) or SECRET not in str(gc.get_referents(made))
    for call in (made.get_authentication_header, made.get_token):
        with pytest.raises(NotServedException, match=f"{name}.get_authentication_header"):
            call()


def test_a_keyword_that_is_misspelt_is_an_error():
    with pytest.raises(TypeError, match="tenent_id"):
        authentication.InteractiveLoginAuthentication(tenent_id="x")
    with pytest.raises(TypeError):
        authentication.ServicePrincipalAuthentication("tenant")


def test_it_is_told_once():
    program = (
        "from amlnb.api.authentication import *\n"
        "for number in range(3): InteractiveLoginAuthentication(); MsiAuthentication()"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert told.stderr == "amlnb: there is no cloud and nothing to sign in to; what was given for it is not kept\n"
    assert told.stdout == ""
