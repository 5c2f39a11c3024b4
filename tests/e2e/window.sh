# One program in one window, for the end-to-end runs that need no second: sourced after head.sh and
# start_x. Starts the program, waits for what its log says, and presses keys.
mkdir -p "$out/config" "$out/pictures"
log=$out/gesso.log
printf '{"pictures_folder": "%s", "theme": "%s", "language": "en"}\n' "$out/pictures" "${GESSO_E2E_THEME:-dark}" \
    >"$out/config/preferences.json"
export GESSO_CONFIG=$out/config

start() {
    "$program" >>"$out/stdout.txt" 2>>"$log" &
    gesso_pid=$!
}
# await WHAT SECONDS: waits for a line in the log beyond the ones seen before.
seen=0
await() {
    local what=$1 tries=$(($2 * 10)) line
    for _ in $(seq "$tries"); do
        kill -0 "$gesso_pid" 2>/dev/null || fail "the program ended while waiting for: $what"
        line=$(tail -n +"$((seen + 1))" "$log" | grep -n -m 1 -- "$what" | cut -d: -f1 || true)
        if [ -n "$line" ]; then
            seen=$((seen + line))
            return
        fi
        sleep 0.1
    done
    fail "nothing came of: $what"
}
key() {
    xdotool key --clearmodifiers "$1"
    sleep 0.25
}
focus() {
    local window=
    for _ in $(seq 100); do
        window=$(xdotool search --onlyvisible --name 'Gesso' 2>/dev/null | tail -n 1 || true)
        [ -z "$window" ] || break
        sleep 0.1
    done
    [ -n "$window" ] || fail "no window shows"
    xdotool windowfocus "$window" || true
}
# Waits for the first frame and the models.
await_start() {
    await "first frame" 60
    focus
    for _ in $(seq 600); do
        grep -q "models are known" "$log" && break
        sleep 0.1
    done
    grep -q "models are known" "$log" || fail "no models were found"
    sleep 0.5
}
