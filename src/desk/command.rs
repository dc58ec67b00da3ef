//! The commands, by the names that operators write.

/// What can be asked of the program at a desk, notes apart: a note asks for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Help,
    Close,
    Why,
    Retry,
    Waiting,
    Hours,
    Block,
    Unblock,
    Lang,
    Template,
    Drop,
    Write,
}

impl Command {
    pub const ALL: [Self; 12] = [
        Self::Help,
        Self::Close,
        Self::Why,
        Self::Retry,
        Self::Waiting,
        Self::Hours,
        Self::Block,
        Self::Unblock,
        Self::Lang,
        Self::Template,
        Self::Drop,
        Self::Write,
    ];

    /// What stands behind the `!`, in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Help => "help",
            Self::Close => "close",
            Self::Why => "why",
            Self::Retry => "retry",
            Self::Waiting => "waiting",
            Self::Hours => "hours",
            Self::Block => "block",
            Self::Unblock => "unblock",
            Self::Lang => "lang",
            Self::Template => "template",
            Self::Drop => "drop",
            Self::Write => "write",
        }
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|command| command.name() == name)
    }
}

const HELP: &str = "\
What you write in a thread goes to the customer. These stay here:
!note TEXT: a note for colleagues
!close: end the conversation (a new message opens it again)
!why: what was sent automatically, and why not
!retry: send again what was not delivered
!waiting: who waits for an answer, longest first
!hours: the coming opening hours
!hours closed until 15:00, !hours open until 20:00: other hours for the moment; !hours reset ends them
!block: show nothing more of this customer, and send them nothing automatically; !unblock ends it
!lang de: write to this customer automatically in German
!write CUSTOMER TEXT, outside the threads: begin a conversation with a customer
";

const WINDOWS: &str = "\
!template: the approved messages, for customers whose messenger takes nothing else when they have not written for long
!template NAME: send one; what stands in its gaps comes after it, two words in \"quotes\"
!drop: take back an answer that waits until the customer writes
";

/// `slashes`: the desk's platform has commands that begin with `/`. `windows`: a channel has a reply window.
#[must_use]
pub fn help(slashes: bool, windows: bool) -> String {
    let last = if slashes {
        "Each can be written with / as well. Whatever else begins with / stays here too."
    } else {
        "Whatever begins with / stays here too."
    };
    let windows = if windows { WINDOWS } else { "" };
    format!("{HELP}{windows}!help: this list\n{last}")
}
