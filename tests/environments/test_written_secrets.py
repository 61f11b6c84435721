"""Secrets that were written out are refused, and not repeated; what only looks like one is not."""

import pytest

from amlnb.environments import conda_text, requirements_text
from amlnb.environments.asking import request_of
from amlnb.errors import UserErrorException
from amlnb.specs.environment_spec import EnvironmentSpec

SECRET = "S3cr3t"

ADDRESSES = {
    "sig": "https://h.example/simple?sv=2020&sig=S3cr3t",
    "token": "https://h.example/simple?token=S3cr3t",
    "access_token": "https://h.example/simple?access_token=S3cr3t&x=1",
    "apiKey": "https://h.example/simple?a=1;apiKey=S3cr3t",
    "X-Amz-Signature": "https://h.example/simple?X-Amz-Date=1&X-Amz-Signature=S3cr3t",
    "X-Amz-Security-Token": "https://h.example/simple?X-Amz-Security-Token=S3cr3t",
    "password": "https://h.example/simple?user=a&password=S3cr3t#sha256=1",
    "pass": "https://h.example/simple?pass=S3cr3t",
    "db_pwd": "https://h.example/simple?db_pwd=S3cr3t",
}


def test_a_variable_in_a_part_of_it_makes_it_no_variable():
    with pytest.raises(UserErrorException, match="is a secret") as raised:
        requirements_text.parse([("here", "-i https://h.example/simple?token=S3cr3t${X}")], "/", {"X": "x"})
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("form", ["-i {}", "--extra-index-url {}", "-f {}", "spam @ {}", "-e git+{}"])
@pytest.mark.parametrize("name", ADDRESSES)
def test_of_a_requirements_file(name, form):
    with pytest.raises(UserErrorException) as raised:
        requirements_text.parse([("here", form.format(ADDRESSES[name]))], "/", {})
    assert raised.value.message.startswith(f"here: {name} in the address of h.example is a secret")
    assert f"{name}=${{TOKEN}}" in raised.value.hint
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("name", ADDRESSES)
def test_of_a_channel(tmp_path, name):
    path = tmp_path / "environment.yml"
    path.write_text(f"channels: ['{ADDRESSES[name]}']\ndependencies: [python]\n")
    with pytest.raises(UserErrorException, match="is a secret"):
        conda_text.read(str(path), {}, "environment.yml")


@pytest.mark.parametrize(
    "query", ["sig=${TOKEN}", "sv=2020&sp=r", "monkeys=2", "keyring=x", "tokenizer=fast", "sig=", "subdirectory=key"]
)
def test_what_is_no_secret_in_a_query(query):
    address = f"https://h.example/simple?{query}"
    assert requirements_text.parse([("here", f"-i {address}")], "/", {"TOKEN": SECRET}).options == [
        f"--index-url {address}"
    ]


