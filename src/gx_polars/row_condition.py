"""Row conditions as Polars expressions: Great Expectations' Condition objects and strings in `DataFrame.query` form."""

from __future__ import annotations

import ast
import io
import operator
import re
import tokenize
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import polars as pl
from great_expectations.expectations.row_conditions import (
    AndCondition,
    ComparisonCondition,
    Condition,
    NullityCondition,
    Operator,
    OrCondition,
    PassThroughCondition,
    deserialize_row_condition,
)

from gx_polars.comparison import sides
from gx_polars.errors import NotSupported
from gx_polars.values import comparable, in_one_unit, members

if TYPE_CHECKING:
    from gx_polars.domain import Column

Lookup = Callable[[str], "Column"]


def row_filter(condition: Any, column: Lookup) -> pl.Expr:
    """Return the expression that keeps the rows of a row condition.

    Args:
        condition: A `Condition`, its serialised dictionary, or a string in the syntax of `pandas.DataFrame.query`.
        column: Finds a column by name and raises when there is none.

    Returns:
        A boolean expression; rows for which it is null are left out.

    Raises:
        NotSupported: The condition uses syntax that has no translation, or compares a column with what it cannot be.
    """
    if isinstance(condition, dict):
        condition = deserialize_row_condition(condition)
    if isinstance(condition, PassThroughCondition):
        condition = condition.pass_through_filter
    try:
        return _Query(condition, column).expr() if isinstance(condition, str) else _condition(condition, column)
    except (TypeError, ValueError) as error:
        raise NotSupported(f"The row condition {str(condition)!r} does not suit the columns: {error}") from error


def compare(column: Column, sign: str, value: Any) -> pl.Expr:
    """Return the comparison of a column with a literal, typed as the column is; `!=` keeps nulls as pandas does."""
    if sign in ("IN", "NOT_IN"):
        inside = column.compared.is_in(members(column.dtype, list(value)).implode())
        return inside if sign == "IN" else ~inside.fill_null(value=False)
    expr, (literal,) = in_one_unit(column.compared, column.dtype, comparable(column.dtype, value))
    return {
        "==": expr.eq,
        "!=": expr.ne_missing,
        "<": expr.lt,
        "<=": expr.le,
        ">": expr.gt,
        ">=": expr.ge,
    }[sign](literal)


def _condition(condition: Condition, column: Lookup) -> pl.Expr:
    if isinstance(condition, NullityCondition):
        expr = column(condition.column.name).expr
        return expr.is_null() if condition.is_null else expr.is_not_null()
    if isinstance(condition, ComparisonCondition):
        return compare(column(condition.column.name), str(Operator(condition.operator)), condition.parameter)
    if isinstance(condition, AndCondition):
        return pl.all_horizontal([_condition(part, column) for part in condition.conditions])
    if isinstance(condition, OrCondition):
        return pl.any_horizontal([_condition(part, column) for part in condition.conditions])
    msg = (
        f"The row condition {condition!r} is a {type(condition).__name__}; use gx Column conditions or a query string."
    )
    raise NotSupported(msg)


