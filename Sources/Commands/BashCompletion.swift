// Completion for bash, where the argument parser's does not reach: bash ends a word at `=` and `@`, which stand inside
// addresses and parameters.

enum BashCompletion {
  /// Whether the words of a command line ask for it.
  static func isRequested(_ words: [String]) -> Bool {
    zip(words, words.dropFirst()).contains { $0 == "--generate-completion-script" && $1 == "bash" }
  }

  /// The parser's script, whose last line hands over the function that completes, with another function around that one.
  static func script(around script: String) -> String {
    var lines = script.split(separator: "\n", omittingEmptySubsequences: false)
    while lines.last?.isEmpty == true { lines.removeLast() }
    let words = lines.last?.split(separator: " ") ?? []
    guard words.count == 6, words.starts(with: ["complete", "-o", "filenames", "-F"]) else { return script }
    lines.removeLast()
    return lines.joined(separator: "\n") + "\n" + wholeWords(inner: words[4], command: words[5])
  }

  private static func wholeWords(inner: Substring, command: Substring) -> String {
    """
    # bash ends a word at `=` and `@`. Here words are put together before they are completed, and what bash takes for the words
    # before is taken off again.
    \(inner)_whole_words() {
        local line="${COMP_LINE}" piece="${COMP_WORDS[COMP_CWORD]}" word
        local -i index current=0
        local -a words=()
        for index in "${!COMP_WORDS[@]}"; do
            word="${COMP_WORDS[index]}"
            if [[ ${#words[@]} -eq 0 || -z "${line}" || "${line}" == [[:space:]]* ]]; then
                words+=("${word}")
            else
                words[${#words[@]} - 1]+="${word}"
            fi
            line="${line#"${line%%[![:space:]]*}"}"
            line="${line#"${word}"}"
            if [[ "${index}" -eq "${COMP_CWORD}" ]]; then current=$((${#words[@]} - 1)); fi
        done
        local -a COMP_WORDS=("${words[@]}")
        local -i COMP_CWORD="${current}"
        \(inner) "$1" "${words[current]}" "${words[current - 1]}"
        # These are no names of files, in which bash would quote `@` and `=`.
        case "${words[current - 1]}" in
        --set) compopt +o filenames -o nospace ;;
        --only | --from | --until | --force) compopt +o filenames ;;
        esac
        [[ "${piece}" == [=@] ]] && piece=""
        COMPREPLY=("${COMPREPLY[@]#"${words[current]%"${piece}"}"}")
    }

    complete -o filenames -F \(inner)_whole_words \(command)
    """
  }
}
