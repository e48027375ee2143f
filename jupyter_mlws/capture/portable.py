r"""Packs of variables: how they are written, read, and what is said when that cannot be.

One standalone file: the standard library alone, and cloudpickle where it is installed. Its source text is
executed as the module `_mlws_portable` in kernels that have no package of ours, from Python 3.9 on, so
nothing here imports anything of ours, and nothing happens when it is executed.

A pack is one file::

    MLWSPACK1\n             magic
    8 bytes                 length of the header, big-endian
    header                  JSON: python, implementation, names, packages, sources, stream, buffers
    stream                  pickles of protocol 5, one a variable, all of one pickler: what two variables
                            share is there once, and is shared again after reading
    buffers                 the large ones (arrays, columns) as they lie in memory, each at a multiple of 64

The offsets of `stream` and `buffers` count from the end of the header, rounded up to 64. Reading maps the
file copy-on-write: arrays are writable, nothing is copied before it is changed, and the file may be
deleted meanwhile.

Functions and classes of the notebook go by value. Their globals are the namespace in which they are
unpacked, so that a function sees what is assigned there later, as it does in the notebook. The text of the
cells that define them goes along in `sources`, so that a traceback shows their lines.
"""

from __future__ import annotations

import collections
import copyreg
import errno
import hashlib
import importlib
import json
import linecache
import mmap
import os
import pickle
import platform
import sys
import tempfile
import threading
import time
import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
    from typing import Any, BinaryIO

MAGIC = b"MLWSPACK1\n"
_ALIGNMENT = 64
_OUT_OF_BAND = 1 << 16  # bytes; smaller buffers stay in the stream, so that the header stays small
_CHUNK = 1 << 22
_IN_MEMORY = 1 << 24  # bytes of the stream that are held in memory before it goes to a temporary file
_PARALLEL_HASH = 1 << 20  # bytes from which a buffer's two hashes are worth a thread
_HEADER_LIMIT = 1 << 30
_VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
_HOMES = ("_mlws_portable", "jupyter_mlws.capture.portable")
_SHELL_NAMES_TEXT = (
    "get_ipython In Out exit quit _ __ ___ _i _ii _iii _ih _oh _dh __name__ __doc__ __builtin__ "
    "__builtins__ __loader__ __spec__ __package__ __file__ __session__ __annotations__"
)
SHELL_NAMES = frozenset(_SHELL_NAMES_TEXT.split())
"""Names that every kernel has of its own: they are never sent."""


class PackError(Exception):
    """A variable cannot be packed.

    `name` is the variable, `path` where in it the trouble lies (`model.callbacks[0].file`; equal to `name`
    when it is the variable itself), `reason` what it is, as the end of a sentence, `hint` what to do.
    """

    def __init__(self, name: str, *, path: str, reason: str, hint: str) -> None:
        super().__init__(name, path, reason, hint)
        self.name = name
        self.path = path
        self.reason = reason
        self.hint = hint

    @property
    def finding(self) -> str:
        """The sentence that says what was found where."""
        if self.path == self.name:
            return f"it {self.reason}."
        user, arrow, used = self.path.rpartition(" → ")
        if arrow:
            return f"`{shorten(used)}`, which `{shorten(user)}` uses, {self.reason}."
        return f"`{shorten(self.path, 200)}` {self.reason}."

    def __str__(self) -> str:
        return f"The variable `{shorten(self.name)}` cannot be packed: {self.finding} {self.hint}"


class UnpackError(Exception):
    """A pack cannot be read here: broken, of another Python version, or a package is missing."""


