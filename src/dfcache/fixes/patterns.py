"""Giving installs the form of a pattern: from the index through a cache, offline, or hybrid.

``uv pip`` gets ``--no-index`` as pip does, not ``--offline``: with that it takes versions that its
cache has seen on the index before those of the folder, and fails where it did not keep their files
(tried with 0.13.9). Options that name an index stay: neither asks one behind ``--no-index``. Only
pip before 22.3 does, where a requirements file names it (pypa/pip#11276).
"""

from __future__ import annotations

from collections.abc import Sequence

from dfcache.fixes.attempts import drop_first, drop_second, left_out, try_again
from dfcache.fixes.cut import cut_element
from dfcache.fixes.folders import drop_mount, place_in
from dfcache.fixes.frontend import raise_frontend
from dfcache.fixes.mounts import add_flags
from dfcache.fixes.plan import Plan
from dfcache.model.asked import Asked, Given
from dfcache.model.build import Build, RunStep, per_build
from dfcache.model.forms import Form, forms, place_of, switches_off
from dfcache.model.globbing import clean
from dfcache.model.invocations import Argument
from dfcache.model.options import Option
from dfcache.model.stock import from_address, packages_in, unproved
from dfcache.model.uses import ToolUse
from dfcache.text import Edit, Span


def deviates(build: Build, form: Form, pattern: str) -> bool:
    """Whether an install has another form than ``pattern`` asks for.

    The first of two tries goes with the second. What takes its packages from another stage, or
    from where an earlier command put them, asks no network and is right in every pattern. What is
    fetched from addresses alone gains nothing from a folder.
    """
    if pattern == "offline":
        return form.kind in ("index", "second")
    if pattern == "hybrid":
        return (form.kind == "index" and not _from_addresses(form.asked)) or (
            form.kind == "offline" and _of_context(form.asked)
        )
    if form.kind == "second":
        return _of_context(form.asked) or (form.other is not None and _of_context(form.other))
    return form.kind == "offline" and _of_context(form.asked)


def _from_addresses(each: Asked) -> bool:
    """Whether all that a command asks for is fetched from addresses."""
    known = not (each.unknown or each.projects)
    return known and bool(each.wanted) and all(entry.url is not None for entry in each.wanted)


def _of_context(each: Asked) -> bool:
    place = place_of(each)
    return place is not None and place.origin is not None and place.origin.path is not None


@per_build
def follow(build: Build, step: RunStep, pattern: str) -> Plan:
    """Give the installs of a step the form of ``pattern``; those that can't be changed are left."""
    found = [form for form in forms(build, step) if deviates(build, form, pattern)]
    whole = become(build, step, found, pattern)
    if not whole.refused or len(found) == 1:
        return whole
    able = [form for form in found if not become(build, step, [form], pattern).refused]
    return become(build, step, able, pattern) if able else whole


def goes_offline(build: Build, step: RunStep, use: ToolUse) -> bool:
    """Whether a command asks no network, or is not to do so any more: it needs no cache."""
    mine = [form for form in forms(build, step) if form.asked.use is use]
    if any(not form.asked.needs_index for form in mine):
        return True
    return build.wishes.pattern == "offline" and any(
        deviates(build, form, "offline") and not become(build, step, [form], "offline").refused
        for form in mine
    )


def become(build: Build, step: RunStep, found: Sequence[Form], pattern: str) -> Plan:
    """Give some installs of a step the form of ``pattern``, whatever was asked for."""
    plan = Plan()
    if step.script.opaque:
        plan.refuse("part of the script could not be read")
    if step.instruction.opaque:
        plan.refuse(step.instruction.opaque)
    flags: dict[str, None] = {}
    for form in found:
        if pattern == "offline":
            _go_offline(build, step, form, flags, plan)
        elif pattern == "hybrid":
            _go_hybrid(build, step, form, flags, plan)
        else:
            _go_online(build, step, form, plan)
    if pattern == "cache-mount":
        for place in _places(found):
            drop_mount(build, step, place, plan)
    new = list(flags)
    if new:
        raise_frontend(build.dockerfile, new, plan)
        plan.edits.append(add_flags(build.dockerfile, step.instruction, new))
        plan.added += new
    plan.settle(build.dockerfile.source, build.dockerfile.escape)
    return plan


