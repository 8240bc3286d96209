"""Programs that scripts really start, with their arguments, variables, folder and user."""

from __future__ import annotations

import pytest

from building import run
from dfcache.model.invocations import Invocation


def last(script: str, before: str = "") -> Invocation:
    return run(script, before).invocations[-1]


def text(made: Invocation) -> str:
    return " ".join(["?" if part is None else part for part in _parts(made)])


def _parts(made: Invocation) -> list[str | None]:
    return [made.program, *(argument.value for argument in made.args)]


PROGRAMS = [
    ("pip install x", "pip install x"),
    ("/venv/bin/pip install x", "pip install x"),
    ("./pip install x", "pip install x"),
    ("$VENV/bin/pip install x", "pip install x"),
    ("${VENV:-/v}/bin/pip install x", "pip install x"),
    ("$(which pip) install x", "? install x"),
    ("$UNKNOWN install x", "? install x"),
    ("'pip' \"install\" x\\ y", "pip install x y"),
    ("sudo pip install x", "pip install x"),
    ("sudo -H pip install x", "pip install x"),
    ("sudo -E -u app pip install x", "pip install x"),
    ("sudo --user app -- pip install x", "pip install x"),
    ("sudo -u app A=1 pip install x", "pip install x"),
    ("env pip install x", "pip install x"),
    ("env A=1 B=2 pip install x", "pip install x"),
    ("env -u A -C /srv pip install x", "pip install x"),
    ("env -i pip install x", "?"),
    ("exec pip install x", "pip install x"),
    ("exec -a name pip install x", "pip install x"),
    ("command pip install x", "pip install x"),
    ("nohup nice -n 5 pip install x", "pip install x"),
    ("timeout 600 pip install x", "pip install x"),
    ("timeout -k 5 --signal=9 600 pip install x", "pip install x"),
    ("gosu app pip install x", "pip install x"),
    ("su-exec app:app pip install x", "pip install x"),
    ("xargs -n 1 pip install", "pip install"),
    ("conda run -n x pip install y", "pip install y"),
    ("conda run --name=x pip install y", "pip install y"),
    ("conda run -n x --no-capture-output pip install y", "pip install y"),
    ("micromamba run -p /opt/x pip install y", "pip install y"),
    ("poetry run pip install y", "pip install y"),
    ("pipenv run python -m pip install y", "python -m pip install y"),
    ("pyenv exec pip install y", "pip install y"),
    ("conda install y", "conda install y"),
    ("sudo env exec pip install x", "pip install x"),
    ("time pip install x", "pip install x"),
    ("! pip install x", "pip install x"),
    ("A=1 pip install x", "pip install x"),
    ("> /dev/null pip install x", "pip install x"),
    ("if true; then pip install x; fi", "pip install x"),
    ("for i in 1 2; do pip install $i; done", "pip install ?"),
    ("(cd / && pip install x)", "pip install x"),
    ("{ pip install x; }", "pip install x"),
    ("sh -c 'pip install x'", "pip install x"),
    ('bash -exc "pip install x"', "pip install x"),
    ("echo $(pip install x)", "pip install x"),
    ("true || pip install x", "pip install x"),
    ("pip install x &", "pip install x"),
    ("pip install x  # comment", "pip install x"),
    ("sudo", "sudo"),
    ("env", "env"),
]


@pytest.mark.parametrize(("script", "expected"), PROGRAMS)
def test_the_program_behind_wrappers(script: str, expected: str):
    made = run(script).invocations
    assert expected in [text(each) for each in made]


