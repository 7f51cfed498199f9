//! A mail server: STARTTLS, TLS from the start, AUTH PLAIN and LOGIN. It keeps what it is given.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::mail::Mail;

/// When a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tls {
    Never,
    /// After STARTTLS, and no mail is taken before it.
    Upgrade,
    /// From the first byte.
    Implicit,
}

/// What the server wants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wants {
    pub(crate) tls: Tls,
    /// User and password; no mail is taken without them.
    pub(crate) login: Option<(&'static str, &'static str)>,
    /// What it says it can: `PLAIN LOGIN`, or one of them.
    pub(crate) mechanisms: &'static str,
}

/// The server; it runs until the test process ends.
pub(crate) struct SmtpSink {
    pub(crate) port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    mails: Mutex<Vec<Mail>>,
    refusal: Mutex<Option<String>>,
    /// In place of the one that was wanted at first.
    password: Mutex<Option<String>>,
}

impl SmtpSink {
    pub(crate) fn start(wants: Wants) -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // A client that goes away in the middle is no concern of ours.
                std::thread::spawn(move || Session { wants, state, user: None, encrypted: false }.serve(&stream));
            }
        });
        Self { port, state }
    }

    /// What has arrived, oldest first.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.state.mails.lock().unwrap().clone()
    }

    /// From now on every recipient gets this answer, such as `450 4.2.1 the mailbox is busy`; `None` takes them again.
    pub(crate) fn refuse(&self, answer: Option<&str>) {
        *self.state.refusal.lock().unwrap() = answer.map(str::to_owned);
    }

    /// From now on the user has this password, and no other.
    pub(crate) fn password(&self, password: &str) {
        *self.state.password.lock().unwrap() = Some(password.to_owned());
    }
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

struct Session {
    wants: Wants,
    state: Arc<State>,
    user: Option<String>,
    encrypted: bool,
}

impl Session {
    fn serve(mut self, plain: &TcpStream) -> Result<()> {
        // It has its own handle, because STARTTLS wraps the connection anew.
        let mut stream: Box<dyn Stream> = Box::new(plain.try_clone()?);
        if self.wants.tls == Tls::Implicit {
            stream = self.encrypt(plain.try_clone()?)?;
        }
        say(&mut stream, "220 sink ESMTP")?;
        let mut mail = Mail::default();
        loop {
            let line = line(&mut stream)?;
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_uppercase().as_str() {
                "EHLO" => say(&mut stream, &self.greeting())?,
                "HELO" | "RSET" | "NOOP" => say(&mut stream, "250 ok")?,
                "STARTTLS" if self.wants.tls == Tls::Upgrade && !self.encrypted => {
                    say(&mut stream, "220 go on")?;
                    stream = self.encrypt(plain.try_clone()?)?;
                }
                "AUTH" => self.auth(&mut stream, rest)?,
                "MAIL" if self.wants.tls == Tls::Upgrade && !self.encrypted => {
                    say(&mut stream, "530 5.7.0 STARTTLS comes first")?;
                }
                "MAIL" if self.wants.login.is_some() && self.user.is_none() => {
                    say(&mut stream, "530 5.7.0 log in first")?;
                }
                "MAIL" => {
                    mail = Mail {
                        from: address(rest),
                        user: self.user.clone(),
                        encrypted: self.encrypted,
                        ..Mail::default()
                    };
                    say(&mut stream, "250 ok")?;
                }
                "RCPT" => {
                    let refusal = self.state.refusal.lock().unwrap().clone();
                    if refusal.is_none() {
                        mail.to.push(address(rest));
                    }
                    say(&mut stream, refusal.as_deref().unwrap_or("250 ok"))?;
                }
                "DATA" if mail.to.is_empty() => say(&mut stream, "503 5.5.1 to whom?")?,
                "DATA" => {
                    say(&mut stream, "354 end with a dot")?;
                    mail.raw = data(&mut stream)?;
                    self.state.mails.lock().unwrap().push(std::mem::take(&mut mail));
                    say(&mut stream, "250 kept")?;
                }
                "QUIT" => return say(&mut stream, "221 bye"),
                _ => say(&mut stream, "502 5.5.1 what?")?,
            }
        }
    }

    fn encrypt(&mut self, plain: TcpStream) -> Result<Box<dyn Stream>> {
        self.encrypted = true;
        Ok(Box::new(StreamOwned::new(ServerConnection::new(certificate()).map_err(Error::other)?, plain)))
    }

    fn greeting(&self) -> String {
        let mut lines = vec!["sink".to_owned(), "8BITMIME".to_owned()];
        if self.wants.tls == Tls::Upgrade && !self.encrypted {
            lines.push("STARTTLS".to_owned());
        } else if self.wants.login.is_some() {
            lines.push(format!("AUTH {}", self.wants.mechanisms));
        }
        let last = lines.len() - 1;
        let lines =
            lines.iter().enumerate().map(|(at, line)| format!("250{}{line}", if at == last { ' ' } else { '-' }));
        lines.collect::<Vec<_>>().join("\r\n")
    }

    fn auth(&mut self, stream: &mut Box<dyn Stream>, how: &str) -> Result<()> {
        let (mechanism, first) = how.split_once(' ').unwrap_or((how, ""));
        let (user, password) = match mechanism.to_uppercase().as_str() {
            "PLAIN" => {
                let answer = if first.is_empty() { ask(stream, "")? } else { decode(first)? };
                let mut parts = answer.split('\0').skip(1).map(str::to_owned);
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
            }
            "LOGIN" => (ask(stream, "Username:")?, ask(stream, "Password:")?),
            _ => return say(stream, "504 5.5.4 not in this way"),
        };
        let changed = self.state.password.lock().unwrap().clone();
        let wanted = self.wants.login.map(|(user, first)| (user, changed.as_deref().unwrap_or(first)));
        if wanted == Some((&user, &password)) {
            self.user = Some(user);
            say(stream, "235 2.7.0 welcome")
        } else {
            say(stream, "535 5.7.8 wrong user or password")
        }
    }
}

fn certificate() -> Arc<ServerConfig> {
    let chain = CertificateDer::pem_slice_iter(include_bytes!("tls/server.pem")).collect::<std::result::Result<_, _>>();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/server.key"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_no_client_auth().with_single_cert(chain.unwrap(), key.unwrap()).unwrap())
}

fn say(stream: &mut impl Write, text: &str) -> Result<()> {
    stream.write_all(format!("{text}\r\n").as_bytes())?;
    stream.flush()
}

fn ask(stream: &mut Box<dyn Stream>, question: &str) -> Result<String> {
    say(stream, &format!("334 {}", STANDARD.encode(question)))?;
    decode(&line(stream)?)
}

fn decode(text: &str) -> Result<String> {
    let bytes = STANDARD.decode(text).map_err(Error::other)?;
    String::from_utf8(bytes).map_err(Error::other)
}

/// The next line without its end.
fn line(stream: &mut impl Read) -> Result<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        bytes.push(byte[0]);
    }
    bytes.truncate(bytes.len() - 2);
    String::from_utf8(bytes).map_err(Error::other)
}

/// The lines of a message until the one that is a dot.
fn data(stream: &mut impl Read) -> Result<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let line = line(stream)?;
        if line == "." {
            return Ok(message);
        }
        message.extend_from_slice(line.strip_prefix('.').unwrap_or(&line).as_bytes());
        message.extend_from_slice(b"\r\n");
    }
}

/// `TO:<anna@example.com> SIZE=1` → `anna@example.com`.
fn address(parameter: &str) -> String {
    let inside = parameter.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or(parameter, |(address, _)| address).to_owned()
}