def _places(found: Sequence[Form]) -> list[Given]:
    each = [form.asked for form in found] + [form.other for form in found if form.other]
    return [place for place in map(place_of, each) if place is not None]


# --- offline ---------------------------------------------------------------------------------


def _go_offline(
    build: Build, step: RunStep, form: Form, flags: dict[str, None], plan: Plan
) -> None:
    each = form.other if form.kind == "second" and form.other else form.asked
    fetched = from_address(each)
    if fetched is not None:
        what = fetched.name or fetched.text
        plan.refuse(f"{what} is fetched from its address, also without an index")
    if form.kind == "second":
        drop_second(
            build, step, each.use.invocation.command, form.asked.use.invocation.command, plan
        )
    else:
        looking = _looking(build, step, each, flags, plan)
        _insert(build, step, each, ["--no-index", *looking], plan)
    _doubt(build, each, plan)


def _doubt(build: Build, each: Asked, plan: Plan) -> None:
    """Say what may be missing once no index is asked."""
    for given in each.links:
        if given.path is None and "://" in given.value:
            plan.doubt(f"{_where(given)} names {given.value}, which is asked even with --no-index")
    folder = _folder(build, each)
    if folder is None:
        plan.doubt("what the folder of packages holds can't be told")
        return
    reason = unproved(build, each, folder)
    if reason:
        plan.doubt(reason)


def _folder(build: Build, each: Asked) -> str | None:
    """The folder of the context that a command will look into; None where it is none of that."""
    place = place_of(each)
    if place is None:
        return build.wishes.packages
    return place.origin.path if place.origin is not None else None


def _where(given: Given) -> str:
    places = {"option": "the command", "env": "a variable"}
    return places.get(given.where, given.where)


def _looking(
    build: Build, step: RunStep, each: Asked, flags: dict[str, None], plan: Plan
) -> list[str]:
    """The option that a command needs to find the folder of packages; none if it has one."""
    if place_of(each) is not None:
        return []
    place, mount = place_in(build, step, plan)
    if mount:
        flags[mount] = None
    return [f"--find-links={place}"]


# --- hybrid ----------------------------------------------------------------------------------


def _go_hybrid(build: Build, step: RunStep, form: Form, flags: dict[str, None], plan: Plan) -> None:
    each = form.asked
    made = each.use.invocation
    if form.kind == "offline":
        gone = _switch_spans(each, plan)
        changes = left_out(build, step, gone, plan)
        try_again(build, step, made, changes, plan)
        return
    looking = _looking(build, step, each, flags, plan)
    at = _subcommand(build, each, plan)
    if at is None:
        return
    changes = [Edit(Span(at, at), "".join(f" {word}" for word in looking))] if looking else []
    try_again(build, step, made, changes, plan)
    _insert(build, step, each, ["--no-index", *looking], plan)
    folder = _folder(build, each)
    if folder is None:
        return
    if not build.context.known:
        plan.doubt(f"the build context is not at hand: it has to have the folder {folder}")
    elif not build.context.is_dir(folder):
        plan.doubt(f"{folder} is not in the build context: an empty folder is enough")
    elif "upgrade" in each.flags:
        _doubt_upgrade(build, each, folder, plan)


def _doubt_upgrade(build: Build, each: Asked, folder: str, plan: Plan) -> None:
    """What is installed already is new enough for pip where the folder holds nothing newer."""
    held = {file.name for file in packages_in(build, folder)}
    for entry in each.wanted:
        if entry.name and entry.name not in held:
            plan.doubt(f"{entry.name} is not upgraded where {folder} has none and it is there")


# --- cache-mount -----------------------------------------------------------------------------


def _go_online(build: Build, step: RunStep, form: Form, plan: Plan) -> None:
    first = form.other if form.kind == "second" and form.other else form.asked
    for each in (form.asked, form.other):
        place = place_of(each) if each is not None else None
        path = place.origin.path if place is not None and place.origin is not None else None
        if path is not None and clean(path) != clean(build.wishes.packages):
            plan.refuse(f"{path} is not the folder of packages, {build.wishes.packages}")
    if form.kind == "second" and _rest(first) != _rest(form.asked):
        second = form.asked
        drop_first(build, first.use.invocation.command, second.use.invocation.command, plan)
        _take_out(build, step, second, _link_spans(second, plan), plan)
        return
    if form.kind == "second":
        drop_second(
            build, step, first.use.invocation.command, form.asked.use.invocation.command, plan
        )
    _take_out(build, step, first, _switch_spans(first, plan) + _link_spans(first, plan), plan)


