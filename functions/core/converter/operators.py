"""The table of operators: an operator is one row, and everything that anybody knows of it stands there."""

from functools import partial

from functions.core.converter import arithmetic, containers, forms, logic, texts, times
from functions.core.converter.nodes import Argument, Example, Operator
from functions.core.converter.patterns import Replacement
from functions.core.converter.raw import CHECKS
from functions.core.converter.source_code import Quick, lenient, strict
from functions.core.converter.values import equal, typeof

SOURCE, BOOLEAN = Argument("SOURCE"), Argument("BOOLEAN")
PERCENT, KEY, DEPTH = Argument("SOURCE percent"), Argument("SOURCE key"), Argument("SOURCE depth")
_RAW = {label: Argument(label, check) for label, check in CHECKS.items()}
_MS = 1_645_066_434_189

_ROWS = (
    Operator(
        names=("path",),
        repeated=(SOURCE,),
        compile=forms.path,
        doc="Each evaluated on the result of the one before; an array's index is written as a string.",
        example=Example(["path", "b", "c", "1"], {"b": {"c": [1, 2]}}, 2),
    ),
    Operator(
        names=("any",),
        repeated=(SOURCE,),
        compile=forms.any_of,
        doc="The first that has a value: neither no value nor null.",
        example=Example(["any", "a", "b"], {"a": None, "b": 2}, 2),
    ),
    Operator(
        names=("value",),
        fixed=(_RAW["json"],),
        compile=forms.literal,
        doc="The literal.",
        example=Example(["value", {"a": [1]}], {}, {"a": [1]}),
    ),
    Operator(
        names=("dict",),
        repeated=(_RAW["key"], SOURCE),
        at_least=0,
        compile=forms.dictionary,
        doc="An object; a member without a value is left out, null is kept.",
        example=Example(["dict", "k", "a", "l", "b"], {"a": None}, {"k": None}),
    ),
    Operator(
        names=("array",),
        repeated=(SOURCE,),
        compile=forms.array,
        doc="An array; an item without a value is left out.",
        example=Example(["array", "a", "b"], {"b": 2}, [2]),
    ),
    Operator(
        names=("condition", "cond"),
        repeated=(BOOLEAN, SOURCE),
        compile=forms.condition,
        doc="The SOURCE of the first BOOLEAN that is true; none true: no value.",
        example=Example(["cond", "vip", ["value", 1], ["bool", True], ["value", 2]], {}, 2),
    ),
    Operator(
        names=("ifelse",),
        fixed=(BOOLEAN, SOURCE, SOURCE),
        compile=forms.if_else,
        doc="The first SOURCE if the BOOLEAN is true, else the second.",
        example=Example(["ifelse", "vip", "a", "b"], {"vip": "true", "a": 1}, 1),
    ),
    Operator(
        names=("sample_md5",),
        fixed=(PERCENT, KEY),
        compile=strict(texts.sample_md5),
        doc="Whether the key is in a sample of so many percent; the same for the same key always.",
        example=Example(["sample_md5", ["value", 50], "user"], {"user": "john.doe"}, result=False),
    ),
    Operator(
        names=("iso_time_to_ms",),
        fixed=(SOURCE,),
        compile=strict(times.iso_time_to_ms),
        doc="Milliseconds of an ISO 8601 time: `T` or a space, fraction up to nanoseconds, offset or none (UTC).",
        example=Example(["iso_time_to_ms", "at"], {"at": "2022-02-17 02:53:54.189"}, _MS),
    ),
    Operator(
        names=("ms_to_iso_time",),
        fixed=(SOURCE,),
        compile=strict(times.ms_to_iso_time),
        doc="`YYYY-MM-DDTHH:MM:SS` in UTC of milliseconds, a number or digits; what is finer is cut.",
        example=Example(["ms_to_iso_time", "at"], {"at": str(_MS)}, "2022-02-17T02:53:54"),
    ),
    Operator(
        names=("iso_time_now",),
        compile=forms.iso_now,
        doc="When the import of the file began, as text: the same for all of its records.",
        example=Example(["typeof", ["iso_time_now"]], {}, "string"),
    ),
    Operator(
        names=("ms_time_now",),
        compile=forms.milliseconds_now,
        doc="The same in milliseconds.",
        example=Example(["typeof", ["ms_time_now"]], {}, "number"),
    ),
    Operator(
        names=("int96_time_to_ms",),
        fixed=(SOURCE,),
        compile=strict(times.int96_time_to_ms),
        doc="Milliseconds of a Parquet INT96 in base64, or of the ISO 8601 time as which such a column is read.",
        example=Example(["int96_time_to_ms", "at"], {"at": "AP6qCz41AAAwhCUA"}, 1_562_516_140_600),
    ),
    Operator(
        names=("parse_time_to_ms",),
        fixed=(_RAW["format"], SOURCE),
        compile=forms.parsed_time,
        doc="Milliseconds of a time in the letters of Java's `SimpleDateFormat`; without a zone it is UTC.",
        example=Example(
            ["parse_time_to_ms", "M/d/yyyy H:mm:ss", "at"], {"at": "2/17/2022 2:53:54"}, _MS - 189
        ),
    ),
    Operator(
        names=("parse_json_element",),
        fixed=(SOURCE,),
        compile=strict(texts.parse_json_element),
        doc="The JSON that a string holds.",
        example=Example(["parse_json_element", "a"], {"a": "[1]"}, [1]),
    ),
    Operator(
        names=("parse_json_object",),
        fixed=(SOURCE,),
        compile=strict(texts.parse_json_object),
        doc="The object that a string holds; other JSON is no value.",
        example=Example(["parse_json_object", "a"], {"a": "[1]"}),
    ),
    Operator(
        names=("merge_dicts",),
        repeated=(SOURCE,),
        compile=strict(
            containers.merge_dicts, Quick(dict, lambda all_: f"{{{', '.join(f'**{each}' for each in all_)}}}")
        ),
        doc="The members of all; later ones win.",
        example=Example(["merge_dicts", "a", "b"], {"a": {"x": 1}, "b": {"x": 2}}, {"x": 2}),
    ),
    Operator(
        names=("flatten_dict",),
        fixed=(_RAW["separator"], DEPTH, SOURCE),
        compile=strict(containers.flatten_dict),
        doc="An object with `depth` levels merged into the names; lists stay lists.",
        example=Example(["flatten_dict", ".", ["int", 1], "x"], {"x": {"a": {"b": {}}}}, {"a.b": {}}),
    ),
    Operator(
        names=("exclude_keys",),
        fixed=(SOURCE,),
        repeated=(_RAW["key"],),
        compile=strict(containers.exclude_keys),
        doc="An object without these members.",
        example=Example(["exclude_keys", "x", "a"], {"x": {"a": 1, "b": 2}}, {"b": 2}),
    ),
    Operator(
        names=("concat",),
        repeated=(SOURCE,),
        compile=strict(texts.concat, Quick(str, " + ".join)),
        doc="All as strings (numbers and booleans as in JSON, containers as compact JSON); null is skipped.",
        example=Example(
            ["concat", "a", ["value", "-"], "b", "c"], {"a": 1.5, "b": [True], "c": None}, "1.5-[true]"
        ),
    ),
    Operator(
        names=("replace_with",),
        fixed=(_RAW["regex"], _RAW["replacement"], SOURCE),
        across=lambda given: Replacement.parse(given[0], given[1]),
        compile=forms.replaced,
        doc="A string with all matches replaced: RE2's syntax, `$1` for a group, `$$` for a dollar sign.",
        example=Example(["replace_with", r"(\d+)px", "$1", "a"], {"a": "3px 4px"}, "3 4"),
    ),
    Operator(
        names=("split",),
        fixed=(_RAW["separator"], SOURCE),
        compile=strict(texts.split, Quick(str, "{0[1]}.split({0[0]})".format)),
        doc="The parts of a string; the separator is literal.",
        example=Example(["split", "|", "a"], {"a": "x|y"}, ["x", "y"]),
    ),
    Operator(
        names=("lowercase", "lower"),
        fixed=(SOURCE,),
        compile=strict(texts.lowercase, Quick(str, "{0[0]}.lower()".format)),
        doc="A string in small letters.",
        example=Example(["lower", "a"], {"a": "Ab"}, "ab"),
    ),
    Operator(
        names=("typeof",),
        fixed=(SOURCE,),
        compile=strict(typeof),
        doc="`string`, `list`, `dict`, `bool`, `number` or `null`.",
        example=Example(["typeof", "a"], {"a": None}, "null"),
    ),
    Operator(
        names=("bool",),
        fixed=(_RAW["true/false"],),
        compile=forms.literal,
        doc="The literal.",
        example=Example(["bool", True], {}, result=True),
    ),
    Operator(
        names=("not", "!"),
        fixed=(BOOLEAN,),
        compile=lenient(logic.negation),
        doc="The other boolean.",
        example=Example(["!", "a"], {"a": "false"}, result=True),
    ),
    Operator(
        names=("and", "&&"),
        repeated=(BOOLEAN,),
        compile=lenient(partial(logic.together, all)),
        doc="Whether all are true.",
        example=Example(["and", "a", "b"], {"a": True, "b": None}, result=False),
    ),
    Operator(
        names=("or", "||"),
        repeated=(BOOLEAN,),
        compile=lenient(partial(logic.together, any)),
        doc="Whether one is true.",
        example=Example(["||", "a", "b"], {"a": True}, result=True),
    ),
    Operator(
        names=("equals", "eq", "="),
        fixed=(SOURCE, SOURCE),
        compile=strict(equal, Quick(str, " == ".join)),
        doc='JSON\'s equality: `1` and `1.0` are equal, `1` and `"1"` are not.',
        example=Example(["=", "a", ["value", 1]], {"a": 1.0}, result=True),
    ),
    Operator(
        names=("contains", "is_substring"),
        fixed=(_RAW["string"], SOURCE),
        compile=strict(texts.contains, Quick(str, " in ".join)),
        doc="Whether the string is part of the other; null: false.",
        example=Example(["contains", "b", "a"], {"a": "abc"}, result=True),
    ),
    Operator(
        names=("int",),
        fixed=(_RAW["integer"],),
        compile=forms.literal,
        doc="The literal.",
        example=Example(["int", 5], {}, 5),
    ),
    Operator(
        names=("round",),
        fixed=(SOURCE,),
        compile=strict(arithmetic.rounded),
        doc="The nearest integer, of two the one further from zero; strings become numbers.",
        example=Example(["round", "a"], {"a": -2.5}, -3),
    ),
    Operator(
        names=("add", "+"),
        repeated=(SOURCE,),
        compile=strict(arithmetic.add),
        doc="The sum; strings become numbers, null is 0; integers give an integer, a float a float.",
        example=Example(["+", "a", "b", "c"], {"a": 1, "b": "2", "c": None}, 3),
    ),
    Operator(
        names=("multiply", "*"),
        repeated=(SOURCE,),
        compile=strict(arithmetic.multiply),
        doc="The product; as `add`.",
        example=Example(["*", "a", "b"], {"a": 2, "b": 1.5}, 3.0),
    ),
    Operator(
        names=("subtract", "-"),
        fixed=(SOURCE, SOURCE),
        compile=strict(arithmetic.subtract),
        doc="The difference; as `add`.",
        example=Example(["-", "a", "b"], {"a": 2, "b": "5"}, -3),
    ),
    Operator(
        names=("divide", "/"),
        fixed=(SOURCE, SOURCE),
        compile=strict(arithmetic.divide),
        doc="The quotient; an exact one of integers is an integer; by zero: no value.",
        example=Example(["/", "a", "b"], {"a": 7, "b": 2}, 3.5),
    ),
)

OPERATORS: dict[str, Operator] = {name: row for row in _ROWS for name in row.names}
"""Every operator under each of its names, in the order of the reference."""
