"""Real Hadoop (with YARN), Hive, Pig, Spark, Flink, Consul and Avro from the package registries, each in a folder of the cache."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from . import Skip, cache

HADOOP = "3.4.2"
PIG = "0.17.0"
HIVE = "4.0.1"
SPARK = "3.5.9"
FLINK = "1.20.5"
CONSUL = "1.14.11"
AVRO = "1.12.1"

RECIPE = Path(__file__).resolve().parent.parent / "hadoop"
YARN_RECIPE = Path(__file__).resolve().parent.parent / "yarn" / "cluster"
HIVE_RECIPE = Path(__file__).resolve().parent.parent / "local" / "hive"
PIG_RECIPE = Path(__file__).resolve().parent.parent / "yarn" / "pig"
AVRO_RECIPE = Path(__file__).resolve().parent.parent / "schema" / "avro"
CONSUL_RECIPE = Path(__file__).resolve().parent.parent / "consul" / "server"
# Eight minutes on two busy cores.
CONSUL_BUILD_LIMIT_SECONDS = 3600


def need(*programs: str) -> None:
    """Skips where one of `programs` is not on PATH."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise Skip(f"not installed: {', '.join(missing)}")


def hadoop() -> Path:
    """HADOOP_HOME: the client jars that Maven resolves, `bin/hadoop` in front of them, and jobs that run in process.

    The `hadoop` script comes in no package, so ours stands in for it; all that runs behind it is Hadoop.
    """
    need("java", "mvn")

    def make(new: Path) -> None:
        shutil.copytree(RECIPE, new, dirs_exist_ok=True)
        resolve(new, f"hadoop-common-{HADOOP}.jar")

    return cache.installed(f"hadoop-{HADOOP}", make, contents(RECIPE))


def yarn() -> Path:
    """HADOOP_HOME of a cluster: the jars of all daemons besides the client's, and the same `bin/hadoop`."""
    need("java", "mvn")

    def make(new: Path) -> None:
        for recipe in (RECIPE, YARN_RECIPE):
            shutil.copytree(recipe, new, dirs_exist_ok=True)
        resolve(new, f"hadoop-common-{HADOOP}.jar")

    return cache.installed(f"yarn-{HADOOP}", make, contents(RECIPE) + contents(YARN_RECIPE))


def pig() -> Path:
    """PIG_HOME: Pig beside Hadoop's jars."""
    need("java", "mvn")

    def make(new: Path) -> None:
        shutil.copytree(PIG_RECIPE, new, dirs_exist_ok=True)
        resolve(new, f"pig-{PIG}.jar")

    return cache.installed(f"pig-{PIG}", make, contents(PIG_RECIPE))


def hive() -> Path:
    """HIVE_HOME: Hive's command line, its metastore and Hadoop's client in one process."""
    need("java", "mvn")

    def make(new: Path) -> None:
        shutil.copytree(HIVE_RECIPE, new, dirs_exist_ok=True)
        resolve(new, f"hive-cli-{HIVE}.jar")

    return cache.installed(f"hive-{HIVE}", make, contents(HIVE_RECIPE))


def avro() -> Path:
    """The jars of Avro and of what it needs, in `lib`."""
    need("java", "mvn")

    def make(new: Path) -> None:
        shutil.copytree(AVRO_RECIPE, new, dirs_exist_ok=True)
        resolve(new, f"avro-{AVRO}.jar")

    return cache.installed(f"avro-{AVRO}", make, contents(AVRO_RECIPE))


def contents(recipe: Path) -> bytes:
    """What an installation depends on."""
    return b"".join(path.read_bytes() for path in sorted(recipe.rglob("*")) if path.is_file())


def resolve(home: Path, known: str) -> None:
    """Fetches into `home/lib` what `home/pom.xml` names; `known` is one of the files."""
    cache.fetch(
        [
            "mvn", "--batch-mode", "--quiet", "--no-transfer-progress", "--file", home / "pom.xml",
            f"-Dhadoop.version={HADOOP}", f"-Dpig.version={PIG}", f"-Dhive.version={HIVE}", f"-Davro.version={AVRO}",
            f"-Dmaven.repo.local={cache.folder() / 'maven'}",
            "dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={home / 'lib'}",
        ]
    )  # fmt: skip
    if not (home / "lib" / known).is_file():
        raise Skip(f"Maven did not resolve {known}")


def hadoop_examples() -> Path:
    """The jar with Hadoop's own word count."""
    return hadoop() / "lib" / f"hadoop-mapreduce-examples-{HADOOP}.jar"


