#!/usr/bin/env bash
# Pictures dragged from one real window into another under X: from the gallery and of the canvas, with
# Escape on the way, and back again. head.sh says what that needs.
#
# usage: tests/e2e/drag.sh PROGRAM FOLDER
#   PROGRAM  the gesso binary
#   FOLDER   gets screenshots and the logs
. "$(dirname "$0")/head.sh" "drag run" "$1" "$2"
mkdir -p "$out/a/pictures" "$out/b/pictures" "$out/tmp"
export TMPDIR=$out/tmp
start_x :96 1840x760

# await NAME WHAT COUNT SECONDS: waits until a line is in the log of a window so many times.
await() {
    local tries=$(($4 * 10))
    for _ in $(seq "$tries"); do
        [ "$(grep -c -- "$2" "$out/$1.log" || true)" -ge "$3" ] && return
        sleep 0.1
    done
    fail "nothing came of: $2 ($3 times in $1)"
}
# start NAME X: opens a window in the left or the right half; its number is printed.
start() {
    local name=$1 x=$2 window=
    printf '{"pictures_folder": "%s", "theme": "dark", "language": "en", "show_first_run": false, "last_generation": {"steps": 2, "small": true}}\n' \
        "$out/$name/pictures" >"$out/$name/preferences.json"
    GESSO_CONFIG=$out/$name "$program" >"$out/$name.txt" 2>"$out/$name.log" &
    for _ in $(seq 600); do
        window=$(xdotool search --all --onlyvisible --pid "$!" --name Gesso 2>/dev/null | tail -n 1 || true)
        [ -z "$window" ] || break
        sleep 0.1
    done
    [ -n "$window" ] || fail "no window of $name shows"
    await "$name" "first frame" 1 60
    sleep 0.5
    xdotool windowsize "$window" 900 740 windowmove "$window" "$x" 10
    eval "${name}_window=$window"
}
# carry X1 Y1 X2 Y2: takes hold and moves, in steps, as a hand does; does not let go.
carry() {
    local steps=14 i
    xdotool mousemove "$1" "$2"
    sleep 0.5
    xdotool mousedown 1
    # What is taken hold of is what lies under the pointer at the end of a frame, and frames are slow
    # where the machine is busy.
    sleep 0.5
    for i in $(seq "$steps"); do
        xdotool mousemove $(($1 + ($3 - $1) * i / steps)) $(($2 + ($4 - $2) * i / steps))
        sleep 0.02
    done
    sleep 0.7
}

start a 10
start b 930
await a "models are known" 1 60
xdotool windowfocus "$a_window"
sleep 0.5

# A picture for the gallery.
xdotool key ctrl+Return
await a "results are shown" 1 120
xdotool key Return
await a "committed" 1 20
xdotool mousemove 785 399 click 1
sleep 0.5

# Places: the gallery's first picture, both canvases, the size of the canvas in the status bar.
picture="640 510"
own="250 330"
other="1300 480"
size="129 737"

# To the canvas of its own window.
carry $picture $own
shot 1-own-canvas
xdotool mouseup 1
await a "committed: Place" 1 20

# To the other window: it opens the first picture and takes others as layers.
carry $picture $other
shot 2-other-window
xdotool mouseup 1
await a "dragged out of the window: Taken" 1 20
await b "files were dropped: 1" 1 20
grep -qa "Steps: 2" "$out"/tmp/gesso-drag-*/1/*.png || fail "the dragged file has no request inside"
sleep 1
shot 3-opened
carry $picture $other
xdotool mouseup 1
await a "dragged out of the window: Taken" 2 20
await b "committed: Place" 1 20
grep -q "placed at Some" "$out/b.log" || fail "it is not known where it was dropped"
shot 4-placed

# Escape on the way: nothing comes.
carry $picture $other
xdotool keydown Escape
sleep 0.2
xdotool keyup Escape
sleep 0.3
xdotool mouseup 1
await a "dragged out of the window: Cancelled" 1 20

# Out and back again: it lands on its own canvas, and the other window gets nothing.
carry $picture $other
for x in 1200 1000 800 600 400 300; do
    xdotool mousemove "$x" 400
    sleep 0.05
done
sleep 0.3
xdotool mouseup 1
await a "dragged out of the window: LetGo" 1 20
await a "committed: Place" 2 20

# What the canvas shows.
carry $size $other
shot 5-canvas
xdotool mouseup 1
await a "dragged out of the window: Taken" 3 20
await b "committed: Place" 2 20
sleep 0.5
shot 6-end
[ "$(grep -c "committed: Place" "$out/b.log")" = 2 ] || fail "the other window has another count of layers"
for name in a b; do
    ! grep -E "panicked|ERROR" "$out/$name.log" || fail "a log has errors"
done
echo "drag run: pictures went over"