def shorten(text: str, limit: int = 80) -> str:
    """Return `text` with at most `limit` characters, all of them printable."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(character if character.isprintable() else "�" for character in cut)


def type_name(value: object) -> str:
    """Return the name of the type of `value` for people, such as `DataFrame` or `function`."""
    kind = type(value)  # isinstance would ask the value, which may run code of the user's
    if issubclass(kind, types.ModuleType):
        return "module"
    if issubclass(kind, type):
        return "class"
    return shorten(str(kind.__name__))


# Writing


def write_pack(
    variables: Mapping[str, object], file: BinaryIO, *, namespace: MutableMapping[str, Any] | None = None
) -> dict[str, Any]:
    """Write `variables` to `file` and return `{"size", "sha256", "items"}`.

    `file` needs `write` alone: the pack is streamed. `namespace` holds the globals of the notebook's
    functions; None stands for those of `__main__`. `items` has `{"name", "type", "size", "sha256"}` for each
    variable: its share of the stream and its own buffers, in bytes; what is shared counts for the first.

    Raises `PackError` before anything is written to `file`.
    """
    scope = _main_namespace() if namespace is None else namespace
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
        shares, sources = _dump_all(variables, spool, scope)
        end = spool.tell()
        spool.seek(0)
        offsets, size = _place([buffer.nbytes for share in shares for buffer in share.buffers], end)
        header = {
            "python": _VERSION,
            "implementation": platform.python_implementation(),
            "names": [share.described for share in shares],
            "packages": _packages(variables.values()),
            "sources": sources,
            "stream": [0, end],
            "buffers": offsets,
        }
        return _stream_out(header, shares, spool, _Out(file), size)


class _Share:
    """What one variable adds to the pack."""

    def __init__(self, name: str, value: object) -> None:
        self.name = name
        self.type = type_name(value)
        self.stream_size = 0
        self.buffers: list[memoryview] = []
        self.code = False

    @property
    def described(self) -> dict[str, Any]:
        return {"name": self.name, "type": self.type, "size": self.size, "code": self.code}

    @property
    def size(self) -> int:
        return self.stream_size + sum(buffer.nbytes for buffer in self.buffers)


def _dump_all(
    variables: Mapping[str, object], spool: Any, namespace: MutableMapping[str, Any]
) -> tuple[list[_Share], dict[str, str]]:
    shares: list[_Share] = []

    def take(buffer: pickle.PickleBuffer) -> bool:
        """Keep a large buffer out of the stream; True tells the pickler to put it in."""
        try:
            view = buffer.raw()
        except BufferError:  # not contiguous: the pickler makes a copy
            return True
        if view.nbytes < _OUT_OF_BAND:
            return True
        shares[-1].buffers.append(view)
        return False

    pickler = _new_pickler(spool, namespace=namespace, buffer_callback=take)
    for name, value in variables.items():
        shares.append(_Share(name, value))
        begin = spool.tell()
        pickler.code_seen = False
        try:
            pickler.dump(value)
        except (Exception, SystemExit) as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise  # the temporary file has no room: the variable is not to blame
            raise _explained(name, value, error=error, namespace=namespace) from error
        shares[-1].stream_size = spool.tell() - begin
        shares[-1].code = pickler.code_seen
    return shares, pickler.sources


def _place(sizes: list[int], start: int) -> tuple[list[list[int]], int]:
    """Return [offset, size] of each buffer after `start` bytes of stream, and the end of the last."""
    placed = []
    end = start
    for size in sizes:
        offset = _aligned(end)
        placed.append([offset, size])
        end = offset + size
    return placed, end


def _aligned(offset: int) -> int:
    return -(-offset // _ALIGNMENT) * _ALIGNMENT


class _Out:
    """The sink with the hash and the length of all that went into it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        self.hash.update(view)
        self.size += view.nbytes
        while view.nbytes:  # an unbuffered file may take less than it is given
            taken: int | None = self.file.write(view)
            if taken is None or taken >= view.nbytes:
                return
            view = view[taken:]


def _stream_out(
    header: dict[str, Any], shares: list[_Share], spool: Any, out: _Out, size: int
) -> dict[str, Any]:
    text = json.dumps(header, separators=(",", ":")).encode("ascii")
    out.write(MAGIC + len(text).to_bytes(8, "big") + text)
    start = _aligned(out.size)
    out.write(bytes(start - out.size))
    hashes = [hashlib.sha256() for _ in shares]
    for share, item_hash in zip(shares, hashes):  # noqa: B905 - strict= is newer than Python 3.9
        left = share.stream_size
        while left:
            chunk = spool.read(min(left, _CHUNK))
            item_hash.update(chunk)
            out.write(chunk)
            left -= len(chunk)
    for share, item_hash in zip(shares, hashes):  # noqa: B905
        for buffer in share.buffers:
            out.write(bytes(_aligned(out.size) - out.size))
            _write_buffer(buffer, out, item_hash)
    if out.size != start + size:
        raise RuntimeError(f"the pack has {out.size} bytes instead of {start + size}")
    items = [
        {"name": share.name, "type": share.type, "size": share.size, "sha256": item_hash.hexdigest()}
        for share, item_hash in zip(shares, hashes)  # noqa: B905
    ]
    return {"size": out.size, "sha256": out.hash.hexdigest(), "items": items}


def _write_buffer(buffer: memoryview, out: _Out, item_hash: Any) -> None:
    """Write without a copy; the item's hash of a large buffer is taken beside that, on another core."""
    beside = None
    if buffer.nbytes >= _PARALLEL_HASH:
        beside = threading.Thread(target=item_hash.update, args=(buffer,))
        beside.start()
    else:
        item_hash.update(buffer)
    try:
        for begin in range(0, buffer.nbytes, _CHUNK):
            out.write(buffer[begin : begin + _CHUNK])
    finally:
        if beside is not None:
            beside.join()


def _packages(values: Iterable[object]) -> dict[str, str]:
    """Return the versions of the packages of the types of `values`, to explain a failure later."""
    versions = {}
    for value in values:
        package = str(getattr(type(value), "__module__", "")).partition(".")[0]
        version = getattr(sys.modules.get(package), "__version__", None)
        if isinstance(version, str):
            versions[package] = version
    return versions


def _main_namespace() -> dict[str, Any]:
    return sys.modules["__main__"].__dict__


# Pickling


class _NamespaceReference:
    """Stands in a pack for the globals of the notebook."""

    def __reduce__(self) -> tuple[Any, ...]:
        return notebook_namespace, ()


def notebook_namespace() -> dict[str, Any]:
    """Return the globals of `__main__`. The reader puts the namespace it was given in its place."""
    return _main_namespace()


def make_cached(function: Callable[..., Any], parameters: dict[str, Any]) -> Any:
    """Return `function` with `functools.lru_cache(**parameters)`: its cache is not sent."""
    import functools

    return functools.lru_cache(**parameters)(function)


def make_type_parameter(kind: str, name: str, module: str, rest: tuple[Any, ...]) -> Any:
    """Return `typing.<kind>(name, *rest)`: a NewType, ParamSpec or TypeVarTuple of the notebook."""
    made = getattr(importlib.import_module("typing"), kind)(name, *rest)
    made.__module__ = module
    return made


