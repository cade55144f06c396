"""Tables of DynamoDB in memory: as much of its language as the ledger and the definitions speak.

What is not understood is refused, so that nothing is measured that DynamoDB would not do.
"""

import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

_PAGE_BYTES = 1_000_000
_MOST_ACTIONS = 100
_CLAUSE = re.compile(r"\b(SET|ADD) ")
_CONDITION = re.compile(r"(attribute_exists|attribute_not_exists)\((\S+)\)|(\S+) ([=<]) (\S+)")
_QUERY = re.compile(r"pk = (:\w+)(?: AND begins_with\(sk, (:\w+)\))?")

Item = dict[str, Any]
Key = tuple[str, str]


class RefusedError(Exception):
    """What DynamoDB answers with an error: `body` is the answer, with its type."""

    def __init__(self, kind: str, **more: Any) -> None:
        super().__init__(kind)
        self.body = {"__type": f"com.amazonaws.dynamodb.v20120810#{kind}", **more}


class Tables:
    """All tables; each has the keys `pk` and, where items have one, `sk`, of text. One is used by many threads."""

    def __init__(self) -> None:
        self._tables: defaultdict[str, dict[str, dict[str, Item]]] = defaultdict(lambda: defaultdict(dict))
        self._lock = threading.Lock()
        self._operations: dict[str, Callable[[Any], Any]] = {
            "BatchGetItem": self._batch_get_item,
            "GetItem": self._get_item,
            "PutItem": lambda request: self._alone({"Put": request}),
            "Query": self._query,
            "TransactWriteItems": lambda request: self._transact(request["TransactItems"]),
            "UpdateItem": lambda request: self._alone({"Update": request}),
        }

    def answer(self, operation: str, request: Any) -> Any:
        """What DynamoDB answers.

        Raises:
            RefusedError: A condition does not hold, or the request is not understood.
        """
        with self._lock:
            if operation not in self._operations:
                raise RefusedError("UnknownOperationException")
            return self._operations[operation](request)

    def _found(self, table: str, key: Mapping[str, Any]) -> Item | None:
        pk, sk = _key(key)
        return self._tables[table][pk].get(sk)

    def _get_item(self, request: Any) -> Any:
        item = self._found(request["TableName"], request["Key"])
        return {} if item is None else {"Item": item}

    def _batch_get_item(self, request: Any) -> Any:
        found = {
            table: [item for key in wanted["Keys"] if (item := self._found(table, key)) is not None]
            for table, wanted in request["RequestItems"].items()
        }
        return {"Responses": found, "UnprocessedKeys": {}}

    def _query(self, request: Any) -> Any:
        condition = _QUERY.fullmatch(request["KeyConditionExpression"])
        if condition is None:
            raise RefusedError("ValidationException", message=request["KeyConditionExpression"])
        values = {name: value["S"] for name, value in request["ExpressionAttributeValues"].items()}
        partition, prefix = values[condition[1]], values.get(condition[2], "")
        start = request.get("ExclusiveStartKey", {}).get("sk", {}).get("S", "")
        items = self._tables[request["TableName"]][partition]
        page: list[Item] = []
        size = 0
        for name in sorted(name for name in items if name.startswith(prefix) and name > start):
            page.append(items[name])
            size += len(msgspec.json.encode(items[name]))
            if size >= _PAGE_BYTES:
                return {"Items": page, "LastEvaluatedKey": {"pk": {"S": partition}, "sk": {"S": name}}}
        return {"Items": page}

    def _alone(self, action: Any) -> Any:
        if not self._holds(action):
            raise RefusedError("ConditionalCheckFailedException")
        self._do(action)
        return {}

    def _transact(self, actions: Sequence[Any]) -> Any:
        if len(actions) > _MOST_ACTIONS or len({_place(each) for each in actions}) < len(actions):
            raise RefusedError("ValidationException", message="too many actions, or two on the same item")
        holding = [self._holds(each) for each in actions]
        if not all(holding):
            reasons = [{"Code": "None" if holds else "ConditionalCheckFailed"} for holds in holding]
            raise RefusedError("TransactionCanceledException", CancellationReasons=reasons)
        for each in actions:
            self._do(each)
        return {}

    def _holds(self, action: Any) -> bool:
        (given,) = action.values()
        item = self._found(given["TableName"], given.get("Key") or given["Item"]) or {}
        condition = given.get("ConditionExpression")
        return condition is None or any(_holds(term, item, given) for term in condition.split(" OR "))

    def _do(self, action: Any) -> None:
        ((kind, given),) = action.items()
        pk, sk = _key(given.get("Key") or given["Item"])
        items = self._tables[given["TableName"]][pk]
        if kind == "Put":
            items[sk] = given["Item"]
        elif kind == "Delete":
            items.pop(sk, None)
        elif kind == "Update":
            items[sk] = _updated(items.get(sk, given["Key"]), given)


def _holds(term: str, item: Item, given: Any) -> bool:
    if term.startswith("("):
        return all(_holds(each, item, given) for each in term[1:-1].split(" AND "))
    found = _CONDITION.fullmatch(term)
    if found is None:
        raise RefusedError("ValidationException", message=term)
    there, name, left, sign, right = found.groups()
    if there:
        return (_named(name, given) in item) == (there == "attribute_exists")
    present, value = item.get(_named(left, given)), given["ExpressionAttributeValues"][right]
    if sign == "<":
        return present is not None and int(present["N"]) < int(value["N"])
    return bool(present == value)


def _updated(item: Item, given: Any) -> Item:
    changed = dict(item)
    _, *clauses = _CLAUSE.split(given["UpdateExpression"])
    for verb, clause in zip(clauses[::2], clauses[1::2], strict=True):
        for name, value in _assignments(clause, given):
            before = changed.get(name, {"N": "0"})
            changed[name] = value if verb == "SET" else {"N": str(int(before["N"]) + int(value["N"]))}
    return changed


def _assignments(clause: str, given: Any) -> Iterator[tuple[str, Any]]:
    for each in clause.strip().split(", "):
        name, value = each.replace(" = ", " ").rsplit(" ", 1)
        if value not in given["ExpressionAttributeValues"]:
            raise RefusedError("ValidationException", message=clause)
        yield _named(name, given), given["ExpressionAttributeValues"][value]


def _named(name: str, given: Any) -> str:
    return str(given["ExpressionAttributeNames"][name]) if name.startswith("#") else name


def _place(action: Any) -> tuple[str, Key]:
    (given,) = action.values()
    return given["TableName"], _key(given.get("Key") or given["Item"])


def _key(item: Mapping[str, Any]) -> Key:
    return item["pk"]["S"], item["sk"]["S"] if "sk" in item else ""
