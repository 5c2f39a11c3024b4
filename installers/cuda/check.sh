#!/usr/bin/env bash
# Type check of the code paths for CUDA, on a machine without CUDA and without its toolkit: the
# kernels are not compiled, as an nvcc that only makes empty files stands in for the real one.
# Takes a minute or two; nothing that it makes can run.
#
# GESSO_CUDA_CHECK      folder for what this script makes; target/cuda-check below the crate otherwise
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${GESSO_CUDA_CHECK:-$root/target/cuda-check}
mkdir -p "$build/bin"
build=$(cd "$build" && pwd)

cat >"$build/bin/nvcc.new" <<'FAKE'
#!/usr/bin/env bash
# Makes the files that the real nvcc would, empty.
set -eu
output= folder=. source= kind=
while [ $# -gt 0 ]; do
    case $1 in
        --version) echo "Cuda compilation tools, release 13.0, V13.0.88"; exit ;;
        -o) output=$2; shift ;;
        --output-directory) folder=$2; shift ;;
        --ptx) kind=ptx ;;
        --lib) kind=lib ;;
        *.cu) source=$1 ;;
    esac
    shift
done
case $kind in
    ptx) name=${source##*/}; : >"$folder/${name%.cu}.ptx" ;;
    lib) rm -f "$output"; ar rcs "$output" ;;
    *) [ -z "$output" ] || : >"$output" ;;
esac
FAKE
chmod +x "$build/bin/nvcc.new"
if cmp -s "$build/bin/nvcc.new" "$build/bin/nvcc"; then
    rm "$build/bin/nvcc.new"
else
    mv "$build/bin/nvcc.new" "$build/bin/nvcc"
fi

export NVCC=$build/bin/nvcc CUDA_HOME=$build CUDA_COMPUTE_CAP=80 CUDARC_CUDA_VERSION=13000
# As in build.sh: the libraries are opened when they are first used.
export CARGO_BUILD_TARGET=x86_64-unknown-linux-gnu
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS='--cfg feature="dynamic-loading"'
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$build/target}
cd "$root"
cargo check --locked --release --features cudnn
echo "the CUDA code paths compile"
