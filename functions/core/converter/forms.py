"""The code of operators that decide which of their arguments are evaluated, and on what."""

from functions.core.converter.nodes import Call, Field
from functions.core.converter.patterns import Replacement
from functions.core.converter.source_code import NOW, Writer
from functions.core.converter.times import ms_to_iso_time


def path(writer: Writer, call: Call) -> str:
    """Each SOURCE on the result of the one before."""
    first, *following = call.arguments
    here = begun = writer.value(first)
    for node in following:
        name = writer.fresh()
        if isinstance(node, Field):
            key = repr(node.name)
            writer.line(f"{name} = {here}.get({key}, NO) if type({here}) is dict else step({here}, {key})")
        else:
            writer.line(f"{name} = NO")
            with writer.block(f"if type({here}) is dict or type({here}) is list:"), writer.subject(here):
                value = writer.value(node)
                writer.line(f"{name} = {value}")
        here = name
    if following:
        writer.lost_at(here, call, [begun])
    return here


def any_of(writer: Writer, call: Call) -> str:
    """The first that is neither no value nor null."""
    name = writer.fresh()
    writer.line(f"{name} = NO")
    for node in call.arguments:
        with writer.block(f"if {name} is NO or {name} is None:"):
            writer.line(f"{name} = {writer.value(node)}")
    with writer.block(f"if {name} is None:"):
        writer.line(f"{name} = NO")
    writer.lost_at(name, call)
    return name


def literal(writer: Writer, call: Call) -> str:
    """The RAW argument itself."""
    return writer.constant(call.arguments[0])


def dictionary(writer: Writer, call: Call) -> str:
    """An object of the members that have a value."""
    name = writer.fresh(dict)
    writer.line(f"{name} = {{}}")
    for key, node in zip(call.arguments[::2], call.arguments[1::2], strict=True):
        value = writer.value(node)
        with writer.block(f"if {value} is not NO:"):
            writer.line(f"{name}[{key!r}] = {value}")
    return name


def array(writer: Writer, call: Call) -> str:
    """An array of the items that have a value."""
    name = writer.fresh(list)
    writer.line(f"{name} = []")
    for node in call.arguments:
        value = writer.value(node)
        with writer.block(f"if {value} is not NO:"):
            writer.line(f"{name}.append({value})")
    return name


def condition(writer: Writer, call: Call) -> str:
    """The SOURCE of the first BOOLEAN that is true."""
    name, found = writer.fresh(), writer.fresh(bool)
    writer.line(f"{name} = NO")
    writer.lost_at(name, call)
    writer.line(f"{found} = False")
    for test, node in zip(call.arguments[::2], call.arguments[1::2], strict=True):
        with writer.block(f"if not {found}:"):
            writer.line(f"{found} = {_true(writer.value(test))}")
            with writer.block(f"if {found}:"):
                writer.assign(name, writer.value(node))
    return name


def if_else(writer: Writer, call: Call) -> str:
    """The one SOURCE or the other."""
    test, then, otherwise = call.arguments
    name = writer.fresh()
    with writer.block(f"if {_true(writer.value(test))}:"):
        writer.assign(name, writer.value(then))
    with writer.block("else:"):
        writer.assign(name, writer.value(otherwise))
    return name


def milliseconds_now(_: Writer, __: Call) -> str:
    """The instant that the import of a file has for now."""
    return NOW


def iso_now(writer: Writer, _: Call) -> str:
    """The same as text."""
    name = writer.fresh(str)
    writer.line(f"{name} = {writer.constant(ms_to_iso_time)}({NOW})")
    return name


def parsed_time(writer: Writer, call: Call) -> str:
    """A time in a format of its own; years of two digits are near now."""
    form, node = call.arguments
    value, name = writer.value(node), writer.fresh()
    writer.line(f"{name} = {writer.constant(form.milliseconds)}({value}, {NOW})")
    writer.lost_at(name, call, [value])
    return name


def replaced(writer: Writer, call: Call) -> str:
    """A string with every match of a pattern replaced."""
    pattern, text, node = call.arguments
    value, name = writer.value(node), writer.fresh()
    writer.line(f"{name} = {writer.constant(Replacement.parse(pattern, text).in_text)}({value})")
    writer.lost_at(name, call, [value])
    return name


def _true(name: str) -> str:
    return f"{name} is True or {name} == 'true'"