DOCKERFILES = {
    "ENV": ("ENV API_TOKEN=S3cr3t", "the value of API_TOKEN"),
    "several": ('ENV A=1 \\\n  # why\n  DB_PASSWORD="S3cr3t"', "the value of DB_PASSWORD"),
    "without =": ("env HF_TOKEN S3cr3t", "the value of HF_TOKEN"),
    "ARG": ("ARG AWS_SECRET_ACCESS_KEY='S3cr3t'", "the value of AWS_SECRET_ACCESS_KEY"),
    "an address": ("RUN pip install -i https://me:S3cr3t@h.example/simple spam", "a user or password in an address"),
    "a token": ("RUN git clone https://S3cr3t@h.example/x.git", "a user or password in an address"),
    "a query": ("ADD https://h.example/x?sig=S3cr3t /x", "sig in an address"),
    "an old form with =": ("ENV API_TOKEN S3cr3t==", "the value of API_TOKEN"),
    "an old form with blanks": ("ENV API_TOKEN  S3cr3t a=b", "the value of API_TOKEN"),
    "an old form with tabs": ("ENV\tAPI_TOKEN\tS3cr3t a=b", "the value of API_TOKEN"),
    "a $ that is no variable": ("ENV API_TOKEN=S3cr3t$cd", "the value of API_TOKEN"),
    "a default": ("ARG API_TOKEN\nENV API_TOKEN=${API_TOKEN:-S3cr3t}", "the value of API_TOKEN"),
    "PASS": ("ENV DB_PASS=S3cr3t", "the value of DB_PASS"),
    "PWD": ("ENV MYSQL_PWD=S3cr3t", "the value of MYSQL_PWD"),
    "PASSWD": ("ENV DB_PASSWD=S3cr3t", "the value of DB_PASSWD"),
    "one word": ("ENV PGPASSWORD=S3cr3t", "the value of PGPASSWORD"),
    "a connection string": ("ENV DB_CONNECTION_STRING='Key=S3cr3t'", "the value of DB_CONNECTION_STRING"),
    "LABEL": ("LABEL api_token=S3cr3t", "the value of api_token"),
    "a command": ("RUN API_TOKEN=S3cr3t make", "the value of API_TOKEN"),
    "a later command": ("RUN cd x && A=1  API_TOKEN='S3cr3t' make", "the value of API_TOKEN"),
    "export": ("RUN --network=host export A=1 API_TOKEN=S3cr3t; make", "the value of API_TOKEN"),
    "a here-document": ("RUN <<END\nexport API_TOKEN=S3cr3t\nEND", "the value of API_TOKEN"),
    "a password with /": (
        "RUN pip install -i https://me:S3cr3t/w@h.example/simple x",
        "a user or password in an address",
    ),
    "a password with $": (
        "RUN pip install -i https://me:S3cr3t$$w@h.example/simple x",
        "a user or password in an address",
    ),
    "ssh": ("RUN git clone ssh://me:S3cr3t@h.example/x", "a user or password in an address"),
    "ftp": ("ADD ftp://me:S3cr3t@h.example/x /x", "a user or password in an address"),
    "a part of a query": ("ADD https://h.example/x?token=S3cr3t${X} /x", "token in an address"),
    "pass in a query": ("ADD https://h.example/x?pass=S3cr3t /x", "pass in an address"),
    "DOS": ("ENV A=1 \\\r\n  API_KEY=S3cr3t\r\n", "the value of API_KEY"),
}


@pytest.mark.parametrize("name", DOCKERFILES)
def test_of_a_dockerfile(name):
    text, told = DOCKERFILES[name]
    with pytest.raises(UserErrorException) as raised:
        request_of(EnvironmentSpec(origin="Dockerfile", dockerfile=f"FROM x\n{text}\n"), {})
    assert raised.value.message.startswith(f"Dockerfile has a secret in it, {told}: ")
    assert "docker build --secret" in raised.value.hint
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "ARG GITHUB_TOKEN",
        "ARG GITHUB_TOKEN=",
        "ENV GITHUB_TOKEN=$TOKEN GITHUB_TOKEN=${TOKEN}",
        "ENV TOKENIZERS_PARALLELISM=false KEY_FILE=/run/key PASSWORD_FILE=/run/password SORT_KEY=id",
        "# ENV API_TOKEN=S3cr3t",
        "ENV PWD=/work OLDPWD=/ BYPASS=1 COMPASS=x",
        "ENV GITHUB_TOKEN $TOKEN",
        "ENV GITHUB_TOKEN=${TOKEN:-}",
        "RUN API_TOKEN=$(cat /run/secrets/token | head -1) make && API_TOKEN=`cat x` make",
        'RUN API_TOKEN="$(cat /run/secrets/token)" make',
        "RUN git clone ssh://git@h.example:22/x.git https://h.example:8443/x.git@v1 https://h.example/a:b@c",
        "RUN curl https://h.example/x?token=$TOKEN",
        "RUN echo API_TOKEN=x",
        "RUN pip install -i https://${USER}:${TOKEN}@h.example/simple spam",
        "RUN pip install -i https://$USER:$TOKEN@h.example/simple git+ssh://git@h.example/x.git",
        "RUN pip install git+https://h.example/x.git@v1 https://h.example/x?sv=1",
        "RUN --mount=type=secret,id=token cat /run/secrets/token",
    ],
)
def test_what_is_no_secret_in_a_dockerfile(text):
    request_of(EnvironmentSpec(dockerfile=f"FROM x\n{text}\n"), {})
