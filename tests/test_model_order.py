"""What a COPY that moves can pass, what goes along with it, and what holds it."""

from __future__ import annotations

import pytest

from building import built
from dfcache.model.build import CopyStep
from dfcache.model.order import configures, installs, passes

FILES = {"app.py": "x\n", "requirements.txt": "flask\n", "src/a.py": "x\n", "run.sh": "x\n"}


def verdict(step: str, copy: str = "COPY . .", before: str = "WORKDIR /app\n") -> str:
    made = built(f"FROM python:3.12-slim\n{before}{copy}\n{step}\n", FILES)
    *_, moving, last = made.stages[0].steps
    return passes(made, last, [moving])


PASSED = [
    *("LABEL a=b", "EXPOSE 80", "CMD x", 'ENTRYPOINT ["x"]', "HEALTHCHECK NONE", "STOPSIGNAL 9"),
    *("ENV A=1", "ARG A=1", "USER nobody", "WORKDIR /app", "WORKDIR .", "VOLUME /data"),
    *("RUN true", "RUN mkdir -p /data", "RUN touch /tmp/x", "RUN echo x > /tmp/y"),
    *("RUN pip install flask", "RUN apt-get update && apt-get install -y git"),
    *("COPY --from=a /x /x", "COPY src /srv/src", "RUN useradd -u 7 app"),
]


@pytest.mark.parametrize("step", PASSED)
def test_what_it_passes(step: str):
    assert verdict(step) == ""


JOINS = [
    *("RUN chmod +x run.sh", "RUN chmod 755 /app/run.sh", "RUN rm -rf src", "RUN cat app.py"),
    *(
        "RUN cp app.py /b.py",
        "RUN chown -R 7 /app",
        "RUN sed -i s/a/b/ app.py",
        "RUN rm -rf /app/*",
    ),
    *("COPY --from=a /x /app/app.py", "COPY --chown=7 src src", "RUN ls src > /tmp/list"),
]


@pytest.mark.parametrize("step", JOINS)
def test_what_goes_along(step: str):
    assert verdict(step) == "joins"


HOLDS = [
    *("RUN ./run.sh", "RUN python app.py", "RUN make", "RUN bash run.sh", "RUN env A=1 ./run.sh"),
    *("RUN $TOOL", "VOLUME /app", "ADD https://example.org/x /app/"),
    "RUN --mount=type=bind,target=/x cat /x/app.py",
]


@pytest.mark.parametrize("step", HOLDS)
def test_what_holds_it(step: str):
    assert verdict(step) not in ("", "joins")


def test_a_relative_destination_needs_its_working_directory():
    assert verdict("WORKDIR /srv", "COPY . .") not in ("", "joins")
    assert verdict("WORKDIR /srv", "COPY . /x") == ""


def test_variables_that_it_uses_hold_it():
    before = "WORKDIR /app\nENV D=/a\n"
    assert "sets D" in verdict("ENV D=/b", "COPY . $D/", before)
    assert "sets D" in verdict("ARG D", "COPY . ${D}/", before)
    assert verdict("ENV E=/b", "COPY . $D/", before) == ""


def test_a_copy_of_who_knows_what_holds_it():
    assert verdict("COPY $WHAT /app", before="WORKDIR /app\nARG WHAT\n") not in ("", "joins")


def test_the_same_file_by_the_same_owner_is_no_quarrel():
    assert verdict("COPY app.py .") == ""
    assert verdict("COPY requirements.txt app.py") == "joins"


CONFIGURES = [
    *(("COPY app.py /usr/local/lib/python3.12/site-packages/", True), ("COPY . /etc/", True)),
    *(("COPY src /usr/lib/x", True), ("COPY . .", False), ("COPY . /srv", False)),
    *(("COPY run.sh /usr/bin/", True), ("COPY run.sh /usr/local/bin/", False)),
]


@pytest.mark.parametrize(("copy", "expected"), CONFIGURES)
def test_what_an_install_may_read_unasked(copy: str, expected: bool):
    made = built(f"FROM python:3.12-slim\nWORKDIR /app\n{copy}\n", FILES)
    step = made.stages[0].steps[-1]
    assert isinstance(step, CopyStep)
    assert configures(made, step) is expected


def test_a_pip_conf_is_read_unasked():
    made = built("FROM python:3.12-slim\nCOPY . /root/.config/pip/\n", {"pip.conf": "[global]\n"})
    step = made.stages[0].steps[-1]
    assert isinstance(step, CopyStep)
    assert configures(made, step)


def test_installs_of_a_stage():
    made = built("FROM a\nRUN x\nRUN pip install y\nRUN pip install --no-index z\nRUN npm ci\n")
    assert [step.instruction.rest.value for step in installs(made.stages[0])] == [
        "pip install y",
        "npm ci",
    ]
