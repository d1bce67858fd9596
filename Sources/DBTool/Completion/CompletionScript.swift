import ArgumentParser

/// The script that teaches a shell to complete `dbtool`: the parser's, with its rough edges taken off.
struct CompletionScript {
    let text: String
    /// The edges that were not found: none, unless the parser writes its scripts in another way.
    let missed: [String]

    init(for shell: CompletionShell) {
        var text = DBTool.completionScript(for: shell)
        var missed: [String] = []
        for (old, new) in Self.changes(for: shell) {
            if !text.contains(old) { missed.append(old) }
            text = text.replacing(old, with: new)
        }
        self.text = text
        self.missed = missed
    }

    private static func changes(for shell: CompletionShell) -> KeyValuePairs<String, String> {
        switch shell {
        case .bash: bash
        case .zsh: zsh
        default: fish
        }
    }

    /// A word that is also the name of a folder must not get a slash: file names are only those that
    /// are some, and words that must be quoted.
    ///
    /// What was typed may have quotes or backslashes that the table's name has not, or lack quotes
    /// that it has.
    private static let bash: KeyValuePairs = [
        #""${COMP_WORDS[0]}" "${@}" "${words[@]}""#:
            #""${COMP_WORDS[0]}" "${@}" "${words[@]}" 2>/dev/null"#,
        "complete -o filenames -F": "complete -F",
        #"local -r prev="${3}""#: #"""
        local prev="${3}"
            [[ "${prev}" != '=' || "${COMP_CWORD}" -lt 2 ]] || prev="${COMP_WORDS[COMP_CWORD - 2]}"
            local -r prev
        """#,
        #"""
            local completion
            while IFS='' read -r completion; do
                COMPREPLY+=("${completion}")
            done < <(IFS=$'\n' compgen "${@}" -- "${cur}")

        """#: #"""
            local completion
            if [[ "${1}" != -W ]]; then
                compopt -o filenames 2>/dev/null
                while IFS='' read -r completion; do
                    COMPREPLY+=("${completion}")
                done < <(IFS=$'\n' compgen "${@}" -- "${cur}")
                return
            fi
            while IFS='' read -r completion; do
                [[ "${completion}" = "${cur}"* || "${completion}" = "${cur//\\/}"* || "${completion#\"}" = "${cur}"* ]] ||
                    continue
                [[ "${completion}" =~ ^[-A-Za-z0-9_./:@%+,=]*$ ]] || compopt -o filenames 2>/dev/null
                COMPREPLY+=("${completion}")
            done < <(IFS=$'\n' compgen "${@}")

        """#,
    ]

    private static let zsh: KeyValuePairs = [
        #""${command_line[@]}")"}")"#: #""${command_line[@]}" 2>/dev/null)"}")"#
    ]

    /// fish's parser of options knows no long ones with one dash.
    private static let fish: KeyValuePairs = [
        "command $tokens[1] $argv $tokens": "command $tokens[1] $argv $tokens 2>/dev/null",
        "set -l unparsed_tokens (__dbtool_tokens -pc)":
            "set -l unparsed_tokens (__dbtool_tokens -pc | string replace -r '^-(\\w[\\w-]+)' -- '--$1')",
    ]
}
