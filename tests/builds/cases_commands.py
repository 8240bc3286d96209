"""How the install is written: shells, heredocs, chains, comments, other programs beside it."""

from __future__ import annotations

from lab.cases import Bump, Case
from parts import APP, BETA, BETA_BUMP, BULK_CUT, LEFT, NOT_KEPT, npm

COMMANDS = (
    Case(
        name="heredoc-bash",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN <<EOF bash
set -euo pipefail
# a comment
pip install \\
  --no-cache-dir \\
  -r requirements.txt
rm -rf /root/.cache/pip /var/tmp/*
echo "a   b" > /seen
EOF
""",
        install="<<EOF",
        files=APP,
        bump=BETA_BUMP,
        lane=True,
        fix="part",
        reruns=True,
    ),
    Case(
        name="cache-removed-on-a-condition",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -r requirements.txt; \\
    if [ -d /root/.cache ]; then rm -rf /root/.cache; fi
""",
        install="pip install",
        files=APP,
        bump=NOT_KEPT,
        fix="part",
    ),
    Case(
        name="heredoc-indented-quoted",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN <<-"INSTALL"
\tset -e
\tpip install --no-cache-dir -r requirements.txt
\techo "$HOME  x" > /seen
\tINSTALL
CMD ["python", "app.py"]
""",
        install="INSTALL",
        files=APP,
        bump=BETA_BUMP,
    ),
    Case(
        name="exec-form",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN ["pip", "install", "--no-cache-dir", "-r", "requirements.txt"]
""",
        install="requirements.txt",
        files=APP,
        bump=BETA_BUMP,
        lane=True,
    ),
    Case(
        name="exec-form-of-a-shell",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN ["/bin/bash", "-c", "pip install --no-cache-dir -r requirements.txt; echo \\"a   b\\" > /seen"]
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
    ),
    Case(
        name="bash-c",
        dockerfile="""\
FROM python:3.11-slim
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /app
COPY . .
RUN bash -c "python3 -m pip install --no-cache-dir -r requirements.txt && echo 'a   b' > /seen"
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
        lane=True,
    ),
    Case(
        name="apt-and-pip-in-one-step",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN apt-get update \\
 && apt-get install -y --no-install-recommends lab-tool \\
 && pip install --no-cache-dir -r requirements.txt \\
 && apt-get clean \\
 && rm -rf /var/lib/apt/lists/* /tmp/* /root/.cache
""",
        install="apt-get update",
        files=APP,
        bump=BETA_BUMP,
        cut=BULK_CUT,
        lane=True,
    ),
    Case(
        name="semicolons-and-exit",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN set -eux; \\
    pip install --no-cache-dir -r requirements.txt; \\
    rm -rf /root/.cache /tmp/junk; \\
    echo "a   b" > /seen; \\
    exit 0
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
    ),
    Case(
        name="crlf",
        dockerfile="""\
FROM python:3.11-slim
ENV PIP_NO_CACHE_DIR=1 \\
    LANG=C.UTF-8
WORKDIR /app
COPY . .
RUN pip install \\
    # all of it
    -r requirements.txt \\
 && rm -rf ~/.cache
""".replace("\n", "\r\n"),
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
        lane=True,
    ),
    Case(
        name="comments-in-continuations",
        dockerfile="""\
# syntax comes from the builder
FROM python:3.11-slim
WORKDIR /app
COPY . .
# the packages
RUN pip install --no-cache-dir \\
    # first
    --no-compile \\

    # second: --no-cache-dir is above
    -r requirements.txt \\
    # third
 && echo "a   b  # no comment" > /seen \\
    # the end
 && true
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
        cut=BULK_CUT,
    ),
    Case(
        name="flags-on-the-first-line",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -U \\
        -r requirements.txt
RUN pip install -q --no-cache-dir \\
        lab-source==1.0
ENTRYPOINT ["python"]
""",
        install="-r requirements.txt",
        files=APP,
        bump=BETA_BUMP,
    ),
    Case(
        name="backtick-escapes",
        dockerfile="""\
# escape=`
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir `
    -r requirements.txt `
 && printf 'a\\tb   c\\n' > /seen
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
    ),
    Case(
        name="conditions-and-loops",
        dockerfile="""\
FROM python:3.11-slim
ARG DEV=1
WORKDIR /app
COPY . .
RUN if [ "$DEV" = 1 ]; then pip install --no-cache-dir -r requirements.txt; \\
    else pip install --no-cache-dir lab-beta==1.0; fi \\
 && for each in lab-source==1.0; do pip install --no-cache-dir "$each" || exit 1; done
""",
        install="if [",
        files=APP,
        bump=BETA_BUMP,
        reruns=True,
        fix="part",
    ),
    Case(
        name="sudo",
        dockerfile="""\
FROM python:3.11-slim
RUN printf '#!/bin/sh\\n[ "$1" = -H ] && shift\\nexec "$@"\\n' > /usr/local/bin/sudo \\
 && chmod +x /usr/local/bin/sudo
WORKDIR /app
COPY . .
RUN sudo -H pip3 install --no-cache-dir -r requirements.txt
""",
        install="pip3 install",
        files=APP,
        bump=BETA_BUMP,
    ),
    Case(
        name="venv-by-path-and-by-variable",
        dockerfile="""\
FROM python:3.11-slim AS build
ENV VIRTUAL_ENV=/opt/venv
RUN python -m venv $VIRTUAL_ENV
WORKDIR /src
COPY . .
RUN $VIRTUAL_ENV/bin/python -m pip install --no-cache-dir -r requirements.txt \\
 && /opt/venv/bin/pip install --no-cache-dir lab-source==1.0 \\
 && rm -rf /root/.cache/pip /tmp/*

FROM python:3.11-slim
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
COPY . /app
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
        lane=True,
    ),
    Case(
        name="wheels-of-a-stage",
        dockerfile="""\
FROM python:3.11 AS wheels
WORKDIR /src
COPY . .
RUN pip wheel --no-cache-dir --wheel-dir /wheels -r requirements.txt

FROM python:3.11-slim
COPY --from=wheels /wheels /wheels
RUN pip install --no-cache-dir --no-index --find-links=/wheels /wheels/* && rm -rf /wheels
COPY app.py /app/
""",
        install="pip wheel",
        files=APP,
        bump=BETA_BUMP,
        reruns=True,
        fix="part",
    ),
    Case(
        name="purge-command",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install -r requirements.txt && pip cache purge && rm -fr /root/.cache/* /var/tmp/*
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
        cut=BULK_CUT,
    ),
    Case(
        name="npm-install-switches",
        dockerfile="""\
FROM node:20-slim
WORKDIR /srv
COPY package.json package-lock.json ./
RUN npm ci --no-audit --prefer-offline; npm cache clean --force; rm -rf /root/.npm /tmp/*
COPY . .
""",
        install="npm ci",
        files={"app.py": "", **npm("1.0.0")},
        bump=Bump(frozenset({LEFT}), files=npm("1.1.0")),
    ),
    Case(
        name="uv-and-pip-in-one-step",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir lab-source==1.0 \\
 && uv pip install --system --no-cache -r requirements.txt
""",
        install="uv pip",
        files=APP,
        bump=Bump(frozenset({BETA}), files=BETA_BUMP.files),
    ),
)
