"""Debian's Chromium without a window: the machine's, or unpacked once into the stack's folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

from tests.stack import artifacts, debian
from tests.stack.home import servers
from tests.stack.unavailable import StackUnavailable

PACKAGE = "chromium-headless-shell"
OF_THE_MACHINE = ("libc6", "libgcc-s1", "libstdc++6")
"""What everything there runs with already; packages of the same suite fit it."""
FOR_SCREENS = ("libgl1-mesa-dri", "libllvm", "libz3")
"""Large, and of use with a graphics card alone."""
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>{root}/usr/share/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">vecsink-fonts</cachedir>
</fontconfig>
"""


class Browser(NamedTuple):
    """How to start it."""

    program: Path
    environment: dict[str, str | float | bool]


def chromium() -> Browser:
    """A browser that Playwright can drive.

    Raises:
        StackUnavailable: this is no Debian, or the download failed.
    """
    found = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if found:
        return Browser(Path(found), dict(os.environ))
    target = servers() / PACKAGE
    with artifacts.filling(target) as folder:
        if folder:
            debian.unpack(PACKAGE, None, folder, without=(*OF_THE_MACHINE, *FOR_SCREENS))
            (folder / "fonts.conf").write_text(FONTS.format(root=target))
    return _unpacked(target)


def _unpacked(root: Path) -> Browser:
    program = next(
        (one for one in sorted(root.glob("usr/lib/chromium/*headless-shell")) if one.is_file()),
        None,
    )
    if program is None:
        raise StackUnavailable(f"no headless Chromium was unpacked into {root}")
    fonts = root / "fonts.conf"
    libraries = {str(file.parent) for file in root.rglob("*.so*") if file.is_file()}
    path = ":".join(sorted(libraries))
    return Browser(program, {**os.environ, "LD_LIBRARY_PATH": path, "FONTCONFIG_FILE": str(fonts)})
