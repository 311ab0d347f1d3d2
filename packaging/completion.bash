# bash completion for vigil. The program says what its commands, options and values are (vigil help --completion), so this
# file never needs to know a new one. All spellings are completed: --name VALUE, --name=VALUE and name=VALUE.

# The kind of a value: flag, file, folder, value, "words A B C".
_vigil_kind()
{
    local name=${1//_/-}
    "$vigil" help --completion "$command" 2>/dev/null | sed -n "s/^--${name//[^a-z0-9-]/} //p"
}

# Words, or names of files, that begin with $word. "value" has none.
_vigil_value()
{
    case $1 in
    flag) mapfile -t COMPREPLY < <(compgen -W "True False" -- "$word") ;;
    words*) mapfile -t COMPREPLY < <(compgen -W "${1#words}" -- "$word") ;;
    folder)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
        ;;
    file)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        ;;
    esac
}

_vigil()
{
    local vigil=$1 word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command="" i
    COMPREPLY=()

    # The command: the first word that is neither an option nor one of YOLO's words in front of it.
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        yolo) ;;
        detect) [[ -n $command ]] || command=predict ;;
        -* | *=*) ;;
        *)
            command=${COMP_WORDS[i]}
            break
            ;;
        esac
    done

    # "=" is a word of its own: name = VALUE.
    if [[ $word == = ]]; then
        word=""
        _vigil_value "$(_vigil_kind "${previous#--}")"
    elif [[ $previous == = && COMP_CWORD -ge 2 ]]; then
        _vigil_value "$(_vigil_kind "${COMP_WORDS[COMP_CWORD - 2]#--}")"
    elif [[ ( -z $command || $previous == detect ) && $word != -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$vigil" help --completion 2>/dev/null) yolo detect" -- "$word")
    elif [[ $word == -* ]]; then
        local options
        options=$("$vigil" help --completion ${command:+"$command"} 2>/dev/null | sed -n 's/^\(--[a-z][a-z0-9-]*\) .*/\1/p')
        mapfile -t COMPREPLY < <(compgen -W "${options:---help --version}" -- "$word")
    else
        local kind=""
        [[ $previous != --* ]] || kind=$(_vigil_kind "${previous#--}")
        case $kind in
        "" | flag) # no value to this word's left: one of its own, a name=, or what a word without a name is
            kind=$("$vigil" help --completion "$command" 2>/dev/null | sed -n 's/^- //p')
            if [[ $command == help ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$("$vigil" help --completion 2>/dev/null)" -- "$word")
            elif [[ -n $kind ]]; then
                _vigil_value "$kind"
            else
                compopt -o nospace 2>/dev/null
                mapfile -t COMPREPLY < <(compgen -S = -W "$("$vigil" help --completion "$command" 2>/dev/null |
                    sed -n 's/^--\([a-z][a-z0-9-]*\) .*/\1/p' | tr - _)" -- "$word")
            fi
            ;;
        *) _vigil_value "$kind" ;;
        esac
    fi
}

complete -F _vigil vigil
