"""Moves: a file in another order builds the same image, and keeps its layout."""

from __future__ import annotations

import re

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from building import built
from dfcache.diagnostics import Safety
from dfcache.engine.fix import fix
from dfcache.engine.lint import Examined, examine
from dfcache.engine.settings import Settings
from dfcache.engine.verify import verify
from dfcache.model.context import MemoryContext
from dfcache.parser import parse
from simulator import FILES, BuildError, Image, simulate

MOUNT = "--mount=type=cache,target=/root/.cache/pip "
OWNED = "FROM python:3.12-slim\nCOPY --chown=1000 "
STEPS = [
    *("COPY . .", "COPY . /app", "COPY . /app/", "COPY . /srv/app", "COPY ./ ./", "COPY * ./"),
    *("COPY src src", "COPY src /srv/app/src/", "COPY src/ ./", "COPY app.py requirements.txt ./"),
    *("COPY app.py all.txt conf/limits.txt /srv/app/", "ADD . ."),
    *("COPY requirements.txt /tmp/r.txt", "COPY lib ./lib", 'COPY [".", "./"]', "COPY conf conf"),
    *("COPY requirements.txt .", "COPY all.tx[t] src/*.txt ./"),
    *("WORKDIR /app", "WORKDIR /srv/app", "WORKDIR src", "ENV A=1", "LABEL a=b", "EXPOSE 80"),
    *("ENV D=/srv/app", "ARG B=2", "CMD x", "RUN true", "RUN echo hello", "RUN chmod +x app.py"),
    *("RUN chmod +x /srv/app/app.py", "RUN touch made.txt", "RUN touch /srv/app/src/x"),
    *("RUN mkdir log", "RUN mkdir -p /srv/app/log", "RUN rm -rf src", "RUN cat app.py"),
    *("RUN cp app.py copy.py", "RUN cp requirements.txt all.txt", "RUN ./configure"),
    *("RUN cd src && touch y", "RUN cd /srv/app && ./configure", "RUN rm -rf /srv/app"),
]
INSTALLS = [
    *("pip install flask", "pip install -r requirements.txt", "pip install -r all.txt"),
    *("pip install -r /srv/app/requirements.txt", "pip install -r /tmp/r.txt six"),
    *(
        "pip install ./lib",
        "cd /srv/app && pip install -r all.txt",
        "pip install -c conf/limits.txt x",
    ),
    *("cd src && pip install -r all.txt", "pip install -r all.txt && touch done"),
    *(
        "pip install flask && ./configure",
        "cd src && pip install flask",
        "pip install -r $D/all.txt",
    ),
]


def look(source: str) -> Examined:
    return examine(source, MemoryContext(FILES), Settings())


def image(source: str) -> Image:
    return simulate(built(source, FILES))


def builds(source: str) -> bool:
    try:
        image(source)
    except BuildError:
        return False
    return True


@st.composite
def files(draw: st.DrawFn) -> str:
    """A Dockerfile of copies, installs and what may stand between them, which can be built."""
    steps = draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=6))
    steps.insert(draw(st.integers(0, len(steps))), draw(st.sampled_from(STEPS[:20])))
    for _ in range(draw(st.integers(1, 2))):
        install = f"RUN {MOUNT}{draw(st.sampled_from(INSTALLS))}"
        steps.insert(draw(st.integers(1, len(steps))), install)
    owned = draw(st.sampled_from((st.just(False), st.just(True), st.booleans())))
    steps = [re.sub("^(COPY|ADD)", r"\1 --chown=1000", s) if draw(owned) else s for s in steps]
    source = "FROM python:3.12-slim\n"
    for line in steps:
        if builds(f"{source}{line}\n"):
            source += f"{line}\n"
    return source