class _Refused(Exception):
    """Raised while pickling, by our own rules."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


def _new_pickler(file: Any, *, namespace: MutableMapping[str, Any], buffer_callback: Any) -> Any:
    try:
        base = importlib.import_module("cloudpickle").Pickler
    except ImportError:
        base = pickle.Pickler
    return type("NotebookPickler", (_NotebookRules, base), {})(file, namespace, buffer_callback)


class _NotebookRules:
    """What differs from cloudpickle's (or, without it, pickle's) own rules. Comes first among the bases."""

    def __init__(self, file: Any, namespace: MutableMapping[str, Any], buffer_callback: Any) -> None:
        pickler: Any = super()
        pickler.__init__(file, protocol=5, buffer_callback=buffer_callback)
        self.namespace = namespace
        self.code_seen = False
        self.sources: dict[str, str] = {}
        self._base_rule = getattr(pickler, "reducer_override", None)
        self._rules: dict[type, Any] = {}
        references = getattr(self, "globals_ref", None)
        if references is not None:
            references[id(namespace)] = _NamespaceReference()

    def reducer_override(self, obj: Any) -> Any:
        """Called for every object that is not of a basic type; the rule is found once for each type."""
        kind = type(obj)
        try:
            rule = self._rules[kind]
        except KeyError:
            rule = self._rules[kind] = self._rule(kind)
        return NotImplemented if rule is None else rule(obj)

    def _rule(self, kind: type) -> Any:
        refusal = _refusal(kind)
        if refusal is not None:
            return _standard_stream_or_refusal(refusal)
        if issubclass(kind, types.ModuleType):
            return self._reduce_module
        if issubclass(kind, (type, types.FunctionType)):
            return self._reduce_definition
        if kind is types.CodeType:
            return self._note_code
        if any(base.__qualname__ == _ARROW_ARRAY and _package(base) == "pandas" for base in kind.__mro__):
            return _reduce_arrow
        if kind.__name__ == "_lru_cache_wrapper" and kind.__module__ == "functools":
            return self._reduce_cached
        if kind.__module__ == "typing" and kind.__name__ in ("NewType", "ParamSpec", "TypeVarTuple"):
            return self._reduce_type_parameter
        return self._refuse_reference if kind.__module__ == "__main__" else None

    def _reduce_module(self, module: types.ModuleType) -> Any:
        if sys.modules.get(module.__name__) is module:
            return importlib.import_module, (module.__name__,)
        return self._base(module)

    def _note_code(self, code: types.CodeType) -> Any:
        self.code_seen = True
        known = linecache.cache.get(code.co_filename, ())
        if len(known) == 4 and known[1] is None:  # the text of a cell: it has no file, and no time
            self.sources[code.co_filename] = "".join(known[2])
        return self._base(code)

    def _reduce_definition(self, obj: Any) -> Any:
        """A function or class: by value when it is the notebook's, without what each kernel has itself."""
        if self._base_rule is None and getattr(obj, "__module__", None) == "__main__":
            raise _Refused(
                "is defined in the notebook, and the package cloudpickle is missing, which carries such code",
                f"Install cloudpickle for {sys.executable}, or put the definition into a .py file.",
            )
        reduced = self._base(obj)
        state = reduced[2] if isinstance(reduced, tuple) and len(reduced) > 2 else None
        if (
            isinstance(obj, types.FunctionType)
            and obj.__globals__ is self.namespace
            and isinstance(state, tuple)
        ):
            used = state[1].get("__globals__", {})
            for name in [name for name, value in used.items() if is_shells_own(name, value)]:
                del used[name]
        return reduced

    def _reduce_cached(self, wrapper: Any) -> Any:
        function = wrapper.__wrapped__
        if isinstance(self._base(function), tuple):
            return make_cached, (function, wrapper.cache_parameters())
        return NotImplemented

    def _reduce_type_parameter(self, parameter: Any) -> Any:
        if parameter.__module__ != "__main__":
            return NotImplemented
        rest = (parameter.__supertype__,) if hasattr(parameter, "__supertype__") else ()
        return make_type_parameter, (type(parameter).__name__, parameter.__name__, "__main__", rest)

    def _refuse_reference(self, obj: Any) -> Any:
        """An instance of a notebook's class that reduces to a name would be looked up where it is not."""
        kind = type(obj)
        if isinstance(obj.__reduce_ex__(5), str):
            raise _Refused("is sent by its name alone, which the job does not have", "Give it a __reduce__.")
        self._rules[kind] = None
        return NotImplemented

    def _base(self, obj: Any) -> Any:
        return NotImplemented if self._base_rule is None else self._base_rule(obj)


_ARROW_ARRAY = "ArrowExtensionArray"


def _package(kind: type) -> str:
    return str(kind.__module__).partition(".")[0]


def _reduce_arrow(array: Any) -> Any:
    """A pandas column kept by Arrow (text is): its own way of pickling copies the whole column first.

    A slice is left to that way, which sends the slice alone.
    """
    try:
        chunks = array._pa_array.chunks
        held = sum(buffer.size for chunk in chunks for buffer in chunk.buffers() if buffer is not None)
        if not chunks or held > 1.1 * array._pa_array.nbytes + 4096:
            return NotImplemented
        state = dict(array.__dict__, _pa_array=chunks)
    except AttributeError:  # of another version
        return NotImplemented
    if "_cache" in state:
        state["_cache"] = {}
    return copyreg.__newobj__, (type(array),), state  # type: ignore[attr-defined]


