"""What the comparisons with other packages share: compiling our side."""
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def build(name, folder):
    """Compiles NAME.c, which stands beside this file, against the internal library of the build tree; the program."""
    out = folder / name
    flags = subprocess.run(["pkg-config", "--libs", "jansson", "yaml-0.1", "libzstd", "libseccomp"], check=True,
                           capture_output=True, text=True).stdout.split()
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-D_GNU_SOURCE", f"-I{ROOT}/src", f"-I{ROOT}/include",
                    str(ROOT / f"bench/peers/{name}.c"), str(ROOT / "build/libbezoar_internal.a"), "-lcrypto", "-lz",
                    *flags, "-lpthread", "-lm", "-ldl", "-o", str(out)], check=True)
    return out
