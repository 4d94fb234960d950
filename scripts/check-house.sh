#!/usr/bin/env bash
# The rules of the house that a formatter cannot see. Prints every breach; exits 1 if there is one.
set -uo pipefail
cd "$(dirname "$0")/.."
breaches=0
breach() { echo "$1" >&2; breaches=$((breaches + 1)); }

sources=$(git ls-files 'Sources/*.swift' 'Sources/*.c' 'Sources/*.h' 'environments/*.swift' 'rewards/*.swift' 'Plugins/*.swift' \
    | grep -v '/Generated/')

for file in $sources; do
    lines=$(wc -l <"$file")
    [ "$lines" -le 400 ] || breach "$file: $lines lines; split it by concept (400 at most)"
    case "$(basename "$file")" in *Utils*|*Helpers*|*Manager*) breach "$file: name it after what it is" ;; esac
done

# What would crash on data from outside, and what is left unfinished.
while IFS= read -r hit; do breach "$hit"; done < <(
    echo "$sources" | xargs grep -nE '\bfatalError\(|\btry!|\bas!|TODO|FIXME|XXX' /dev/null)

# An unchecked promise to the compiler needs its reason beside it: on the line or in the comment just above.
while IFS=: read -r file line _; do
    sed -n "$((line > 4 ? line - 4 : 1)),${line}p" "$file" | grep -q '//' || breach "$file:$line: say why this is safe"
done < <(echo "$sources" | xargs grep -nE '@unchecked Sendable|nonisolated\(unsafe\)' /dev/null)

# Libraries log; only what a person types prints.
while IFS= read -r hit; do breach "$hit: libraries do not print"; done < <(
    echo "$sources" | grep -vE '^Sources/(Commands|apus|rollout-worker|trainer|orchestrator|relay|verifier)/|^Plugins/' \
        | xargs grep -nE '(^|[^a-zA-Z.])print\(' /dev/null)

for script in scripts/*.sh .ci/run; do
    bash -n "$script" || breach "$script: does not parse"
done
[ "$breaches" -eq 0 ] || { echo "$breaches breach(es) of the house rules (CONTRIBUTING.md)" >&2; exit 1; }
