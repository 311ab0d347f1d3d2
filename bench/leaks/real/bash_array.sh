#!/bin/bash
# A loop that collects the lines that it has handled in an array.
line=$(head -c 60000 /dev/zero | tr '\0' x)
end=$((SECONDS + ${REAL_S%.*}))
done=()
while [ "$SECONDS" -lt "$end" ]; do
    done+=("$line${#done[@]}")
    read -rt 0.012 <> <(:)
done
