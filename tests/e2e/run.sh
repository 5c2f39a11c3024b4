#!/usr/bin/env bash
# The real program in a real X window, driven by synthetic pointer and keys from launch to a saved
# file. head.sh says what it needs.
#
# usage: tests/e2e/run.sh PROGRAM FOLDER
#   PROGRAM  the gesso binary
#   FOLDER   gets screenshots, the log and the saved picture
. "$(dirname "$0")/head.sh" "end-to-end run" "$1" "$2"
start_x :97 1440x900
. "$(dirname "$0")/window.sh"

# drag X1 Y1 X2 Y2 [BUTTON]: in steps, as a hand does; with the main button unless another is named.
drag() {
    local steps=24 i
    xdotool mousemove "$1" "$2"
    sleep 0.1
    xdotool mousedown "${5:-1}"
    for i in $(seq "$steps"); do
        xdotool mousemove $(($1 + ($3 - $1) * i / steps)) $(($2 + ($4 - $2) * i / steps))
        sleep 0.01
    done
    xdotool mouseup "${5:-1}"
    sleep 0.3
}

started=$(date +%s%N)
: >"$log"
start
await "first frame" 60
printf 'launch to first frame: %s ms\n' $((($(date +%s%N) - started) / 1000000))
seen=0
await_start
shot 1-welcome
key Escape

# A picture from a prompt.
key t
xdotool type --delay 12 "a red apple"
sleep 0.3
shot 2-prompt
key ctrl+Return
await "job started" 60
# The window goes on while the model works: the view is moved there and back.
for _ in 1 2 3; do
    drag 560 430 640 470 2
    drag 640 470 560 430 2
done
shot 3-sampling
await "results are shown" 600
sleep 0.5
shot 4-result
xdotool mousemove 640 420
key Return
await "committed" 20

# A part of it painted over and filled. The canvas fills the middle of the window.
key b
key bracketright
key bracketright
drag 560 430 680 450
shot 5-mask
await "committed" 20
key ctrl+shift+Return
await "job started" 60
await "results are shown" 600
sleep 0.5
shot 6-staging
grep -q "outside the mask: 0 bytes changed" "$log" || fail "no zero was measured outside the mask"
key Return
await "committed" 20

# Back and forth, and compared.
key ctrl+z
await "went to" 20
key ctrl+shift+z
await "went to" 20
key k
sleep 0.4
shot 7-compare
key k

# Painted by hand.
key ctrl+d
await "committed" 20
key p
drag 480 300 760 330
await "committed" 20
key ctrl+comma
sleep 0.5
shot 8-settings
key Escape

# Saved.
key ctrl+alt+s
saved=
for _ in $(seq 300); do
    saved=$(ls "$out/pictures"/*.png 2>/dev/null | head -n 1 || true)
    [ -z "$saved" ] || break
    sleep 0.1
done
[ -n "$saved" ] || fail "no picture was saved"
size=$(identify -format '%wx%h' "$saved")
[ "$size" = 256x256 ] || fail "the saved picture is $size, not 256x256"

# Killed without warning: the next start offers the work back, to the last stroke.
kill -9 "$gesso_pid"
wait "$gesso_pid" 2>/dev/null || true
start
await "1 works were left behind" 60
focus
sleep 1
shot 10-recover
xdotool mousemove 964 464 click 1
await "opened a project of 6 states" 20
sleep 1
shot 11-recovered
key ctrl+z
await "went to" 20
key ctrl+shift+z
await "went to" 20

# Closed: the work is not in a project, so it asks; then it is thrown away.
key ctrl+q
sleep 0.4
shot 9-unsaved
"$program" models list --json >/dev/null || fail "a second program can't run beside the window"
kill -0 "$gesso_pid" 2>/dev/null || fail "the window closed although there are unsaved changes"
xdotool mousemove 545 502 click 1
for _ in $(seq 100); do
    kill -0 "$gesso_pid" 2>/dev/null || break
    sleep 0.1
done
! kill -0 "$gesso_pid" 2>/dev/null || fail "the window did not close"
status=0
wait "$gesso_pid" || status=$?
[ "$status" = 0 ] || fail "the program ended with exit code $status"
! grep -E "panicked|ERROR" "$log" || fail "the log has errors"
grep -o "[0-9]* frames .*" "$log"
echo "end-to-end run: saved $saved ($size)"
