#!/usr/bin/env bash
# A conversation of 13 turns with a branch in the real window, with the starter model: draws, edits,
# asks, goes back five turns and takes another way. Each turn must be committed as a state of the
# history, and no byte may change outside of what a turn changed. head.sh says what it needs.
#
# usage: tests/e2e/chat.sh PROGRAM FOLDER
#   PROGRAM  the gesso binary
#   FOLDER   gets a screenshot after each turn and all of them in one picture, session.png
. "$(dirname "$0")/head.sh" "conversation run" "$1" "$2"
start_x :96 1440x900
. "$(dirname "$0")/window.sh"
: >"$log"
start
await_start
key Escape
key ctrl+t
sleep 0.5

turn=0
# say MESSAGE: sends it, waits for the answer, looks.
say() {
    turn=$((turn + 1))
    xdotool mousemove 1275 385 click 1
    sleep 0.3
    xdotool type --delay 30 "$1"
    sleep 0.2
    key Return
    await "a turn was committed" 120
    sleep 0.7
    shot "$(printf 'turn-%02d' "$turn")"
}
# Leaves the text field and goes back one state.
back() {
    key Escape
    xdotool mousemove 580 480
    key ctrl+z
    sleep 0.4
}
say "a tree on a blue background"
say "make the background pink"
say "what color is the background?"
say "replace the tree with a heart"
say "make the background yellow"
say "how many things are there?"
say "remove the heart"
# Another way from the second turn on.
back
back
back
back
back
say "make the background white"
say "replace the tree with an apple"
say "what is in the picture?"
say "make the background green"
say "replace the apple with a star"
say "remove the star"

turns=$(grep -c "a turn was committed" "$log")
[ "$turns" = 13 ] || fail "13 turns were said and $turns committed"
grep -q "an answer changed 0 bytes outside of its region" "$log" || fail "no answer changed a part"
if grep "an answer changed" "$log" | grep -qv "changed 0 bytes"; then
    fail "bytes changed outside of what a turn changed"
fi
key ctrl+q
montage "$out"/turn-*.png -resize 480x -tile 4x -geometry +6+6 -background '#202020' "$out/session.png"
printf '%s turns, none of which changed a byte outside of its region\n' "$turns"
