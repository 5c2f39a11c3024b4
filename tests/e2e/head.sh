# What the end-to-end runs share: an X server of their own, screenshots, and an end that leaves
# nothing running. Sourced by them, with the name of the run, the program and the folder.
#
# Needs Xvfb, xdotool, ImageMagick's `import` and a software Vulkan (Debian: xvfb xdotool
# imagemagick mesa-vulkan-drivers libxkbcommon-x11-0).
set -euo pipefail

run=$1
program=$(realpath "$2")
mkdir -p "$3/models"
out=$(realpath "$3")
export GESSO_MODELS=$out/models GESSO_LOG=gesso=info,gesso::editor=debug,gesso::app=debug

shot() { import -window root "$out/$1.png"; }
fail() {
    printf '%s: %s\n' "$run" "$1" >&2
    shot failed || true
    tail -n 40 "$out"/*.log >&2 || true
    exit 1
}
cleanup() {
    local pid
    # Only what this shell has started and what still runs.
    for pid in $(jobs -p); do
        kill "$pid" 2>/dev/null || true
    done
    wait 2>/dev/null || true
}
trap cleanup EXIT

# start_x DISPLAY SIZE: opens a screen of this size, and waits for it.
start_x() {
    export DISPLAY=${GESSO_E2E_DISPLAY:-$1}
    unset WAYLAND_DISPLAY
    # Without -noreset the server begins anew when the last program has left, as the one that asks below
    # whether it is there, and refuses programs meanwhile.
    Xvfb "$DISPLAY" -screen 0 "$2x24" -nolisten tcp -noreset >"$out/xvfb.log" 2>&1 &
    for _ in $(seq 100); do
        xdotool getdisplaygeometry >/dev/null 2>&1 && return
        sleep 0.1
    done
    fail "there is no X server"
}
