#!/usr/bin/env bash
# Asks the sentences service again and again, each time on a new connection, and shows every answer.
set -u

usage() {
    cat <<'TEXT'
usage: scripts/loop-query.sh [-s SECONDS] [-t GATEWAY | URL]

  URL          where to ask; without it, what `kata url sentences` says
  -t GATEWAY   ask through a gateway, at what `kata url GATEWAY` says
  -s SECONDS   pause between requests; default 0.3

Ctrl-C stops it and prints how many requests were made and how many failed.
TEXT
}

fail() {
    echo "loop-query.sh: $*" >&2
    exit 2
}

pause=0.3 service=sentences
while getopts ':s:t:h' option; do
    case $option in
        s) pause=$OPTARG ;;
        t) service=$OPTARG ;;
        h) usage; exit 0 ;;
        :) fail "-$OPTARG needs a value; see -h" ;;
        *) fail "there is no option -$OPTARG; see -h" ;;
    esac
done
shift $((OPTIND - 1))

[[ $pause =~ ^[0-9]+(\.[0-9]+)?$ ]] || fail "-s takes seconds such as 0.3, not '$pause'"
(($# <= 1)) || fail "expected at most one URL, found $#; see -h"
command -v curl >/dev/null || fail "curl is not installed; install it (for example: apt install curl) and try again"
if (($# == 1)); then
    url=$1
else
    command -v kata >/dev/null || fail "kata is not in PATH: run this in a terminal of the workshop, or give a URL"
    url=$(kata url "$service") || fail "kata knows no address of $service: deploy it first (kubectl apply -f deploy/v1)"
fi

asked=0 failed=0
finish() {
    echo
    echo "$asked requests, $failed failed"
    exit 0
}
trap finish INT TERM

red='' plain=''
if [[ -t 1 ]]; then red=$'\e[31m' plain=$'\e[0m'; fi

while true; do
    # curl's own last line is the status, 000 where nobody answered.
    answer=$(curl --silent --show-error --noproxy '*' --max-time 5 --write-out '\n%{http_code}' "$url" 2>&1)
    status=${answer##*$'\n'}
    text=${answer%$'\n'*} text=${text%$'\n'}
    asked=$((asked + 1))
    if [[ $status == 200 ]]; then
        printf '%s\n' "$text"
    else
        failed=$((failed + 1))
        [[ $status == 000 ]] && status='no answer'
        printf '%s\n' "${red}FAILED ($status)${plain} ${text//$'\n'/ }"
    fi
    sleep "$pause"
done
