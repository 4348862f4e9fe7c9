"""A template's syntax tree with counting put in: rounds, what is printed, and what grows."""

from collections.abc import Iterable
from typing import Any, cast

from jinja2 import TemplateSyntaxError, nodes
from jinja2.visitor import NodeTransformer

from studio.bounded.budget import MOST_BITS

ROUND, LOOK, PRINTED, SUM, JOINED, MADE = "a round", "look", "printed", "sum of two", "joined", "made"
"""Filters of the bounded environment; no template can spell names with a space, and the others do no harm."""

MOST_NODES = 10_000
"""Nodes of a syntax tree: seven times the largest that is published, and half a second to compile."""

FEW = 16
"""Terms of a sum that is printed at once; also of a comparison."""

MOST_NAMED = 200
"""Arguments with names, of one call."""

COMPARED = 4
"""Comparisons, of what may be long lists, between two looks at the clock."""


def bound(tree: nodes.Template) -> nodes.Template:
    """Put the counting into a template's syntax tree, and return it.

    Raises:
        TemplateSyntaxError: it would take long to compile, or some of it long to run.
    """
    left, waiting = MOST_NODES, [cast(nodes.Node, tree)]
    while waiting:
        left -= 1
        if left < 0:
            raise TemplateSyntaxError(f"it has more than {MOST_NODES:,} parts", waiting[-1].lineno)
        waiting.extend(waiting.pop().iter_child_nodes())
    counted = _Bounder().visit(tree)
    assert isinstance(counted, nodes.Template)
    return counted


def _filter(value: nodes.Expr, name: str, line: int, others: Iterable[nodes.Expr] = ()) -> nodes.Filter:
    return nodes.Filter(value, name, list(others), [], None, None, lineno=line)


class _Bounder(NodeTransformer):
    def __init__(self) -> None:
        self._is_gathered = False
        """Whether what is printed becomes a value of the template, and not yet its text."""
        self._compared = 0

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        named = getattr(node, "kwargs", None) or (node.args if isinstance(node, (nodes.Macro, nodes.CallBlock)) else ())
        if len(named) > MOST_NAMED:
            # Python compares each with all others.
            raise TemplateSyntaxError(f"it gives more than {MOST_NAMED} arguments at once", node.lineno)
        return super().visit(node, *args, **kwargs)

    def visit_For(self, node: nodes.For) -> nodes.Node:
        if node.test is not None:
            # What it leaves out is a round too.
            counted = _filter(nodes.Const(True, lineno=node.lineno), ROUND, node.lineno)
            node.test = nodes.And(counted, node.test, lineno=node.lineno)
        # A recursive loop is a function of itself.
        return self._counted(node) if not node.recursive else self._gathered(node)

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:
        return self._gathered(node)

    visit_CallBlock = visit_Macro

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.Node:
        return self._gathered(node)

    visit_FilterBlock = visit_Block = visit_AssignBlock

    def _gathered(self, node: nodes.Node) -> nodes.Node:
        before, self._is_gathered = self._is_gathered, True
        try:
            return self._counted(node)
        finally:
            self._is_gathered = before

    def _counted(self, node: nodes.Node) -> nodes.Node:
        self.generic_visit(node)
        line = node.lineno
        count = nodes.ExprStmt(_filter(nodes.Const(None, lineno=line), ROUND, line), lineno=line)
        node.body = [count, *node.body]  # type: ignore[attr-defined]
        return node

    def visit_Output(self, node: nodes.Output) -> nodes.Node:
        node.nodes = [self._printed(each) for each in node.nodes]
        return node

    def _printed(self, node: nodes.Expr) -> nodes.Expr:
        if isinstance(node, nodes.TemplateData):
            return node
        seen = self._shown(node)
        return _filter(seen, PRINTED, node.lineno) if self._is_gathered else seen

    def _shown(self, node: nodes.Expr) -> nodes.Expr:
        """Return what is printed at once: a short sum of it can't grow by going round, and is worked out as it is."""
        if isinstance(node, nodes.CondExpr):
            node.test = self.visit(node.test)
            node.expr1 = self._shown(node.expr1)
            node.expr2 = self._shown(node.expr2) if node.expr2 is not None else None
            return node
        terms = _terms(node)
        if not 1 < len(terms) <= FEW:
            return cast(nodes.Expr, self.visit(node))
        shown = self._shown(terms[0])
        for term in terms[1:]:
            shown = nodes.Add(shown, self._shown(term), lineno=node.lineno)
        return shown

    def visit_Add(self, node: nodes.Add) -> nodes.Node:
        first, *others = [self.visit(term) for term in _terms(node)]
        return _filter(first, SUM, node.lineno, others)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _filter(nodes.List(node.nodes, lineno=node.lineno), JOINED, node.lineno)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        if len(node.ops) > FEW:
            raise TemplateSyntaxError("it compares too many values at once", node.lineno)
        return self._looked(node)

    def visit_Test(self, node: nodes.Test) -> nodes.Node:
        return self._looked(node)

    def _looked(self, node: nodes.Expr) -> nodes.Node:
        self.generic_visit(node)
        self._compared += 1
        return node if self._compared % COMPARED else _filter(node, LOOK, node.lineno)

    def visit_Const(self, node: nodes.Const) -> nodes.Node:
        if isinstance(node.value, int) and node.value.bit_length() > MOST_BITS:
            raise TemplateSyntaxError("it holds a number of too many digits", node.lineno)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:
        self.generic_visit(node)
        return _filter(node, MADE, node.lineno) if isinstance(node.arg, nodes.Slice) else node

    def visit_List(self, node: nodes.Expr) -> nodes.Node:
        self.generic_visit(node)
        parts = [part for each in node.iter_child_nodes() for part in _parts(each)]
        constant = all(isinstance(part, nodes.Const) for part in parts)
        is_target = getattr(node, "ctx", "load") != "load"
        return node if constant or is_target else _filter(node, MADE, node.lineno)

    visit_Tuple = visit_Dict = visit_List


def _parts(node: nodes.Node) -> tuple[nodes.Node, ...]:
    return (node.key, node.value) if isinstance(node, nodes.Pair) else (node,)


def _terms(node: nodes.Expr) -> list[nodes.Expr]:
    """Return the terms of a sum, from left to right; a long one is a tree as deep as it is long."""
    terms: list[nodes.Expr] = []
    while isinstance(node, nodes.Add):
        terms.append(node.right)
        node = node.left
    return [node, *reversed(terms)]