VARIABLES = [
    ("ARG P='uv pip install'\n", "$P x", "uv pip install x"),
    ("ARG P='uv pip install'\n", "${P} x", "uv pip install x"),
    ("ARG P='pip install'\n", '"$P" x', "pip install x"),
    ("ENV F=a.txt\n", "pip install -r $F", "pip install -r a.txt"),
    ("ENV F=a.txt\n", "pip install -r '$F'", "pip install -r $F"),
    ("ENV F=a.txt\n", 'pip install -r "${F}"', "pip install -r a.txt"),
    ("ENV F=a.txt\n", "pip install -r ${F%.txt}.in", "pip install -r ?"),
    ("ARG F\n", "pip install -r $F", "pip install -r ?"),
    ("ARG F\n", "pip install -r ${F:-b.txt}", "pip install -r ?"),
    ("", "F=a.txt; pip install -r $F", "pip install -r a.txt"),
    ("", "export F=a.txt && pip install -r $F", "pip install -r a.txt"),
    ("", "F=a.txt pip install -r $F", "pip install -r ?"),
    ("ENV F=a.txt\n", "unset F; pip install -r $F", "pip install -r ?"),
    ("", "if x; then F=a.txt; fi; pip install -r $F", "pip install -r ?"),
    ("ENV F=a.txt\n", "if x; then F=b.txt; fi; pip install -r $F", "pip install -r ?"),
    ("", "F=$(cat f); pip install -r $F", "pip install -r ?"),
    ("", "pip install -r $HOME/r.txt", "pip install -r /root/r.txt"),
    ("", "pip install ~/x", "pip install /root/x"),
    ("", "F=a; F=$F.txt; pip install -r $F", "pip install -r a.txt"),
    ("ENV A='x y'\n", "pip install $A", "pip install x y"),
    ("ENV A='x y'\n", 'pip install "$A"', "pip install x y"),
]


@pytest.mark.parametrize(("before", "script", "expected"), VARIABLES)
def test_arguments_held_in_variables(before: str, script: str, expected: str):
    assert text(last(script, before)) == expected


def test_words_split_only_outside_quotes():
    assert [a.value for a in last("pip install $A", "ENV A='x y'\n").args] == ["install", "x", "y"]
    assert [a.value for a in last('pip install "$A"', "ENV A='x y'\n").args] == ["install", "x y"]


FOLDERS = [
    ("x", "/app"),
    ("cd /srv && x", "/srv"),
    ("cd sub && x", "/app/sub"),
    ("cd sub; cd ..; x", "/app"),
    ("cd /a && cd b && x", "/a/b"),
    ("(cd /srv) && x", "/app"),
    ("(cd /srv && y); x", "/app"),
    ("cd $UNKNOWN && x", None),
    ("cd - && x", None),
    ("cd $HOME && x", "/root"),
    ("pushd /srv && x", "/srv"),
    ("env -C /srv x", "/srv"),
    ("sh -c 'cd /srv && x'", "/srv"),
    ("mkdir /srv && x", "/app"),
]


@pytest.mark.parametrize(("script", "expected"), FOLDERS)
def test_the_folder_it_runs_in(script: str, expected: str | None):
    got = last(script).cwd
    subshell = "(" in script or "sh -c" in script
    assert got == expected or (subshell and got is None)  # not to know it is right as well there


ENVIRONMENTS = [
    ("x", {}),
    ("A=1 x", {"A": "1"}),
    ("A=1 y; x", {}),
    ("export A=1; x", {"A": "1"}),
    ("export A=1 B=2; x", {"A": "1", "B": "2"}),
    ("env A=1 x", {"A": "1"}),
    ("sudo A=1 x", {"A": "1"}),
    ("export A=1; A=2 x", {"A": "2"}),
    ("unset A; x", {"A": None}),
]


@pytest.mark.parametrize(("script", "expected"), ENVIRONMENTS)
def test_variables_set_for_it(script: str, expected: dict[str, str | None]):
    assert dict(last(script).env) == expected


USERS = [
    ("x", None, ()),
    ("sudo x", "root", ("sudo",)),
    ("sudo -u app x", "app", ("sudo",)),
    ("sudo --user app x", "app", ("sudo",)),
    ("gosu app x", "app", ("gosu",)),
    ("su-exec app x", "app", ("su-exec",)),
    ("env x", None, ("env",)),
    ("conda run -n y x", None, ("conda run",)),
    ("sudo -H env A=1 x", "root", ("sudo", "env")),
]


@pytest.mark.parametrize(("script", "user", "wrappers"), USERS)
def test_who_runs_it(script: str, user: str | None, wrappers: tuple[str, ...]):
    made = last(script)
    assert (made.program, made.user, made.wrappers) == ("x", user, wrappers)


def test_text_for_other_places_is_no_command():
    made = run("echo 'pip install x' > a.sh && printf 'pip install y' | tee b.sh").invocations
    assert [each.program for each in made] == ["echo", "printf", "tee"]
    assert not run("cat <<EOF > a.sh\npip install x\nEOF").uses
