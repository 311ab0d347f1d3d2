# bash completion for vigil. The program is asked for its commands and options (vigil --help, vigil COMMAND --help), so
# this file never needs to know a new one.

_vigil()
{
    local vigil=$1 word=$2 previous=$3 command="" i
    COMPREPLY=()

    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ ${COMP_WORDS[i]} != -* && ${COMP_WORDS[i]} != *=* ]]; then
            command=${COMP_WORDS[i]}
            break
        fi
    done

    if [[ $word == -* ]]; then
        # Every "--name" of the help; "--" alone and "--name=" forms are not in it.
        local options
        options=$("$vigil" ${command:+"$command"} --help 2>/dev/null | grep -oE -- '--[a-z][a-z0-9-]*' | sort -u)
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
        return
    fi
    if [[ -z $command ]]; then
        # The help names a command at the start of a line, two spaces in.
        local commands
        commands=$("$vigil" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z0-9]*\) .*/\1/p')
        mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
        return
    fi
    case $previous in
    --resume | attach | stop) # runs are folders
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
        ;;
    --device) mapfile -t COMPREPLY < <(compgen -W "auto cpu" -- "$word") ;;
    --isa) mapfile -t COMPREPLY < <(compgen -W "plain sse41 avx2 avx512" -- "$word") ;;
    *)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        ;;
    esac
}

complete -F _vigil vigil
