"""Channels: names to addresses with conda's own configuration, and no credential left in any of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlnb.environments import conda_channels
from amlnb.environments.conda_channels import Channels
from amlnb.errors import EnvironmentBuildException
from amlnb.specs.environment_spec import EnvironmentSpec

DEFAULTS = ("https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r")
CONDARC = {
    "channels": ["ours", "conda-forge"],
    "default_channels": ["https://mirror.invalid/main", "second"],
    "channel_alias": "https://mirror.invalid/all/",
    "custom_channels": {"ours": "https://me:pw@private.invalid/conda", "ours/deep": "file:///srv"},
    "custom_multichannels": {"both": ["ours", "both"]},
}


def resolved(named, configured, credentials=None, environ=None):
    return conda_channels.resolve(named, configured, credentials or {}, environ or {})


@pytest.mark.parametrize(
    ("named", "configured", "addresses"),
    [
        (["conda-forge"], {}, ("https://conda.anaconda.org/conda-forge",)),
        (["conda-forge/label/dev"], {}, ("https://conda.anaconda.org/conda-forge/label/dev",)),
        (["defaults"], {}, DEFAULTS),
        ([""], {}, DEFAULTS),
        (["defaults", "pytorch"], {}, (*DEFAULTS, "https://conda.anaconda.org/pytorch")),
        (["conda-forge", "nodefaults"], {}, ("https://conda.anaconda.org/conda-forge",)),
        (["nodefaults"], {}, DEFAULTS),
        (["https://h.invalid/c/", "https://h.invalid/c"], {}, ("https://h.invalid/c",)),
        (["/srv/channel"], {}, ("file:///srv/channel",)),
        (["file:///srv/channel/"], {}, ("file:///srv/channel",)),
        ([""], CONDARC, ("https://private.invalid/conda/ours", "https://mirror.invalid/all/conda-forge")),
        (["defaults"], CONDARC, ("https://mirror.invalid/main", "https://mirror.invalid/all/second")),
        (["ours/deep/one"], CONDARC, ("file:///srv/ours/deep/one",)),
        (["ours-not"], CONDARC, ("https://mirror.invalid/all/ours-not",)),
        (["both"], CONDARC, ("https://private.invalid/conda/ours", "https://mirror.invalid/all/both")),
        (["https://${HOST}/c"], {}, ("https://h.invalid/c",)),
    ],
)
def test_names_become_addresses_as_with_conda(named, configured, addresses):
    assert resolved(named, configured, environ={"HOST": "h.invalid"}).addresses == addresses


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({"conda": ("numpy",)}, ("",)),
        ({"conda": ("numpy",), "channels": ("a", "b")}, ("a", "b")),
        ({"conda": ("c::numpy", "a::scipy"), "channels": ("a",)}, ("a", "c")),
        ({"conda": ("c::numpy",)}, ("", "c")),
        ({"conda": ("https://h.invalid/c::numpy>=1",)}, ("", "https://h.invalid/c")),
    ],
)
def test_channels_that_packages_name_are_asked_too(spec, named):
    assert conda_channels.of(EnvironmentSpec(**spec)) == named


@pytest.mark.parametrize(
    ("address", "clean", "found"),
    [
        ("https://h.invalid/c", "https://h.invalid/c", {}),
        ("https://me:p%40w@h.invalid:8/c", "https://h.invalid:8/c", {"h.invalid:8": "me:p%40w"}),
        ("https://me@h.invalid/c", "https://h.invalid/c", {"h.invalid": "me:"}),
        ("https://h.invalid/t/tk-12/c/label", "https://h.invalid/c/label", {"h.invalid": "tk-12"}),
        ("file:///t/folder", "file:///t/folder", {}),
        ("conda-forge", "conda-forge", {}),
    ],
)
def test_credentials_are_split_off(address, clean, found):
    assert conda_channels.split_secret(address) == (clean, found)


@given(
    st.text("abcXYZ09%._~-", min_size=1),
    st.text("abcXYZ09%._~-:", min_size=1),
    st.sampled_from(["h.invalid", "h.invalid:81"]),
)
def test_no_password_is_left_in_an_address_and_none_is_lost(user, password, host):
    channels = resolved([f"https://{user}:{password}@{host}/c"], {})
    assert channels.addresses == (f"https://{host}/c",)
    assert channels.credentials == {host: f"{user}:{password}"}
    assert password not in repr(channels) or password in f"https://{host}/c" + repr(Channels(("",)))
    assert set(channels.headers()("h.invalid", "/c")) == {"Authorization"}
    assert channels.headers()("other.invalid", "/c") is None


def test_the_specifications_credentials_go_before_those_of_the_configuration():
    found = resolved(["ours"], CONDARC, {"private.invalid": "you:other"})
    assert found.credentials == {"private.invalid": "you:other"}


def test_files_that_count_more_go_over_the_others(tmp_path):
    home, prefix = tmp_path / "home", tmp_path / "prefix"
    (home / ".config" / "conda").mkdir(parents=True)
    prefix.mkdir()
    (home / ".config" / "conda" / ".condarc").write_text("channels: [far]\nchannel_alias: https://far.invalid\n")
    (home / ".condarc").write_text("channels: [near]\ncustom_channels: {a: https://near.invalid}\nssl_verify: true\n")
    (prefix / ".condarc").write_text("custom_channels: {b: https://prefix.invalid}\nchannels: [near, nearest]\n")
    found = conda_channels.configuration({"HOME": str(home), "CONDA_PREFIX": str(prefix)})
    assert found["channels"] == ["near", "nearest", "far"]
    assert found["channel_alias"] == "https://far.invalid"
    assert found["custom_channels"] == {"a": "https://near.invalid", "b": "https://prefix.invalid"}
    environ = {"HOME": str(home), "CONDA_CHANNELS": "x, y", "CONDA_CHANNEL_ALIAS": "https://told.invalid"}
    found = conda_channels.configuration(environ)
    assert (found["channels"], found["channel_alias"]) == (["x", "y"], "https://told.invalid")


@pytest.mark.parametrize("text", ["channels: [a", "channels: {a: [}", "\x00"])
def test_a_configuration_that_is_no_yaml_is_told(tmp_path, text):
    (tmp_path / ".condarc").write_text(text)
    with pytest.raises(EnvironmentBuildException, match="condarc"):
        conda_channels.configuration({"HOME": str(tmp_path)})


@pytest.mark.parametrize(
    "text",
    ["", "- a\n- b\n", "text", "channels:\n", "channels: one\n", "default_channels: 3\n", "custom_channels: [a]\n"],
)
def test_a_configuration_of_another_shape_does_no_harm(tmp_path, text):
    (tmp_path / ".condarc").write_text(text)
    found = conda_channels.configuration({"HOME": str(tmp_path)})
    assert resolved(["", "conda-forge"], found).addresses == (*DEFAULTS, "https://conda.anaconda.org/conda-forge")


@pytest.mark.parametrize(
    ("told", "trusted"), [("{folder}/ca.pem", True), ("/no/such/ca.pem", False), (True, False), (None, False)]
)
def test_certificates_are_those_that_conda_is_told_to_trust(tmp_path, told, trusted):
    (tmp_path / "ca.pem").write_text("")
    told = told.format(folder=tmp_path) if isinstance(told, str) else told
    assert conda_channels.certificates({"ssl_verify": told}) == (told if trusted else None)
