"""The type stubs say of every public function and class what the code says."""
import ast
import inspect
import pathlib

import pytest

import bezoar

FOLDER = pathlib.Path(bezoar.__file__).parent
STUB = ast.parse((FOLDER / "__init__.pyi").read_text())
FUNCTIONS = {node.name: node for node in STUB.body if isinstance(node, ast.FunctionDef)}


def parameters_of(node):
    """[(name, kind, default as text or None)] of a stub."""
    a, kinds = node.args, inspect.Parameter
    plain = [*a.posonlyargs, *a.args]
    out = [(arg.arg, kinds.POSITIONAL_OR_KEYWORD, default)
           for arg, default in zip(plain, [None] * (len(plain) - len(a.defaults)) + a.defaults)]
    out += [(arg.arg, kinds.KEYWORD_ONLY, default) for arg, default in zip(a.kwonlyargs, a.kw_defaults)]
    if a.kwarg:
        out.append((a.kwarg.arg, kinds.VAR_KEYWORD, None))
    return [(name, kind, inspect.Parameter.empty if default is None else ast.literal_eval(default)) for name, kind, default in out]


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions(name):
    real = [(p.name, p.kind, p.default) for p in inspect.signature(getattr(bezoar, name)).parameters.values()]
    assert parameters_of(FUNCTIONS[name]) == real


def test_names():
    said = set(FUNCTIONS)
    for node in STUB.body:
        if isinstance(node, ast.ImportFrom) and node.level:
            said |= {alias.asname for alias in node.names}
        if isinstance(node, ast.AnnAssign):
            said.add(node.target.id)
    assert said == set(bezoar.__all__)


def test_the_extension_has_what_its_stub_names():
    for node in ast.parse((FOLDER / "_core.pyi").read_text()).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name != "Report":
            assert callable(getattr(bezoar._core, node.name))


@pytest.mark.parametrize("name", ["Verdict", "Verdicts", "AggregateState"])
def test_members(name):
    classes = {node.name: node for node in ast.parse((FOLDER / "_aggregate.pyi").read_text()).body if isinstance(node, ast.ClassDef)}
    said = {item.name if isinstance(item, ast.FunctionDef) else item.target.id for item in classes[name].body}
    kind = getattr(bezoar, name)
    real = set(vars(kind)) | set(getattr(kind, "__annotations__", ()))
    assert said - {"__iter__"} <= real
    assert {member for member in real if not member.startswith("_")} <= said
