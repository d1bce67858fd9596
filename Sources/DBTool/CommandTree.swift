import ArgumentParser
import BackupCore
import Foundation

/// The commands and their options as the parser itself describes them.
///
/// - SeeAlso: <https://github.com/apple/swift-argument-parser>, `ToolInfoV0`.
struct CommandTree: Decodable {
    /// A command or a group of them.
    struct Command: Decodable {
        let commandName: String
        let abstract: String?
        let discussion: String?
        let subcommands: [Command]?
        let arguments: [Argument]?

        /// Those that help shows; the parser's own `help` is not one of this program's verbs.
        var children: [Command] { (subcommands ?? []).filter { $0.commandName != "help" } }
        var shownArguments: [Argument] { (arguments ?? []).filter(\.shouldDisplay) }

        /// All options and flags, as they are written: `--path`, `-path`.
        var optionNames: [String] { (arguments ?? []).flatMap(\.written) }
    }

    /// An option, a flag or a word at a certain place.
    struct Argument: Decodable {
        enum Kind: String, Decodable { case positional, option, flag }

        struct Name: Decodable {
            let kind: String
            let name: String

            var written: String { (kind == "long" ? "--" : "-") + name }
        }

        let kind: Kind
        let shouldDisplay: Bool
        let sectionTitle: String?
        let isOptional: Bool
        let isRepeating: Bool
        let names: [Name]?
        let valueName: String?
        let defaultValue: String?
        let allValues: [String]?
        let abstract: String?

        var written: [String] { (names ?? []).map(\.written) }
    }

    let command: Command

    /// Reads what the parser says about a command and all below it.
    ///
    /// - Throws: When the parser describes them in another way than it did.
    init(of root: any ParsableCommand.Type) throws {
        self = try JSONDecoder().decode(Self.self, from: Data(root._dumpHelp().utf8))
    }

    /// The command that words name, as far as they do, and how many of them are its name.
    func command(named words: [String]) -> (command: Command, wordCount: Int) {
        var (command, count) = (command, 0)
        for word in words {
            let next = command.children.first { $0.commandName == word.lowercased() }
            guard let next else { break }
            (command, count) = (next, count + 1)
        }
        return (command, count)
    }
}
