#!/usr/bin/env bash
# Builds one program for NVIDIA GPUs that also starts, and computes on the CPU, where there is no
# CUDA. Linux on x86-64. See README.md beside this file.
#
#   installers/cuda/build.sh              everything
#   installers/cuda/build.sh prepare      only the toolkit and the wrapper, to look at them
#
# CUDA_HOME               a CUDA 13.0 toolkit to use; without it NVIDIA's wheels are downloaded
# GESSO_CUDA_BUILD        folder for what this script makes; target/cuda below the crate otherwise
# GESSO_CUDA_FEATURES     `cudnn` (default) or `cuda`, which does without cuDNN
# GESSO_CUDA_JOBS         how many compilers run at once; one a core otherwise
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${GESSO_CUDA_BUILD:-$root/target/cuda}
features=${GESSO_CUDA_FEATURES:-cudnn}
jobs=${GESSO_CUDA_JOBS:-$(nproc)}
target=x86_64-unknown-linux-gnu

# All pinned: what these wheels depend on is not, and parts of different releases do not fit. Later
# than 13.0 would write PTX that driver 580 refuses.
wheels=(
    nvidia-cuda-nvcc==13.0.88
    nvidia-cuda-crt==13.0.88
    nvidia-nvvm==13.0.88
    nvidia-cuda-runtime==13.0.96
    nvidia-cuda-cccl==13.0.85
)

fail() {
    echo "build.sh: $1" >&2
    exit 1
}

[ "$(uname -sm)" = "Linux x86_64" ] || fail "this script is for Linux on x86-64"
[ "${1:-all}" = all ] || [ "$1" = prepare ] || fail "unknown argument; say prepare or nothing: $1"
for tool in cargo g++ ar readelf; do
    command -v "$tool" >/dev/null || fail "$tool is missing; install Rust, g++ and binutils"
done
mkdir -p "$build"
build=$(cd "$build" && pwd)

# 1. A toolkit: the caller's, or NVIDIA's wheels.
if [ -n "${CUDA_HOME:-}" ]; then
    toolkit=$CUDA_HOME
else
    toolkit=$build/wheels/nvidia/cu13
    if [ ! -f "$build/wheels/.complete" ]; then
        python3 -m pip --version >/dev/null 2>&1 ||
            fail "python3 with pip is needed to download the toolkit; or set CUDA_HOME"
        rm -rf "$build/wheels"
        python3 -m pip install --quiet --no-deps --only-binary :all: --target "$build/wheels" "${wheels[@]}"
        touch "$build/wheels/.complete"
    fi
fi
[ -x "$toolkit/bin/nvcc" ] || fail "there is no nvcc in the toolkit: $toolkit"
runtime=
for folder in lib64 lib targets/x86_64-linux/lib; do
    if [ -f "$toolkit/$folder/libcudart_static.a" ]; then
        runtime=$toolkit/$folder/libcudart_static.a
        break
    fi
done
[ -n "$runtime" ] || fail "there is no libcudart_static.a in the toolkit: $toolkit"

# 2. A folder that looks like a toolkit to the build scripts, but links nothing of CUDA
# dynamically: the runtime's static form (it opens the driver itself, when first used) under the
# name that is asked for, and empty archives for the libraries that are opened at run time.
home=$build/home
rm -rf "$home"
mkdir -p "$home/lib"
for part in bin include nvvm; do
    [ ! -e "$toolkit/$part" ] || ln -s "$toolkit/$part" "$home/$part"
done
cp "$runtime" "$home/lib/libcudart.a"
for library in cuda nvrtc curand cublas cublasLt cudnn; do
    ar rcs "$home/lib/lib$library.a"
done

# 3. nvcc, with one change: kernels that are compiled to machine code (-c) become code for sm_90 and
# PTX for every GPU from sm_80 on, compressed. As they are, they would run on one kind of GPU only.
# PTX (--ptx) stays as it is. Written only when it changes, so that nothing is compiled again.
wrapper=$build/wrap/bin/nvcc
mkdir -p "$build/wrap/bin"
{
    cat <<'WRAPPER'
#!/usr/bin/env bash
set -eu
compile=0
for argument in "$@"; do
    [ "$argument" != -c ] || compile=1
done
if [ "$compile" = 1 ]; then
    arguments=()
    for argument in "$@"; do
        case $argument in
            -gencode=*) ;;
            *) arguments+=("$argument") ;;
        esac
    done
    set -- -gencode=arch=compute_90,code=sm_90 -gencode=arch=compute_80,code=compute_80 \
        --compress-mode=size "${arguments[@]}"
fi
WRAPPER
    printf 'exec %q "$@"\n' "$home/bin/nvcc"
} >"$wrapper.new"
chmod +x "$wrapper.new"
if cmp -s "$wrapper.new" "$wrapper"; then rm "$wrapper.new"; else mv "$wrapper.new" "$wrapper"; fi

export CUDA_HOME=$home CUDA_PATH=$home PATH=$home/bin:$PATH NVCC=$wrapper
# 80 writes PTX for Ampere and newer; 90 would silently mean sm_90a, one kind of GPU only.
export CUDA_COMPUTE_CAP=80 CUDAFORGE_THREADS=$jobs
release=$("$wrapper" --version | sed -n 's/.*release \([0-9.]*\),.*/\1/p')
echo "nvcc $release"
case $release in
    13.0) ;;
    *) echo "build.sh: tried with CUDA 13.0 only; $release may ask for another driver" >&2 ;;
esac
[ "${1:-all}" = all ] || exit 0

# 4. The build. candle asks for CUDA's libraries at link time; with this cfg the bindings open them
# when they are first used instead. It can't be a cargo feature: the bindings' build script refuses
# both at once. The target is named because only then do these flags stay away from build scripts.
export CARGO_BUILD_TARGET=$target
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS="--cfg feature=\"dynamic-loading\" -L native=$home/lib"
export CARGO_TARGET_DIR=$build/target
cd "$root"
cargo build --locked --release --jobs "$jobs" --features "$features"

# 5. What makes it portable, looked at.
program=$CARGO_TARGET_DIR/$target/release/gesso
if readelf -d "$program" | grep NEEDED | grep -E 'libcu|libnv'; then
    fail "the program needs the libraries above to start"
fi
"$program" --version
echo "built: $program ($(($(stat -c %s "$program") / 1048576)) MiB)"