_WORDS = {"&": " and ", "|": " or ", "~": " not "}
_SIGNS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "IN",
    ast.NotIn: "NOT_IN",
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?P<name>[^`]*)`""")
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


class _Query:
    """The part of the `DataFrame.query` language that row conditions use, as an expression.

    Names (also in backticks), literals, lists, comparisons (chained too), `in`, `not in`, `and`, `or`, `not` and
    their signs, arithmetic, and the methods `isnull`, `isna`, `notnull`, `notna`.
    """

    def __init__(self, text: str, column: Lookup) -> None:
        self.text = text
        self.column = column
        self.quoted: dict[str, str] = {}

    def expr(self) -> pl.Expr:
        """Return the whole query as an expression."""
        try:
            tree = ast.parse(self._python(), mode="eval").body
        except (SyntaxError, tokenize.TokenError) as error:
            msg = f"The row condition {self.text!r} cannot be read: {error}."
            raise NotSupported(msg) from error
        return self._logic(tree)

    def _python(self) -> str:
        text = _QUOTED.sub(self._stand_in, self.text.strip())
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        words = [(token.type, _WORDS.get(token.string, token.string)) for token in tokens]
        return tokenize.untokenize(words).strip()

    def _stand_in(self, found: re.Match[str]) -> str:
        """Return a name that Python can read for one in backticks; text in quotes stays as it is."""
        if found["name"] is None:
            return found.group()
        name = f"__quoted_{len(self.quoted)}__"
        self.quoted[name] = found["name"]
        return name

    def _unsupported(self, node: ast.AST) -> NotSupported:
        part = ast.unparse(node)
        return NotSupported(
            f"The row condition {self.text!r} uses {part!r}, which has no translation to Polars; "
            "write it with gx Column conditions."
        )

    def _logic(self, node: ast.expr) -> pl.Expr:
        match node:
            case ast.BoolOp(op=ast.And(), values=parts):
                return pl.all_horizontal([self._logic(part) for part in parts])
            case ast.BoolOp(values=parts):
                return pl.any_horizontal([self._logic(part) for part in parts])
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ~self._logic(operand).fill_null(value=False)
            case ast.Compare(left=left, ops=operators, comparators=rights):
                sides = [left, *rights]
                pairs = zip(sides, operators, rights, strict=False)
                return pl.all_horizontal([self._comparison(a, type(op), b) for a, op, b in pairs])
        return self._truth(node)

    def _truth(self, node: ast.expr) -> pl.Expr:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="isnull" | "isna"), args=[]):
                return self._named(name).expr.is_null()
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="notnull" | "notna"), args=[]):
                return self._named(name).expr.is_not_null()
            case ast.Name(id=name):
                return self._named(name).expr
            case ast.Constant(value=bool() as value):
                return pl.lit(value)
        raise self._unsupported(node)

    def _comparison(self, left: ast.expr, kind: type[ast.cmpop], right: ast.expr) -> pl.Expr:
        sign = _SIGNS.get(kind)
        if sign is None:
            raise self._unsupported(right)
        if isinstance(left, ast.Name) and (literal := _literal(right)) is not None:
            if isinstance(literal[0], list) and sign in ("==", "!="):  # query reads `x == [1, 2]` as membership
                sign = "IN" if sign == "==" else "NOT_IN"
            return compare(self._named(left.id), sign, literal[0])
        if isinstance(right, ast.Name) and sign in _FLIPPED and (literal := _literal(left)) is not None:
            return compare(self._named(right.id), _FLIPPED[sign], literal[0])
        if sign in ("IN", "NOT_IN"):
            raise self._unsupported(right)
        if isinstance(left, ast.Name) and isinstance(right, ast.Name):
            a, b = sides(self._named(left.id), self._named(right.id))
        else:
            a, b = self._value(left), self._value(right)
        if sign == "!=":
            return a.ne(b).fill_null(value=True)  # also where both are missing: `x != x` finds missing values
        return {"==": a.eq, "<": a.lt, "<=": a.le, ">": a.gt, ">=": a.ge}[sign](b)

    def _value(self, node: ast.expr) -> pl.Expr:
        literal = _literal(node)
        if literal is not None:
            return pl.lit(literal[0])
        if isinstance(node, ast.Name):
            return self._named(node.id).expr
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self._value(node.operand)
        if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
            calculated: pl.Expr = _ARITHMETIC[type(node.op)](self._value(node.left), self._value(node.right))
            return calculated
        raise self._unsupported(node)

    def _named(self, name: str) -> Column:
        return self.column(self.quoted.get(name, name))


def _literal(node: ast.expr) -> tuple[Any] | None:
    """Return the value of a literal in a tuple, or None when the node is not a literal."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return None
    return (list(value) if isinstance(value, tuple | set) else value,)