@given(files())
@settings(max_examples=150, deadline=None)
@example(f"FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN {MOUNT}pip install -r all.txt\n")
@example(f"{OWNED}src /srv/app/src/\nWORKDIR /srv/app\nRUN {MOUNT}pip install flask\n")
@example(f"{OWNED}. /srv/app\nRUN mkdir -p /srv/app/log\nRUN {MOUNT}pip install flask\n")
@example(
    "FROM a\nCOPY src src\nCOPY . /srv/app\nRUN pip install -r /srv/app/requirements.txt\n"
    f"RUN cd src && touch y\nRUN {MOUNT}cd src && pip install flask\n"
)
@example(
    f"FROM a\nWORKDIR /srv/app\nCOPY --chown=1000 . .\nRUN {MOUNT}pip install -r requirements.txt\n"
    f"COPY requirements.txt .\nRUN cat app.py\nRUN {MOUNT}pip install -r all.txt\n"
)
@example(
    f"{OWNED}src /srv/app/src/\nARG B=2\nRUN mkdir log\nCOPY . /srv/app\n"
    f"RUN {MOUNT}cd /srv/app && pip install -r all.txt\n"
)
@example(
    f"FROM a\nCOPY . .\nRUN {MOUNT}pip install flask\nCOPY app.py requirements.txt ./\n"
    "COPY --chown=1000 app.py requirements.txt ./\n"
    f"RUN {MOUNT}pip install -r requirements.txt\n"
)
def test_the_image_stays_the_same(source: str):
    before = image(source)
    fixed = fix(source, look, Safety.SAFE)
    verify(fixed.passes)
    event("moved" if fixed.source != source else "same")
    after = image(fixed.source)
    assert after.files == before.files
    assert after.installed == before.installed
    assert after.folders == before.folders
    assert fix(fixed.source, look, Safety.SAFE).source == fixed.source


def test_the_simulator_notices_a_wrong_order():
    right = "FROM a\nWORKDIR /app\nCOPY . .\nRUN chmod +x app.py\nRUN pip install -r all.txt\n"
    wrong = (
        "FROM a\nWORKDIR /app\nCOPY . .\nRUN chmod +x app.py\nCOPY app.py .\nRUN pip install x\n"
    )
    assert image(right).files != image(wrong).files
    with pytest.raises(BuildError):
        image("FROM a\nWORKDIR /app\nRUN pip install -r all.txt\nCOPY . .\n")
    with pytest.raises(BuildError):
        image("FROM a\nRUN cd /srv && pip install x\n")


LAYOUT = [
    # what stands behind FROM and WORKDIR, and what it becomes
    (
        "COPY . .\nRUN {M}pip install -r all.txt\n",
        "COPY all.txt requirements.txt ./\nCOPY conf/limits.txt conf/\n"
        "RUN {M}pip install -r all.txt\nCOPY . .\n",
    ),
    (
        "# the source\nCOPY . .\n# the packages\nRUN {M}pip install flask\n",
        "# the packages\nRUN {M}pip install flask\n# the source\nCOPY . .\n",
    ),
    (
        "COPY . .\n\nRUN {M}pip install flask\n\nCMD x\n",
        "\nRUN {M}pip install flask\n\nCOPY . .\n\nCMD x\n",
    ),
    (
        "COPY . .\nRUN {M}pip install flask",
        "RUN {M}pip install flask\nCOPY . .",
    ),
    (
        "COPY . .\nRUN {M}pip install \\\n    flask \\\n    six\nCMD x\n",
        "RUN {M}pip install \\\n    flask \\\n    six\nCOPY . .\nCMD x\n",
    ),
    (
        "copy . .\nrun {M}pip install -r requirements.txt\n",
        "copy requirements.txt .\nrun {M}pip install -r requirements.txt\ncopy . .\n",
    ),
    (
        "COPY . /app/\nRUN {M}pip install -r requirements.txt\n",
        "COPY requirements.txt /app/\nRUN {M}pip install -r requirements.txt\nCOPY . /app/\n",
    ),
    (
        "COPY app.py requirements.txt ./\nRUN {M}pip install -r requirements.txt\n",
        "COPY requirements.txt ./\nRUN {M}pip install -r requirements.txt\nCOPY app.py ./\n",
    ),
    (
        "COPY app.py \\\n    requirements.txt \\\n    ./\nRUN {M}pip install -r requirements.txt\n",
        "COPY requirements.txt ./\nRUN {M}pip install -r requirements.txt\n"
        "COPY app.py \\\n    ./\n",
    ),
]


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["unix", "windows"])
@pytest.mark.parametrize(("before", "after"), LAYOUT)
def test_layout(before: str, after: str, newline: str):
    def whole(text: str) -> str:
        text = "FROM python:3.12-slim\nWORKDIR /app\n" + text.replace("{M}", MOUNT)
        return text.replace("\n", newline)

    fixed = fix(whole(before), look, Safety.SAFE)
    verify(fixed.passes)
    assert fixed.source == whole(after)
    assert not parse(fixed.source).problems
