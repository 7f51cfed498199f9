//! A mail as it has arrived, and what is in it.

use mail_parser::{Message, MessageParser, MimeHeaders as _};

/// A mail.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mail {
    /// The sender of the envelope.
    pub(crate) from: String,
    /// The recipients of the envelope.
    pub(crate) to: Vec<String>,
    /// Who had logged in.
    pub(crate) user: Option<String>,
    /// Whether it came through TLS.
    pub(crate) encrypted: bool,
    pub(crate) raw: Vec<u8>,
}

impl Mail {
    #[track_caller]
    fn message(&self) -> Message<'_> {
        MessageParser::default().parse(&self.raw).unwrap_or_else(|| panic!("no mail: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn subject(&self) -> String {
        self.message().subject().unwrap_or_default().to_owned()
    }

    /// A header as it was sent, without blanks around it.
    #[track_caller]
    pub(crate) fn header(&self, name: &'static str) -> Option<String> {
        Some(self.message().header_raw(name)?.trim().to_owned())
    }

    /// The two bodies, text and HTML, of a mail that has exactly these.
    #[track_caller]
    pub(crate) fn bodies(&self) -> (String, String) {
        let message = self.message();
        let kind = |part: &mail_parser::MessagePart| {
            let kind = part.content_type().unwrap();
            format!("{}/{}", kind.c_type, kind.c_subtype.as_deref().unwrap_or_default())
        };
        let kinds: Vec<String> = message.parts.iter().map(kind).collect();
        assert_eq!(kinds, ["multipart/alternative", "text/plain", "text/html"]);
        let text = |part: usize| message.parts[part].text_contents().unwrap().replace("\r\n", "\n");
        (text(1), text(2))
    }
}