def _rest(each: Asked) -> list[str | None]:
    """The arguments of a command but for where it looks, and whether it caches."""
    gone = [span for option in switches_off(each) for span in _spans(option)]
    gone += [span for option in _links(each) for span in _spans(option)]
    gone += [s.span for s in each.use.off if s.kind == "option" and s.span is not None]
    return [
        argument.value
        for argument in each.use.invocation.args
        if not any(span.covers(argument.word.span) for span in gone)
    ]


def _links(each: Asked) -> list[Option]:
    """The options that name the local folder that a command looks into."""
    place = place_of(each)
    return [
        option
        for option in each.use.options
        if place is not None
        and option.name in ("-f", "--find-links")
        and (option.given or option.argument) is place.argument
    ]


# --- Words -----------------------------------------------------------------------------------


def _spans(option: Option) -> list[Span]:
    """The words of an option and its value."""
    words = [option.argument.word, *([option.given.word] if option.given else [])]
    return list(dict.fromkeys(word.span for word in words))


def _switch_spans(each: Asked, plan: Plan) -> list[Span]:
    """The words with which a command asks no index."""
    elsewhere = [where for where in each.silent if where != "option"]
    if elsewhere:
        who = "a variable" if elsewhere[0] == "env" else elsewhere[0]
        plan.refuse(f"{who} says that no index is asked")
    return _plain(switches_off(each), plan)


def _link_spans(each: Asked, plan: Plan) -> list[Span]:
    """The words with which a command looks into the folder of packages."""
    place = place_of(each)
    if place is None:
        return []
    if place.where != "option":
        plan.refuse(f"{_where(place)} says where the packages are")
    return _plain(_links(each), plan)


def _plain(options: Sequence[Option], plan: Plan) -> list[Span]:
    found: list[Span] = []
    for option in options:
        for argument in (option.argument, *([option.given] if option.given else [])):
            if not _is_plain(argument):
                plan.refuse(f"`{argument.word.value}` stands for several words")
        found += _spans(option)
    return found


def _is_plain(argument: Argument) -> bool:
    """Whether a word of the file is this argument and nothing else."""
    return argument.value == argument.word.value


def _take_out(build: Build, step: RunStep, each: Asked, spans: Sequence[Span], plan: Plan) -> None:
    """Take words out of a command, in whichever form that is written."""
    source = build.dockerfile.source
    command = each.use.invocation.command
    for span in dict.fromkeys(spans):
        word = next((word for word in command.words if word.span == span), None)
        if step.instruction.form == "exec" and word is not None and source[span.start] == '"':
            edits = cut_element(source, command.words, word)
            plan.drop(edits[0].span if edits else span, edits, word.value)
        else:
            plan.take_out(step.outer.span, span, span, source[span.start : span.end])


def _insert(build: Build, step: RunStep, each: Asked, words: Sequence[str], plan: Plan) -> None:
    """Put options behind the subcommand."""
    at = _subcommand(build, each, plan)
    if at is None:
        return
    quoted = step.instruction.form == "exec" and build.dockerfile.source[at - 1] == '"'
    text = "".join(f', "{word}"' for word in words) if quoted else "".join(f" {w}" for w in words)
    plan.edits.append(Edit(Span(at, at), text))
    plan.added.append(text)


def _subcommand(build: Build, each: Asked, plan: Plan) -> int | None:
    """Where options can stand: behind the subcommand, or the variable that holds it."""
    use = each.use
    name = use.spec.words[-1]
    source = build.dockerfile.source
    args = use.invocation.args
    word = next((argument.word for argument in args if argument.value == name), None)
    if word is not None:
        if source[word.span.start : word.span.end].strip('"') == name:
            return word.span.end
        last = [argument.value for argument in args if argument.word is word][-1]
        if word.raw.startswith("$") and last not in use.spec.values | use.tool.values:
            return word.span.end
    plan.refuse(f"`{name}` is not written out in the command")
    return None
