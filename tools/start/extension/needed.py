"""Which cells must run before the widgets of a page work, and before any other cell can.

pages.js sends this to the learner's kernel as text, so it stands alone. A cell is needed if it
shows a widget, imports, or makes or changes a name that a later cell asks for. What only prints or
draws is not, for its stored output still holds.
"""

import ast
import builtins

ON_REQUEST = {"hint", "solution", "check"}  # opened or judged because somebody asks, never here
ALWAYS = {"bootstrap", "setup", "predict", "quiz"}
MAGIC = ("%", "!", "?")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def tree_of(source):
    """Return a cell as a tree, without IPython's own lines, or None where it is no Python."""
    lines = ["" if line.lstrip().startswith(MAGIC) else line for line in source.split("\n")]
    try:
        return ast.parse("\n".join(lines))
    except SyntaxError:
        return None


def base_of(node):
    """Return the name at the root of a.b[c].d, or None."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def stored(node):
    """Return the names that something under a node is stored in."""
    found = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and not loads(n)}
    return found | {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}


def loads(name):
    """Tell whether a name is asked for, not stored."""
    return isinstance(name.ctx, ast.Load)


class Names:
    """What a cell asks of other cells, makes, and changes in place."""

    def __init__(self, tree):
        self.asked, self.made, self.changed, self.modules = set(), set(), set(), set()
        for statement in tree.body:
            self.read(statement)
        self.changed -= self.modules | {None}

    def use(self, node):
        """Note what an expression asks for; its own loops and arguments are not asked for."""
        if node is None:
            return
        own = set()
        for inner in ast.walk(node):
            if isinstance(inner, (ast.comprehension, *FUNCTIONS)):
                own |= stored(inner)
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and loads(n)}
        self.asked |= names - own - self.made - set(dir(builtins))

    def make(self, target):
        """Note what a target makes, or changes in place."""
        for node in ast.walk(target):
            if isinstance(node, (ast.Attribute, ast.Subscript)) and not loads(node):
                self.changed.add(base_of(node))
        self.use(target)
        self.made |= stored(target)

    def read(self, node):
        """Note one statement, its parts in the order in which they run."""
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = {(alias.asname or alias.name).split(".")[0] for alias in node.names}
            self.modules |= names
            self.made |= names
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            self.made.add(node.name)
            inside = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and loads(n)}
            self.asked |= inside - stored(node) - self.made - set(dir(builtins))
        elif isinstance(node, ast.Assign):
            self.use(node.value)
            for target in node.targets:
                self.make(target)
        elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
            self.use(node.value)
            if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                self.asked |= {node.target.id} - self.made
            self.make(node.target)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            self.use(node.iter)
            self.make(node.target)
            self.block(node)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                self.use(item.context_expr)
                if item.optional_vars is not None:
                    self.make(item.optional_vars)
            self.block(node)
        elif hasattr(node, "body"):  # if, while, try
            self.use(getattr(node, "test", None))
            self.block(node)
        else:
            self.use(node)
            call = getattr(node, "value", None)
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                self.changed.add(base_of(call.func))  # such as found.append(x)

    def block(self, node):
        """Note the statements inside one."""
        handlers = [s for handler in getattr(node, "handlers", []) for s in handler.body]
        parts = [getattr(node, part, []) for part in ("body", "orelse", "finalbody")]
        for statement in [*parts[0], *handlers, *parts[1], *parts[2]]:
            self.read(statement)


def needed(cells):
    """Return the numbers of the cells to run, in order.

    Each cell is {"source": text, "tags": [...], "widget": whether it shows one}; all are code.
    """
    wanted, chosen = set(), []
    for number in reversed(range(len(cells))):
        cell = cells[number]
        tags = set(cell["tags"])
        if not cell["source"].strip():
            continue
        tree = tree_of(cell["source"])
        if tree is None:
            continue  # half written: its own message belongs where the learner runs it
        names = Names(tree)
        serves = cell["widget"] or names.modules or (names.made | names.changed) & wanted
        if (serves or tags & ALWAYS) and not tags & ON_REQUEST:
            chosen.append(number)
        wanted |= names.asked
    return chosen[::-1]