def spark() -> Path:
    """SPARK_HOME: the whole of Spark lies in the source package of its Python client."""
    need("java")

    def make(new: Path) -> None:
        untar(pip(new, f"pyspark=={SPARK}"), {"deps": new, "lib": new / "python" / "lib"})

    return cache.installed(f"spark-{SPARK}", make)


def flink() -> Path:
    """FLINK_HOME: the jars of one package, the scripts and the settings of the other."""
    need("java")

    def make(new: Path) -> None:
        untar(pip(new, f"apache-flink-libraries=={FLINK}"), {"deps": new})
        # A fixed tag, so that the wheel does not depend on the Python that runs this.
        wheel = pip(
            new, f"apache-flink=={FLINK}", "--only-binary=:all:", "--python-version=3.11", "--platform=manylinux2014_x86_64"
        )  # fmt: skip
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                inner = Path(name).relative_to("pyflink") if name.startswith("pyflink/") else Path()
                if inner.parts[:1] in (("bin",), ("conf",)) and not name.endswith("/"):
                    target = new / inner
                    target.parent.mkdir(exist_ok=True)
                    target.write_bytes(archive.read(name))
                    target.chmod(0o755 if inner.parts[0] == "bin" else 0o644)
        wheel.unlink()

    return cache.installed(f"flink-{FLINK}", make)


def consul() -> Path:
    """The `consul` program, built from its Go module.

    Its own go.sum, which comes with the module and is verified with it, names one module that the checksum
    database does not know; it is added to ours. What it replaces by folders of its repository is taken as published.
    """
    need("go")

    def make(new: Path) -> None:
        shutil.copytree(CONSUL_RECIPE, new / "source")
        setting = {
            "GOFLAGS": "-mod=mod -modcacherw",
            "CGO_ENABLED": "0",
            "GOWORK": "off",
            "GOMODCACHE": str(new / "modules"),
            "GOCACHE": str(new / "built"),
        }
        go = ["env", f"--chdir={new / 'source'}", *(f"{name}={value}" for name, value in setting.items()), "go"]
        module = "github.com/hashicorp/consul"
        cache.fetch([*go, "mod", "download", module])
        sums = (new / "modules" / f"{module}@v{CONSUL}" / "go.sum").read_text(encoding="ascii")
        with (new / "source" / "go.sum").open("a", encoding="ascii") as file:
            file.write(sums)
        # Fetches all that is needed, and nothing is built twice when one of them did not come.
        cache.fetch([*go, "list", "-deps", module])
        command = [*go, "build", "-trimpath", "-ldflags=-s -w", "-o", new / "consul", module]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=CONSUL_BUILD_LIMIT_SECONDS)
        for folder in ("source", "modules", "built"):
            shutil.rmtree(new / folder)

    recipe = b"".join(path.read_bytes() for path in sorted(CONSUL_RECIPE.iterdir()))
    return cache.installed(f"consul-{CONSUL}", make, recipe) / "consul"


def python_packages(name: str, requirements: Path) -> Path:
    """A folder of Python packages, installed as a `requirements.txt` says."""

    def make(new: Path) -> None:
        cache.fetch(
            [
                sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:",
                f"--target={new}", f"--requirement={requirements}",
            ]
        )  # fmt: skip

    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return cache.installed(f"{name}-python{python}", make, requirements.read_bytes())


def pip(into: Path, requirement: str, *options: str) -> Path:
    """Downloads the one file of a package, without what it depends on."""
    before = set(into.iterdir())
    cache.fetch([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", f"--dest={into}", *options, requirement])
    (file,) = set(into.iterdir()) - before
    return file


def untar(package: Path, folders: dict[str, Path]) -> None:
    """Unpacks `folders` of the one folder in `package`, each to where it says, and removes the package."""
    # Where this Python knows the filter (3.11.4 and later), nothing is written outside of the folder.
    safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    with tarfile.open(package) as archive:
        for member in archive:
            _, inner, name = (*member.name.split("/", 2), "", "")[:3]
            if name and inner in folders and (member.isfile() or member.isdir()):
                member.name = name
                archive.extract(member, folders[inner], **safe)
    package.unlink()


def jar(source: Path, classpath: Path, work: Path, main: str | None = None) -> Path:
    """Compiles one Java file against the jars in `classpath`. The manifest names `main`, or no class."""
    need("javac", "jar")
    name = f"{source.stem}-{main}" if main else source.stem
    classes, built = work / f"{name}-classes", work / f"{name}.jar"
    subprocess.run(["javac", "-nowarn", "-proc:none", "-d", classes, "-cp", f"{classpath}/*", source], check=True)
    entry = [f"--main-class={main}"] if main else []
    subprocess.run(["jar", "--create", f"--file={built}", *entry, "-C", classes, "."], check=True)
    return built
