"""What answers return, in one form: brought into it, compared, copied, shown in a few characters."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

_SMALL = 12  # arrays up to this size are shown in full


def normal(value: Any):
    """Normal form of an output: a numpy array of numbers or text, or a tuple of normal forms.

    Tensors, Python numbers and 0-d arrays become arrays; a sequence of alike parts is stacked, others become tuples, as
    do dataclasses and mappings (keys first, then values in the order of the keys). None is the text "None".
    """
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().resolve_conj()
        return (value.float() if value.dtype in (torch.bfloat16, torch.float16) else value).numpy().copy()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return normal([getattr(value, field.name) for field in dataclasses.fields(value)])
    if isinstance(value, Mapping):
        keys = sorted(value, key=str)
        return normal([keys, *(value[key] for key in keys)])
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        parts = tuple(normal(part) for part in value)
        alike = {(part.shape, part.dtype) if isinstance(part, np.ndarray) else None for part in parts}
        return np.stack(parts) if len(alike) == 1 and None not in alike else parts
    array = np.array("None" if value is None else value)
    if array.dtype.kind not in "biufcU":
        raise TypeError(f"expected numbers or arrays of numbers as output, got {type(value).__name__}")
    return array


def close(got, expected, *, rtol: float = 1e-5, atol: float = 1e-8) -> bool:
    """Whether two normal forms agree in shape and, within the tolerance, in value; NaN equals NaN.

    Where either is float32 the tolerance is at least 1e-4 relative and 1e-6 of the largest expected value.
    """
    if isinstance(got, tuple) or isinstance(expected, tuple):
        got, expected = _parts(got), _parts(expected)
        return len(got) == len(expected) and all(
            close(g, e, rtol=rtol, atol=atol) for g, e in zip(got, expected, strict=True)
        )
    if got.shape != expected.shape or np.iscomplexobj(got) != np.iscomplexobj(expected):
        return False
    if "U" in (got.dtype.kind, expected.dtype.kind):
        return got.dtype.kind == expected.dtype.kind and bool((got == expected).all())
    if np.float32 in (got.dtype, expected.dtype):
        finite = np.abs(expected[np.isfinite(expected)])
        rtol, atol = max(rtol, 1e-4), max(atol, 1e-6 * float(finite.max(initial=0)))
    wide = np.complex128 if np.iscomplexobj(got) else np.float64
    return np.allclose(got.astype(wide), expected.astype(wide), rtol, atol, equal_nan=True)


def same(after: Any, before: Any) -> bool:
    """Whether an argument still holds what it held."""
    if isinstance(before, torch.Tensor | np.ndarray):
        if not isinstance(after, type(before)) or after.shape != before.shape:
            return False
        return np.array_equal(normal(after), normal(before), equal_nan=normal(before).dtype.kind in "fc")
    if isinstance(before, torch.nn.Module):
        now, then = after.state_dict(), before.state_dict()
        return now.keys() == then.keys() and all(torch.equal(now[key], then[key]) for key in then)
    if isinstance(before, list | tuple):
        return len(after) == len(before) and all(same(a, b) for a, b in zip(after, before, strict=True))
    if isinstance(before, Mapping):
        return after.keys() == before.keys() and all(same(after[key], before[key]) for key in before)
    return True


def own_memory(value: Any) -> Any:
    """A copy of an argument that shares no memory with any other; what is no array is kept as it is."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if isinstance(value, np.ndarray):
        return value.copy()
    if type(value) in (list, tuple):
        return type(value)(own_memory(part) for part in value)
    if type(value) is dict:
        return {key: own_memory(part) for key, part in value.items()}
    return value


def aligned(got, want):
    """`got` as a tuple where `want` is one and as an array where it is one, as far as `close` allows."""
    if isinstance(want, tuple):
        return _parts(got) if isinstance(got, np.ndarray) and got.ndim else got
    alike = isinstance(got, tuple) and all(isinstance(p, np.ndarray) and p.shape == got[0].shape for p in got)
    return np.stack(got) if alike and got else got


def difference(got, want, *, rtol: float, atol: float, names: Sequence[str] = ()) -> tuple[str, str, str]:
    """Two values of one form that are not close, in words: (where they differ, what was expected, what came).

    Small arrays are shown in full, large ones at the place of the largest difference, in as many digits as it takes to
    see it. Of a tuple the first part that differs is shown, by its name in `names`.
    """
    if isinstance(want, tuple):
        for i, (g, w) in enumerate(zip(got, want, strict=True)):
            if not close(g, w, rtol=rtol, atol=atol):
                where, *values = difference(g, w, rtol=rtol, atol=atol)
                part = names[i] if i < len(names) else f"part {i + 1} of {len(want)}"
                inner = f", {where}" if where and not where.startswith("[") else where
                return (f"{part}{inner}", values[0], values[1])
    where = ""
    if want.size > _SMALL and want.dtype.kind != "U":
        wide = np.complex128 if np.iscomplexobj(want) else np.float64
        a, b = got.astype(wide), want.astype(wide)
        with np.errstate(all="ignore"):
            gap = np.where(
                (a == b) | (np.isnan(a) & np.isnan(b)), 0, np.nan_to_num(np.abs(a - b), nan=np.inf)
            )
            gap = gap / (atol + rtol * np.nan_to_num(np.abs(b)))
        place = np.unravel_index(int(gap.argmax()), want.shape)
        where = f"[{', '.join(str(int(i)) for i in place)}]"
        got, want = got[place], want[place]
    for digits in (4, 8, 17):
        texts = shown(want, digits), shown(got, digits)
        if texts[0] != texts[1]:
            break
    return (where, *texts)


def form(value) -> str:
    """What kind of thing a normal form is: "numbers of shape (3, 2)"."""
    if isinstance(value, tuple):
        return f"a tuple of {len(value)} ({', '.join(form(part) for part in value)})"
    kind = {"U": "text", "c": "complex numbers"}.get(value.dtype.kind, "numbers")
    return f"{kind} of shape {value.shape}" if value.ndim else {"numbers": "one number"}.get(kind, kind)


def shown(value: object, digits: int = 4) -> str:
    """A value in a few characters, the same on every machine: no addresses, no long arrays."""
    if isinstance(value, str | bool | int | None):
        return repr(value)
    if isinstance(value, tuple | list) and len(value) <= _SMALL:
        parts = ", ".join(shown(part, digits) for part in value)
        if isinstance(value, list):
            return f"[{parts}]"
        return f"({parts},)" if len(value) == 1 else f"({parts})"
    try:
        array = normal(value)
    except Exception:  # whatever a reader's object does when it is looked at
        return f"<{getattr(value, '__name__', type(value).__name__)}>"
    if not isinstance(array, np.ndarray):
        return f"<{type(value).__name__}>"
    if array.size > _SMALL:
        return f"<{type(value).__name__} of shape {array.shape}>"
    number: Any = (lambda x: f"{x:.{digits}g}") if array.dtype.kind in "fc" else str
    text = np.array2string(array, separator=", ", max_line_width=10**6, formatter={"all": number})
    return " ".join(text.split())


def _parts(value) -> tuple:
    if isinstance(value, tuple):
        return value
    return tuple(np.asarray(row) for row in value) if value.ndim else (value,)
