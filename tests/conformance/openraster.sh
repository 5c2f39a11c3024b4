#!/bin/sh
# Opens one of our project files in another program, saves it there, and compares layers and the
# merged picture with ours. Needs the program and, without a display, xvfb-run.
#
#     sh tests/conformance/openraster.sh krita
#
# GIMP reads OpenRaster through a Python plug-in, which not all systems ship; it isn't run here.
set -eu
program=${1:?name the program, for example krita}
command -v "$program" > /dev/null || { echo "there is no $program here" >&2; exit 1; }
cd "$(dirname "$0")/../.."
export GESSO_OPENRASTER_PROGRAM="$program"
display=
if [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then display='xvfb-run -a'; fi
exec $display cargo test --release --test it openraster