def is_shells_own(name: str, value: object) -> bool:
    """Return whether `name` stands for what every kernel has itself, not for a variable of the user."""
    if (
        name in SHELL_NAMES
        or (name.startswith("_i") and name[2:].isdigit())
        or (name[:1] == "_" and name[1:].isdigit())
    ):
        return name != "__annotations__" or isinstance(value, dict)
    if name == "open":  # IPython wraps it
        return getattr(value, "__wrapped__", None) is open
    return name == "display" and str(getattr(value, "__module__", "")).startswith("IPython.")


def _standard_stream_or_refusal(refusal: tuple[str, str]) -> Callable[[Any], Any]:
    def rule(obj: Any) -> Any:
        for stream in ("stdout", "stderr"):
            if obj is getattr(sys, stream):
                return getattr, (sys, stream)
        raise _Refused(*refusal)

    return rule


# Why something cannot be packed

_INSIDE = "Create it in the job's own code."
_FILE = "is an open file", "Open it in the job's own code."
_LOCK = "is a lock or another means of waiting between threads", _INSIDE
_QUEUE = "is a queue between threads or processes", _INSIDE
_DATABASE = "is a connection to a database", "Connect in the job's own code."
_GENERATOR = "is a generator", "Send list(...) of it, or create it in the job's own code."
_COROUTINE = "is a coroutine", "Await it before, or in the job's own code."
_FUTURE = "is a task or future of this process", "Wait for its result and send that."
_THREAD = "is a thread", "Start it in the job's own code."
_PROCESS = "is a running process or a pool of them", "Start it in the job's own code."
_SOCKET = "is a network connection", "Connect in the job's own code."
_WIDGET = "is a widget, which lives in this notebook's page", "Send its value."
_KERNEL = "belongs to this kernel", "Leave it out; the job's kernel has its own."
_SPARK = "lives in Spark's own process", "Create the session in the job's own code, or send .toPandas()."
_WEAK = "is a weak reference", "Send the object itself."

# Full names of classes, looked for among a type's bases: nothing is imported to know them.
_REFUSALS: dict[str, tuple[str, str]] = {
    "_io._IOBase": _FILE,
    "tempfile._TemporaryFileWrapper": _FILE,
    "tempfile.SpooledTemporaryFile": _FILE,
    "tempfile.TemporaryDirectory": ("is a temporary folder, which is deleted with it", _INSIDE),
    "zipfile.ZipFile": _FILE,
    "tarfile.TarFile": _FILE,
    "shelve.Shelf": _FILE,
    "mmap.mmap": ("is a file mapped to memory", _FILE[1]),
    "h5py._hl.files.File": _FILE,
    "netCDF4._netCDF4.Dataset": _FILE,
    "_thread.lock": _LOCK,
    "_thread.RLock": _LOCK,
    "threading._RLock": _LOCK,
    "threading.Condition": _LOCK,
    "threading.Event": _LOCK,
    "threading.Semaphore": _LOCK,
    "threading.Barrier": _LOCK,
    "_thread._local": ("holds values of one thread alone", _INSIDE),
    "multiprocessing.synchronize.SemLock": _LOCK,
    "multiprocessing.synchronize.Event": _LOCK,
    "multiprocessing.synchronize.Condition": _LOCK,
    "asyncio.locks.Lock": _LOCK,
    "asyncio.locks.Event": _LOCK,
    "asyncio.locks.Semaphore": _LOCK,
    "asyncio.locks.Condition": _LOCK,
    "queue.Queue": _QUEUE,
    "_queue.SimpleQueue": _QUEUE,
    "asyncio.queues.Queue": _QUEUE,
    "multiprocessing.queues.Queue": _QUEUE,
    "multiprocessing.queues.SimpleQueue": _QUEUE,
    "multiprocessing.connection._ConnectionBase": _SOCKET,
    "builtins.generator": _GENERATOR,
    "builtins.async_generator": _GENERATOR,
    "builtins.coroutine": _COROUTINE,
    "builtins.frame": ("is a frame of running code", "Leave it out."),
    "builtins.traceback": ("is a traceback", "Send traceback.format_exc()."),
    "_asyncio.Future": _FUTURE,
    "asyncio.futures.Future": _FUTURE,
    "concurrent.futures._base.Future": _FUTURE,
    "concurrent.futures._base.Executor": _PROCESS,
    "asyncio.events.AbstractEventLoop": _KERNEL,
    "threading.Thread": _THREAD,
    "subprocess.Popen": _PROCESS,
    "multiprocessing.process.BaseProcess": _PROCESS,
    "multiprocessing.pool.Pool": _PROCESS,
    "_socket.socket": _SOCKET,
    "ssl.SSLContext": ("holds the keys of network connections", _INSIDE),
    "zmq.sugar.socket.Socket": _SOCKET,
    "zmq.sugar.context.Context": _SOCKET,
    "sqlite3.Connection": _DATABASE,
    "sqlite3.Cursor": _DATABASE,
    "psycopg.Connection": _DATABASE,
    "psycopg.BaseConnection": _DATABASE,
    "psycopg.Cursor": _DATABASE,
    "psycopg.ServerCursor": _DATABASE,
    "psycopg._connection_base.BaseConnection": _DATABASE,
    "psycopg._cursor_base.BaseCursor": _DATABASE,
    "psycopg2.extensions.connection": _DATABASE,
    "psycopg2.extensions.cursor": _DATABASE,
    "pymysql.connections.Connection": _DATABASE,
    "MySQLdb.connections.Connection": _DATABASE,
    "mysql.connector.abstracts.MySQLConnectionAbstract": _DATABASE,
    "pyodbc.Connection": _DATABASE,
    "oracledb.connection.BaseConnection": _DATABASE,
    "duckdb.DuckDBPyConnection": _DATABASE,
    "_duckdb.DuckDBPyConnection": _DATABASE,
    "duckdb.duckdb.DuckDBPyConnection": _DATABASE,
    "sqlalchemy.engine.base.Engine": _DATABASE,
    "sqlalchemy.engine.base.Connection": _DATABASE,
    "sqlalchemy.orm.session.Session": _DATABASE,
    "sqlalchemy.ext.asyncio.engine.AsyncEngine": _DATABASE,
    "sqlalchemy.ext.asyncio.engine.AsyncConnection": _DATABASE,
    "sqlalchemy.ext.asyncio.session.AsyncSession": _DATABASE,
    "pymongo.synchronous.mongo_client.MongoClient": _DATABASE,
    "pymongo.mongo_client.MongoClient": _DATABASE,
    "redis.client.Redis": _DATABASE,
    "pyspark.sql.session.SparkSession": _SPARK,
    "pyspark.sql.dataframe.DataFrame": _SPARK,
    "pyspark.context.SparkContext": _SPARK,
    "pyspark.core.context.SparkContext": _SPARK,
    "ipywidgets.widgets.widget.Widget": _WIDGET,
    "anywidget._descriptor.MimeBundleDescriptor": _WIDGET,
    "comm.base_comm.BaseComm": _WIDGET,
    "IPython.core.interactiveshell.InteractiveShell": _KERNEL,
    "IPython.core.autocall.IPyAutocall": _KERNEL,
    "weakref.ReferenceType": _WEAK,
    "weakref.ProxyType": _WEAK,
}
_PICKLABLE_STREAMS = ("_io.BytesIO", "_io.StringIO")


