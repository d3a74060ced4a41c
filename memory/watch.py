"""Which files of a bank's folders changed since the last question, as the kernel tells it (Linux, inotify).

A folder's own time stamp moves when a file is created, renamed or removed in it, not when a file is edited in
place. The kernel reports those too, at no cost between two questions. Elsewhere there is no watch, and files
are compared one by one (see `memory.freshness`).
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import weakref
from collections.abc import Iterable
from pathlib import Path

_CHANGES = 0x2 | 0x4 | 0x8 | 0x40 | 0x80 | 0x100 | 0x200  # MODIFY ATTRIB CLOSE_WRITE MOVED CREATE DELETE
_ITSELF = 0x400 | 0x800  # DELETE_SELF MOVE_SELF
_ONLY_FOLDERS = 0x01000000 | 0x02000000  # ONLYDIR DONT_FOLLOW
_OVERFLOW, _IGNORED = 0x4000, 0x8000
_EVENT = struct.Struct("iIII")  # watch, mask, cookie, length of the name that follows


class Watch:
    """A watch over `folders`, those that do not exist yet included. OSError where there is no such thing."""

    def __init__(self, folders: Iterable[Path]) -> None:
        if sys.platform != "linux":
            raise OSError("the kernel has no inotify")
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor: int = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify is not to be had")
        weakref.finalize(self, os.close, self._descriptor)
        self._folders = tuple(folders)
        self._watched: dict[int, Path] = {}
        self._add_missing()

    def changed(self) -> dict[Path, set[str] | None]:
        """The folders in which anything happened since the last call, with the names of the files; None for
        a folder that is to be compared as a whole. OSError when the watch is lost."""
        found: dict[Path, set[str] | None] = {}
        while events := self._read():
            at = 0
            while at < len(events):
                number, mask, _, length = _EVENT.unpack_from(events, at)
                name = events[at + _EVENT.size : at + _EVENT.size + length].rstrip(b"\0")
                at += _EVENT.size + length
                if mask & _OVERFLOW:
                    found.update(dict.fromkeys(self._folders))
                elif number in self._watched:
                    names = found.setdefault(self._watched[number], set())
                    if not name:
                        found[self._watched[number]] = None
                    elif names is not None:
                        names.add(os.fsdecode(name))
                    if mask & (_ITSELF | _IGNORED):
                        del self._watched[number]
        return found | dict.fromkeys(self._add_missing())

    def _read(self) -> bytes:
        try:
            return os.read(self._descriptor, 65536)
        except BlockingIOError:
            return b""

    def _add_missing(self) -> set[Path]:
        added: set[Path] = set()
        for folder in set(self._folders) - set(self._watched.values()):
            number = self._libc.inotify_add_watch(
                self._descriptor, os.fsencode(folder), _CHANGES | _ITSELF | _ONLY_FOLDERS
            )
            if number >= 0:
                self._watched[number] = folder
                added.add(folder)
            elif folder.is_dir() and not folder.is_symlink():
                raise OSError(ctypes.get_errno(), f"{folder} cannot be watched")
        return added