def _refusal(kind: type) -> tuple[str, str] | None:
    """Return why values of this type are never packed, and what to do; None if nothing speaks against it."""
    names = [f"{base.__module__}.{base.__qualname__}" for base in kind.__mro__]
    if any(name in _PICKLABLE_STREAMS for name in names):
        return None
    for name in names:
        if name in _REFUSALS:
            return _REFUSALS[name]
    return None


def _explained(
    name: str, value: object, *, error: BaseException, namespace: MutableMapping[str, Any]
) -> PackError:
    """Return the error that says where in `value` the trouble lies and what it is."""
    if _is_recursion(error):
        reason = f"is nested too deep (Python stops at {sys.getrecursionlimit():,} levels)"
        return PackError(
            name, path=name, reason=reason, hint="Flatten it, or save it to a file and send the path."
        )
    path, culprit, cause = _find_culprit(name, value, namespace=namespace) or (name, value, error)
    reason, hint = _why(culprit, cause)
    return PackError(name, path=path, reason=reason, hint=hint)


def _is_recursion(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, RecursionError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _why(culprit: object, error: BaseException) -> tuple[str, str]:
    kind = type(culprit)
    label = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    refusal = _refusal(kind)
    if refusal is not None:
        detail = _file_name(culprit) if refusal is _FILE else None
        return f"{refusal[0]} ({shorten(detail or label, 200)})", refusal[1]
    if isinstance(error, _Refused):
        return error.reason, error.hint
    if _package(kind) == "torch" and getattr(culprit, "is_cuda", False):
        return f"is a tensor on the GPU that could not be read ({_said(error)})", "Send it with .cpu()."
    if "pickle" in _said(error).lower():
        return f"is of type {shorten(label)}, which Python cannot pickle ({_said(error)})", _INSIDE
    return f"is of type {shorten(label)}, and packing it raised {_said(error)}", _INSIDE


def _said(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # an exception of the user's own class
        text = ""
    return shorten(f"{type(error).__name__}: {text}" if text else type(error).__name__, 300)


def _file_name(file: object) -> str | None:
    try:
        name = getattr(file, "name", None)
    except Exception:
        return None
    return name if isinstance(name, str) else None


# Where it lies

_ATOMS = (type(None), bool, int, float, complex, str, bytes, bytearray, type(Ellipsis), type(NotImplemented))
_SEARCH_SECONDS = 5.0


def _find_culprit(
    name: str, value: object, *, namespace: MutableMapping[str, Any]
) -> tuple[str, object, BaseException] | None:
    """Return (path, object, error) of the nearest part whose own reduction fails, breadth first."""
    pickler = _new_pickler(_Nowhere(), namespace=namespace, buffer_callback=lambda _: False)
    deadline = time.monotonic() + _SEARCH_SECONDS
    queue = collections.deque([(name, value)])
    seen: dict[int, object] = {id(value): value}  # holds them all, so that no id is used twice
    while queue and time.monotonic() < deadline:
        path, current = queue.popleft()
        try:
            for label, child in _children(current, pickler):
                if not isinstance(child, _ATOMS) and id(child) not in seen:
                    seen[id(child)] = child
                    queue.append((path + label, child))
        except (Exception, SystemExit) as error:
            return path, current, error
    return None


class _Nowhere:
    def write(self, data: Any) -> int:
        return len(data)


def _children(obj: Any, pickler: Any) -> Iterator[tuple[str, Any]]:
    """Yield what pickling `obj` goes on to, each with its label. Raises what pickling `obj` itself raises."""
    kind = type(obj)
    if kind is dict:
        yield from _items(obj.items())
    elif kind in (list, tuple):
        yield from ((f"[{index}]", item) for index, item in enumerate(obj))
    elif kind in (set, frozenset):
        yield from (("{…}", item) for item in obj)
    else:
        reduced = _reduction(obj, pickler)
        if reduced is None:
            pickler.dump(obj)  # goes by name: whether that is found, the pickler alone knows
        elif isinstance(obj, types.FunctionType):
            yield from _function_parts(obj, reduced)
        else:
            yield from _readable_parts(obj)
            yield from _reduced_parts(reduced)


def _reduction(obj: Any, pickler: Any) -> tuple[Any, ...] | None:
    """Return what `obj` reduces to; None when it goes by its name."""
    reduced = pickler.reducer_override(obj)
    if reduced is NotImplemented:
        if isinstance(obj, (type, types.FunctionType, types.BuiltinFunctionType, pickle.PickleBuffer)):
            return None
        table = getattr(pickler, "dispatch_table", copyreg.dispatch_table)
        rule = table.get(type(obj))
        reduced = obj.__reduce_ex__(5) if rule is None else rule(obj)
    return reduced if isinstance(reduced, tuple) else None


def _items(items: Iterable[tuple[Any, Any]]) -> Iterator[tuple[str, Any]]:
    for key, item in items:
        yield f"[{_key(key)}]", item
        yield f"[{_key(key)}]", key


def _key(key: object) -> str:
    return (
        shorten(repr(key[:40] if isinstance(key, (str, bytes)) else key)) if isinstance(key, _ATOMS) else "…"
    )


def _function_parts(function: types.FunctionType, reduced: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    used, slots = reduced[2]
    for name, value in slots.get("__globals__", {}).items():
        yield f" → {name}", value
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):  # noqa: B905
        try:
            yield f" → {name}", cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    yield from (("(default value)", value) for value in function.__defaults__ or ())
    yield from ((f"({name}=)", value) for name, value in (function.__kwdefaults__ or {}).items())
    yield from ((f".{name}", value) for name, value in used.items())
    yield "", {name: value for name, value in slots.items() if name not in ("__globals__", "__closure__")}


def _readable_parts(obj: Any) -> Iterator[tuple[str, Any]]:
    """Yield parts under the labels that people know, where the reduction has others."""
    package = _package(type(obj))
    if package == "pandas" and type(obj).__name__ == "DataFrame":
        for column in range(obj.shape[1]):
            yield f"[{_key(obj.columns[column])}]", obj.iloc[:, column]
    elif (package == "pandas" and type(obj).__name__ == "Series") or package == "numpy":
        if getattr(getattr(obj, "dtype", None), "hasobject", False):
            yield from ((f"[{index}]", item) for index, item in enumerate(getattr(obj, "flat", obj)))
    elif isinstance(obj, types.MethodType):
        yield ".__self__", obj.__self__
    elif isinstance(obj, types.ModuleType):
        yield from ((f".{name}", value) for name, value in vars(obj).items() if name not in SHELL_NAMES)
    elif type(obj).__name__ == "partial" and hasattr(obj, "keywords"):
        yield from ((".func", obj.func), (".args", obj.args), (".keywords", obj.keywords))


def _reduced_parts(reduced: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    """Yield the parts of (function, arguments, state, list items, dict items)."""
    function, arguments, state, listed, mapped = (tuple(reduced) + (None,) * 5)[:5]
    for part in state if isinstance(state, tuple) and len(state) == 2 else (state,):
        if type(part) is dict:
            yield from ((f".{key}" if isinstance(key, str) else "", item) for key, item in part.items())
        elif part is not None:
            yield "", part
    yield from ((f"[{index}]", item) for index, item in enumerate(listed or ()))
    yield from _items(mapped or ())
    yield from (("", argument) for argument in arguments or ())
    yield "", function


# Reading


def read_header(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the header of the pack at `path`: nothing is unpickled. Raises `UnpackError`."""
    with open(path, "rb") as file:  # noqa: PTH123
        header, _ = _read_header(file, path)
    return header


def _read_header(file: BinaryIO, path: str | os.PathLike[str]) -> tuple[dict[str, Any], int]:
    """Return the header, and the offset that its offsets count from."""
    name = shorten(os.path.basename(os.fspath(path)))  # noqa: PTH119
    if file.read(len(MAGIC)) != MAGIC:
        raise UnpackError(f"The file {name} is not a pack of variables.")
    length = int.from_bytes(file.read(8), "big")
    total = os.fstat(file.fileno()).st_size
    broken = UnpackError(f"The pack {name} is damaged or cut short ({total:,} bytes).")
    if length > min(total, _HEADER_LIMIT):
        raise broken
    try:
        header = json.loads(file.read(length).decode("ascii"))
        start = _aligned(len(MAGIC) + 8 + length)
        end = max(start + offset + size for offset, size in [header["stream"], *header["buffers"]])
        complete = isinstance(header["names"], list) and isinstance(header["python"], str)
    except (ValueError, KeyError, TypeError) as error:
        raise broken from error
    if not complete or total < end:
        raise broken
    return header, start


def read_pack(
    path: str | os.PathLike[str], *, namespace: MutableMapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the variables of the pack at `path` by name.

    Functions of a notebook get `namespace` as their globals, None standing for that of `__main__`. The
    globals they use are added to it where it has none of that name; what it has is kept.

    Raises `UnpackError`, and has then changed nothing in `namespace`.
    """
    return _read(path, namespace=_main_namespace() if namespace is None else namespace, overwrite=False)


def unpack_into(path: str | os.PathLike[str], namespace: MutableMapping[str, Any]) -> list[str]:
    """Assign the variables of the pack at `path`, and what their functions use, in `namespace`.

    Returns the names of the variables.

    Raises `UnpackError`, and has then changed nothing in `namespace`.
    """
    variables = _read(path, namespace=namespace, overwrite=True)
    namespace.update(variables)
    return list(variables)


def _read(path: Any, *, namespace: MutableMapping[str, Any], overwrite: bool) -> dict[str, Any]:
    try:
        file = open(path, "rb")  # noqa: PTH123, SIM115
    except OSError as error:
        raise UnpackError(f"The pack of variables cannot be opened: {_said(error)}") from error
    with file:
        header, start = _read_header(file, path)
        _check_version(header)
        buffers: list[memoryview] = []
        if header["buffers"]:
            whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
            buffers = [whole[start + offset :][:size] for offset, size in header["buffers"]]
        file.seek(start + header["stream"][0])
        reader = _Reader(file, buffers, namespace=namespace, overwrite=overwrite)
        _remember_sources(header.get("sources", {}))
        variables = {}
        with reader.bound():
            for described in header["names"]:
                try:
                    variables[described["name"]] = reader.load()
                except Exception as error:
                    sentence = _unpack_sentence(_called(described["name"]), error, header=header)
                    raise UnpackError(sentence) from error
        return variables


def _remember_sources(sources: dict[str, str]) -> None:
    """Let tracebacks and `inspect.getsource` find the text of cells that ran elsewhere."""
    for name, text in sources.items():
        linecache.cache.setdefault(name, (len(text), None, text.splitlines(True), name))


def _check_version(header: dict[str, Any]) -> None:
    carriers = [described["name"] for described in header["names"] if described.get("code")]
    same = header["python"] == _VERSION and header.get("implementation") in (
        None,
        platform.python_implementation(),
    )
    if same or not carriers:
        return
    raise UnpackError(
        f"The variable `{shorten(_called(carriers[0]))}` holds code of Python {header['python']}, and this"
        f" kernel runs Python {_VERSION}: functions and classes defined in a notebook go between equal"
        f" versions alone. Choose a kernel of Python {header['python']}, or put the definition into a .py"
        " file."
    )


def _called(name: str) -> str:
    """Return a name as people know it: `args` for the `__mlws_args__` of a job that calls a function."""
    return name[len("__mlws_") : -len("__")] if name.startswith("__mlws_") else name


def _unpack_sentence(name: str, error: Exception, *, header: dict[str, Any]) -> str:
    who = f"Python {platform.python_version()} ({sys.executable})"
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        role = "carries definitions of a notebook and " if package == "cloudpickle" else ""
        part = "" if package == error.name else f" (module {shorten(error.name)})"
        return (
            f"The variable `{shorten(name)}` needs the package {shorten(package)}{part}, which {role}is"
            f" missing in {who}. Install it there."
        )
    differing = []
    for package, version in header.get("packages", {}).items():
        ours = getattr(sys.modules.get(package), "__version__", version)
        if ours != version:
            differing.append(f"{package} is {version} where it was packed and {ours} here")
    if header["python"] != _VERSION:
        differing.append(f"it was packed by Python {header['python']}")
    reason = f" ({'; '.join(differing)})" if differing else ""
    return f"The variable `{shorten(name)}` could not be unpacked in {who}: {_said(error)}{reason}."


class _Reader(pickle.Unpickler):
    """Unpickles with the functions of the notebook bound to a namespace that was given."""

    def __init__(
        self, file: Any, buffers: list[memoryview], *, namespace: MutableMapping[str, Any], overwrite: bool
    ) -> None:
        super().__init__(file, buffers=buffers)
        self._namespace = namespace
        self._overwrite = overwrite
        self._before: dict[str, Any] = {}
        self._set_state: Any = None

    def find_class(self, module: str, name: str) -> Any:
        if module in _HOMES or module == __name__:
            return self._own_namespace if name == "notebook_namespace" else globals()[name]
        if module == "__main__" and name in self._namespace:
            return self._namespace[name]
        found = super().find_class(module, name)
        if name == "_function_setstate" and module.partition(".")[0] == "cloudpickle":
            self._set_state = found
            return self._set_function_state
        return found

    def _own_namespace(self) -> MutableMapping[str, Any]:
        return self._namespace

    def _set_function_state(self, function: Any, state: Any) -> None:
        """As cloudpickle does, but with care for the globals that the namespace has already."""
        attributes, slots = state
        if function.__globals__ is self._namespace:
            used = slots["__globals__"]
            new = used if self._overwrite else {k: v for k, v in used.items() if k not in self._namespace}
            for name in new:
                self._before.setdefault(name, self._namespace.get(name, _ABSENT))
            slots = dict(slots, __globals__=new)
        self._set_state(function, (attributes, slots))

    def bound(self) -> _Bound:
        """Return a context that undoes changes of the namespace when reading fails."""
        return _Bound(self._namespace, self._before)


_ABSENT = object()


class _Bound:
    def __init__(self, namespace: MutableMapping[str, Any], before: dict[str, Any]) -> None:
        self._namespace = namespace
        self._before = before
        # cloudpickle replaces the module by its dict, which code may tell apart.
        self._builtins = namespace.get("__builtins__", _ABSENT)

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, *_: object) -> None:
        restored = dict(self._before) if kind is not None else {}
        restored["__builtins__"] = self._builtins
        for name, value in restored.items():
            if value is _ABSENT:
                self._namespace.pop(name, None)
            else:
                self._namespace[name] = value


# Results


def pack_results(
    names: Iterable[str], namespace: MutableMapping[str, Any], folder: str | os.PathLike[str]
) -> list[dict[str, Any]]:
    """Pack each of `names` of `namespace` into a file of its own, `0.mlws` and so on, in `folder`.

    Returns an entry for each name, in order: `{"name", "type", "size", "sha256", "preview"}`, sizes in bytes,
    or `{"name", "type", "error"}` with a sentence for what cannot be kept. `results.json`, written last,
    maps the names to their files. A name is never part of a path.
    """
    items = []
    files: dict[str, str] = {}
    for name in dict.fromkeys(names):
        file = f"{len(files)}.mlws"
        item = _pack_result(name, namespace, os.path.join(folder, file))  # noqa: PTH118
        if "sha256" in item:
            files[name] = file
        items.append(item)
    _replace(os.path.join(folder, "results.json"), json.dumps(files).encode("ascii"))  # noqa: PTH118
    return items


def _pack_result(name: str, namespace: MutableMapping[str, Any], path: str) -> dict[str, Any]:
    if name not in namespace:
        return {"name": name, "type": "nothing", "error": "It was not assigned."}
    value = namespace[name]
    described = {"name": name, "type": type_name(value)}
    if isinstance(value, types.ModuleType):
        return dict(
            described, error=f"It is a module: write `import {shorten(value.__name__)}` where you need it."
        )
    part = path + ".part"
    try:
        with open(part, "wb") as file:  # noqa: PTH123
            written = write_pack({name: value}, file, namespace=namespace)
        os.replace(part, path)  # noqa: PTH105
    except PackError as error:
        _remove(part)
        finding = error.finding
        return dict(described, error=finding[0].upper() + finding[1:])
    except (OSError, MemoryError) as error:
        _remove(part)
        return dict(described, error=f"It could not be written: {_said(error)}.")
    return dict(described, size=written["size"], sha256=written["sha256"], preview=preview(value))


def _replace(path: str, content: bytes) -> None:
    with open(path + ".part", "wb") as file:  # noqa: PTH123
        file.write(content)
    os.replace(path + ".part", path)  # noqa: PTH105


def _remove(path: str) -> None:
    try:
        os.unlink(path)  # noqa: PTH108
    except OSError:
        return


# Previews

# Packages whose `shape` is known to be cheap: a class of the user's own is never asked.
_SHAPED_TEXT = "numpy pandas polars pyarrow scipy torch tensorflow jax jaxlib xarray cupy cudf"
_SHAPED = frozenset(_SHAPED_TEXT.split())
_PREVIEW = 60


def preview(value: object) -> str:
    """Return a short text for people, such as `DataFrame 7,043 × 21`; no code of the user's runs for it."""
    name = type_name(value)
    try:
        detail = _detail(value)
    except (Exception, SystemExit):  # whatever is strange about it, its type can be told
        detail = ""
    return f"{name} {detail}" if detail else name


def _detail(value: Any) -> str:
    kind = type(value)
    if kind in (bool, float, complex) or (kind is int and value.bit_length() < 200):
        return repr(value)
    if kind is int:
        return f"of {value.bit_length():,} bits"
    if kind is str:
        return repr(value) if len(value) <= _PREVIEW else f"{value[:_PREVIEW]!r}… ({len(value):,} characters)"
    if kind in (bytes, bytearray):
        return f"of {len(value):,} bytes"
    if kind in (list, tuple, set, frozenset, dict):
        return f"of {len(value):,}"
    if kind is types.FunctionType:
        code = value.__code__
        return shorten(f"{value.__name__}({', '.join(code.co_varnames[: code.co_argcount])})")
    if issubclass(kind, type):
        return shorten(str(type.__getattribute__(value, "__name__")))
    if _package(kind) in _SHAPED:
        return _shape(value)
    return ""


def _shape(value: Any) -> str:
    shape = tuple(value.shape)
    if type(value).__name__ in ("DataFrame", "Table", "LazyFrame") and len(shape) == 2:
        return f"{shape[0]:,} × {shape[1]:,}"
    element = shorten(str(getattr(value, "dtype", "")), 40)
    if not shape:
        return shorten(str(value.item()), _PREVIEW) if element and element != "object" else element
    return (
        f"{element} ({', '.join(f'{length:,}' for length in shape)}{',' if len(shape) == 1 else ''})".strip()
    )
